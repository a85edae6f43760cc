//! `gatelet predict`

use crate::data_options::{DataOptions, stored_for};
use crate::failure::{Failure, note};
use clap::Args;
use gatelet::data::{self, Dataset};
use gatelet::network::Model;
use gatelet::train::predict;
use std::path::{Path, PathBuf};

/// Give a model's output for every series of a file
#[derive(Args)]
#[command(
    after_help = "An .npy input is (batch, time, feature) or one series (time, feature); an .npy output is (batch, output),\n\
                  or (batch, time, output) where the network gives sequences. A CSV output has a line per series, or per\n\
                  time step.\n\n\
                  Example:\n  gatelet predict speaker.gatelet --input recordings.npy --output probabilities.csv"
)]
pub struct Arguments {
    /// Model file
    model: PathBuf,
    /// Inputs: .npy, .csv or .ts
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Outputs: .npy or .csv
    #[arg(long, value_name = "FILE")]
    output: PathBuf,
    #[command(flatten)]
    options: DataOptions,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let extension = arguments.output.extension().map(|extension| extension.to_ascii_lowercase());
    let npy = match extension.as_ref().and_then(|extension| extension.to_str()) {
        Some("npy") => true,
        Some("csv") => false,
        _ => return Err(Failure::Usage(format!("--output {}: expected .npy or .csv", arguments.output.display()))),
    };
    let model = Model::read(&arguments.model)?;
    let provenance = model.metadata.data.clone().unwrap_or_default();
    let options = arguments.options.over(&stored_for(&provenance, &arguments.input));
    let data = data::read_inputs(&arguments.input, &options)?;
    let outputs = predict(&model.network, &data)?;
    if npy {
        write_npy(&arguments.output, &model, &data, &outputs)?;
    } else {
        write_csv(&arguments.output, &model, &provenance.targets, &data, &outputs)?;
    }
    note(format!("wrote {} outputs to {}", outputs.len(), arguments.output.display()));
    Ok(())
}

fn write_npy(path: &Path, model: &Model, data: &Dataset, outputs: &[Vec<f32>]) -> Result<(), Failure> {
    let mut shape = vec![outputs.len()];
    if model.network.gives_sequence() {
        let steps = data.series.first().map_or(0, |series| series.len());
        if let Some(other) = data.series.iter().find(|series| series.len() != steps) {
            return Err(Failure::Failed(format!(
                "series have {steps} and {} time steps, and an .npy array has one length: write to a .csv file",
                other.len()
            )));
        }
        shape.push(steps);
    }
    shape.push(model.network.outputs());
    Ok(data::write_npy(path, &shape, &outputs.concat())?)
}

fn write_csv(
    path: &Path,
    model: &Model,
    targets: &[String],
    data: &Dataset,
    outputs: &[Vec<f32>],
) -> Result<(), Failure> {
    let count = model.network.outputs();
    let names: Vec<String> = match (&model.labels[..], targets) {
        (labels, _) if labels.len() == count => labels.to_vec(),
        (_, targets) if targets.len() == count => targets.to_vec(),
        _ => (0..count).map(|i| format!("y{i}")).collect(),
    };
    let sequence = model.network.gives_sequence();
    let failed = |error: csv::Error| Failure::Failed(format!("{}: {error}", path.display()));
    let mut csv = csv::Writer::from_writer(Vec::new());
    let mut header = vec!["series".to_owned()];
    if sequence {
        header.push("step".into());
    }
    if !model.labels.is_empty() {
        header.push("class".into());
    }
    header.extend(names);
    csv.write_record(&header).map_err(failed)?;
    for (i, (series, outputs)) in data.series.iter().zip(outputs).enumerate() {
        for (step, output) in outputs.chunks_exact(count).enumerate() {
            let name = if series.name().is_empty() { i.to_string() } else { series.name().to_owned() };
            let mut row = vec![name];
            if sequence {
                row.push(step.to_string());
            }
            if let Some(label) = model.labels.get(gatelet::math::argmax(output)) {
                row.push(label.clone());
            }
            // The shortest text that reads back as the same number.
            row.extend(output.iter().map(|y| y.to_string()));
            csv.write_record(&row).map_err(failed)?;
        }
    }
    let bytes = csv.into_inner().map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(gatelet::network::write_atomically(path, &bytes)?)
}
