//! From data and a description to a model that can be trained.

use super::TrainError;
use super::loss::ends_in_softmax;
use crate::data::{Dataset, Targets};
use crate::network::{LayerKind, Model, Network};

/// The network of `description` for these data, with initial parameters drawn from `seed`: in front of it a normalisation
/// with the data's means and standard deviations, unless it begins with an embedding, and for a regression one behind it that returns to the targets' units.
/// Values that a softmax gives are probabilities, which have no units.
///
/// # Errors
/// If the data cannot be trained on, the description is no network, or its outputs do not fit the targets.
pub fn prepare(description: &str, data: &Dataset, seed: u64) -> Result<Model, TrainError> {
    let features = data.features.len();
    let network = Network::describe(features, description)?.initialized(seed);
    data.check_trainable(network.gives_sequence())?;
    let outputs = network.outputs();
    let (count, targets, expected) = match &data.targets {
        Targets::Classes(classes) => {
            let count = classes.len();
            (count, format!("{count} classes"), format!("{count}, softmax"))
        }
        Targets::Values(values) => (values.len(), format!("{} target values", values.len()), values.len().to_string()),
        Targets::None => (outputs, String::new(), String::new()),
    };
    if outputs != count {
        return Err(TrainError::Outputs { outputs, targets, expected });
    }
    let mut network = network;
    // Tokens are names, not quantities.
    if !matches!(network.layers().first().map(|layer| layer.kind), Some(LayerKind::Embedding { .. })) {
        let [mean, deviation] = standardization(features, data.series.iter().flat_map(|series| series.steps()));
        let scale: Vec<_> = deviation.iter().map(|deviation| 1.0 / deviation).collect();
        let normalize = LayerKind::Normalize { size: features };
        network = network.with_layer(0, normalize.into(), &[mean, scale].concat())?;
    }
    if let Targets::Values(_) = data.targets
        && !ends_in_softmax(&network)
    {
        let every = network.gives_sequence();
        let targets = data.series.iter().flat_map(|series| {
            let first = if every { 0 } else { series.len() - 1 };
            (first..series.len()).filter_map(|step| series.values(step))
        });
        // y · deviation + mean = (y - (-mean / deviation)) · deviation
        let [mean, deviation] = standardization(outputs, targets);
        let offset: Vec<_> = mean.iter().zip(&deviation).map(|(mean, deviation)| -mean / deviation).collect();
        let end = network.layers().len();
        network =
            network.with_layer(end, LayerKind::Normalize { size: outputs }.into(), &[offset, deviation].concat())?;
    }
    let mut model = Model::new(network);
    if let Targets::Classes(classes) = &data.targets {
        model.labels = classes.clone();
    }
    Ok(model)
}

/// Mean and standard deviation of each of `channels` over all vectors; a channel that never moves has deviation 1.
fn standardization<'a>(channels: usize, vectors: impl Iterator<Item = &'a [f32]> + Clone) -> [Vec<f32>; 2] {
    let mean_of = |f: &dyn Fn(usize, f64) -> f64| {
        let mut sums = vec![0.0; channels];
        let mut count = 0.0;
        for vector in vectors.clone() {
            count += 1.0;
            for (i, (sum, &x)) in sums.iter_mut().zip(vector).enumerate() {
                *sum += f(i, x.into());
            }
        }
        sums.iter().map(|sum| sum / f64::max(count, 1.0)).collect::<Vec<f64>>()
    };
    let mean = mean_of(&|_, x| x);
    let variance = mean_of(&|i, x| (x - mean[i]).powi(2));
    #[expect(clippy::cast_possible_truncation, reason = "the parameters are single precision")]
    let single = |values: Vec<f64>| values.into_iter().map(|x| x as f32).collect();
    // A deviation that is rounding alone would blow a constant channel up, and one below the normal numbers has no inverse.
    let still = |(variance, mean): (&f64, &f64)| variance.sqrt() <= (1e-6 * mean.abs()).max(f32::MIN_POSITIVE.into());
    let deviation = variance.iter().zip(&mean).map(|pair| if still(pair) { 1.0 } else { pair.0.sqrt() }).collect();
    [single(mean), single(deviation)]
}
