//! Normalisations and activations as part of the layers beside them.

use crate::math::{ActivationKind, OutputKind};
use crate::network::{Conv1d, LayerKind, LayerSpec, Network, NetworkError, check_integer};
use core::ops::Range;

/// A network without what a layer beside it has taken in, and without what stays in single precision.
pub(super) struct Folded {
    pub(super) network: Network<f32>,
    /// Where its layers come from.
    pub(super) layers: Vec<Source>,
    /// Normalisations that no layer could take in: at the beginning these layers.
    pub(super) front: usize,
    /// At the end, from this layer on, with activations that have no integer form.
    pub(super) behind: usize,
}

/// Where a layer comes from, and what it has taken in.
#[derive(Clone, Debug)]
pub(crate) struct Source {
    /// The layer, counted from 0.
    pub(crate) layer: usize,
    /// The layer that gives its output: itself, or a normalisation or an activation behind it.
    pub(crate) end: usize,
    /// Scales and shifts of its inputs, which are scale · x + shift.
    inputs: Option<[Vec<f64>; 2]>,
    /// Offsets and scales of its outputs, which are (y - offset) · scale.
    outputs: Option<[Vec<f64>; 2]>,
}

/// Of a layer that takes in what stands in front of it: where its kernel begins, its rows, and where its bias begins.
const fn kernel_of(kind: &LayerKind) -> Option<[usize; 3]> {
    match *kind {
        LayerKind::Dense { inputs, units, .. } => Some([0, units, inputs * units]),
        LayerKind::Recurrent(layer) => {
            let [recurrent, input, _] = layer.lengths();
            Some([recurrent, layer.cell.gates() * layer.units, recurrent + input])
        }
        _ => None,
    }
}

impl Source {
    /// W (s ⊙ x + t) + b = (W diag s) x + (b + W t), and of outputs (W x + b - o) ⊙ s.
    fn fold(&self, kind: &LayerKind, weights: &mut [f64]) {
        if let (Some([scales, shifts]), Some([kernel, rows, bias])) = (&self.inputs, kernel_of(kind)) {
            for (k, (scale, shift)) in scales.iter().zip(shifts).enumerate() {
                for row in 0..rows {
                    let weight = weights[kernel + k * rows + row];
                    weights[bias + row] += weight * shift;
                    weights[kernel + k * rows + row] = weight * scale;
                }
            }
        }
        if let Some([offset, scale]) = &self.outputs {
            // The kernel and the bias: a bias is a row of one more input.
            for row in weights.chunks_exact_mut(scale.len()) {
                row.iter_mut().zip(scale).for_each(|(weight, scale)| *weight *= scale);
            }
            let bias = weights.len() - scale.len();
            for ((bias, offset), scale) in weights[bias..].iter_mut().zip(offset).zip(scale) {
                *bias -= offset * scale;
            }
        }
    }

    /// Whether a further normalisation of its outputs makes one with what it has: 0 has no inverse.
    fn can_take_in_another(&self) -> bool {
        self.outputs.iter().all(|[_, scales]| scales.iter().all(|&scale| scale != 0.0))
    }

    /// The weights that [`fold`](Source::fold) makes these of.
    fn unfold(&self, kind: &LayerKind, weights: &mut [f64]) {
        if let Some([offset, scale]) = &self.outputs {
            let bias = weights.len() - scale.len();
            for ((bias, offset), scale) in weights[bias..].iter_mut().zip(offset).zip(scale) {
                *bias += offset * scale;
            }
            for row in weights.chunks_exact_mut(scale.len()) {
                row.iter_mut().zip(scale).for_each(|(weight, scale)| *weight /= scale);
            }
        }
        if let (Some([scales, shifts]), Some([kernel, rows, bias])) = (&self.inputs, kernel_of(kind)) {
            for (k, (scale, shift)) in scales.iter().zip(shifts).enumerate() {
                for row in 0..rows {
                    let weight = weights[kernel + k * rows + row] / scale;
                    weights[bias + row] -= weight * shift;
                    weights[kernel + k * rows + row] = weight;
                }
            }
        }
    }
}

/// Whether layers, the first of which has no integer form, can stay in single precision at the end of a network.
fn can_stay(specs: &[LayerSpec]) -> bool {
    let stays = |spec: &LayerSpec| {
        let kind = &spec.kind;
        matches!(kind, LayerKind::Normalize { .. } | LayerKind::UnitNormalization { .. } | LayerKind::Activation { .. })
            || matches!(kind, LayerKind::Last { .. })
    };
    specs.first().is_some_and(|spec| check_integer(spec).is_err())
        && specs.iter().all(|spec| stays(spec) && !spec.residual)
}

/// Whether a normalisation in front of layers becomes part of one of them, the next one or the one behind the last time step.
fn is_taken_in(specs: &[LayerSpec]) -> bool {
    let passes = |spec: &LayerSpec| matches!(spec.kind, LayerKind::Last { .. } | LayerKind::Normalize { .. });
    let next = specs.iter().find(|spec| spec.residual || !passes(spec));
    next.is_some_and(|spec| kernel_of(&spec.kind).is_some() && !spec.residual)
}

/// A linear layer with an activation, if that has an integer form there.
fn with_activation(spec: &LayerSpec, activation: OutputKind) -> Option<LayerSpec> {
    let kind = match (spec.kind, activation) {
        (LayerKind::Dense { inputs, units, .. }, activation) => LayerKind::Dense { inputs, units, activation },
        (LayerKind::Conv1d(layer), OutputKind::Each(activation)) => LayerKind::Conv1d(Conv1d { activation, ..layer }),
        _ => return None,
    };
    let spec = LayerSpec { kind, ..*spec };
    check_integer(&spec).is_ok().then_some(spec)
}

/// Normalisations in front become part of the next layer, those behind a linear layer part of that, and so do activations. In double
/// precision, rounded once.
pub(super) fn folded(network: &Network<f32>) -> Result<Folded, NetworkError> {
    let mut specs: Vec<LayerSpec> = Vec::new();
    let mut layers: Vec<Source> = Vec::new();
    let mut pending: Option<[Vec<f64>; 2]> = None;
    let (mut front, mut behind) = (0, network.layers().len());
    let linear = OutputKind::Each(ActivationKind::Linear);
    let is_linear = |spec: &LayerSpec| match spec.kind {
        LayerKind::Dense { activation, .. } => activation == linear && !spec.residual,
        LayerKind::Conv1d(layer) => OutputKind::Each(layer.activation) == linear && !spec.residual,
        _ => false,
    };
    for (index, spec) in network.layers().iter().enumerate() {
        let weights = &network.parameters()[network.range(index)];
        let before = specs.last_mut().zip(layers.last_mut()).filter(|(spec, _)| is_linear(spec));
        let rest = &network.layers()[index..];
        match (spec.kind, before) {
            (LayerKind::Normalize { size }, before) if !spec.residual => {
                let [offset, scale] = [&weights[..size], &weights[size..]].map(|w| w.iter().map(|&w| f64::from(w)));
                match before {
                    Some((_, source)) if pending.is_none() && source.can_take_in_another() => {
                        // (y - o) s of a layer that gives (y - p) r is (y - p - o / r) r s.
                        let [offsets, scales] =
                            source.outputs.get_or_insert_with(|| [vec![0.0; size], vec![1.0; size]]);
                        for (((offsets, scales), offset), scale) in
                            offsets.iter_mut().zip(scales).zip(offset).zip(scale)
                        {
                            *offsets += offset / *scales;
                            *scales *= scale;
                        }
                        source.end = index;
                        continue;
                    }
                    _ if is_taken_in(rest) => {
                        let [scales, shifts] = pending.get_or_insert_with(|| [vec![1.0; size], vec![0.0; size]]);
                        for (((scales, shifts), offset), scale) in scales.iter_mut().zip(shifts).zip(offset).zip(scale)
                        {
                            *shifts = (*shifts - offset) * scale;
                            *scales *= scale;
                        }
                        continue;
                    }
                    _ => {}
                }
            }
            (LayerKind::Activation { activation, .. }, Some((before, source))) if !spec.residual => {
                if let Some(with) = with_activation(before, activation).filter(|_| pending.is_none()) {
                    *before = with;
                    source.end = index;
                    continue;
                }
            }
            _ => {}
        }
        if can_stay(rest) && !layers.is_empty() {
            behind = index;
            break;
        }
        if let LayerKind::Normalize { .. } = spec.kind
            && !spec.residual
            && layers.is_empty()
        {
            front = index + 1;
            continue;
        }
        let inputs = if let LayerKind::Last { .. } = spec.kind { None } else { pending.take() };
        layers.push(Source { layer: index, end: index, inputs, outputs: None });
        specs.push(match spec.kind {
            LayerKind::Conv1d(layer) => LayerSpec { kind: LayerKind::Conv1d(Conv1d { groups: 1, ..layer }), ..*spec },
            _ => *spec,
        });
    }
    if specs.is_empty() {
        let (spec, problem) = (network.layers()[0], "alone: a network of integers needs another layer");
        return Err(NetworkError::Integer { layer: 1, name: spec.kind.kind().name(), problem });
    }
    let mut folded = Network::new(specs)?;
    for (to, source) in layers.iter().enumerate() {
        let (kind, range) = (folded.layers()[to].kind, folded.range(to));
        let from = &network.parameters()[network.range(source.layer)];
        let from = match network.layers()[source.layer].kind {
            LayerKind::Conv1d(layer) => ungrouped(&layer, from),
            _ => from.to_vec(),
        };
        change(&from, &mut folded.parameters_mut()[range], |weights| source.fold(&kind, weights));
    }
    Ok(Folded { network: folded, layers, front, behind })
}

/// The weights of a convolution as those of one group, with zeros between groups.
fn ungrouped(layer: &Conv1d, weights: &[f32]) -> Vec<f32> {
    let Conv1d { inputs, units, groups, .. } = *layer;
    let (kernel, bias) = weights.split_at(layer.kernel());
    let (of_group, units_of_group) = (inputs / groups, units / groups);
    let mut whole = vec![0.0; kernel.len() * groups];
    for (steps, to) in kernel.chunks_exact(of_group * units).zip(whole.chunks_exact_mut(inputs * units)) {
        for (i, row) in steps.chunks_exact(units).enumerate() {
            for (o, &weight) in row.iter().enumerate() {
                to[(o / units_of_group * of_group + i) * units + o] = weight;
            }
        }
    }
    [&whole, bias].concat()
}

/// Some layers of a network, if there are any.
pub(super) fn part(network: &Network<f32>, layers: Range<usize>) -> Result<Option<Network<f32>>, NetworkError> {
    if layers.is_empty() {
        return Ok(None);
    }
    let parameters = network.range(layers.start).start..network.range(layers.end - 1).end;
    let mut part = Network::new(network.layers()[layers].to_vec())?;
    part.parameters_mut().copy_from_slice(&network.parameters()[parameters]);
    Ok(Some(part))
}

impl Folded {
    /// The network before, `network`, with the weights that these folded ones are made of.
    pub(super) fn unfolded(&self, network: &Network<f32>, weights: &[Vec<f32>]) -> Network<f32> {
        let mut network = network.clone();
        for (source, weights) in self.layers.iter().zip(weights) {
            let (kind, range) = (network.layers()[source.layer].kind, network.range(source.layer));
            change(weights, &mut network.parameters_mut()[range], |weights| source.unfold(&kind, weights));
        }
        network
    }
}

/// Writes changed numbers, in double precision between.
fn change(from: &[f32], to: &mut [f32], how: impl FnOnce(&mut [f64])) {
    let mut numbers: Vec<f64> = from.iter().map(|&w| w.into()).collect();
    how(&mut numbers);
    #[expect(clippy::cast_possible_truncation, reason = "the parameters are single precision")]
    for (to, from) in to.iter_mut().zip(numbers) {
        *to = from as f32;
    }
}
