//! The container, its records, and what a layer expects of its record.

use super::{FormatError, Labels, crc32};
use crate::math::{ActivationKind, OutputKind};

pub(crate) const MAGIC: [u8; 8] = *b"GATELET\0";
pub(crate) const VERSION: u32 = 1;
pub(crate) const HEADER_LENGTH: usize = 40;
const RECORD_HEADER: usize = 32;
pub(crate) const FLAG_SEQUENCES: u32 = 1;
pub(crate) const FLAG_RESET_AFTER: u32 = 2;
pub(crate) const FLAG_ZERO_OUTPUT: u32 = 4;
pub(crate) const FLAG_BACKWARDS: u32 = 8;
pub(crate) const FLAG_MASK_ZERO: u32 = 16;
pub(crate) const FLAG_INTEGER: u32 = 32;
const FLAGS: u32 =
    FLAG_SEQUENCES | FLAG_RESET_AFTER | FLAG_ZERO_OUTPUT | FLAG_BACKWARDS | FLAG_MASK_ZERO | FLAG_INTEGER;

macro_rules! kinds {
    ($($(#[$doc:meta])* $kind:ident = $code:literal $name:literal;)*) => {
        /// The kind of a record.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        #[non_exhaustive]
        pub enum Kind {
            $($(#[$doc])* $kind = $code,)*
        }

        impl Kind {
            /// Its name, as in a model description.
            #[must_use]
            pub const fn name(self) -> &'static str {
                match self {
                    $(Kind::$kind => $name,)*
                }
            }

            const fn from_code(code: u32) -> Option<Self> {
                match code {
                    $($code => Some(Kind::$kind),)*
                    _ => None,
                }
            }
        }
    };
}

kinds! {
    /// [`Normalize`](crate::Normalize)
    Normalize = 1 "normalize";
    /// [`Dense`](crate::Dense)
    Dense = 2 "dense";
    /// [`SimpleRnn`](crate::SimpleRnn)
    SimpleRnn = 3 "simple_rnn";
    /// [`Lstm`](crate::Lstm)
    Lstm = 4 "lstm";
    /// [`Gru`](crate::Gru)
    Gru = 5 "gru";
    /// [`Residual`](crate::Residual)
    Residual = 6 "residual";
    /// [`InitialState`](crate::InitialState): belongs to the next layer.
    InitialState = 7 "initial_state";
    /// [`Bidirectional`](crate::Bidirectional): the next two records, the second one from a sequence's end.
    Bidirectional = 8 "bidirectional";
    /// [`Masking`](crate::Masking)
    Masking = 9 "masking";
    /// [`Embedding`](crate::Embedding)
    Embedding = 10 "embedding";
    /// [`Conv1d`](crate::Conv1d)
    Conv1d = 11 "conv1d";
    /// [`AveragePooling`](crate::AveragePooling)
    AveragePooling = 12 "average_pooling";
    /// [`Flatten`](crate::Flatten)
    Flatten = 13 "flatten";
    /// [`Last`](crate::Last)
    Last = 14 "last";
    /// [`UnitNormalization`](crate::UnitNormalization)
    UnitNormalization = 15 "unit_normalization";
    /// [`Activate`](crate::Activate)
    Activation = 16 "activation";
    /// [`Prelu`](crate::Prelu)
    Prelu = 17 "prelu";
    /// [`Quantize`](crate::quant::Quantize)
    Quantize = 18 "quantize";
    /// [`Dequantize`](crate::quant::Dequantize)
    Dequantize = 19 "dequantize";
}

/// A model file whose header and checksum are right.
#[derive(Clone, Copy, Debug)]
pub struct Container<'a> {
    reader: Reader<'a>,
    labels: Labels<'a>,
    metadata: &'a [u8],
}

impl<'a> Container<'a> {
    /// The records, from the first one on.
    #[must_use]
    pub const fn reader(&self) -> Reader<'a> {
        self.reader
    }

    /// The class labels.
    #[must_use]
    pub const fn labels(&self) -> Labels<'a> {
        self.labels
    }

    /// The metadata, JSON in UTF-8.
    #[must_use]
    pub const fn metadata(&self) -> &'a [u8] {
        self.metadata
    }
}

/// The little-endian number at `at`, which must leave four bytes.
const fn u32_at(bytes: &[u8], at: usize) -> u32 {
    u32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]])
}

/// Checks a model file's header, length and checksum.
///
/// # Errors
/// If it is not a model file, is of another version, or is damaged.
pub const fn open(bytes: &[u8]) -> Result<Container<'_>, FormatError> {
    if bytes.len() < HEADER_LENGTH {
        return Err(FormatError::NotGatelet);
    }
    let mut i = 0;
    while i < MAGIC.len() {
        if bytes[i] != MAGIC[i] {
            return Err(FormatError::NotGatelet);
        }
        i += 1;
    }
    let version = u32_at(bytes, 8);
    if version != VERSION {
        return Err(FormatError::Version { found: version });
    }
    let length = u32_at(bytes, 12) as usize;
    if length != bytes.len() {
        return Err(FormatError::Length { found: bytes.len(), expected: length });
    }
    let expected = u32_at(bytes, 16);
    let found = crc32(bytes.split_at(20).1);
    if found != expected {
        return Err(FormatError::Checksum { found, expected });
    }
    let (layers, records) = (u32_at(bytes, 20) as usize, u32_at(bytes, 24) as usize);
    let (count, labels) = (u32_at(bytes, 28) as usize, u32_at(bytes, 32) as usize);
    let metadata = u32_at(bytes, 36) as usize;
    let (_, body) = bytes.split_at(HEADER_LENGTH);
    // Each section is compared with what is left, so that no sum of untrusted lengths can overflow.
    if records > body.len() || labels > body.len() - records || metadata != body.len() - records - labels {
        return Err(FormatError::Damaged { part: "its sections do not add up to its length" });
    }
    if !records.is_multiple_of(4) || !labels.is_multiple_of(4) || !metadata.is_multiple_of(4) {
        return Err(FormatError::Damaged { part: "a section's length is no multiple of four bytes" });
    }
    let (records, rest) = body.split_at(records);
    let (labels, metadata) = rest.split_at(labels);
    let labels = match Labels::new(labels, count) {
        Ok(labels) => labels,
        Err(error) => return Err(error),
    };
    Ok(Container {
        reader: Reader { bytes: records, left: layers, layer: 1, parts: 0, around: Around::NOTHING },
        labels,
        metadata,
    })
}

/// A position among the records of a model file.
#[derive(Clone, Copy, Debug)]
pub struct Reader<'a> {
    bytes: &'a [u8],
    left: usize,
    layer: usize,
    /// Layers that are still to come of one that consists of several, and is counted as one.
    parts: usize,
    /// What types around the next layer's say of its flags.
    around: Around,
}

/// The flags of a layer that are not its own type's but those of types around it.
#[derive(Clone, Copy, Debug)]
struct Around {
    /// Those that it must have.
    flags: u32,
    /// Those that do not matter.
    any: u32,
}

impl Around {
    const NOTHING: Self = Around { flags: 0, any: 0 };
}

/// A layer as the file describes it.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    /// Which layer it is, from 1.
    pub layer: usize,
    /// Its kind; `None` if this release does not know it.
    pub kind: Option<Kind>,
    /// Inputs.
    pub inputs: usize,
    /// Units or outputs.
    pub units: usize,
    /// Activation; `None` if this release does not know it.
    pub activation: Option<OutputKind>,
    /// Recurrent activation; `None` if this release does not know it.
    pub recurrent_activation: Option<OutputKind>,
    /// The word that has it, which means something else for layers without.
    pub second: u32,
    /// The flags.
    pub flags: u32,
    /// What a kind of layer says beside all this.
    pub detail: u32,
    /// The weights' bytes.
    pub weights: &'a [u8],
}

impl<'a> Reader<'a> {
    /// Which layer comes next, from 1.
    #[must_use]
    pub const fn layer(&self) -> usize {
        self.layer
    }

    /// How many records are left.
    #[must_use]
    pub const fn left(&self) -> usize {
        self.left
    }

    /// Whether there is no further record.
    #[must_use]
    pub const fn is_at_end(&self) -> bool {
        self.left == 0
    }

    /// Reads the next record and steps over it.
    ///
    /// # Errors
    /// If there is none, or it is not whole.
    pub const fn record(&mut self) -> Result<Record<'a>, FormatError> {
        const CUT: FormatError = FormatError::Damaged { part: "a layer is not whole" };
        if self.left == 0 {
            return Err(FormatError::FewerLayers { layer: self.layer });
        }
        let Some((header, rest)) = self.bytes.split_at_checked(RECORD_HEADER) else { return Err(CUT) };
        let Some((weights, rest)) = rest.split_at_checked(u32_at(header, 4) as usize) else { return Err(CUT) };
        let record = Record {
            layer: self.layer,
            kind: Kind::from_code(u32_at(header, 0)),
            inputs: u32_at(header, 8) as usize,
            units: u32_at(header, 12) as usize,
            activation: OutputKind::from_code(u32_at(header, 16)),
            recurrent_activation: OutputKind::from_code(u32_at(header, 20)),
            second: u32_at(header, 20),
            flags: u32_at(header, 24),
            detail: u32_at(header, 28),
            weights,
        };
        if record.flags & !FLAGS != 0 {
            return Err(FormatError::Flags { layer: self.layer, flags: record.flags });
        }
        match record.kind {
            // Counted with the layer that they belong to.
            Some(Kind::Residual | Kind::InitialState) => {}
            Some(Kind::Bidirectional) => self.parts = 2,
            _ => {
                self.parts = self.parts.saturating_sub(1);
                if self.parts == 0 {
                    self.layer += 1;
                }
            }
        }
        self.left -= 1;
        self.bytes = rest;
        self.around = Around::NOTHING;
        Ok(record)
    }

    /// The same position, where types around the next layer's have said that it must have `flags`, and that those in `any` do not
    /// matter.
    pub(crate) const fn around(mut self, flags: u32, any: u32) -> Self {
        self.around = Around { flags: self.around.flags | flags, any: self.around.any | any };
        self
    }

    /// Makes sure that nothing follows.
    ///
    /// # Errors
    /// If there is a further record or anything else.
    pub const fn end(&self) -> Result<(), FormatError> {
        if self.left != 0 {
            Err(FormatError::MoreLayers { layer: self.layer })
        } else if !self.bytes.is_empty() {
            Err(FormatError::Damaged { part: "there is something after the last layer" })
        } else {
            Ok(())
        }
    }
}

/// What a layer type expects of its record.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    /// Kind of layer.
    pub kind: Kind,
    /// Inputs.
    pub inputs: usize,
    /// Units or outputs.
    pub units: usize,
    /// Activation.
    pub activation: OutputKind,
    /// Recurrent activation, of cells that have one.
    pub recurrent_activation: Option<OutputKind>,
    /// The form, of a GRU.
    pub reset_after: Option<bool>,
    /// Whether zeros are masked, of an embedding.
    pub mask_zero: bool,
    /// Groups of inputs, of a convolution.
    pub groups: usize,
    /// What a kind of layer says beside all this: see the [specification](crate::format). Of a masking, anything.
    pub detail: u32,
    /// Whether it is an integer layer.
    pub integer: bool,
    /// How many words of four bytes its weights are.
    pub weights: usize,
}

impl Shape {
    /// A layer of so many inputs, outputs and weights that says nothing else.
    #[must_use]
    pub const fn new(kind: Kind, inputs: usize, units: usize, weights: usize) -> Self {
        Shape {
            kind,
            inputs,
            units,
            activation: OutputKind::Each(ActivationKind::Linear),
            recurrent_activation: None,
            reset_after: None,
            mask_zero: false,
            groups: 0,
            detail: 0,
            integer: false,
            weights,
        }
    }

    /// An integer layer of so many inputs, outputs and bytes of weights.
    #[must_use]
    pub const fn integer(kind: Kind, inputs: usize, units: usize, bytes: usize) -> Self {
        Shape { integer: true, ..Shape::new(kind, inputs, units, bytes.div_ceil(4)) }
    }

    /// Reads the next record and gives the bytes of its weights.
    ///
    /// # Errors
    /// If there is no record, or it differs from this shape in anything.
    pub const fn expect<'a>(&self, reader: &mut Reader<'a>) -> Result<&'a [u8], FormatError> {
        match self.expect_record(reader) {
            Ok(record) => Ok(record.weights),
            Err(error) => Err(error),
        }
    }

    /// [`expect`](Shape::expect), with all that the record says.
    pub(crate) const fn expect_record<'a>(&self, reader: &mut Reader<'a>) -> Result<Record<'a>, FormatError> {
        let around = reader.around;
        let record = match reader.record() {
            Ok(record) => record,
            Err(error) => return Err(error),
        };
        let layer = record.layer;
        match record.kind {
            Some(kind) if kind as u32 == self.kind as u32 => {}
            file => return Err(FormatError::Kind { layer, file, expected: self.kind }),
        }
        let (inputs, outputs) = match self.kind {
            Kind::Embedding => ("number of tokens", "output size"),
            Kind::Dense | Kind::Conv1d | Kind::Bidirectional => ("input size", "output size"),
            Kind::InitialState => ("size of the state", "size of the state"),
            _ => ("input size", "number of units"),
        };
        let mut sizes =
            [(inputs, record.inputs, self.inputs), (outputs, record.units, self.units), ("", 0, 0), ("", 0, 0)];
        let (word, expected_word) = (record.detail as usize, self.detail as usize);
        match self.kind {
            Kind::Conv1d => {
                sizes[2] = ("kernel size", word & 0xffff, expected_word & 0xffff);
                sizes[3] = ("dilation", word >> 16, expected_word >> 16);
            }
            Kind::AveragePooling | Kind::Flatten => sizes[2] = ("number of time steps", word, expected_word),
            Kind::Bidirectional if word != expected_word => {
                let (file, expected) = (merge_mode(record.detail), merge_mode(self.detail));
                return Err(FormatError::Option { layer, what: "merge mode", file, expected });
            }
            Kind::Masking | Kind::Bidirectional => {}
            _ if word != 0 => return Err(FormatError::Damaged { part: "a layer says something that it cannot be" }),
            _ => {}
        }
        let mut i = 0;
        while i < sizes.len() {
            let (what, file, expected) = sizes[i];
            if file != expected {
                return Err(FormatError::Size { layer, what, file, expected });
            }
            i += 1;
        }
        if !same(record.activation, self.activation) {
            let (file, expected) = (record.activation, self.activation);
            return Err(FormatError::Activation { layer, what: "activation", file, expected });
        }
        // Layers without gates have 0 there, as they have no flag for sequences.
        let linear = OutputKind::Each(ActivationKind::Linear);
        let (expected, is_cell) = match self.recurrent_activation {
            Some(expected) => (expected, true),
            None => (linear, matches!(self.kind, Kind::SimpleRnn)),
        };
        if matches!(self.kind, Kind::Conv1d) {
            let (file, expected) = (record.second as usize, self.groups);
            if file != expected {
                return Err(FormatError::Size { layer, what: "number of groups", file, expected });
            }
        } else if !same(record.recurrent_activation, expected) {
            let file = record.recurrent_activation;
            return Err(FormatError::Activation { layer, what: "recurrent activation", file, expected });
        }
        let known = match self.kind {
            Kind::Embedding => FLAG_MASK_ZERO,
            _ if is_cell => FLAG_RESET_AFTER | FLAG_SEQUENCES | FLAG_ZERO_OUTPUT | FLAG_BACKWARDS,
            _ => 0,
        } | FLAG_INTEGER;
        let mask_zero = if self.mask_zero { FLAG_MASK_ZERO } else { 0 };
        let integer = if self.integer { FLAG_INTEGER } else { 0 };
        let differ = record.flags ^ (around.flags | mask_zero | integer);
        if record.flags & !known != 0 {
            return Err(FormatError::Flags { layer, flags: record.flags });
        }
        let file = record.flags & FLAG_RESET_AFTER != 0;
        match self.reset_after {
            Some(reset_after) if file != reset_after => return Err(FormatError::ResetAfter { layer, file }),
            None if file => return Err(FormatError::Flags { layer, flags: record.flags }),
            _ => {}
        }
        let options = [
            ("integer", FLAG_INTEGER),
            ("mask_zero", FLAG_MASK_ZERO),
            ("zero_output_for_mask", FLAG_ZERO_OUTPUT),
            ("go_backwards", FLAG_BACKWARDS),
        ];
        let mut i = 0;
        while i < options.len() {
            let (what, flag) = options[i];
            if differ & flag & !around.any != 0 {
                let (file, expected) = if record.flags & flag != 0 { ("true", "false") } else { ("false", "true") };
                return Err(FormatError::Option { layer, what, file, expected });
            }
            i += 1;
        }
        if record.weights.len() != 4 * self.weights {
            let (file, expected) = (record.weights.len() / 4, self.weights);
            return Err(FormatError::Size { layer, what: "number of weights", file, expected });
        }
        Ok(record)
    }
}

/// Keras's name of a bidirectional layer's merge mode.
const fn merge_mode(code: u32) -> &'static str {
    match code {
        0 => "concat",
        1 => "sum",
        2 => "mul",
        3 => "ave",
        4 => "none",
        _ => "unknown",
    }
}

const fn same(file: Option<OutputKind>, expected: OutputKind) -> bool {
    match file {
        Some(file) => file.code() == expected.code(),
        None => false,
    }
}

/// Reads the record of a way around the layer behind it, whose inputs it repeats, and gives its bytes: two of each input around an
/// integer layer, else none.
pub(crate) const fn residual<'a>(reader: &mut Reader<'a>, integer: bool) -> Result<&'a [u8], FormatError> {
    let mut behind = *reader;
    let size = loop {
        match behind.record() {
            Ok(Record { kind: Some(Kind::Residual | Kind::InitialState), .. }) => {}
            Ok(record) => break record.inputs,
            Err(error) => return Err(error),
        }
    };
    let bytes = if integer { size.saturating_mul(2) } else { 0 };
    Shape { integer, ..Shape::integer(Kind::Residual, size, size, bytes) }.expect(reader)
}
