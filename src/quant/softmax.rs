//! The integer softmax.

/// `2^(y - max) / Σ 2^(y - max)` in units of 2⁻¹⁵, in place, for numbers of so many fraction bits, 16 at most: logits in units of
/// ln 2, which the layer's scales have made of them. The largest representable one, 32 767, stands for 1.
pub(crate) fn softmax(y: &mut [i16], fraction_bits: u32) {
    let max = y.iter().copied().max().unwrap_or(0);
    let power = |y: i16| exp2_negative((i32::from(max) - i32::from(y)).unsigned_abs() << (16 - fraction_bits.min(16)));
    let mut sum = 0_u32;
    for &y in &*y {
        sum = sum.wrapping_add(power(y));
    }
    // The largest one's power alone is 2¹⁶; zero only if the sum of some 2¹⁶ outputs has wrapped.
    let sum = if sum == 0 { u32::MAX } else { sum };
    for y in y {
        let share = ((power(*y) << 15).wrapping_add(sum / 2)) / sum;
        *y = if share > 32_767 { 32_767 } else { share as i16 };
    }
}

/// 2⁻ˣ in units of 2⁻¹⁶, for x in such units: 2⁻ᶠ of the fraction f by a polynomial (error 2 units), shifted by the whole part.
const fn exp2_negative(x: u32) -> u32 {
    let f = (x & 0xffff) as i32 >> 1;
    let mut power = 447;
    power = -3488 + ((power * f) >> 15);
    power = 15_694 + ((power * f) >> 15);
    power = -45_419 + ((power * f) >> 15);
    power = 65_536 + ((power * f) >> 15);
    if x >> 16 > 31 { 0 } else { power as u32 >> (x >> 16) }
}
