//! The network, its labels and its test recordings: the same for the images and for the host that checks them.
#![no_std]

pub mod cells;
pub mod models;
pub mod networks;
mod recordings;

use gatelet::{Dense, Gru, Normalize, Softmax, chain};
use networks::Number;
pub use recordings::RECORDINGS;

/// Who of nine speakers said /ae/, from twelve cepstra every 6.4 ms.
pub type Net = chain!(Normalize<12>, Gru<12, 32>, Dense<32, 9, Softmax>);

/// The trained network. A constant, so that each image can say in which memory its `static` lies.
pub const NET: Net = gatelet::embed!(concat!(env!("OUT_DIR"), "/speaker.gatelet"));

/// What the outputs stand for.
pub static LABELS: [&str; 9] = gatelet::embed_labels!(concat!(env!("OUT_DIR"), "/speaker.gatelet"));

/// One utterance.
pub struct Recording {
    /// Who it was: one of the labels.
    pub speaker: &'static str,
    /// The cepstra, one row for each time step.
    pub steps: &'static [[f32; 12]],
}

/// FNV-1a over the bits of every output, which shows a difference in any bit of any step.
pub struct Checksum(u32);

impl Checksum {
    /// Of nothing.
    pub const fn new() -> Self {
        Checksum(0x811C_9DC5)
    }

    /// Takes another output in.
    pub fn add<N: Number>(&mut self, y: &[N]) {
        for byte in y.iter().flat_map(|y| y.bits().to_le_bytes()) {
            self.0 = (self.0 ^ u32::from(byte)).wrapping_mul(0x0100_0193);
        }
    }

    /// The number.
    pub const fn value(&self) -> u32 {
        self.0
    }
}

impl Default for Checksum {
    fn default() -> Self {
        Self::new()
    }
}
