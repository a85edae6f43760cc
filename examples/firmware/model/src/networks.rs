//! A recurrent layer of each kind, of floating point and of integers, at seven sizes: what `measure` measures. And all other integer
//! layers in series, whose bits it compares, and which must not reach floating point either.

use crate::Checksum;
use gatelet::{Chain, Gru, InitialState, Layer, Linear, Lstm, Relu, SimpleRnn, Softmax, Tanh, Vector, chain, quant};

/// A network of one layer.
pub trait Network {
    /// Its type.
    type Layer: Layer<Input: Vector<Number: Number>, Output: Vector<Number: Number>> + 'static;
    /// `simple_rnn`, `lstm` or `gru`; [`LAYERS`].
    const CELL: &str;
    /// `f32` or `int8`.
    const SCHEME: &str;

    /// Its weights: a static of its own, so that a step can be told from the other networks'.
    fn layer() -> &'static Self::Layer;
}

/// What flows between layers.
pub trait Number: Copy {
    /// An input of random bits: -1 to 1 in its unit.
    fn input(random: u32) -> Self;
    /// What goes into a checksum.
    fn bits(self) -> u32;
}

impl Number for f32 {
    fn input(random: u32) -> f32 {
        f32::from(i16::input(random)) / 32_768.0
    }
    fn bits(self) -> u32 {
        self.to_bits()
    }
}

impl Number for i16 {
    fn input(random: u32) -> i16 {
        (random >> 16) as i16
    }
    fn bits(self) -> u32 {
        self as u32
    }
}

type State<N> = <<N as Network>::Layer as Layer>::State;
type Input<N> = <<N as Network>::Layer as Layer>::Input;
type Output<N> = <<N as Network>::Layer as Layer>::Output;

/// What stands for a cell's name of all other integer layers in series.
pub const LAYERS: &str = "layers";

type Layers = chain!(
    quant::Masking<3>,
    quant::Conv1d<3, 6, 3, Relu, 2>,
    quant::AveragePooling<6, 3>,
    quant::Residual<InitialState<quant::ZeroOutput<quant::Gru<6, 6>>>, 6>,
    quant::Prelu<6>,
    quant::Activate<6, Tanh>,
    quant::Flatten<6, 2, 12>,
    quant::Dense<12, 4, Softmax>,
    quant::Dense<4, 1, Linear>,
    quant::Embedding<7, 5, true>,
    quant::Last<5>
);

/// A step of a network, or what stands for it.
pub type Step<N> = fn(&mut State<N>, &Input<N>, &mut Output<N>);

/// Steps of a run: as many as instructions in a tick of the coarsest clock, so that it tells single ones.
pub const STEPS: u64 = 64;

/// Runs a network on random inputs and gives the checksum of all outputs. What goes on between the steps, which `after` is told of, takes
/// as many instructions whatever the numbers are.
pub fn run<N: Network>(step: Step<N>, mut after: impl FnMut()) -> u32 {
    let (mut state, mut x, mut y) = (N::Layer::ZERO_STATE, Vector::ZERO, Output::<N>::ZERO);
    let mut checksum = Checksum::new();
    let mut bits = 0x2545_F491_u32;
    for _ in 0..STEPS {
        for x in Input::<N>::as_mut_slice(&mut x) {
            bits ^= bits << 13;
            bits ^= bits >> 17;
            bits ^= bits << 5;
            *x = Number::input(bits);
        }
        step(&mut state, &x, &mut y);
        checksum.add(y.as_slice());
        after();
    }
    checksum.value()
}

/// Work on networks of any type.
pub trait Work {
    /// Does it.
    fn network<N: Network>(&mut self);
}

macro_rules! network {
    ($work:ident, $cell:expr, $scheme:literal, $layer:ty, $weights:expr) => {{
        struct This;
        static LAYER: $layer = $weights;
        impl Network for This {
            type Layer = $layer;
            const CELL: &str = $cell;
            const SCHEME: &str = $scheme;
            #[inline(always)]
            fn layer() -> &'static $layer {
                &LAYER
            }
        }
        $work.network::<This>();
    }};
}

macro_rules! networks {
    ($($i:literal $h:literal;)*) => {
        /// Does some work on each network.
        pub fn for_each(work: &mut impl Work) {
            $(
                network!(work, "simple_rnn", "f32", SimpleRnn<$i, $h>, {
                    SimpleRnn::new(&floats(1, $i + $h), &floats(2, $i + $h), &floats::<_, 1>(3, 9)[0])
                });
                network!(work, "simple_rnn", "int8", quant::SimpleRnn<$i, $h>, {
                    quant::SimpleRnn::new(&bytes(1), &bytes(2), &biases::<_, 1>()[0], &scales::<_, 1>($i + $h)[0])
                });
                network!(work, "lstm", "f32", Lstm<$i, $h>, {
                    Lstm::new(&float_gates(4, $i + $h), &float_gates(5, $i + $h), &floats(6, 9))
                });
                network!(work, "lstm", "int8", quant::Lstm<$i, $h>, {
                    quant::Lstm::new(&gates(4), &gates(5), &biases(), &scales($i + $h), (12, 15))
                });
                network!(work, "gru", "f32", Gru<$i, $h>, {
                    Gru::new(&float_gates(7, $i + $h), &float_gates(8, $i + $h), &floats(9, 9))
                });
                network!(work, "gru", "int8", quant::Gru<$i, $h>, {
                    quant::Gru::new(&gates(7), &gates(8), &biases(), &scales($i + $h))
                });
            )*
            network!(work, LAYERS, "int8", Layers, {
                let kernel = [bytes(13), bytes(14), bytes(15)];
                let conv1d = quant::Conv1d::new(&kernel, &biases::<_, 1>()[0], &scales::<_, 1>(9)[0]);
                let gru = quant::Gru::new(&gates(16), &gates(17), &biases(), &scales(12));
                let begin = quant::HiddenState { h: [300, -2000, 0, 9000, -1, 77] };
                let gru = quant::Residual::new([[1; 6], [0; 6]], InitialState::new(begin, quant::ZeroOutput(gru)));
                let slopes = quant::Prelu::new([5, -900, 0, 32_000, 1, 77], 14);
                let rows = quant::Embedding::new(bytes(18));
                let dense = quant::Dense::new(&bytes(19), &biases::<_, 1>()[0], &scales::<_, 1>(60)[0], 11);
                let to_token = quant::Dense::new(&[[1]; 4], &[0], &[1 << 18], 0);
                let behind = Chain(quant::Flatten::new(), Chain(dense, Chain(to_token, Chain(rows, quant::Last::new()))));
                let behind = Chain(slopes, Chain(quant::Activate::new([15, 14, 13, 12, 9, 0]), behind));
                Chain(
                    quant::Masking::new([0, 1, 2]),
                    Chain(conv1d, Chain(quant::AveragePooling::new(), Chain(gru, behind))),
                )
            });
        }
    };
}

networks! {
    1 8;
    3 16;
    10 32;
    16 32;
    28 20;
    40 64;
    64 128;
}

/// Numbers without a pattern (the last steps of MurmurHash3).
pub(crate) const fn random(seed: usize, i: usize) -> u32 {
    let mut bits = ((seed << 20) + i) as u32;
    bits = (bits ^ (bits >> 16)).wrapping_mul(0x85EB_CA6B);
    bits = (bits ^ (bits >> 13)).wrapping_mul(0xC2B2_AE35);
    bits ^ (bits >> 16)
}

/// From -limit to limit.
const fn number(limit: i32, seed: usize, i: usize) -> i32 {
    ((random(seed, i) as u64 * (2 * limit + 1) as u64) >> 32) as i32 - limit
}

/// What functions of a seed and an index give, in the places of an array.
macro_rules! fill {
    ($array:expr, $i:ident => $number:expr) => {{
        let mut array = $array;
        let flat = array.as_flattened_mut();
        let mut $i = 0;
        while $i < flat.len() {
            flat[$i] = $number;
            $i += 1;
        }
        array
    }};
}

/// Weights of a layer with so many numbers in a sum.
const fn floats<const N: usize, const ROWS: usize>(seed: usize, sum: usize) -> [[f32; N]; ROWS] {
    let limit = 3.0 / sum.isqrt() as f32;
    fill!([[0.0; N]; ROWS], i => number(1000, seed, i) as f32 / 1000.0 * limit)
}

const fn float_gates<const N: usize, const G: usize, const ROWS: usize>(
    seed: usize,
    sum: usize,
) -> [[[f32; N]; G]; ROWS] {
    let mut gates = [[[0.0; N]; G]; ROWS];
    let mut row = 0;
    while row < ROWS {
        gates[row] = floats(100 * seed + row, sum);
        row += 1;
    }
    gates
}

pub(crate) const fn bytes<const N: usize, const ROWS: usize>(seed: usize) -> [[i8; N]; ROWS] {
    fill!([[0; N]; ROWS], i => number(127, seed, i) as i8)
}

pub(crate) const fn gates<const N: usize, const G: usize, const ROWS: usize>(seed: usize) -> [[[i8; N]; G]; ROWS] {
    let mut gates = [[[0; N]; G]; ROWS];
    let mut row = 0;
    while row < ROWS {
        gates[row] = bytes(100 * seed + row);
        row += 1;
    }
    gates
}

pub(crate) const fn biases<const N: usize, const ROWS: usize>() -> [[i32; N]; ROWS] {
    fill!([[0; N]; ROWS], i => number(3_000_000, 10, i))
}

/// So that a sum over so many numbers is some units of an activation, and U's unit a part of W's.
pub(crate) const fn scales<const N: usize, const ROWS: usize>(sum: usize) -> [[i32; N]; ROWS] {
    let usual = 644_245_094 / sum.isqrt() as i32;
    fill!([[0; N]; ROWS], i => (usual / 1000 * (500 + number(400, 11, i))) & !0xff | (number(3, 12, i) + 3))
}
