//! The products on a Cortex-M with an FPU: the compiler loads weights one by one, `vldm` loads a row of the panel at once.

use core::arch::asm;

/// `sums[g][u] += Σ_k weights[k][g][u] · x[k]` for `N` rows of four units: 1.33 instructions for each product, where the
/// compiler takes 2.33.
///
/// # Safety
/// `weights` is valid for reads of `4 · N · x.len()` numbers, and `N` is 1, 3 or 4.
#[inline(always)]
pub(super) unsafe fn accumulate<const N: usize>(sums: &mut [[f32; 4]; N], weights: *const f32, x: &[f32]) {
    if x.is_empty() {
        return;
    }
    let end = x.as_ptr_range().end;
    macro_rules! product {
        ($($line:literal)*) => {
            // SAFETY: `x` is not empty; every register that is used is named, and the flags are not said to be preserved.
            unsafe {
                asm!(
                    $($line,)*
                    sums = in(reg) sums.as_mut_ptr(),
                    x = inout(reg) x.as_ptr() => _,
                    end = in(reg) end,
                    weights = inout(reg) weights => _,
                    out("s0") _, out("s1") _, out("s2") _, out("s3") _, out("s4") _, out("s5") _, out("s6") _, out("s7") _,
                    out("s8") _, out("s9") _, out("s10") _, out("s11") _, out("s12") _, out("s13") _, out("s14") _,
                    out("s15") _, out("s16") _, out("s17") _, out("s18") _, out("s19") _, out("s20") _, out("s21") _,
                    out("s22") _, out("s23") _, out("s24") _, out("s25") _, out("s26") _, out("s27") _, out("s28") _,
                    out("s29") _, out("s30") _, out("s31") _,
                    options(nostack),
                );
            }
        };
    }
    match N {
        1 => product!(
            "vldmia {sums}, {{s28-s31}}"
            "2:"
            "vldmia {x}!, {{s0}}"
            "vldmia {weights}!, {{s1-s4}}"
            "vmla.f32 s28, s1, s0" "vmla.f32 s29, s2, s0" "vmla.f32 s30, s3, s0" "vmla.f32 s31, s4, s0"
            "cmp {x}, {end}"
            "bne 2b"
            "vstmia {sums}, {{s28-s31}}"
        ),
        3 => product!(
            "vldmia {sums}, {{s20-s31}}"
            "2:"
            "vldmia {x}!, {{s0}}"
            "vldmia {weights}!, {{s1-s12}}"
            "vmla.f32 s20, s1, s0" "vmla.f32 s21, s2, s0" "vmla.f32 s22, s3, s0" "vmla.f32 s23, s4, s0"
            "vmla.f32 s24, s5, s0" "vmla.f32 s25, s6, s0" "vmla.f32 s26, s7, s0" "vmla.f32 s27, s8, s0"
            "vmla.f32 s28, s9, s0" "vmla.f32 s29, s10, s0" "vmla.f32 s30, s11, s0" "vmla.f32 s31, s12, s0"
            "cmp {x}, {end}"
            "bne 2b"
            "vstmia {sums}, {{s20-s31}}"
        ),
        _ => product!(
            "vldmia {sums}, {{s16-s31}}"
            "2:"
            "vldmia {x}!, {{s0}}"
            "vldmia {weights}!, {{s1-s8}}"
            "vmla.f32 s16, s1, s0" "vmla.f32 s17, s2, s0" "vmla.f32 s18, s3, s0" "vmla.f32 s19, s4, s0"
            "vmla.f32 s20, s5, s0" "vmla.f32 s21, s6, s0" "vmla.f32 s22, s7, s0" "vmla.f32 s23, s8, s0"
            "vldmia {weights}!, {{s1-s8}}"
            "vmla.f32 s24, s1, s0" "vmla.f32 s25, s2, s0" "vmla.f32 s26, s3, s0" "vmla.f32 s27, s4, s0"
            "vmla.f32 s28, s5, s0" "vmla.f32 s29, s6, s0" "vmla.f32 s30, s7, s0" "vmla.f32 s31, s8, s0"
            "cmp {x}, {end}"
            "bne 2b"
            "vstmia {sums}, {{s16-s31}}"
        ),
    }
}
