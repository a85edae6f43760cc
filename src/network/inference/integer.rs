//! Integer layers of run-time sizes. Between layers and in states are the numbers that integers stand for, which single precision
//! holds exactly: everything around an integer layer is as it is around others.

use super::Flow;
use crate::kernel::integer::{self, Gates, GruRows, Matrix, Words, bytes_of};
use crate::layer::{Ave, Concat, MergeMode, Mul, Number, Sum, Unmerged};
use crate::math::{ActivationKind, OutputKind, Sigmoid, Softmax, Tanh};
use crate::network::integers::{self, merged_bits, numbers, signed};
use crate::network::{Cell, LayerKind, LayerSpec, Merge, Recurrent};
use crate::quant::{
    IntegerActivation, IntegerOutput, activate, dequantize, embedding, lstm, prelu, quantize, residual,
};
use crate::simd::integers::Integers;
use crate::simd::{Backend, Visitor, dispatch};

/// An integer layer packed for the kernels.
#[derive(Clone, Debug)]
pub(super) struct Integer {
    kind: LayerKind,
    /// Of each input.
    input_bits: Vec<i8>,
    /// Of each number that the layer itself gives.
    inner_bits: Vec<i8>,
    /// Of each output, which differs with a way around the layer.
    output_bits: Vec<i8>,
    weights: Weights,
    /// How inputs and outputs are shifted where both are added.
    shifts: Option<[Vec<u8>; 2]>,
    /// The state that the layer begins with, if the model brings one.
    initial: Vec<i16>,
    /// What masks time steps behind it.
    masked: Option<f32>,
}

/// What a layer's bytes are.
#[derive(Clone, Debug)]
enum Weights {
    None,
    Rows(Rows),
    /// Of a bidirectional layer.
    Directions([Rows; 2]),
    /// Of a masking and a PReLU, with the fraction bits of these.
    Numbers(u32, Vec<i16>),
    /// An embedding's table; fraction bits of an activation's inputs.
    Bytes(Vec<i8>),
}

/// Packed rows of weights with their biases and scales.
#[derive(Clone, Debug)]
struct Rows {
    output_bits: i8,
    /// Of a cell state, or of a softmax's arguments.
    more_bits: u32,
    constants: Vec<i32>,
    recurrent: Packed,
    input: Packed,
}

/// A packed matrix.
#[derive(Clone, Debug)]
struct Packed {
    weights: Vec<i8>,
    offsets: Vec<i32>,
}

impl Packed {
    fn new(weights: &[i8], gates: usize, units: usize) -> Self {
        let offsets = if cfg!(target_arch = "x86_64") { gates * units } else { 0 };
        let mut packed = Packed { weights: vec![0; weights.len()], offsets: vec![0; offsets] };
        integer::pack(&mut packed.weights, &mut packed.offsets, bytes_of(weights), gates, units);
        packed
    }

    fn matrix(&self) -> Matrix<'_> {
        Matrix { weights: &self.weights, offsets: &self.offsets }
    }
}

impl Rows {
    fn new(kind: &LayerKind, bytes: &[u8]) -> Option<Self> {
        let rows = integers::rows(kind, bytes)?;
        let (gates, units) = match *kind {
            LayerKind::Recurrent(layer) => (layer.cell.gates(), layer.units),
            _ => (1, kind.outputs()),
        };
        let is_softmax = matches!(kind, LayerKind::Dense { activation: OutputKind::Softmax, .. });
        let mut constants = vec![0; rows.bias.len() + rows.scale.len()];
        integer::pack_rows(&mut constants, [Words::Numbers(&rows.bias), Words::Numbers(&rows.scale)], gates, units);
        Some(Rows {
            output_bits: if is_softmax { 15 } else { rows.formats[0].min(15) as i8 },
            more_bits: *rows.formats.last().unwrap_or(&0),
            constants,
            recurrent: Packed::new(&rows.recurrent, gates, units),
            input: Packed::new(&rows.input, gates, units),
        })
    }

    /// Fraction bits of a cell state.
    fn cell_bits(&self) -> i8 {
        self.more_bits.min(100) as i8
    }
}

impl Integer {
    /// Packs a layer, for inputs of so many fraction bits.
    pub(super) fn new(spec: &LayerSpec, bytes: &[u8], input_bits: &[i8]) -> Self {
        let kind = spec.kind;
        let (bytes, rest) = bytes.split_at(kind.integer_bytes());
        let (shifts, state) = rest.split_at(if spec.residual { 2 * kind.inputs() } else { 0 });
        let mut output_bits = input_bits.to_vec();
        let weights = match kind {
            LayerKind::Quantize { .. } | LayerKind::Dequantize { .. } => {
                output_bits = signed(bytes);
                Weights::None
            }
            LayerKind::Bidirectional { layer, merge } => {
                let (forward, backward) = bytes.split_at(layer.integer_bytes());
                let rows = [forward, backward].map(|bytes| Rows::new(&LayerKind::Recurrent(layer), bytes));
                let [Some(forward), Some(backward)] = rows else { unreachable!("a recurrent layer has rows") };
                output_bits = merged_bits(merge, [forward.output_bits, backward.output_bits], layer.units);
                Weights::Directions([forward, backward])
            }
            LayerKind::Masking { .. } => Weights::Numbers(0, numbers(bytes)),
            LayerKind::Activation { activation, .. } => {
                if let OutputKind::Each(ActivationKind::Tanh | ActivationKind::Sigmoid) = activation {
                    output_bits.fill(15);
                }
                Weights::Bytes(signed(bytes))
            }
            LayerKind::Prelu { .. } => {
                let (bits, slopes) = bytes.split_at(4);
                Weights::Numbers(u32::from_le_bytes([bits[0], bits[1], bits[2], bits[3]]).min(15), numbers(slopes))
            }
            LayerKind::Embedding { size, .. } => {
                let (bits, table) = bytes.split_at(size);
                output_bits = signed(bits);
                Weights::Bytes(signed(table))
            }
            LayerKind::Flatten { steps, .. } => {
                output_bits = input_bits.repeat(steps);
                Weights::None
            }
            _ => match Rows::new(&kind, bytes) {
                Some(rows) => {
                    output_bits = vec![rows.output_bits; kind.outputs()];
                    Weights::Rows(rows)
                }
                None => Weights::None,
            },
        };
        let inner_bits = output_bits.clone();
        let shifts = spec.residual.then(|| {
            let (of_x, of_y) = shifts.split_at(kind.inputs());
            output_bits =
                input_bits.iter().zip(of_x).map(|(bits, &shift)| bits.saturating_sub(shift.min(15) as i8)).collect();
            [of_x.to_vec(), of_y.to_vec()]
        });
        let input_bits = input_bits.to_vec();
        Integer { kind, input_bits, inner_bits, output_bits, weights, shifts, initial: numbers(state), masked: None }
    }

    /// Takes note of what the next layer masks: such time steps lose nothing where their numbers are cut off.
    pub(super) fn masked_behind(&mut self, value: f32) {
        self.masked = Some(value);
    }

    /// The state that the layer begins with; empty if the model brings none.
    pub(super) fn initial_state(&self) -> Vec<f32> {
        let rows = match &self.weights {
            Weights::Rows(rows) => core::slice::from_ref(rows),
            Weights::Directions(rows) => rows,
            _ => return Vec::new(),
        };
        let (LayerKind::Recurrent(layer) | LayerKind::Bidirectional { layer, .. }) = self.kind else {
            return Vec::new();
        };
        let mut state = vec![0.0; self.initial.len()];
        let (from, to) = (self.initial.chunks(layer.state()), state.chunks_mut(layer.state()));
        for (rows, (from, to)) in rows.iter().zip(from.zip(to)) {
            let bits = [vec![rows.output_bits; layer.units], vec![rows.cell_bits(); layer.state() - layer.units]];
            give(from, &bits.concat(), to);
        }
        state
    }

    /// The fraction bits of each output.
    pub(super) fn output_bits(&self) -> &[i8] {
        &self.output_bits
    }

    /// Takes time steps through the layer and what is around it, and tells how many numbers were cut off: which are at an end of their
    /// range.
    pub(super) fn run(&self, state: &mut [f32], from: &mut Flow, to: &mut Flow) -> u64 {
        let mut saturated = self.run_layer(state, from, to);
        if let Some([of_x, of_y]) = &self.shifts {
            let (mut x, mut y) = (vec![0; from.size], vec![0; to.size]);
            for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                take(xs, &self.input_bits, &mut x);
                take(ys, &self.inner_bits, &mut y);
                residual::add(&x, of_x, &mut y, of_y);
                saturated += at_an_end(&y);
                give(&y, &self.output_bits, ys);
            }
        }
        saturated
    }

    fn run_layer(&self, state: &mut [f32], from: &mut Flow, to: &mut Flow) -> u64 {
        to.reset(from.steps(), self.kind.outputs());
        let mut saturated = 0;
        let mut valid = from.valid.take();
        match (self.kind, &self.weights) {
            // Every output is a number that int16 stands for.
            (LayerKind::Quantize { .. }, _) => {
                let mut y = vec![0; to.size];
                for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                    take(xs, &self.inner_bits, &mut y);
                    if self.masked.is_none_or(|value| xs.iter().any(|&x| x != value)) {
                        saturated += at_an_end(&y);
                    }
                    give(&y, &self.inner_bits, ys);
                }
            }
            (LayerKind::Recurrent(layer), Weights::Rows(rows)) => {
                let cell = Direction { layer, rows, input_bits: &self.input_bits };
                // The outputs of a layer that goes backwards are in the order in which they are given.
                let steps = order(from.steps(), layer.go_backwards).zip(0..);
                saturated = cell.run(state, from, valid.as_deref(), steps, |step, y| {
                    give(y, &self.inner_bits, &mut to.values[step * to.size..][..to.size]);
                });
            }
            (LayerKind::Bidirectional { layer, merge }, Weights::Directions(rows)) => {
                saturated = self.both(layer, merge, rows, state, from, valid.as_deref(), to);
            }
            (LayerKind::Dense { activation, .. }, Weights::Rows(rows)) => {
                let mut room = DenseRoom::new(from.size, to.size);
                for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                    saturated += self.dense(rows, activation, xs, &self.input_bits, &mut room, ys);
                }
            }
            (LayerKind::Conv1d(layer), Weights::Rows(rows)) => {
                let bits = self.input_bits.repeat(layer.kernel_size);
                let (mut seen, mut room) = (Vec::new(), DenseRoom::new(bits.len(), to.size));
                each_window(state, from, to, |window, ys| {
                    seen.clear();
                    seen.extend(window.chunks_exact(layer.inputs).step_by(layer.dilation).flatten());
                    let activation = OutputKind::Each(layer.activation);
                    saturated += self.dense(rows, activation, &seen, &bits, &mut room, ys);
                });
                valid = None;
            }
            (LayerKind::AveragePooling { size, steps }, _) => {
                let bits = self.input_bits.repeat(steps);
                let (mut seen, mut y) = (vec![0; size * steps], vec![0; size]);
                each_window(state, from, to, |window, ys| {
                    take(window, &bits, &mut seen);
                    i16::mean_of(seen.chunks_exact(size), steps, &mut y);
                    give(&y, &self.inner_bits, ys);
                });
                valid = None;
            }
            (LayerKind::Flatten { .. }, _) => {
                each_window(state, from, to, |window, ys| ys.copy_from_slice(window));
                valid = None;
            }
            (LayerKind::Masking { .. }, Weights::Numbers(_, values)) => {
                let mut x = vec![0; from.size];
                let mut kept = Vec::new();
                for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                    take(xs, &self.input_bits, &mut x);
                    let masks = x == *values;
                    if !masks {
                        ys.copy_from_slice(xs);
                    }
                    kept.push(!masks);
                }
                valid = Some(kept);
            }
            (LayerKind::Embedding { mask_zero, .. }, Weights::Bytes(table)) => {
                let (mut x, mut y) = ([0], vec![0; to.size]);
                let mut kept = Vec::new();
                for (token, ys) in from.values.iter().zip(to.values.chunks_exact_mut(to.size)) {
                    take(core::slice::from_ref(token), &self.input_bits, &mut x);
                    embedding::row(table, x[0], &mut y);
                    give(&y, &self.inner_bits, ys);
                    kept.push(x[0] != 0);
                }
                valid = mask_zero.then_some(kept);
            }
            (LayerKind::Activation { activation: OutputKind::Each(activation), .. }, Weights::Bytes(bits)) => {
                let mut x = vec![0; from.size];
                for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                    take(xs, &self.input_bits, &mut x);
                    for (x, &bits) in x.iter_mut().zip(bits) {
                        *x = activate::activate(activation, *x, bits);
                    }
                    give(&x, &self.inner_bits, ys);
                }
            }
            (LayerKind::Prelu { .. }, Weights::Numbers(bits, slope)) => {
                let (mut x, mut y) = (vec![0; from.size], vec![0; to.size]);
                for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                    take(xs, &self.input_bits, &mut x);
                    prelu::prelu(slope, *bits, &x, &mut y);
                    saturated += at_an_end(&y).saturating_sub(at_an_end(&x));
                    give(&y, &self.inner_bits, ys);
                }
            }
            // A file may have other formats in a Dequantize than the layer in front of it gives.
            _ => {
                let mut y = vec![0; to.size];
                for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
                    take(xs, &self.input_bits, &mut y);
                    give(&y, &self.inner_bits, ys);
                }
            }
        }
        to.valid = valid;
        saturated
    }

    /// One step of a dense layer, which tells how many numbers were cut off.
    fn dense(
        &self,
        rows: &Rows,
        activation: OutputKind,
        xs: &[f32],
        bits: &[i8],
        DenseRoom { x, prepared, y }: &mut DenseRoom,
        ys: &mut [f32],
    ) -> u64 {
        take(xs, bits, x);
        let step = DenseStep { rows, x, room: prepared, y };
        match activation {
            OutputKind::Softmax => dispatch(With(Softmax, step)),
            OutputKind::Each(kind) => dispatch(With(kind, step)),
        }
        give(y, &self.inner_bits, ys);
        if is_bounded(activation) { 0 } else { at_an_end(y) }
    }

    /// The last outputs of both directions as one.
    pub(super) fn merge(&self, outputs: [&[f32]; 2], ys: &mut [f32]) {
        let (LayerKind::Bidirectional { merge, .. }, Weights::Directions(rows)) = (self.kind, &self.weights) else {
            return;
        };
        let mut merged = vec![0; ys.len()];
        for ((output, rows), backward) in outputs.into_iter().zip(rows).zip([false, true]) {
            let mut y = vec![0; output.len()];
            take(output, &vec![rows.output_bits; output.len()], &mut y);
            put(merge, backward, &y, &mut merged);
        }
        give(&merged, &self.inner_bits, ys);
    }

    /// A layer that goes forward and one that goes backward.
    #[expect(clippy::too_many_arguments, reason = "what `run` takes, and what it has found")]
    fn both(
        &self,
        layer: Recurrent,
        merge: Merge,
        rows: &[Rows; 2],
        state: &mut [f32],
        from: &Flow,
        valid: Option<&[bool]>,
        to: &mut Flow,
    ) -> u64 {
        // As Keras has it, whatever the layers themselves say.
        let layer = Recurrent { zero_output_for_mask: layer.return_sequences, ..layer };
        let (steps, size) = (from.steps(), to.size);
        let mut merged = vec![0; steps * size];
        let mut saturated = 0;
        let halves = state.split_at_mut(layer.state());
        for (rows, state, backward) in [(&rows[0], halves.0, false), (&rows[1], halves.1, true)] {
            let cell = Direction { layer, rows, input_bits: &self.input_bits };
            let same = order(steps, backward).map(|step| (step, step));
            saturated += cell.run(state, from, valid, same, |step, y| {
                put(merge, backward, y, &mut merged[step * size..][..size]);
            });
        }
        for (y, ys) in merged.chunks_exact(size).zip(to.values.chunks_exact_mut(size)) {
            give(y, &self.inner_bits, ys);
        }
        saturated
    }
}

/// Puts an output where the forward layer's goes or, behind that, the backward layer's.
fn put(merge: Merge, backward: bool, y: &[i16], to: &mut [i16]) {
    match merge {
        Merge::Concat => Concat::put(backward, y, to),
        Merge::Sum => Sum::put(backward, y, to),
        Merge::Mul => Mul::put(backward, y, to),
        Merge::Ave => Ave::put(backward, y, to),
        Merge::None => Unmerged::put(backward, y, to),
    }
}

/// Time steps from the beginning or from the end.
fn order(steps: usize, backward: bool) -> impl Iterator<Item = usize> {
    (0..steps).map(move |step| if backward { steps - 1 - step } else { step })
}

/// Hands every time step with those before it, oldest first, and the place of its output to a function; the state is the inputs that
/// are behind.
fn each_window(state: &mut [f32], from: &Flow, to: &mut Flow, mut work: impl FnMut(&[f32], &mut [f32])) {
    let mut window = [state, &from.values[..from.size.min(from.values.len())]].concat();
    for (xs, ys) in from.values.chunks_exact(from.size).zip(to.values.chunks_exact_mut(to.size)) {
        let before = window.len() - from.size;
        window[before..].copy_from_slice(xs);
        work(&window, ys);
        window.copy_within(from.size.., 0);
    }
    let before = state.len();
    state.copy_from_slice(&window[..before]);
}

/// The int16 numbers of numbers.
fn take(xs: &[f32], bits: &[i8], x: &mut [i16]) {
    for ((x, &value), &bits) in x.iter_mut().zip(xs).zip(bits) {
        *x = quantize(value, bits.into());
    }
}

/// What int16 numbers stand for.
fn give(y: &[i16], bits: &[i8], ys: &mut [f32]) {
    for ((value, &y), &bits) in ys.iter_mut().zip(y).zip(bits) {
        *value = dequantize(y, bits.into());
    }
}

/// How many numbers are at an end of their range.
fn at_an_end(numbers: &[i16]) -> u64 {
    numbers.iter().filter(|&&number| number == i16::MAX || number == i16::MIN).count() as u64
}

/// Whether the end of the range is no loss.
fn is_bounded(activation: OutputKind) -> bool {
    !matches!(activation, OutputKind::Each(ActivationKind::Linear | ActivationKind::Relu))
}

/// A recurrent layer that takes time steps in some order.
struct Direction<'a> {
    layer: Recurrent,
    rows: &'a Rows,
    input_bits: &'a [i8],
}

impl Direction<'_> {
    /// Takes `from`'s steps in an order, each with the place of its output, for which `put` gets it; a masked step's is not put where
    /// zeros are to be.
    fn run(
        &self,
        state: &mut [f32],
        from: &Flow,
        valid: Option<&[bool]>,
        steps: impl Iterator<Item = (usize, usize)>,
        mut put: impl FnMut(usize, &[i16]),
    ) -> u64 {
        let Direction { layer, rows, input_bits } = *self;
        let units = layer.units;
        let (state_h, state_c) = state.split_at_mut(units);
        let (hidden_bits, cell_bits) = (vec![rows.output_bits; units], vec![rows.cell_bits(); units]);
        let (mut h, mut c) = (vec![0; units], vec![0; state_c.len()]);
        take(state_h, &hidden_bits, &mut h);
        take(state_c, &cell_bits, &mut c);
        let (mut x, mut rooms) = (vec![0; from.size], [vec![0; from.size], vec![0; units]]);
        let mut more = [vec![0; units], vec![0; units]];
        let bounded = is_bounded(OutputKind::Each(layer.activation));
        let mut saturated = 0;
        for (step, place) in steps {
            let is_valid = valid.is_none_or(|valid| valid[step]);
            if is_valid {
                take(&from.values[step * from.size..][..from.size], input_bits, &mut x);
                let [x_room, h_room] = &mut rooms;
                let step = CellStep { layer, rows, x: &x, x_room, h_room, more: &mut more, h: &mut h, c: &mut c };
                match (layer.activation, layer.recurrent_activation) {
                    (ActivationKind::Tanh, ActivationKind::Sigmoid) => dispatch(With((Tanh, Sigmoid), step)),
                    chosen => dispatch(With(chosen, step)),
                }
                saturated += at_an_end(&c) + if bounded { 0 } else { at_an_end(&h) };
            }
            if is_valid || !layer.zero_output_for_mask {
                put(place, &h);
            }
        }
        give(&h, &hidden_bits, state_h);
        give(&c, &cell_bits, state_c);
        saturated
    }
}

/// What the steps of a dense layer work in.
struct DenseRoom {
    x: Vec<i16>,
    prepared: Vec<i16>,
    y: Vec<i16>,
}

impl DenseRoom {
    fn new(inputs: usize, outputs: usize) -> Self {
        DenseRoom { x: vec![0; inputs], prepared: vec![0; inputs], y: vec![0; outputs] }
    }
}

/// A step with activations.
struct With<A, S>(A, S);

struct DenseStep<'a> {
    rows: &'a Rows,
    x: &'a [i16],
    room: &'a mut [i16],
    y: &'a mut [i16],
}

impl<A: IntegerOutput> Visitor for With<A, DenseStep<'_>> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        let With(activation, DenseStep { rows, x, room, y }) = self;
        let i = b.integers();
        i.prepare(x, room);
        integer::dense(i, activation.each(), rows.input.matrix(), integer::Rows(&rows.constants), room, y);
        activation.all(y, rows.more_bits);
    }
}

struct CellStep<'a> {
    layer: Recurrent,
    rows: &'a Rows,
    x: &'a [i16],
    x_room: &'a mut [i16],
    h_room: &'a mut [i16],
    more: &'a mut [Vec<i16>; 2],
    h: &'a mut [i16],
    c: &'a mut [i16],
}

impl<A: IntegerActivation, R: IntegerActivation> Visitor for With<(A, R), CellStep<'_>> {
    type Out = ();
    #[inline(always)]
    fn visit<B: Backend>(self, b: B) {
        let i = b.integers();
        let With(activations, CellStep { layer, rows, x, x_room, h_room, more, h, c }) = self;
        i.prepare(x, x_room);
        i.prepare(h, h_room);
        let inputs = (&*x_room, &*h_room);
        let (recurrent, input) = (rows.recurrent.matrix(), rows.input.matrix());
        let weights = Gates { recurrent, input, constants: integer::Rows(&rows.constants) };
        match layer.cell {
            Cell::SimpleRnn => integer::simple_rnn(i, activations.0, weights, inputs, h),
            Cell::Lstm => {
                let formats = lstm::Formats::new(layer.activation, rows.more_bits, rows.output_bits as u32);
                integer::lstm(i, activations, formats, weights, inputs, (h, c));
            }
            Cell::Gru { reset_after: true } => integer::gru(i, activations, weights, GruRows::ResetAfter, inputs, h),
            Cell::Gru { reset_after: false } => {
                let [reset, room] = more;
                let form = GruRows::ResetBefore([reset, room]);
                integer::gru(i, activations, weights, form, inputs, h);
            }
        }
    }
}
