//! Other people's models, on the first series of their test inputs: see the `README.md` of each in `tests/models`.

use crate::Checksum;
use gatelet::simd::Scalar;
use gatelet::{
    AveragePooling, Bidirectional, Conv1d, Dense, Gru, Layer, Linear, Masking, Normalize, Relu, SequenceLayer, Sigmoid,
    Softmax, UnitNormalization, chain,
};

/// Whether there is a voice, from 29 time steps of 13 cepstra.
pub type Precise = chain!(Gru<13, 20, true, Linear>, Dense<20, 1, Sigmoid>);
static PRECISE: Precise = gatelet::embed!("../../precise.gatelet");

/// The phase of the gait, from the angle and the velocity of a hip, at each of 200 time steps.
pub type Gait = chain!(Conv1d<2, 16, 20>, AveragePooling<16, 3>, Gru<16, 16>, Dense<16, 2>, UnitNormalization<2>);
static GAIT: Gait = gatelet::embed!("../../gait.gatelet");

/// Awake or asleep, from 36 features of each of 50 half minutes, some of which are masked. It sees the whole night first.
pub type Sleep = chain!(
    chain!(Masking<36>, Normalize<36>, Dense<36, 64, Relu>),
    Bidirectional<Gru<64, 8>, 16>,
    Bidirectional<Gru<16, 8>, 16>,
    Dense<16, 3, Softmax>
);
static SLEEP: Sleep = gatelet::embed!("../../sleep.gatelet");

macro_rules! npy {
    ($file:literal) => {
        rows(include_bytes!(concat!("../../../../tests/models/", $file)))
    };
}

static PRECISE_INPUTS: [[f32; 13]; 29] = npy!("precise_vad_gru/x.npy");
static GAIT_INPUTS: [[f32; 2]; 200] = npy!("ao_gait_gru/x.npy");
static SLEEP_INPUTS: [[f32; 36]; 50] = npy!("sleepecg_bigru/ws-gru-mesa.x.npy");

/// The first rows of an array of `<f4` in an `.npy` file, whose header's length stands in bytes 8 and 9.
const fn rows<const N: usize, const ROWS: usize>(npy: &[u8]) -> [[f32; N]; ROWS] {
    let mut rows = [[0.0; N]; ROWS];
    let (mut at, mut i) = (10 + npy[8] as usize + 256 * npy[9] as usize, 0);
    while i < N * ROWS {
        rows[i / N][i % N] = f32::from_le_bytes([npy[at], npy[at + 1], npy[at + 2], npy[at + 3]]);
        at += 4;
        i += 1;
    }
    rows
}

/// What a model gives, and what it takes.
pub struct Answer<const N: usize, const STEPS: usize> {
    /// Every output.
    pub outputs: [[f32; N]; STEPS],
    /// Bytes of constants.
    pub weights: usize,
    /// Bytes of one stream's state.
    pub state: usize,
}

impl<const N: usize, const STEPS: usize> Answer<N, STEPS> {
    /// Of the outputs' bits.
    pub fn checksum(&self) -> u32 {
        let mut checksum = Checksum::new();
        self.outputs.iter().for_each(|y| checksum.add(y));
        checksum.value()
    }
}

/// Not `step`, nor `run_sequence`: on a host that would be a backend with other roundings.
fn stepped<L, const I: usize, const O: usize, const STEPS: usize>(net: &L, xs: &[[f32; I]; STEPS]) -> [[f32; O]; STEPS]
where
    L: Layer<Input = [f32; I], Output = [f32; O]>,
{
    let (mut state, mut ys) = (net.initial_state(), [[0.0; O]; STEPS]);
    for (x, y) in xs.iter().zip(&mut ys) {
        net.step_on(Scalar::new(), &mut state, x, y);
    }
    ys
}

/// The probability of a voice behind each time step, of which the last one counts.
pub fn precise() -> Answer<1, 29> {
    let outputs = stepped(&PRECISE, &PRECISE_INPUTS);
    Answer { outputs, weights: <Precise as Layer>::FLASH_BYTES, state: <Precise as Layer>::STATE_BYTES }
}

/// Sine and cosine of the gait's phase.
pub fn gait() -> Answer<2, 200> {
    let outputs = stepped(&GAIT, &GAIT_INPUTS);
    Answer { outputs, weights: <Gait as Layer>::FLASH_BYTES, state: <Gait as Layer>::STATE_BYTES }
}

/// The probabilities of neither, awake and asleep.
pub fn sleep() -> Answer<3, 50> {
    let (mut state, mut outputs) = (SequenceLayer::initial_state(&SLEEP), [[0.0; 3]; 50]);
    SLEEP.run_sequence_on::<_, 50>(Scalar::new(), &mut state, &SLEEP_INPUTS, &mut [false; 50], &mut outputs);
    Answer { outputs, weights: Sleep::FLASH_BYTES, state: Sleep::STATE_BYTES }
}
