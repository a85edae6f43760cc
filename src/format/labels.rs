//! Class labels, on the host and in flash.

use super::{FormatError, open};

/// The class labels of a model file, in the order of the network's outputs.
#[derive(Clone, Copy, Debug)]
pub struct Labels<'a> {
    bytes: &'a [u8],
    left: usize,
}

const DAMAGED: FormatError = FormatError::Damaged { part: "a class label is not whole" };

impl<'a> Labels<'a> {
    /// Checks a section of `count` labels.
    pub(super) const fn new(bytes: &'a [u8], count: usize) -> Result<Self, FormatError> {
        let labels = Labels { bytes, left: count };
        let mut rest = labels;
        while rest.left > 0 {
            if let Err(error) = rest.read() {
                return Err(error);
            }
        }
        if rest.bytes.is_empty() { Ok(labels) } else { Err(DAMAGED) }
    }

    const fn read(&mut self) -> Result<&'a str, FormatError> {
        let Some((length, rest)) = self.bytes.split_first_chunk::<4>() else { return Err(DAMAGED) };
        let length = u32::from_le_bytes(*length) as usize;
        if length > rest.len() {
            return Err(DAMAGED);
        }
        let Some((text, rest)) = rest.split_at_checked(length.next_multiple_of(4)) else { return Err(DAMAGED) };
        let Ok(text) = core::str::from_utf8(text.split_at(length).0) else { return Err(DAMAGED) };
        self.bytes = rest;
        self.left -= 1;
        Ok(text)
    }

    /// How many there are.
    #[must_use]
    pub const fn len(&self) -> usize {
        self.left
    }

    /// Whether there are none: the model is not a classifier, or nobody named its classes.
    #[must_use]
    pub const fn is_empty(&self) -> bool {
        self.left == 0
    }
}

impl<'a> Iterator for Labels<'a> {
    type Item = &'a str;

    fn next(&mut self) -> Option<&'a str> {
        if self.left == 0 {
            return None;
        }
        self.read().ok()
    }

    fn size_hint(&self) -> (usize, Option<usize>) {
        (self.left, Some(self.left))
    }
}

/// Bytes of the labels section of a model file; for [`embed_labels!`](crate::embed_labels).
#[doc(hidden)]
#[must_use]
pub const fn text_length(file: &[u8]) -> usize {
    match open(file) {
        Ok(file) => file.labels().bytes.len(),
        Err(error) => error.fail(),
    }
}

/// A copy of the labels section of a model file, so that nothing else of the file stays in flash; for
/// [`embed_labels!`](crate::embed_labels).
#[doc(hidden)]
#[must_use]
pub const fn text_of_labels<const LENGTH: usize>(file: &[u8]) -> [u8; LENGTH] {
    match open(file) {
        Ok(file) => {
            let mut text = [0; LENGTH];
            text.copy_from_slice(file.labels().bytes);
            text
        }
        Err(error) => error.fail(),
    }
}

/// The labels of a labels section; for [`embed_labels!`](crate::embed_labels).
#[doc(hidden)]
#[must_use]
pub const fn labels_from_text<const N: usize>(text: &'static [u8], file: &[u8]) -> [&'static str; N] {
    let count = match open(file) {
        Ok(file) => file.labels().len(),
        Err(error) => error.fail(),
    };
    if count != N {
        FormatError::LabelCount { file: count, expected: N }.fail();
    }
    let mut labels = Labels { bytes: text, left: N };
    let mut out = [""; N];
    let mut i = 0;
    while i < N {
        out[i] = match labels.read() {
            Ok(label) => label,
            Err(error) => error.fail(),
        };
        i += 1;
    }
    out
}

/// The class labels of a model file as an array of string slices, in flash on a device.
///
/// ```
/// static LABELS: [&str; 9] =
///     gatelet::embed_labels!(concat!(env!("CARGO_MANIFEST_DIR"), "/examples/firmware/speaker.gatelet"));
/// assert_eq!(LABELS[gatelet::math::argmax(&[0.1, 0.8, 0.1])], "2");
/// ```
///
/// A wrong number of labels is a compile error. The path is relative to the source file, as for `include_bytes!`.
#[macro_export]
macro_rules! embed_labels {
    ($file:expr $(,)?) => {{
        const FILE: &[u8] = include_bytes!($file);
        static TEXT: [u8; $crate::format::text_length(FILE)] = $crate::format::text_of_labels(FILE);
        $crate::format::labels_from_text(&TEXT, FILE)
    }};
}
