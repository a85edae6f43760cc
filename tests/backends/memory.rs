//! Nothing outside the vectors is touched. What is read or written behind a vector ends any test of this program, by the fence;
//! here is what the fence does not see.

use crate::{CANARY, SIZES, bits, on_every_backend};
use gatelet::Layer;
use gatelet::math::{ActivationKind, OutputActivation, OutputKind};
use gatelet::quant::{Dense, Gru, HiddenState, Lstm, LstmState};
use gatelet::simd::{Backend, BackendKind, Visitor, dispatch_on};

/// An activation of all of a slice.
struct ApplyAll<'a>(OutputKind, &'a mut [f32]);

impl Visitor for ApplyAll<'_> {
    type Out = ();
    fn visit<B: Backend>(self, b: B) {
        self.0.apply_all(b, self.1);
    }
}

#[test]
fn activations_touch_their_slice_only() {
    for kind in BackendKind::ALL.into_iter().filter(|kind| kind.is_available()) {
        for activation in [OutputKind::Each(ActivationKind::Tanh), OutputKind::Softmax] {
            for length in SIZES {
                let mut values = vec![f32::from_bits(CANARY); length + 40];
                let slice = &mut values[20..20 + length];
                slice.fill(0.5);
                dispatch_on(kind, ApplyAll(activation, slice)).unwrap();
                let (slice, rest) = (&values[20..20 + length], [&values[..20], &values[20 + length..]].concat());
                assert!(slice.iter().all(|&y| (0.0..=1.0).contains(&y)));
                assert!(
                    bits(&rest).iter().all(|&bits| bits == CANARY),
                    "{kind}, {activation:?}: wrote beyond {length}"
                );
            }
        }
    }
}

/// Integer layers; what the fence stands behind are inputs, outputs, states and weights.
fn step_integers<const I: usize, const H: usize>() {
    let layers = (Box::new(Lstm::<I, H>::EMPTY), Box::new(Gru::<I, H>::EMPTY), Box::new(Dense::<I, H>::EMPTY));
    let (x, mut y) = (Box::new([1; I]), Box::new([0; H]));
    let (mut lstm, mut gru) = (Box::new(LstmState::ZERO), Box::new(HiddenState::ZERO));
    on_every_backend(|_| {
        layers.0.step(&mut lstm, &x, &mut y);
        layers.1.step(&mut gru, &x, &mut y);
        layers.2.step(&mut (), &x, &mut y);
    });
}

#[test]
fn integer_layers_touch_their_numbers_only() {
    step_integers::<1, 1>();
    step_integers::<2, 3>();
    step_integers::<3, 6>();
    step_integers::<4, 16>();
    step_integers::<7, 13>();
    step_integers::<13, 32>();
    step_integers::<31, 44>();
    step_integers::<64, 64>();
    step_integers::<66, 71>();
}
