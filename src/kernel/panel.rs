//! The order of weights in memory: panels of `PANEL` units, and within a panel `[k][gate][unit]`, so that the weights a block
//! of units meets in one product stand side by side.

/// Units in a panel; the last panel of a layer has what is left. It is storage: how many lanes work on it at a time is the
/// backend's affair.
pub(super) const PANEL: usize = if cfg!(any(target_arch = "x86", target_arch = "x86_64")) { 16 } else { 4 };

/// Where unpacked weights come from.
#[derive(Clone, Copy)]
pub(crate) enum Source<'a> {
    /// Numbers.
    Floats(&'a [f32]),
    /// Little-endian bytes of numbers.
    Bytes(&'a [u8]),
}

impl Source<'_> {
    /// How many numbers there are.
    pub(crate) const fn len(&self) -> usize {
        match self {
            Source::Floats(floats) => floats.len(),
            Source::Bytes(bytes) => bytes.len() / 4,
        }
    }
}

/// Writes a matrix `[k][gate][unit]` in panel order. A bias is a matrix of one `k`.
///
/// The same function packs in const evaluation, in a reader on the device and on the host. Const evaluation counts calls
/// and turns of loops, so there is one turn and no avoidable call per weight.
pub(crate) const fn pack(packed: &mut [f32], source: Source<'_>, gates: usize, units: usize) {
    if units == 0 {
        return;
    }
    let rows = source.len() / (gates * units) * gates;
    debug_assert!(packed.len() == source.len() && rows * units == source.len());
    let mut to = 0;
    let mut panel = 0;
    while panel < units {
        let width = if units - panel < PANEL { units - panel } else { PANEL };
        let mut row = 0;
        while row < rows {
            let mut from = row * units + panel;
            let end = to + width;
            match source {
                Source::Floats(floats) => {
                    while to < end {
                        packed[to] = floats[from];
                        from += 1;
                        to += 1;
                    }
                }
                Source::Bytes(bytes) => {
                    while to < end {
                        let at = 4 * from;
                        let word = [bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]];
                        packed[to] = f32::from_le_bytes(word);
                        from += 1;
                        to += 1;
                    }
                }
            }
            row += 1;
        }
        panel += width;
    }
}

/// The packed weights of a recurrent layer, of `gates` weight rows and `biases` bias rows per unit.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Gates<'a> {
    pub(crate) recurrent: &'a [f32],
    pub(crate) input: &'a [f32],
    pub(crate) bias: &'a [f32],
}

impl Gates<'_> {
    /// The number of units, once every length is known to agree with it.
    ///
    /// # Panics
    /// If the lengths do not agree. With constant sizes nothing is left of the check.
    #[inline(always)]
    pub(super) fn units(&self, gates: usize, biases: usize, x: &[f32], h: &[f32], y: &[f32]) -> usize {
        let units = h.len();
        assert!(
            y.len() == units
                && self.recurrent.len() == gates * units * units
                && self.input.len() == gates * units * x.len()
                && self.bias.len() == biases * units
        );
        units
    }

    /// Where a block's bias, input and recurrent weights begin: the first row of its units.
    ///
    /// # Safety
    /// The lengths are those that [`units`](Gates::units) checks for the same `gates`, `biases` and `inputs`, and `unit` lies
    /// in the panel that begins at `panel`.
    #[inline(always)]
    pub(super) unsafe fn block(
        &self,
        gates: usize,
        biases: usize,
        inputs: usize,
        unit: usize,
        panel: usize,
    ) -> BlockWeights {
        let units = self.bias.len() / biases;
        // SAFETY: a panel's part of a matrix with n numbers per unit begins at n times the units before it.
        unsafe {
            BlockWeights {
                bias: self.bias.as_ptr().add(panel * biases + unit - panel),
                input: self.input.as_ptr().add(panel * gates * inputs + unit - panel),
                recurrent: self.recurrent.as_ptr().add(panel * gates * units + unit - panel),
            }
        }
    }
}

/// The first rows of a block of units, one for each matrix.
pub(super) struct BlockWeights {
    pub(super) bias: *const f32,
    pub(super) input: *const f32,
    pub(super) recurrent: *const f32,
}
