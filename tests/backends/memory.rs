//! Nothing outside the vectors is touched. What is read or written behind a vector ends any test of this program, by the fence;
//! here is what the fence does not see.

use crate::{CANARY, SIZES, bits};
use gatelet::math::{ActivationKind, OutputActivation, OutputKind};
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
