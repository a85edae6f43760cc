//! How good a network is, by the kernels that the device runs.

use super::TrainError;
use super::loss::{Judge, Loss, Sums, ends_in_softmax};
use super::trainer::default_loss;
use crate::data::{Dataset, Series, Targets};
use crate::network::{Inference, Network};
use rayon::prelude::*;

/// The result of [`evaluate`].
#[derive(Clone, Debug, PartialEq, serde::Serialize)]
#[non_exhaustive]
pub struct Evaluation {
    /// Sequences, or time steps where the network gives sequences.
    pub examples: usize,
    /// Mean loss.
    pub loss: f64,
    /// The share of right classes, of a classifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub accuracy: Option<f64>,
    /// How often a class (row) was taken for another (column), of a classifier.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub confusion: Option<Vec<Vec<usize>>>,
    /// Mean absolute error in the data's units, of a regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub mae: Option<f64>,
    /// Root of the mean squared error in the data's units, of a regression.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub rmse: Option<f64>,
}

/// Loss and figures of a network over a data set with targets; the loss is the one that [`Options`](super::Options) has by
/// default.
///
/// # Errors
/// If features or targets of the data do not fit the network.
pub fn evaluate(network: &Network<f32>, data: &Dataset) -> Result<Evaluation, TrainError> {
    evaluate_by(&Judge::new(network, default_loss(network, data)?), network, data)
}

/// The same with another loss, or that of another network.
pub(super) fn evaluate_by(judge: &Judge, network: &Network<f32>, data: &Dataset) -> Result<Evaluation, TrainError> {
    let loss = judge.loss();
    check(network, data, loss)?;
    let inference = network.inference();
    let sequence = network.gives_sequence();
    let classes = network.outputs();
    let parts: Vec<_> = data
        .series
        .par_iter()
        .map(|series| {
            let mut sums = Sums::default();
            let mut said = Vec::new();
            let ys = outputs(&inference, series, sequence);
            let steps = ys.len() / classes;
            for (y, step) in ys.chunks_exact(classes).zip(series.len() - steps..) {
                judge.example(y, (series, step), &mut sums, None);
                if loss.is_crossentropy()
                    && let Some(class) = series.class(step).or_else(|| series.values(step).map(crate::math::argmax))
                {
                    said.push((class, crate::math::argmax(y)));
                }
            }
            (sums, said)
        })
        .collect();
    let mut sums = Sums::default();
    let mut confusion = vec![vec![0; classes]; classes];
    for (part, said) in parts {
        sums += part;
        for (class, said) in said {
            confusion[class][said] += 1;
        }
    }
    let examples = sums.examples as f64;
    let classifier = loss.is_crossentropy();
    Ok(Evaluation {
        examples: sums.examples,
        loss: sums.loss / examples,
        accuracy: classifier.then_some(sums.correct as f64 / examples),
        confusion: classifier.then_some(confusion),
        mae: (!classifier).then_some(sums.absolute / examples),
        rmse: (!classifier).then_some((sums.squared / examples).sqrt()),
    })
}

/// The network's output for each series: (time steps × outputs) where it gives sequences, else (outputs).
///
/// # Errors
/// If the data have another number of features than the network has inputs.
pub fn predict(network: &Network<f32>, data: &Dataset) -> Result<Vec<Vec<f32>>, TrainError> {
    check_features(network, data)?;
    let inference = network.inference();
    let sequence = network.gives_sequence();
    Ok(data.series.par_iter().map(|series| outputs(&inference, series, sequence)).collect())
}

/// The same series with what the network gives for them as targets (soft targets, Hinton et al. 2015): a network that is trained on
/// them learns to do as this one does.
///
/// # Errors
/// If the data have another number of features than the network has inputs, or an output is not finite.
pub fn soft_targets(network: &Network<f32>, data: &Dataset) -> Result<Dataset, TrainError> {
    let dim = network.outputs();
    let targets = |(series, ys): (&Series, Vec<f32>)| {
        let series = series.clone();
        if network.gives_sequence() { series.with_values(dim, ys) } else { series.with_value(ys) }
    };
    let series = data.series.iter().zip(predict(network, data)?).map(targets).collect();
    let names = (0..dim).map(|output| format!("y{output}")).collect();
    Ok(Dataset::new(data.features.clone(), Targets::Values(names), series)?)
}

fn outputs(inference: &Inference, series: &Series, sequence: bool) -> Vec<f32> {
    let mut state = inference.initial_state();
    if sequence {
        let mut ys = vec![0.0; series.len() * inference.outputs()];
        inference.run(&mut state, series.inputs(), &mut ys);
        ys
    } else {
        inference.run_last(&mut state, series.inputs()).unwrap_or_default()
    }
}

fn check_features(network: &Network<f32>, data: &Dataset) -> Result<(), TrainError> {
    let (features, inputs) = (data.features.len(), network.inputs());
    if features == inputs { Ok(()) } else { Err(TrainError::Features { features, inputs }) }
}

/// Whether network, data and loss go together.
pub(super) fn check(network: &Network<f32>, data: &Dataset, loss: Loss) -> Result<(), TrainError> {
    check_features(network, data)?;
    if data.series.is_empty() {
        return Err(crate::data::DataError::NoSeries.into());
    }
    let outputs = network.outputs();
    if loss.is_crossentropy() && !ends_in_softmax(network) {
        return Err(TrainError::NoProbabilities { loss: loss.name(), outputs });
    }
    let (found, count) = match &data.targets {
        Targets::Classes(classes) => ("classes", classes.len()),
        Targets::Values(values) => ("values", values.len()),
        Targets::None => ("no targets", 0),
    };
    let expected = if loss == Loss::SparseCategoricalCrossentropy { "classes" } else { "values" };
    if found != expected {
        return Err(TrainError::Targets { loss: loss.name(), expected, found });
    }
    if outputs != count {
        let softmax = if loss.is_crossentropy() { ", softmax" } else { "" };
        let (targets, expected) = (format!("{count} {found}"), format!("{count}{softmax}"));
        return Err(TrainError::Outputs { outputs, targets, expected });
    }
    if loss == Loss::CategoricalCrossentropy && !are_probabilities(network, data) {
        let expected = "probabilities that add up to 1, such as one-hot vectors,";
        return Err(TrainError::Targets { loss: loss.name(), expected, found: "other values" });
    }
    Ok(())
}

/// Whether the target values of every example are probabilities of exclusive classes.
fn are_probabilities(network: &Network<f32>, data: &Dataset) -> bool {
    let every = network.gives_sequence();
    data.series.iter().all(|series| {
        let first = if every { 0 } else { series.len() - 1 };
        (first..series.len()).filter_map(|step| series.values(step)).all(|values| {
            values.iter().all(|&p| p >= 0.0) && (values.iter().copied().map(f64::from).sum::<f64>() - 1.0).abs() < 1e-3
        })
    })
}
