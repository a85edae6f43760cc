//! Promise: an integer network gives what its specification (`gatelet::quant`) says, to the bit, at every size and on every
//! backend. The reference here is that page in 64-bit arithmetic.

use gatelet::math::{HardSigmoid, Linear, Relu, Sigmoid, Softmax, TANH_ONE, Tanh};
use gatelet::math::{sigmoid_of_integer, tanh_of_integer};
use gatelet::quant::{Dense, Gru, HiddenState, Lstm, LstmState, SimpleRnn};
use gatelet::simd::{BackendKind, force};
use gatelet::{Chain, Layer, quant};
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::{Rng, SeedableRng};
use std::sync::{Mutex, PoisonError};

/// Runs `test` on each backend that this machine has. What is forced is forced for all threads, so one test at a time.
fn on_every_backend(mut test: impl FnMut(BackendKind)) {
    static ALONE: Mutex<()> = Mutex::new(());
    let _alone = ALONE.lock().unwrap_or_else(PoisonError::into_inner);
    for kind in BackendKind::ALL.into_iter().filter(|kind| kind.is_available()) {
        force(Some(kind)).unwrap();
        test(kind);
    }
}

/// Random numbers of a layer.
struct Random(ChaCha8Rng);

impl Random {
    /// From -limit to limit.
    fn number(&mut self, limit: i64) -> i64 {
        (u64::from(self.0.next_u32()) % (2 * limit as u64 + 1)) as i64 - limit
    }

    fn weights<const H: usize, const G: usize, const K: usize>(&mut self) -> [[[i8; H]; G]; K] {
        [(); K].map(|()| [(); G].map(|()| [(); H].map(|()| self.number(127) as i8)))
    }

    fn biases<const H: usize, const R: usize>(&mut self) -> [[i32; H]; R] {
        [(); R].map(|()| [(); H].map(|()| self.number(3_000_000) as i32))
    }

    /// So that a sum over `k` numbers is some units, and U's unit a part of W's.
    fn scales<const H: usize, const R: usize>(&mut self, k: usize, unit: f64) -> [[i32; H]; R] {
        let usual = unit * 2f64.powi(32) / (1e6 * (k as f64).sqrt());
        [(); R].map(|()| {
            [(); H].map(|()| {
                let scale = (usual * (0.5 + self.number(1000) as f64 / 2500.0)) as i32;
                scale & !0xff | (self.number(3) + 3) as i32
            })
        })
    }

    fn inputs<const I: usize>(&mut self) -> [i16; I] {
        [(); I].map(|()| self.number(32_767) as i16)
    }
}

/// Σ_k weights[k][gate][unit] · x[k]
fn product<const H: usize, const G: usize, const K: usize>(
    weights: &[[[i8; H]; G]; K],
    (gate, unit): (usize, usize),
    x: &[i16; K],
) -> i64 {
    weights.iter().zip(x).map(|(row, &x)| i64::from(row[gate][unit]) * i64::from(x)).sum()
}

/// z of the specification.
fn sum(uh: i64, bias: i32, wx: i64, scale: i32) -> i64 {
    let before = uh + i64::from(bias);
    let sum = (before >> (scale & 0xff)) + wx;
    assert!(i32::try_from(before).is_ok() && i32::try_from(sum).is_ok(), "weights that overflow");
    (sum * i64::from(scale)) >> 32
}

fn saturate(x: i64) -> i64 {
    x.clamp(i16::MIN.into(), i16::MAX.into())
}

/// An activation of the reference, as an output and as a gate.
trait Reference {
    fn output(z: i64) -> i64;
    fn gate(z: i64) -> i64 {
        Self::output(z)
    }
}

impl Reference for Tanh {
    fn output(z: i64) -> i64 {
        tanh_of_integer(z as i32).into()
    }
}

impl Reference for Sigmoid {
    fn output(z: i64) -> i64 {
        Self::gate(z).min(32_767)
    }
    fn gate(z: i64) -> i64 {
        sigmoid_of_integer(z as i32).into()
    }
}

impl Reference for HardSigmoid {
    fn output(z: i64) -> i64 {
        Self::gate(z).min(32_767)
    }
    fn gate(z: i64) -> i64 {
        (z + 16_384).clamp(0, 32_768)
    }
}

impl Reference for Linear {
    fn output(z: i64) -> i64 {
        saturate(z)
    }
}

impl Reference for Relu {
    fn output(z: i64) -> i64 {
        saturate(z).max(0)
    }
}

const STEPS: usize = 12;

fn lstm<const I: usize, const H: usize>(random: &mut Random, cell_bits: u32) {
    let (u, w) = (random.weights::<H, 4, H>(), random.weights::<H, 4, I>());
    let (bias, scale) = (random.biases::<H, 4>(), random.scales::<H, 4>(I + H, 150_000.0));
    let layer: Lstm<I, H> = Lstm::new(&u, &w, &bias, &scale, (cell_bits, 15));
    let xs = [(); STEPS].map(|()| random.inputs::<I>());

    let mut expected = LstmState::<H>::ZERO;
    let states = xs.map(|x| {
        let old = expected;
        for unit in 0..H {
            let z = [0, 1, 2, 3].map(|g| {
                let (uh, wx) = (product(&u, (g, unit), &old.h), product(&w, (g, unit), &x));
                sum(uh, bias[g][unit], wx, scale[g][unit])
            });
            let [i, f, o] = [0, 1, 3].map(|g| Sigmoid::gate(z[g]));
            let g = Tanh::output(z[2]);
            let c = saturate((f * i64::from(old.c[unit]) + (1 << 14) + ((i * g) >> (15 - cell_bits))) >> 15);
            let value = Tanh::output(c * i64::from(TANH_ONE >> cell_bits));
            expected.c[unit] = c as i16;
            expected.h[unit] = ((o * value + (1 << 14)) >> 15) as i16;
        }
        expected
    });
    on_every_backend(|kind| {
        let (mut state, mut y) = (LstmState::ZERO, [0; H]);
        for (x, expected) in xs.iter().zip(&states) {
            layer.step(&mut state, x, &mut y);
            assert_eq!((&state, y), (expected, expected.h), "{kind}: Lstm<{I}, {H}>");
        }
    });
    assert!(states[STEPS - 1].c.iter().any(|&c| c.abs() > 100), "nothing has happened in Lstm<{I}, {H}>");
}

fn simple_rnn<const I: usize, const H: usize>(random: &mut Random) {
    let (u, w) = (random.weights::<H, 1, H>(), random.weights::<H, 1, I>());
    let (bias, scale) = (random.biases::<H, 1>(), random.scales::<H, 1>(I + H, 150_000.0));
    let layer: SimpleRnn<I, H> = SimpleRnn::new(&u.map(|[u]| u), &w.map(|[w]| w), &bias[0], &scale[0]);
    let xs = [(); STEPS].map(|()| random.inputs::<I>());
    let mut h = [0; H];
    let states = xs.map(|x| {
        let old = h;
        for unit in 0..H {
            let (uh, wx) = (product(&u, (0, unit), &old), product(&w, (0, unit), &x));
            h[unit] = Tanh::output(sum(uh, bias[0][unit], wx, scale[0][unit])) as i16;
        }
        h
    });
    on_every_backend(|kind| {
        let (mut state, mut y) = (HiddenState::ZERO, [0; H]);
        for (x, expected) in xs.iter().zip(&states) {
            layer.step(&mut state, x, &mut y);
            assert_eq!((&state.h, &y), (expected, expected), "{kind}: SimpleRnn<{I}, {H}>");
        }
    });
}

fn gru<const I: usize, const H: usize, const RESET_AFTER: bool, A, R>(random: &mut Random, unit_of_z: [f64; 2])
where
    A: Reference,
    R: Reference,
    Gru<I, H, RESET_AFTER, A, R>: Layer<Input = [i16; I], Output = [i16; H], State = HiddenState<H>>,
    A: gatelet::math::Named,
    R: gatelet::math::Named,
{
    let (u, w) = (random.weights::<H, 3, H>(), random.weights::<H, 3, I>());
    let bias = random.biases::<H, 4>();
    let [gates] = [random.scales::<H, 4>(I + H, unit_of_z[0])];
    let mut scale = random.scales::<H, 4>(I + H, unit_of_z[1]);
    (scale[0], scale[1]) = (gates[0], gates[1]);
    let layer: Gru<I, H, RESET_AFTER, A, R> = Gru::new(&u, &w, &bias, &scale);
    let xs = [(); STEPS].map(|()| random.inputs::<I>());
    let mut h = [0; H];
    let states = xs.map(|x| {
        let old = h;
        let gate = |g: usize, unit: usize| {
            let (uh, wx) = (product(&u, (g, unit), &old), product(&w, (g, unit), &x));
            R::gate(sum(uh, bias[g][unit], wx, scale[g][unit]))
        };
        let mut reset = [0; H];
        for unit in 0..H {
            reset[unit] = ((gate(0, unit) * i64::from(old[unit]) + (1 << 14)) >> 15) as i16;
        }
        for unit in 0..H {
            let (r, z) = (gate(0, unit), gate(1, unit));
            let wx = product(&w, (2, unit), &x);
            let n = if RESET_AFTER {
                let wx = ((i64::from(bias[2][unit]) + wx) * i64::from(scale[2][unit])) >> 32;
                let uh = ((i64::from(bias[3][unit]) + product(&u, (2, unit), &old)) * i64::from(scale[3][unit])) >> 32;
                wx + ((uh * (r << 15)) >> 32)
            } else {
                sum(product(&u, (2, unit), &reset), bias[2][unit], wx, scale[2][unit])
            };
            let n = A::output(n);
            h[unit] = (n + ((z * (i64::from(old[unit]) - n) + (1 << 14)) >> 15)) as i16;
        }
        h
    });
    on_every_backend(|kind| {
        let (mut state, mut y) = (HiddenState::ZERO, [0; H]);
        for (x, expected) in xs.iter().zip(&states) {
            layer.step(&mut state, x, &mut y);
            assert_eq!((&state.h, &y), (expected, expected), "{kind}: Gru<{I}, {H}, {RESET_AFTER}>");
        }
    });
}

fn dense<const I: usize, const O: usize, A>(random: &mut Random, unit: f64)
where
    A: Reference + gatelet::math::Named,
    Dense<I, O, A>: Layer<Input = [i16; I], Output = [i16; O], State = ()>,
{
    let w = random.weights::<O, 1, I>();
    let (bias, scale) = (random.biases::<O, 1>(), random.scales::<O, 1>(I, unit));
    let layer: Dense<I, O, A> = Dense::new(&w.map(|[w]| w), &bias[0], &scale[0], 0);
    let x = random.inputs::<I>();
    let expected: Vec<_> = (0..O)
        .map(|unit| {
            let sum = i64::from(bias[0][unit]) + product(&w, (0, unit), &x);
            A::output((sum * i64::from(scale[0][unit])) >> 32) as i16
        })
        .collect();
    on_every_backend(|kind| {
        let mut y = [0; O];
        layer.step(&mut (), &x, &mut y);
        assert_eq!(y[..], expected, "{kind}: Dense<{I}, {O}>");
    });
}

/// The usual layers at remainders of a panel, of four k and of a block of lanes, and all others at two: each is compiled for each
/// backend. `tests/quantize.rs` has more sizes, of run-time networks.
macro_rules! at_sizes {
    ($($i:literal $h:literal)* and $($some_i:literal $some_h:literal)*) => {
        #[test]
        fn layers_give_what_the_specification_says() {
            let mut random = Random(ChaCha8Rng::seed_from_u64(5));
            let random = &mut random;
            $(
                lstm::<$i, $h>(random, 12);
                simple_rnn::<$i, $h>(random);
                gru::<$i, $h, true, Tanh, Sigmoid>(random, [150_000.0; 2]);
                dense::<$i, $h, Linear>(random, 10_000.0);
            )*
            $(
                lstm::<$some_i, $some_h>(random, 14);
                gru::<$some_i, $some_h, false, Tanh, Sigmoid>(random, [150_000.0; 2]);
                gru::<$some_i, $some_h, false, Linear, HardSigmoid>(random, [16_000.0, 8000.0]);
                gru::<$some_i, $some_h, true, Relu, Sigmoid>(random, [150_000.0, 20_000.0]);
                dense::<$some_h, $some_i, Sigmoid>(random, 150_000.0);
                dense::<$some_h, $some_i, HardSigmoid>(random, 16_000.0);
                dense::<$some_h, $some_i, Relu>(random, 30_000.0);
            )*
        }
    };
}

at_sizes! { 1 1  2 3  5 7  6 16  7 17  13 20  16 33  9 50  40 64 and 1 8  7 17 }

/// tanh and sigmoid over all arguments, the last of which stand for those beyond.
#[test]
fn activations_are_within_a_unit() {
    let mut worst = [0.0; 2];
    for z in (-(1 << 18) - 10..(1 << 18) + 10).chain([i32::MIN, i32::MAX]) {
        let x = f64::from(z) / f64::from(TANH_ONE);
        let (tanh, sigmoid) = (32_768.0 * x.tanh(), 16_384.0 + 16_384.0 * x.tanh());
        let errors = [f64::from(tanh_of_integer(z)) - tanh, f64::from(sigmoid_of_integer(z)) - sigmoid];
        for (worst, error) in worst.iter_mut().zip(errors) {
            *worst = f64::max(*worst, error.abs());
        }
    }
    println!("largest errors in units of 2^-15: tanh {:.4}, sigmoid {:.4}", worst[0], worst[1]);
    assert!(worst[0] <= 1.0 && worst[1] <= 1.0, "{worst:?}");
    assert_eq!((tanh_of_integer(0), sigmoid_of_integer(0)), (0, 16_384));
}

#[test]
fn softmax_is_near_its_definition() {
    let kernel = [[127; 7]];
    let scale = [0x0100_0000; 7];
    let mut worst = 0.0;
    let mut random = Random(ChaCha8Rng::seed_from_u64(6));
    for _ in 0..1000 {
        let bias = [(); 7].map(|()| random.number(2_000_000) as i32);
        let layer: Dense<1, 7, Softmax> = Dense::new(&kernel, &bias, &scale, 11);
        let mut y = [0; 7];
        layer.step(&mut (), &[0], &mut y);
        let powers = bias.map(|b| (f64::from(b >> 8) / 2048.0).exp2());
        let sum: f64 = powers.iter().sum();
        for (y, power) in y.into_iter().zip(powers) {
            worst = f64::max(worst, (f64::from(y) - 32_768.0 * power / sum).abs());
        }
    }
    println!("largest error of the softmax in units of 2^-15: {worst:.2}");
    assert!(worst < 3.0, "{worst}");
}

#[test]
fn conversions_round_and_saturate() {
    let layer = quant::Quantize::<6>::new([15, 15, 0, -3, 15, 7]);
    let mut q = [0; 6];
    layer.step(&mut (), &[0.5, -2.0, 2.5, 84.0, f32::NAN, f32::INFINITY], &mut q);
    assert_eq!(q, [16_384, -32_768, 3, 11, 0, 32_767]);
    let mut x = [0.0; 6];
    quant::Dequantize::<6>::new(*layer.fraction_bits()).step(&mut (), &q, &mut x);
    assert_eq!(x, [0.5, -1.0, 3.0, 88.0, 0.0, 32_767.0 / 128.0]);
}

#[test]
fn chains_run_as_they_step() {
    let mut random = Random(ChaCha8Rng::seed_from_u64(7));
    let gru: Gru<3, 20> =
        Gru::new(&random.weights(), &random.weights(), &random.biases(), &random.scales(23, 150_000.0));
    let dense: Dense<20, 4, Softmax> =
        Dense::new(&random.weights::<4, 1, 20>().map(|[w]| w), &[0; 4], &[0x0010_0000; 4], 11);
    let net = Chain(quant::Quantize::<3>::new([12; 3]), Chain(gru, Chain(dense, quant::Dequantize::<4>::new([15; 4]))));
    let xs = [(); 9].map(|()| [(); 3].map(|()| random.number(1000) as f32 / 200.0));
    on_every_backend(|kind| {
        let (mut state, mut other) = (net.initial_state(), net.initial_state());
        let mut ys = [[0.0; 4]; 9];
        net.run(&mut state, &xs, &mut ys).unwrap();
        for (x, expected) in xs.iter().zip(&ys) {
            let mut y = [0.0; 4];
            net.step(&mut other, x, &mut y);
            assert_eq!(&y, expected, "{kind}");
            assert!((y.iter().sum::<f32>() - 1.0).abs() < 1e-3);
        }
        assert_eq!(state.1.0, other.1.0, "{kind}");
    });
}
