//! Keras's layers as ours.

use super::super::cells::{gru_bias, swapped};
use super::super::{Budget, ImportError, Imported, imported, network_of, unsupported};
use super::config::{Layer, Mask, Shape};
use super::fold::Affine;
use super::keys::Keys;
use super::weights::{Part, Weights};
use crate::math::{ActivationKind, OutputKind};
use crate::network::{Cell, Conv1d, LayerKind, LayerSpec, Merge, Recurrent};

/// The most outputs of a layer that a network can have.
const MOST_FEATURES: usize = 1 << 14;

/// The network as far as it is made.
pub(super) struct Builder {
    weights: Weights,
    /// Whether it is of a Keras whose hard sigmoid is x/5 + ½.
    steep: bool,
    /// What goes into the next layer.
    shape: Shape,
    /// The layer whose mask goes with it.
    mask: Option<String>,
    /// Zeros in front of it, and the layer that puts them there.
    padded: Option<(usize, String)>,
    /// What stands in front of the next layer's inputs.
    affine: Option<Affine>,
    layers: Vec<LayerSpec>,
    parameters: Vec<Vec<f32>>,
    budget: Budget,
    pub(super) notes: Vec<String>,
}

impl Builder {
    pub(super) fn new(weights: Weights, steep: bool, shape: Shape) -> Result<Self, ImportError> {
        let mut builder = Builder {
            budget: Budget::of(weights.numbers()),
            weights,
            steep,
            shape: Vec::new(),
            mask: None,
            padded: None,
            affine: None,
            layers: Vec::new(),
            parameters: Vec::new(),
            notes: Vec::new(),
        };
        builder.set_shape("the input", shape)?;
        Ok(builder)
    }

    pub(super) fn finish(mut self) -> Result<Imported, ImportError> {
        self.flush(None)?;
        if let Some((_, title)) = self.padded {
            return unsupported(title, "zeros in front can be where a convolution or a pooling takes them in");
        }
        self.weights.finish()?;
        imported(network_of(self.layers, &self.parameters.concat())?, self.notes)
    }

    fn features(&self) -> usize {
        self.shape.last().copied().flatten().unwrap_or(0)
    }

    fn is_sequence(&self) -> bool {
        self.shape.len() == 2
    }

    fn set_shape(&mut self, title: &str, shape: Shape) -> Result<(), ImportError> {
        match shape.last() {
            Some(Some(size)) if *size > MOST_FEATURES => {
                unsupported(format!("{title} of {size} numbers"), format!("{MOST_FEATURES} is the most there can be"))
            }
            _ => {
                self.shape = shape;
                Ok(())
            }
        }
    }

    /// As many features for each time step as before, or another number.
    fn set_features(&mut self, title: &str, features: usize) -> Result<(), ImportError> {
        let mut shape = self.shape.clone();
        if let Some(last) = shape.last_mut() {
            *last = Some(features);
        }
        self.set_shape(title, shape)
    }

    /// Puts in what waits in front of the next layer, which is `before`, if it does not take it in itself.
    fn flush(&mut self, before: Option<(&LayerKind, &mut Vec<f32>)>) -> Result<(), ImportError> {
        let Some(affine) = self.affine.take() else { return Ok(()) };
        if before.is_some_and(|(kind, parameters)| affine.fold_behind(kind, parameters)) {
            return Ok(());
        }
        let size = affine.scale.len();
        self.parameters.push(affine.into_normalize()?);
        self.layers.push(LayerKind::Normalize { size }.into());
        Ok(())
    }

    fn push(&mut self, kind: LayerKind, mut parameters: Vec<f32>) -> Result<(), ImportError> {
        self.flush(Some((&kind, &mut parameters)))?;
        self.budget.charge(parameters.len())?;
        self.layers.push(kind.into());
        self.parameters.push(parameters);
        Ok(())
    }

    pub(super) fn add(&mut self, layer: &Layer) -> Result<(), ImportError> {
        let title = layer.title();
        if let Mask::Of(name) = &layer.mask
            && self.mask.as_ref() != Some(name)
        {
            return unsupported(
                format!("{title} with the mask of layer `{name}`"),
                "it does not reach it layer by layer",
            );
        }
        let takes_padding = matches!(layer.class.as_str(), "Conv1D" | "AveragePooling1D");
        if let Some((_, padding)) = self.padded.take_if(|_| !takes_padding) {
            return unsupported(padding, "zeros in front can be where a convolution or a pooling takes them in");
        }
        let is_input = matches!(layer.class.as_str(), "InputLayer" | "Masking" | "Embedding");
        if !is_input && self.shape.last() == Some(&None) {
            return unsupported(format!("{title} on an open number of features"), "give it a number");
        }
        let mut keys = Keys::of(layer)?;
        match layer.class.as_str() {
            "InputLayer" => {
                if keys.truth("sparse")? || keys.truth("ragged")? {
                    return unsupported(format!("{title}, sparse or ragged"), "dense inputs can be");
                }
                keys.ignore(&["optional"]);
            }
            "SimpleRNN" | "LSTM" | "GRU" => return self.recurrent(layer, keys),
            "Bidirectional" => return self.bidirectional(layer, keys),
            "Dense" => return self.dense(layer, "", keys),
            "TimeDistributed" => {
                self.need_sequence(&title)?;
                return match keys.inner("layer")? {
                    Some((class, inner)) if class == "Dense" => {
                        keys.finish()?;
                        self.dense(layer, "layer", inner)
                    }
                    _ => unsupported(title, "TimeDistributed(Dense) can be"),
                };
            }
            "Embedding" => return self.embedding(layer, keys),
            "Masking" => return self.masking(layer, keys),
            "BatchNormalization" => return self.batch_normalization(layer, keys),
            "Dropout"
            | "SpatialDropout1D"
            | "GaussianNoise"
            | "GaussianDropout"
            | "AlphaDropout"
            | "ActivityRegularization" => keys.ignore(&["rate", "noise_shape", "stddev", "l1", "l2", "data_format"]),
            "Identity" => {}
            "Activation" => {
                let activation = keys.output_activation("activation")?;
                keys.finish()?;
                if self.steep && activation == OutputKind::Each(ActivationKind::HardSigmoid) {
                    return Err(steep(&title));
                }
                return self.activate(activation);
            }
            "Softmax" => {
                keys.last_axis(self.shape.len() + 1)?;
                keys.finish()?;
                if self.mask.is_some() {
                    return unsupported(format!("{title} behind a mask"), "as an activation it can be");
                }
                return self.activate(OutputKind::Softmax);
            }
            "ELU" => {
                if keys.number_or("alpha", 1.0)? != 1.0 {
                    return unsupported(format!("{title} with another alpha than 1"), "1 can be");
                }
                keys.finish()?;
                return self.activate(OutputKind::Each(ActivationKind::Elu));
            }
            "ReLU" => {
                if keys.number_or("max_value", f64::INFINITY)?.is_finite() || keys.number_or("threshold", 0.0)? != 0.0 {
                    return unsupported(format!("{title} with a threshold or a greatest value"), "it can be without");
                }
                let slope = keys.number_or("negative_slope", 0.0)?;
                keys.finish()?;
                return self.leak(slope as f32);
            }
            "LeakyReLU" => {
                let older = keys.number_or("alpha", 0.3)?;
                let slope = keys.number_or("negative_slope", older)?;
                keys.finish()?;
                return self.leak(slope as f32);
            }
            "PReLU" => {
                // Its alphas' shape says which axes share them.
                keys.ignore(&["shared_axes"]);
                keys.finish()?;
                return self.prelu(layer);
            }
            "Conv1D" => return self.conv1d(layer, keys),
            "ZeroPadding1D" => {
                keys.one_of("data_format", &["channels_last"])?;
                let [before, behind] = keys.padding()?;
                self.need_sequence(&title)?;
                if behind > 0 {
                    return keys.refused("padding", format!("[{before}, {behind}]"), "zeros in front can be");
                }
                self.padded = Some((before, title)).filter(|(zeros, _)| *zeros > 0);
                self.mask = None;
            }
            "AveragePooling1D" => return self.average_pooling(keys),
            "UnitNormalization" => {
                keys.last_axis(self.shape.len() + 1)?;
                keys.finish()?;
                return self.push(LayerKind::UnitNormalization { size: self.features() }, Vec::new());
            }
            "Flatten" => {
                keys.one_of("data_format", &["channels_last"])?;
                keys.finish()?;
                return self.flatten(&title);
            }
            "Sequential" | "Functional" | "Model" => {
                return unsupported(title, "a model in a model has to be written with its own layers");
            }
            _ => {
                return unsupported(
                    title,
                    "there are SimpleRNN, LSTM, GRU, Bidirectional, Dense, TimeDistributed, Embedding, Masking, Conv1D, \
                     ZeroPadding1D, AveragePooling1D, BatchNormalization, UnitNormalization, Flatten, Dropout, Activation, \
                     ReLU, LeakyReLU, PReLU, ELU and Softmax",
                );
            }
        }
        keys.finish()
    }

    fn need_sequence(&self, title: &str) -> Result<(), ImportError> {
        if self.is_sequence() {
            return Ok(());
        }
        unsupported(format!("{title} on a single vector"), "it needs [time steps, features]")
    }

    fn recurrent(&mut self, layer: &Layer, mut keys: Keys) -> Result<(), ImportError> {
        let title = layer.title();
        let (kind, use_bias) = self.recurrent_of(layer, &layer.class, &mut keys)?;
        keys.finish()?;
        self.need_sequence(&title)?;
        let part = cell_part(&kind, use_bias, "cell");
        let numbers = self.weights.take(layer, &[part])?;
        let parameters = self.cell(&title, &kind, numbers)?;
        self.push(LayerKind::Recurrent(kind), parameters)?;
        self.set_recurrent_shape(&title, kind.return_sequences, kind.units)
    }

    fn set_recurrent_shape(&mut self, title: &str, sequences: bool, units: usize) -> Result<(), ImportError> {
        if sequences {
            return self.set_features(title, units);
        }
        self.mask = None;
        self.set_shape(title, vec![Some(units)])
    }

    /// A recurrent layer's options, and whether it has biases.
    fn recurrent_of(&mut self, layer: &Layer, class: &str, keys: &mut Keys) -> Result<(Recurrent, bool), ImportError> {
        let gru = |reset_after| Cell::Gru { reset_after };
        let cell = match class {
            "SimpleRNN" => Cell::SimpleRnn,
            "LSTM" => Cell::Lstm,
            "GRU" => gru(keys.truth("reset_after")?),
            _ => return unsupported(keys.title(), "SimpleRNN, LSTM and GRU can be"),
        };
        let mut kind = Recurrent::new(cell, self.features(), keys.size("units")?);
        kind.activation = keys.activation("activation", ActivationKind::Tanh)?;
        if cell != Cell::SimpleRnn {
            let usual = if self.steep { ActivationKind::HardSigmoid } else { ActivationKind::Sigmoid };
            kind.recurrent_activation = keys.activation("recurrent_activation", usual)?;
        }
        kind.return_sequences = keys.truth("return_sequences")?;
        kind.go_backwards = keys.truth("go_backwards")?;
        kind.zero_output_for_mask = keys.truth("zero_output_for_mask")?;
        if keys.truth("return_state")? && !layer.shows_first_output_alone() {
            return keys.refused("return_state", true, "the state can be read from what runs the network");
        }
        if keys.truth("stateful")? {
            self.notes
                .push(format!("{}: it is stateful, so keep the state from one sequence to the next", keys.title()));
        }
        Ok((kind, keys.truth_or_true("use_bias")?))
    }

    /// A cell's weights in the order of the model file.
    fn cell(&self, title: &str, kind: &Recurrent, numbers: Vec<Vec<f32>>) -> Result<Vec<f32>, ImportError> {
        let mut numbers = numbers.into_iter();
        let mut next = || numbers.next().unwrap_or_default();
        let (mut kernel, mut recurrent_kernel, mut bias) = (next(), next(), next());
        if let Cell::Gru { reset_after } = kind.cell {
            kernel = swapped(kernel, kind.units);
            recurrent_kernel = swapped(recurrent_kernel, kind.units);
            bias = match reset_after {
                _ if bias.is_empty() => bias,
                true => gru_bias(&bias, kind.units),
                false => swapped(bias, kind.units),
            };
        }
        bias.resize(kind.cell.biases() * kind.units, 0.0);
        let mut parameters = [recurrent_kernel, kernel, bias].concat();
        if self.steep {
            steepen(title, kind, &mut parameters)?;
        }
        Ok(parameters)
    }

    fn bidirectional(&mut self, layer: &Layer, mut keys: Keys) -> Result<(), ImportError> {
        let title = layer.title();
        self.need_sequence(&title)?;
        let merge = match keys.one_of("merge_mode", &["none", "concat", "sum", "mul", "ave"])? {
            "none" if layer.shows_first_output_alone() => {
                let advice = "only the first of its two outputs would be seen; concat gives both";
                return unsupported(format!("{title} with merge_mode None in a graph"), advice);
            }
            "none" => Merge::None,
            name => Merge::ALL.into_iter().find(|merge| merge.name() == name).unwrap_or(Merge::None),
        };
        let Some((class, mut inner)) = keys.inner("layer")? else {
            return unsupported(format!("{title} without a layer"), "it goes around a recurrent one");
        };
        let (mut kind, use_bias) = self.recurrent_of(layer, &class, &mut inner)?;
        inner.finish()?;
        let backward = keys.inner("backward_layer")?;
        let backwards = backward.is_some();
        if let Some((class, mut inner)) = backward {
            let (other, other_bias) = self.recurrent_of(layer, &class, &mut inner)?;
            let same = Recurrent { go_backwards: !other.go_backwards, ..other } == kind && other_bias == use_bias;
            if !same {
                return unsupported(
                    inner.title(),
                    "it has to be as the forward layer, with the opposite `go_backwards`",
                );
            }
            inner.finish()?;
        }
        keys.finish()?;
        if kind.go_backwards {
            return unsupported(
                format!("{title} around a layer that goes backwards"),
                "the forward layer has to go forward",
            );
        }
        if self.mask.is_some() && kind.return_sequences && backwards && !kind.zero_output_for_mask {
            let advice = "behind a mask Keras's own Bidirectional has zero_output_for_mask";
            return unsupported(format!("{title} behind a mask, with zero_output_for_mask=False"), advice);
        }
        // It is implied.
        kind.zero_output_for_mask = false;
        let parts = ["forward_layer/cell", "backward_layer/cell"].map(|place| cell_part(&kind, use_bias, place));
        let mut forward = self.weights.take(layer, &parts)?;
        let backward = forward.split_off(forward.len() / 2);
        let parameters = [self.cell(&title, &kind, forward)?, self.cell(&title, &kind, backward)?].concat();
        self.push(LayerKind::Bidirectional { layer: kind, merge }, parameters)?;
        self.set_recurrent_shape(&title, kind.return_sequences, merge.outputs(kind.units))
    }

    fn dense(&mut self, layer: &Layer, place: &str, mut keys: Keys) -> Result<(), ImportError> {
        let (title, inputs) = (layer.title(), self.features());
        let units = keys.size("units")?;
        let activation = keys.output_activation("activation")?;
        let mut wanted = vec![("kernel", vec![inputs, units])];
        if keys.truth_or_true("use_bias")? {
            wanted.push(("bias", vec![units]));
        }
        keys.finish()?;
        let numbers = self.weights.take(layer, &[Part { place, wanted }])?;
        let mut parameters = numbers.concat();
        parameters.resize((inputs + 1) * units, 0.0);
        if self.steep && activation == OutputKind::Each(ActivationKind::HardSigmoid) {
            scale(&mut parameters);
        }
        self.push(LayerKind::Dense { inputs, units, activation }, parameters)?;
        self.set_features(&title, units)
    }

    fn embedding(&mut self, layer: &Layer, mut keys: Keys) -> Result<(), ImportError> {
        let title = layer.title();
        let (tokens, size) = (keys.size("input_dim")?, keys.size("output_dim")?);
        let mask_zero = keys.truth("mask_zero")?;
        keys.ignore(&["input_length"]);
        keys.finish()?;
        if self.is_sequence() || !self.layers.is_empty() {
            return unsupported(format!("{title} behind other layers"), "it can be the first, on [batch, time steps]");
        }
        let wanted = vec![("embeddings", vec![tokens, size])];
        let table = self.weights.take(layer, &[Part { place: "", wanted }])?;
        self.push(LayerKind::Embedding { tokens, size, mask_zero }, table.concat())?;
        self.mask = mask_zero.then(|| layer.name.clone());
        let shape = vec![self.shape.first().copied().flatten(), Some(size)];
        self.set_shape(&title, shape)
    }

    fn masking(&mut self, layer: &Layer, mut keys: Keys) -> Result<(), ImportError> {
        let title = layer.title();
        let value = keys.number_or("mask_value", 0.0)? as f32;
        keys.finish()?;
        self.need_sequence(&title)?;
        if let Some(other) = &self.mask {
            return unsupported(format!("{title} behind the mask of layer `{other}`"), "one of them can be");
        }
        let size = self.features();
        if size == 0 {
            return unsupported(format!("{title} on an open number of features"), "give it a number");
        }
        self.mask = Some(layer.name.clone());
        self.push(LayerKind::Masking { size, value }, Vec::new())
    }

    fn batch_normalization(&mut self, layer: &Layer, mut keys: Keys) -> Result<(), ImportError> {
        let (title, size) = (layer.title(), self.features());
        keys.last_axis(self.shape.len() + 1)?;
        let epsilon = keys.number_or("epsilon", 1e-3)?;
        let mut wanted = Vec::new();
        let scaled = keys.truth_or_true("scale")?;
        let centred = keys.truth_or_true("center")?;
        for (name, is_there) in [("gamma", scaled), ("beta", centred), ("moving_mean", true), ("moving_variance", true)]
        {
            if is_there {
                wanted.push((name, vec![size]));
            }
        }
        keys.finish()?;
        let mut numbers = self.weights.take(layer, &[Part { place: "", wanted }])?.into_iter();
        let mut next = |is_there: bool, usual: f32| {
            let numbers = if is_there { numbers.next() } else { None };
            numbers.unwrap_or_else(|| vec![usual; size])
        };
        let (gamma, beta) = (next(scaled, 1.0), next(centred, 0.0));
        let (mean, variance) = (next(true, 0.0), next(true, 1.0));
        if variance.iter().any(|&variance| f64::from(variance) + epsilon <= 0.0) {
            return unsupported(format!("{title} with a variance below zero"), "it would divide by no number");
        }
        let scale: Vec<f64> = gamma
            .iter()
            .zip(&variance)
            .map(|(&gamma, &variance)| f64::from(gamma) / (f64::from(variance) + epsilon).sqrt())
            .collect();
        let shift = beta
            .iter()
            .zip(&mean)
            .zip(&scale)
            .map(|((&beta, &mean), s)| f64::from(beta) - f64::from(mean) * s)
            .collect();
        let affine = Affine { title, scale, shift };
        self.flush(None)?;
        match (self.linear(), self.parameters.last_mut()) {
            (Some(kind), Some(parameters)) => affine.fold_before(&kind, parameters),
            _ => self.affine = Some(affine),
        }
        Ok(())
    }

    /// The last layer, if it is a dense layer or a convolution without an activation, and nothing waits behind it.
    fn linear(&self) -> Option<LayerKind> {
        let kind = self.layers.last()?.kind;
        let activation = match kind {
            LayerKind::Dense { activation, .. } => activation,
            LayerKind::Conv1d(layer) => OutputKind::Each(layer.activation),
            _ => return None,
        };
        (activation == OutputKind::Each(ActivationKind::Linear) && self.affine.is_none()).then_some(kind)
    }

    /// An activation on its own becomes that of the layer before it, if that has none.
    fn activate(&mut self, chosen: OutputKind) -> Result<(), ImportError> {
        if chosen == OutputKind::Each(ActivationKind::Linear) {
            return Ok(());
        }
        if self.linear().is_some()
            && let Some(before) = self.layers.last_mut()
        {
            match (&mut before.kind, chosen) {
                (LayerKind::Dense { activation, .. }, _) => {
                    *activation = chosen;
                    return Ok(());
                }
                (LayerKind::Conv1d(layer), OutputKind::Each(chosen)) => {
                    layer.activation = chosen;
                    return Ok(());
                }
                _ => {}
            }
        }
        self.push(LayerKind::Activation { size: self.features(), activation: chosen }, Vec::new())
    }

    /// A ReLU with this slope below zero.
    fn leak(&mut self, slope: f32) -> Result<(), ImportError> {
        match slope {
            0.0 => self.activate(OutputKind::Each(ActivationKind::Relu)),
            0.2 => self.activate(OutputKind::Each(ActivationKind::LeakyRelu)),
            _ => {
                let size = self.features();
                self.push(LayerKind::Prelu { size }, vec![slope; size])
            }
        }
    }

    fn prelu(&mut self, layer: &Layer) -> Result<(), ImportError> {
        let size = self.features();
        let shape = if self.is_sequence() { vec![1, size] } else { vec![size] };
        if self.weights.first_shape(layer, "")?.first() != shape.first() && self.is_sequence() {
            let advice = "with shared_axes=[1] all time steps share them, and it can be";
            return unsupported(format!("{} with a slope for each time step", layer.title()), advice);
        }
        let slopes = self.weights.take(layer, &[Part { place: "", wanted: vec![("alpha", shape)] }])?;
        self.push(LayerKind::Prelu { size }, slopes.concat())
    }

    fn conv1d(&mut self, layer: &Layer, mut keys: Keys) -> Result<(), ImportError> {
        let (title, inputs) = (layer.title(), self.features());
        self.need_sequence(&title)?;
        let (units, kernel_size) = (keys.size("filters")?, keys.size("kernel_size")?);
        let (dilation, groups) = (keys.size_or("dilation_rate", Some(1))?, keys.size_or("groups", Some(1))?);
        if keys.size_or("strides", Some(1))? != 1 {
            return keys.refused("strides", "above 1", "1 can be");
        }
        keys.one_of("data_format", &["channels_last"])?;
        let history = (kernel_size - 1).saturating_mul(dilation);
        let padded = self.padded.take().map_or(0, |(zeros, _)| zeros);
        let zeros = match keys.one_of("padding", &["valid", "causal", "same"])? {
            "causal" => history,
            "same" if history > 0 => {
                return keys.refused("padding", "same", "causal can be; an output must not see later inputs");
            }
            _ => 0,
        };
        if padded + zeros != history {
            let advice = format!("`causal`, or ZeroPadding1D(({history}, 0)) in front of a valid one, can be");
            return unsupported(format!("{title}, padded with {} zeros", padded + zeros), advice);
        }
        let chosen = keys.output_activation("activation")?;
        let use_bias = keys.truth_or_true("use_bias")?;
        keys.finish()?;
        if !inputs.is_multiple_of(groups) || !units.is_multiple_of(groups) {
            return unsupported(
                format!("{title}, {groups} groups of {inputs} inputs and {units} filters"),
                "both have to be multiples",
            );
        }
        let mut wanted = vec![("kernel", vec![kernel_size, inputs / groups, units])];
        if use_bias {
            wanted.push(("bias", vec![units]));
        }
        let numbers = self.weights.take(layer, &[Part { place: "", wanted }])?;
        let kind = Conv1d { inputs, units, kernel_size, dilation, groups, activation: ActivationKind::Linear };
        let mut parameters = numbers.concat();
        parameters.resize(kind.kernel() + units, 0.0);
        if self.steep && chosen == OutputKind::Each(ActivationKind::HardSigmoid) {
            scale(&mut parameters);
        }
        self.push(LayerKind::Conv1d(kind), parameters)?;
        self.mask = None;
        self.set_features(&title, units)?;
        self.activate(chosen)
    }

    fn average_pooling(&mut self, mut keys: Keys) -> Result<(), ImportError> {
        self.need_sequence(keys.title())?;
        let steps = keys.size("pool_size")?;
        if keys.size_or("strides", Some(steps))? != 1 {
            return keys.refused("strides", "above 1", "1 can be");
        }
        keys.one_of("data_format", &["channels_last"])?;
        if keys.one_of("padding", &["valid", "same"])? == "same" && steps > 1 {
            return keys.refused("padding", "same", "valid can be, behind ZeroPadding1D");
        }
        let padded = self.padded.take().map_or(0, |(zeros, _)| zeros);
        if padded + 1 != steps {
            let advice = format!("ZeroPadding1D(({}, 0)) in front of it can be", steps - 1);
            return unsupported(format!("{}, padded with {padded} zeros", keys.title()), advice);
        }
        keys.finish()?;
        self.mask = None;
        if steps == 1 {
            return Ok(());
        }
        self.push(LayerKind::AveragePooling { size: self.features(), steps }, Vec::new())
    }

    fn flatten(&mut self, title: &str) -> Result<(), ImportError> {
        self.mask = None;
        let &[steps, Some(size)] = self.shape.as_slice() else { return Ok(()) };
        let Some(steps) = steps else {
            return unsupported(
                format!("{title} of an open number of time steps"),
                "give the model's input their number",
            );
        };
        if steps > 1 {
            self.push(LayerKind::Flatten { size, steps }, Vec::new())?;
        }
        self.set_shape(title, vec![Some(size.saturating_mul(steps))])
    }

    /// A layer of a file that has weights alone, which a description has named.
    pub(super) fn add_described(&mut self, layer: &Layer, kind: LayerKind) -> Result<(), ImportError> {
        let title = layer.title();
        let has_bias = |weights: &Weights, place: &str, without: usize| weights.count(layer, place) > without;
        match kind {
            LayerKind::Recurrent(kind) => {
                let part = cell_part(&kind, has_bias(&self.weights, "cell", 2), "cell");
                let numbers = self.weights.take(layer, &[part])?;
                let parameters = self.cell(&title, &kind, numbers)?;
                self.push(LayerKind::Recurrent(kind), parameters)
            }
            LayerKind::Bidirectional { layer: kind, merge } => {
                let without = if self.weights.are_numbered() { 2 } else { 4 };
                let use_bias = has_bias(&self.weights, "forward_layer/cell", without);
                let parts =
                    ["forward_layer/cell", "backward_layer/cell"].map(|place| cell_part(&kind, use_bias, place));
                let mut forward = self.weights.take(layer, &parts)?;
                let backward = forward.split_off(forward.len() / 2);
                let parameters = [self.cell(&title, &kind, forward)?, self.cell(&title, &kind, backward)?].concat();
                self.push(LayerKind::Bidirectional { layer: kind, merge }, parameters)
            }
            LayerKind::Dense { inputs, units, activation } => {
                let mut wanted = vec![("kernel", vec![inputs, units]), ("bias", vec![units])];
                wanted.truncate(1 + usize::from(has_bias(&self.weights, "", 1)));
                let mut parameters = self.weights.take(layer, &[Part { place: "", wanted }])?.concat();
                parameters.resize(kind.weights(), 0.0);
                if self.steep && activation == OutputKind::Each(ActivationKind::HardSigmoid) {
                    scale(&mut parameters);
                }
                self.push(kind, parameters)
            }
            LayerKind::Conv1d(conv) => {
                let mut wanted = vec![
                    ("kernel", vec![conv.kernel_size, conv.inputs / conv.groups, conv.units]),
                    ("bias", vec![conv.units]),
                ];
                wanted.truncate(1 + usize::from(has_bias(&self.weights, "", 1)));
                let mut parameters = self.weights.take(layer, &[Part { place: "", wanted }])?.concat();
                parameters.resize(kind.weights(), 0.0);
                if self.steep && conv.activation == ActivationKind::HardSigmoid {
                    scale(&mut parameters);
                }
                self.push(kind, parameters)
            }
            LayerKind::Embedding { tokens, size, .. } => {
                let wanted = vec![("embeddings", vec![tokens, size])];
                let table = self.weights.take(layer, &[Part { place: "", wanted }])?;
                self.push(kind, table.concat())
            }
            LayerKind::Prelu { size } => {
                let shape = self.weights.first_shape(layer, "")?.len();
                let shape = if shape == 2 { vec![1, size] } else { vec![size] };
                let slopes = self.weights.take(layer, &[Part { place: "", wanted: vec![("alpha", shape)] }])?;
                self.push(kind, slopes.concat())
            }
            _ => self.push(kind, Vec::new()),
        }
    }
}

/// The kernels and biases of a cell, in Keras's order.
fn cell_part(kind: &Recurrent, use_bias: bool, place: &'static str) -> Part<'static> {
    let rows = kind.cell.gates().saturating_mul(kind.units);
    let mut wanted = vec![("kernel", vec![kind.inputs, rows]), ("recurrent_kernel", vec![kind.units, rows])];
    if use_bias {
        let shape = if kind.cell == (Cell::Gru { reset_after: true }) { vec![2, rows] } else { vec![rows] };
        wanted.push(("bias", shape));
    }
    Part { place, wanted }
}

/// Up to version 2 Keras's hard sigmoid is x/5 + ½, and ours of 6/5 x.
fn scale(weights: &mut [f32]) {
    for weight in weights {
        *weight = (f64::from(*weight) * 1.2) as f32;
    }
}

fn steep(title: &str) -> ImportError {
    ImportError::Unsupported {
        what: format!("{title}, Keras 2's hard_sigmoid"),
        advice:
            "it is x/5 + 1/2 there and x/6 + 1/2 here, which weights can make up for behind a dense layer and in gates"
                .into(),
    }
}

/// Puts the factor of the hard sigmoid into the weights of each gate that has it.
fn steepen(title: &str, kind: &Recurrent, parameters: &mut [f32]) -> Result<(), ImportError> {
    let is_hard = |activation| activation == ActivationKind::HardSigmoid;
    if is_hard(kind.activation) && kind.cell == Cell::Lstm {
        // It is of the cell's state as well.
        return Err(steep(title));
    }
    let of_gate = |gate: usize| match (kind.cell, gate) {
        (Cell::SimpleRnn, _) | (Cell::Lstm, 2) | (Cell::Gru { .. }, 2 | 3) => kind.activation,
        _ => kind.recurrent_activation,
    };
    let [recurrent, kernel, _] = kind.lengths();
    let (kernels, biases) = parameters.split_at_mut(recurrent + kernel);
    for (rows, gates) in [(kernels, kind.cell.gates()), (biases, kind.cell.biases())] {
        for (i, row) in rows.chunks_exact_mut(kind.units).enumerate() {
            if is_hard(of_gate(i % gates)) {
                scale(row);
            }
        }
    }
    Ok(())
}
