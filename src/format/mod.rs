//! The `.gatelet` file: one model, read in const evaluation, on a device, or on a host, by the same code.
//!
//! # Specification, version 1
//!
//! Every number is little-endian, every section's length is a multiple of four bytes. `u32` is an unsigned 32-bit integer,
//! `f32` an IEEE 754 single.
//!
//! | offset | type | content |
//! |---|---|---|
//! | 0 | 8 bytes | `GATELET` and a zero byte |
//! | 8 | u32 | version, 1 |
//! | 12 | u32 | length of the whole file in bytes |
//! | 16 | u32 | CRC-32 (IEEE 802.3, as in zip and PNG) of everything from offset 20 to the end |
//! | 20 | u32 | number of records |
//! | 24 | u32 | length of the records in bytes |
//! | 28 | u32 | number of class labels |
//! | 32 | u32 | length of the labels in bytes |
//! | 36 | u32 | length of the metadata in bytes |
//! | 40 | | records, labels, metadata, without gaps |
//!
//! A **record** is one layer, in the order data flows:
//!
//! | offset | type | content |
//! |---|---|---|
//! | 0 | u32 | kind: 1 normalize, 2 dense, 3 simple_rnn, 4 lstm, 5 gru, 6 residual, 7 initial_state, 8 bidirectional, 9 masking, 10 embedding, 11 conv1d, 12 average_pooling, 13 flatten, 14 last, 15 unit_normalization, 16 activation, 17 prelu, 18 quantize, 19 dequantize |
//! | 4 | u32 | length of the weights in bytes |
//! | 8 | u32 | inputs, I; of an embedding the number of tokens |
//! | 12 | u32 | units or outputs, H |
//! | 16 | u32 | activation: 0 linear, 1 tanh, 2 sigmoid, 3 hard_sigmoid, 4 relu, 5 softsign, 6 softplus, 7 elu, 8 silu, 9 leaky_relu, 256 softmax |
//! | 20 | u32 | recurrent activation of lstm and gru; of a conv1d the number of groups; else 0 |
//! | 24 | u32 | flags: 1 the layer gives the whole sequence, 2 gru with `reset_after`, 4 a masked step of it gives zeros, 8 it goes backwards, 16 an embedding masks zeros, 32 an integer layer; others are 0 |
//! | 28 | u32 | bidirectional: 0 concat, 1 sum, 2 mul, 3 ave, 4 none; masking: the value (f32); conv1d: kernel size, K, in the lower and dilation in the upper 16 bits; average_pooling and flatten: time steps; else 0 |
//! | 32 | f32 … | weights |
//!
//! Weights, with matrices in the order `[k][gate][unit]`, k being the index of the input or of the hidden state:
//!
//! | kind | weights |
//! |---|---|
//! | normalize | offset `[I]`, scale `[I]` |
//! | dense | kernel `[I][H]`, bias `[H]` |
//! | simple_rnn | recurrent kernel `[H][1][H]`, kernel `[I][1][H]`, bias `[1][H]` |
//! | lstm | recurrent kernel `[H][4][H]`, kernel `[I][4][H]`, bias `[4][H]`; gates i, f, g, o |
//! | gru | recurrent kernel `[H][3][H]`, kernel `[I][3][H]`, bias `[4][H]`; gates r, z, n; biases r, z, n, and the hidden state's part of n |
//! | initial_state | the state of the next layer: h `[H]` and, of an lstm, c `[H]`; of a bidirectional layer both states |
//! | embedding | a row `[H]` for each token |
//! | conv1d | kernel `[K][I / groups][H]`, oldest time step first, and bias `[H]` |
//! | prelu | slope below zero `[I]` |
//! | others | none |
//!
//! The weights of an **integer** layer ([`quant`](crate::quant)) are fraction bits f (u32), biases b and scales s (i32), and int8 weights in
//! the order of the matrices above, filled with zero bytes to a multiple of four:
//!
//! | kind | weights |
//! |---|---|
//! | quantize, dequantize | fraction bits `[I]`, int8 each |
//! | dense | f of the output, of a softmax that of its argument; b `[H]`, s `[H]`, kernel `[I][H]` |
//! | simple_rnn | f of h; b `[1][H]`, s `[1][H]`, recurrent kernel `[H][1][H]`, kernel `[I][1][H]` |
//! | lstm | f of h, f of c; b `[4][H]`, s `[4][H]`, recurrent kernel `[H][4][H]`, kernel `[I][4][H]` |
//! | gru | f of h; b `[4][H]`, s `[4][H]`, recurrent kernel `[H][3][H]`, kernel `[I][3][H]`; rows r, z, n, and the hidden state's part of n |
//! | conv1d | f of the output; b `[H]`, s `[H]`, kernel `[K][I][H]` |
//! | masking | the numbers that mask `[I]`, int16 each |
//! | embedding | f of the outputs `[H]`, int8 each; rows `[I][H]` |
//! | prelu | f of the slopes; slopes `[I]`, int16 each |
//! | activation | fraction bits of the inputs `[I]`, int8 each |
//! | residual | how far its input and the layer's output are shifted to the right before they are added, `[2][I]`, a byte each |
//! | initial_state | the state, int16 each |
//! | others | none |
//!
//! Some records say something about those behind them: a **residual** goes around the next layer, an **initial_state** belongs
//! to the next layer (behind a residual of the same layer), a **bidirectional** consists of the two records that follow, which
//! are alike but for their weights; a **masking** masks for all layers behind it, as far as their outputs are sequences.
//!
//! A **label** is its length in bytes (u32) and its text in UTF-8, filled with zero bytes to a multiple of four.
//! The **metadata** is a JSON object in UTF-8, filled with spaces: where the model comes from and how its data were read.
//! Devices do not look at it.

mod checksum;
mod embed;
mod error;
mod labels;
mod reader;
mod state;

pub use checksum::crc32;
#[doc(hidden)]
pub use embed::Flagged;
pub(crate) use embed::leaf_layer;
pub use embed::{Cursor, Embed, ModelFile, Next, ReadInto, Start, load};
pub use error::{FormatError, Message};
pub use labels::{Labels, labels_from_text, text_length, text_of_labels};
pub use reader::{Container, Kind, Reader, Record, Shape, open};
pub(crate) use reader::{FLAG_BACKWARDS, FLAG_ZERO_OUTPUT, residual};
#[cfg(feature = "std")]
pub(crate) use reader::{
    FLAG_INTEGER, FLAG_MASK_ZERO, FLAG_RESET_AFTER, FLAG_SEQUENCES, HEADER_LENGTH, MAGIC, VERSION,
};
pub(crate) use state::read_state;
#[doc(hidden)]
pub use state::{EmbedState, FileState, StateAt};
