//! From a file to a value of a network's type: at compile time without a copy at run time, or into a place the caller gives.

use super::{Container, FormatError, Reader, open};
use core::marker::PhantomData;

/// A model file that is known at compile time; [`embed!`](crate::embed) declares one.
pub trait ModelFile {
    /// The whole file.
    const BYTES: &'static [u8];
}

/// A position in a model file, as a type: a trait's method cannot run in const evaluation, its constants can.
pub trait Cursor {
    /// The reader at this position.
    const READER: Reader<'static>;
}

/// The first record of a file.
pub struct Start<F>(PhantomData<F>);

impl<F: ModelFile> Cursor for Start<F> {
    const READER: Reader<'static> = match open(F::BYTES) {
        Ok(container) => container.reader(),
        Err(error) => error.fail(),
    };
}

/// The record after another one.
pub struct Next<C>(PhantomData<C>);

impl<C: Cursor> Cursor for Next<C> {
    const READER: Reader<'static> = {
        let mut reader = C::READER;
        match reader.record() {
            Ok(_) => reader,
            Err(error) => error.fail(),
        }
    };
}

/// The same position, for the type of a layer that has flags from a type around it: `FLAGS`, whatever those in `ANY` are.
#[doc(hidden)]
pub struct Flagged<C, const FLAGS: u32, const ANY: u32>(PhantomData<C>);

impl<C: Cursor, const FLAGS: u32, const ANY: u32> Cursor for Flagged<C, FLAGS, ANY> {
    const READER: Reader<'static> = C::READER.around(FLAGS, ANY);
}

/// A network that can be made from the records of a file in const evaluation.
///
/// A layer of one's own reads its record with [`Reader::record`] or [`Shape::expect`](super::Shape::expect) in `VALUE`, and
/// its `Rest` is [`Next<C>`].
pub trait Embed<C: Cursor>: Sized {
    /// The network, with the weights that stand at the cursor.
    const VALUE: Self;
    /// What follows.
    type Rest: Cursor;
}

/// The network in a file; [`embed!`](crate::embed) calls it. A file that does not fit stops the build.
#[doc(hidden)]
#[must_use]
pub const fn load<F: ModelFile, N: Embed<Start<F>>>() -> N {
    const {
        if let Err(error) = N::Rest::READER.end() {
            error.fail();
        }
    }
    N::VALUE
}

/// The network in a `.gatelet` file, packed for the target's kernels at compile time: a `static` of it lies in flash as it is.
///
/// The file is checked against the type of the `static`; whatever differs is a compile error that names the layer, what
/// differs and both values. The path is relative to the source file, as for `include_bytes!`.
///
/// ```
/// use gatelet::{Dense, Gru, Layer, Normalize, Softmax, chain};
/// type Net = chain!(Normalize<12>, Gru<12, 32>, Dense<32, 9, Softmax>);
/// static NET: Net = gatelet::embed!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/firmware/speaker.gatelet"));
///
/// let mut probabilities = [0.0; 9];
/// NET.step(&mut Net::ZERO_STATE.clone(), &[0.5; 12], &mut probabilities);
/// assert!((probabilities.iter().sum::<f32>() - 1.0).abs() < 1e-6);
/// ```
#[macro_export]
macro_rules! embed {
    ($file:expr $(,)?) => {{
        struct File;
        impl $crate::format::ModelFile for File {
            const BYTES: &'static [u8] = include_bytes!($file);
        }
        $crate::format::load::<File, _>()
    }};
}

/// A network that can be read from a file at run time, into a place that the caller has for it.
///
/// ```
/// # fn read(file: &[u8]) -> Result<(), gatelet::FormatError> {
/// use gatelet::{Dense, Gru, ReadInto, chain};
/// type Net = chain!(Gru<2, 4>, Dense<4, 1>);
/// let mut net = Net::EMPTY; // in RAM; on a device a `static` cell
/// net.read_into(file)?;
/// # Ok(())
/// # }
/// assert_eq!(read(b"nonsense"), Err(gatelet::FormatError::NotGatelet));
/// ```
pub trait ReadInto: Sized {
    /// The network before anything is read.
    const EMPTY: Self;

    /// Steps over this network's records, comparing them with the type.
    ///
    /// # Errors
    /// At the first difference.
    fn check(reader: &mut Reader<'_>) -> Result<(), FormatError>;

    /// Takes the weights from this network's records.
    ///
    /// # Errors
    /// At the first difference from the type.
    fn fill(&mut self, reader: &mut Reader<'_>) -> Result<(), FormatError>;

    /// Reads a model file. The file is checked as a whole before the first weight is replaced. The checksum vouches for the
    /// weights; they are not looked at, and a file made on purpose with NaN in it gives NaN.
    ///
    /// # Errors
    /// If the file is damaged, or is not a network of this type; `self` is unchanged then.
    fn read_into<'a>(&mut self, file: &'a [u8]) -> Result<Container<'a>, FormatError> {
        let container = open(file)?;
        let mut reader = container.reader();
        Self::check(&mut reader)?;
        reader.end()?;
        self.fill(&mut container.reader())?;
        Ok(container)
    }
}

/// `Embed` and `ReadInto` for a layer that is one record, from its `SHAPE`, its `EMPTY` value and its `fill_from`.
macro_rules! leaf_layer {
    ([$($parameters:tt)*] $layer:ty) => {
        impl<C: $crate::format::Cursor, $($parameters)*> $crate::format::Embed<C> for $layer {
            const VALUE: Self = {
                let mut reader = C::READER;
                match Self::SHAPE.expect(&mut reader) {
                    Ok(bytes) => {
                        let mut layer = Self::EMPTY;
                        layer.fill_from(bytes);
                        layer
                    }
                    Err(error) => error.fail(),
                }
            };
            type Rest = $crate::format::Next<C>;
        }

        impl<$($parameters)*> $crate::format::ReadInto for $layer {
            const EMPTY: Self = Self::EMPTY;

            fn check(reader: &mut $crate::format::Reader<'_>) -> Result<(), $crate::format::FormatError> {
                Self::SHAPE.expect(reader).map(|_| ())
            }

            fn fill(&mut self, reader: &mut $crate::format::Reader<'_>) -> Result<(), $crate::format::FormatError> {
                self.fill_from(Self::SHAPE.expect(reader)?);
                Ok(())
            }
        }
    };
}
pub(crate) use leaf_layer;
