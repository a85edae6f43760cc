//! Networks of many sizes with weights from a formula: what WebAssembly's backends are compared on, and what vector
//! instructions are counted on.
#![no_std]

use core::{array, hint::black_box};
use gatelet::{
    Activation, Chain, Dense, Elu, Gru, HardSigmoid, Layer, Lstm, OutputActivation, Relu, SimpleRnn, Softmax, Softsign,
    Vector, chain,
};

/// What is done with every network.
pub trait Visit {
    fn visit<N: Sample>(&mut self, name: &'static str);
}

macro_rules! networks {
    ($(#[$doc:meta])* $name:ident: $($type:ty;)*) => {
        $(#[$doc])*
        pub fn $name(visit: &mut impl Visit) {
            $(visit.visit::<$type>(stringify!($type));)*
        }
    };
}

networks! {
    /// What is counted and timed.
    typical:
    chain!(Lstm<1, 8>, Dense<8, 1>);
    chain!(Lstm<1, 16>, Dense<16, 1>);
    chain!(Lstm<1, 32>, Dense<32, 1>);
    chain!(Lstm<1, 64>, Dense<64, 1>);
    chain!(Gru<1, 8>, Dense<8, 1>);
    chain!(Gru<1, 16>, Dense<16, 1>);
    chain!(Gru<1, 32>, Dense<32, 1>);
    chain!(Gru<1, 64>, Dense<64, 1>);
}

networks! {
    /// Every remainder of a panel.
    ragged:
    SimpleRnn<1, 1>;
    SimpleRnn<3, 5>;
    SimpleRnn<2, 18>;
    SimpleRnn<5, 31, Relu>;
    Lstm<1, 1>;
    Lstm<3, 2>;
    Lstm<4, 3>;
    Lstm<2, 15>;
    Lstm<7, 41>;
    Lstm<3, 6, Softsign, HardSigmoid>;
    Gru<1, 1>;
    Gru<4, 7>;
    Gru<2, 10>;
    Gru<3, 33>;
    Gru<3, 6, true, Elu>;
    Gru<1, 1, false>;
    Gru<4, 7, false>;
    Gru<6, 16, false>;
    Gru<3, 21, false>;
    Dense<9, 1>;
    Dense<6, 3, Softmax>;
    Dense<5, 23>;
    chain!(Gru<2, 6>, Lstm<6, 5>, SimpleRnn<5, 4>, Dense<4, 3, Softmax>);
}

/// Numbers in [-¼, ¼) without a visible order, the same on every machine.
pub struct Numbers(u32);

impl Numbers {
    fn next(&mut self) -> f32 {
        self.0 = self.0.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
        (self.0 >> 16) as f32 / (1 << 17) as f32 - 0.25
    }

    fn vector<const N: usize>(&mut self) -> [f32; N] {
        array::from_fn(|_| self.next())
    }

    fn matrix<const N: usize, const M: usize>(&mut self) -> [[f32; N]; M] {
        array::from_fn(|_| self.vector())
    }

    fn matrices<const N: usize, const M: usize, const L: usize>(&mut self) -> [[[f32; N]; M]; L] {
        array::from_fn(|_| self.matrix())
    }
}

/// A layer that can be made from a formula.
pub trait Sample: Layer<Input: Vector<Number = f32>, Output: Vector<Number = f32>> {
    fn sample(numbers: &mut Numbers) -> Self;
}

macro_rules! sample {
    ($([$($generics:tt)*] $type:ty: $($method:ident),*;)*) => {$(
        impl<$($generics)*> Sample for $type
        where
            Self: Layer<Input: Vector<Number = f32>, Output: Vector<Number = f32>>,
        {
            fn sample(numbers: &mut Numbers) -> Self {
                Self::new($(&numbers.$method()),*)
            }
        }
    )*};
}

sample! {
    [const I: usize, const H: usize, A: Activation] SimpleRnn<I, H, A>: matrix, matrix, vector;
    [const I: usize, const H: usize, A: Activation, R: Activation] Lstm<I, H, A, R>: matrices, matrices, matrix;
    [const I: usize, const H: usize, const AFTER: bool, A: Activation, R: Activation] Gru<I, H, AFTER, A, R>:
        matrices, matrices, matrix;
    [const I: usize, const O: usize, A: OutputActivation] Dense<I, O, A>: matrix, vector;
}

impl<A: Sample, B: Sample> Sample for Chain<A, B>
where
    Self: Layer<Input: Vector<Number = f32>, Output: Vector<Number = f32>>,
{
    fn sample(numbers: &mut Numbers) -> Self {
        Chain(A::sample(numbers), B::sample(numbers))
    }
}

/// A number made of all bits of all outputs of a sequence that ends with NaN. `step` is a step of the network.
pub fn checksum<N: Sample>(mut step: impl FnMut(&N, &mut N::State, &N::Input, &mut N::Output)) -> u32 {
    let net = N::sample(&mut Numbers(0));
    let mut inputs = Numbers(1);
    let (mut state, mut x, mut y) = (N::ZERO_STATE, N::Input::ZERO, N::Output::ZERO);
    let mut sum = 0_u32;
    for t in 0..25 {
        x.as_mut_slice().fill_with(|| if t == 24 { f32::NAN } else { 4.0 * inputs.next() });
        step(&net, &mut state, &x, &mut y);
        for y in y.as_slice() {
            // Which NaN it is depends on the machine.
            let bits = if y.is_nan() { 0 } else { y.to_bits() };
            sum = (sum ^ bits).wrapping_mul(16_777_619);
        }
    }
    sum
}

/// So many steps.
pub fn steps<N: Sample>(steps: usize) {
    let net = N::sample(&mut Numbers(0));
    let (mut state, x, mut y) = (N::ZERO_STATE, N::Input::ZERO, N::Output::ZERO);
    for _ in 0..steps {
        net.step(&mut state, black_box(&x), black_box(&mut y));
    }
}

/// [`steps`] of the network with a number, counted from 0.
pub struct Steps {
    pub network: usize,
    pub steps: usize,
}

impl Visit for Steps {
    fn visit<N: Sample>(&mut self, _: &'static str) {
        if self.network == 0 {
            steps::<N>(self.steps);
        }
        self.network = self.network.wrapping_sub(1);
    }
}

/// What a WebAssembly module is asked for.
#[cfg(target_arch = "wasm32")]
mod exports {
    use super::{Sample, Steps, Visit, checksum, ragged, typical};
    use gatelet::simd::BackendKind;

    struct Checksum {
        network: usize,
        sum: u32,
    }

    impl Visit for Checksum {
        fn visit<N: Sample>(&mut self, _: &'static str) {
            if self.network == 0 {
                self.sum = checksum::<N>(N::step);
            }
            self.network = self.network.wrapping_sub(1);
        }
    }

    #[unsafe(export_name = "checksum")]
    extern "C" fn checksum_of(network: usize) -> u32 {
        let mut checksum = Checksum { network, sum: 0 };
        typical(&mut checksum);
        ragged(&mut checksum);
        checksum.sum
    }

    #[unsafe(no_mangle)]
    extern "C" fn has_vectors() -> bool {
        BackendKind::current() == BackendKind::Simd128
    }

    #[unsafe(no_mangle)]
    extern "C" fn steps(network: usize, steps: usize) {
        typical(&mut Steps { network, steps });
    }

    #[panic_handler]
    fn panic(_: &core::panic::PanicInfo<'_>) -> ! {
        core::arch::wasm32::unreachable()
    }
}
