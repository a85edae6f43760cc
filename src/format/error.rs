//! What can be wrong with a model file, in words that also work in const evaluation.

use super::Kind;
use crate::math::OutputKind;

/// Why a model file was refused. Layers are counted from 1, as `gatelet summary` does.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum FormatError {
    /// It does not begin like a model file.
    NotGatelet,
    /// It is of a version that this release does not read.
    Version {
        /// The file's version.
        found: u32,
    },
    /// It is shorter or longer than it says.
    Length {
        /// Its length in bytes.
        found: usize,
        /// The length it gives itself.
        expected: usize,
    },
    /// Its content is not what was written.
    Checksum {
        /// CRC-32 of the content.
        found: u32,
        /// CRC-32 in its header.
        expected: u32,
    },
    /// A part of it contradicts another one.
    Damaged {
        /// Which part.
        part: &'static str,
    },
    /// It has fewer layers than the type.
    FewerLayers {
        /// The first layer that is missing.
        layer: usize,
    },
    /// It has more layers than the type.
    MoreLayers {
        /// The first layer too many.
        layer: usize,
    },
    /// A layer is of another kind.
    Kind {
        /// Which layer.
        layer: usize,
        /// The file's kind; `None` if this release does not know it.
        file: Option<Kind>,
        /// The type's kind.
        expected: Kind,
    },
    /// A layer has another size.
    Size {
        /// Which layer.
        layer: usize,
        /// Which size.
        what: &'static str,
        /// The file's size.
        file: usize,
        /// The type's size.
        expected: usize,
    },
    /// A layer has another activation.
    Activation {
        /// Which layer.
        layer: usize,
        /// Which activation.
        what: &'static str,
        /// The file's; `None` if this release does not know it.
        file: Option<OutputKind>,
        /// The type's.
        expected: OutputKind,
    },
    /// A GRU is of the other form.
    ResetAfter {
        /// Which layer.
        layer: usize,
        /// Whether the file's resets after the product.
        file: bool,
    },
    /// A layer has another option.
    Option {
        /// Which layer.
        layer: usize,
        /// Which option, by Keras's name.
        what: &'static str,
        /// The file's.
        file: &'static str,
        /// The type's.
        expected: &'static str,
    },
    /// The type has several layers inside a [`Residual`](crate::Residual) or [`Bidirectional`](crate::Bidirectional); in a file
    /// it goes around one.
    Block {
        /// The first layer inside.
        layer: usize,
        /// What goes around it.
        around: &'static str,
    },
    /// A layer uses something that this release does not know.
    Flags {
        /// Which layer.
        layer: usize,
        /// Its flags.
        flags: u32,
    },
    /// There are more or fewer class labels than asked for.
    LabelCount {
        /// Labels in the file.
        file: usize,
        /// Labels asked for.
        expected: usize,
    },
}

/// An error's text, of fixed capacity.
#[derive(Clone, Copy, Debug)]
pub struct Message {
    bytes: [u8; 160],
    length: usize,
}

impl Message {
    const fn new() -> Self {
        Message { bytes: [0; 160], length: 0 }
    }

    const fn text(mut self, text: &str) -> Self {
        let text = text.as_bytes();
        let mut i = 0;
        while i < text.len() && self.length < self.bytes.len() {
            self.bytes[self.length] = text[i];
            self.length += 1;
            i += 1;
        }
        self
    }

    const fn number(self, number: usize) -> Self {
        let mut digits = [0; 20];
        let mut at = digits.len();
        let mut rest = number;
        while at > 0 && (rest > 0 || at == digits.len()) {
            at -= 1;
            digits[at] = b'0' + (rest % 10) as u8;
            rest /= 10;
        }
        match core::str::from_utf8(digits.split_at(at).1) {
            Ok(digits) => self.text(digits),
            Err(_) => self,
        }
    }

    /// The text. It is ASCII, so that cutting it at the capacity cannot split a character.
    #[must_use]
    pub const fn as_str(&self) -> &str {
        match core::str::from_utf8(self.bytes.split_at(self.length).0) {
            Ok(text) => text,
            Err(_) => "",
        }
    }
}

impl FormatError {
    /// The error in words.
    #[must_use]
    pub const fn message(&self) -> Message {
        let unfit = Message::new().text("model file does not fit the type: ");
        let broken = Message::new().text("model file ");
        match *self {
            FormatError::NotGatelet => broken.text("is not a .gatelet file"),
            FormatError::Version { found } => {
                broken.text("is of format version ").number(found as usize).text(", this release reads version 1")
            }
            FormatError::Length { found, expected } => broken
                .text("has ")
                .number(found)
                .text(" bytes instead of ")
                .number(expected)
                .text(": it is cut off or has grown"),
            FormatError::Checksum { .. } => broken.text("is damaged: its checksum does not match"),
            FormatError::Damaged { part } => broken.text("is damaged: ").text(part),
            FormatError::FewerLayers { layer } => {
                unfit.text("the file ends before layer ").number(layer).text(" of the type")
            }
            FormatError::MoreLayers { layer } => {
                unfit.text("the file has a layer ").number(layer).text(", the type ends before it")
            }
            FormatError::Kind { layer, file, expected } => unfit
                .layer(layer)
                .text("it is ")
                .text(match file {
                    Some(kind) => kind.name(),
                    None => "of an unknown kind",
                })
                .text(" in the file and ")
                .text(expected.name())
                .text(" in the type"),
            FormatError::Size { layer, what, file, expected } => {
                unfit.layer(layer).text(what).text(" is ").number(file).in_file().number(expected).in_type()
            }
            FormatError::Activation { layer, what, file, expected } => unfit
                .layer(layer)
                .text(what)
                .text(" is ")
                .text(match file {
                    Some(kind) => kind.name(),
                    None => "unknown",
                })
                .in_file()
                .text(expected.name())
                .in_type(),
            FormatError::ResetAfter { layer, file } => {
                let (file, expected) = if file { ("true", "false") } else { ("false", "true") };
                unfit.layer(layer).text("reset_after is ").text(file).in_file().text(expected).in_type()
            }
            FormatError::Option { layer, what, file, expected } => {
                unfit.layer(layer).text(what).text(" is ").text(file).in_file().text(expected).in_type()
            }
            FormatError::Block { layer, around } => unfit
                .layer(layer)
                .text(around)
                .text(" goes around this one layer in the file and around several in the type"),
            FormatError::Flags { layer, flags } => {
                unfit.layer(layer).text("flags ").number(flags as usize).text(" are not known to this release")
            }
            FormatError::LabelCount { file, expected } => {
                broken.text("has ").number(file).text(" class labels, not ").number(expected)
            }
        }
    }

    /// Stops const evaluation with the error in words.
    pub(crate) const fn fail(self) -> ! {
        panic!("{}", self.message().as_str())
    }
}

impl Message {
    const fn layer(self, layer: usize) -> Self {
        self.text("layer ").number(layer).text(": ")
    }

    const fn in_file(self) -> Self {
        self.text(" in the file and ")
    }

    const fn in_type(self) -> Self {
        self.text(" in the type")
    }
}

impl core::fmt::Display for FormatError {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.write_str(self.message().as_str())
    }
}

impl core::error::Error for FormatError {}
