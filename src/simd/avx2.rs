//! The scalar backend compiled for AVX2: the same operations with the same roundings, so the same bits, eight at a time.

use super::{Scalar, Visitor};

cpufeatures::new!(has_avx2, "avx2");

/// The proof that this CPU has AVX2.
#[derive(Clone, Copy, Debug)]
pub(super) struct Wide(());

impl Wide {
    /// The proof, if there is one. Asks the CPU once.
    #[inline(always)]
    pub(super) fn detect() -> Option<Self> {
        has_avx2::get().then_some(Wide(()))
    }

    /// Runs `visitor`, compiled for AVX2.
    #[inline(always)]
    pub(super) fn enter<V: Visitor>(self, visitor: V) -> V::Out {
        #[target_feature(enable = "avx2")]
        fn run<V: Visitor>(visitor: V) -> V::Out {
            visitor.visit(Scalar::wide())
        }
        // SAFETY: the token exists.
        unsafe { run(visitor) }
    }
}
