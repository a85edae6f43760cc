//! `gatelet predict`

use crate::data_options::DataOptions;
use crate::eval::output_names;
use crate::failure::Failure;
use crate::model_data::{has_extension, read_inputs};
use crate::output::{check_writable, note, print};
use clap::Args;
use gatelet::data::{self, Dataset};
use gatelet::network::{Model, write_atomically};
use gatelet::train::predict;
use std::path::{Path, PathBuf};

/// Give a model's output for every series of a file
#[derive(Args)]
#[command(after_help = "\
Data are read as in training unless options say otherwise. An .npy input is (batch, time, feature) or one series (time, \
feature); an .npy output is (batch, output), or (batch, time, output) where the network gives sequences. A CSV output has \
a line per series, or per time step; of a window it names the input row, from 0, that the window ends with.

Example:
  gatelet predict speaker.gatelet --input recordings.npy --output answers.csv")]
pub struct Arguments {
    /// Model file
    model: PathBuf,
    /// Inputs: .npy, .csv or .ts
    #[arg(long, value_name = "FILE")]
    input: PathBuf,
    /// Outputs: .npy or .csv (default: CSV on standard output)
    #[arg(long, value_name = "FILE")]
    output: Option<PathBuf>,
    #[command(flatten)]
    options: DataOptions,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let output = arguments.output.as_deref();
    let npy = output.is_some_and(|output| has_extension(output, "npy"));
    if let Some(output) = output {
        if !npy && !has_extension(output, "csv") {
            return Err(Failure::Usage(format!("--output {}: expected .npy or .csv", output.display())));
        }
        check_writable("--output", output, &[&arguments.input, &arguments.model])?;
    }
    let model = Model::read(&arguments.model)?;
    let (data, options) = read_inputs(&model, &arguments.input, &arguments.options)?;
    let outputs = predict(&model.network, &data)?;
    let table = || {
        let table = csv_table(&model, &data, &outputs, options.window.is_some());
        table.map_err(|error| Failure::Failed(format!("cannot write a table: {error}")))
    };
    let Some(output) = output else { return print(table()?.trim_end()) };
    if npy {
        write_npy(output, &model, &data, &outputs)?;
    } else {
        write_atomically(output, table()?.as_bytes())?;
    }
    note(format!("wrote {} outputs to {}", outputs.len(), output.display()));
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

/// A line per output: the series and where in it, the class, and the numbers.
fn csv_table(
    model: &Model,
    data: &Dataset,
    outputs: &[Vec<f32>],
    of_windows: bool,
) -> Result<String, Box<dyn std::error::Error>> {
    let of_steps = model.network.gives_sequence();
    let columns = [("series", true), ("row", of_windows), ("step", of_steps), ("class", !model.labels.is_empty())];
    let columns = columns.into_iter().filter(|(_, is_there)| *is_there).map(|(name, _)| name.to_owned());
    let mut csv = csv::Writer::from_writer(Vec::new());
    csv.write_record(columns.chain(output_names(model)))?;
    for (i, (series, outputs)) in data.series.iter().zip(outputs).enumerate() {
        let name = if series.name().is_empty() { i.to_string() } else { series.name().to_owned() };
        for (step, output) in outputs.chunks_exact(model.network.outputs()).enumerate() {
            let class = model.labels.get(gatelet::math::argmax(output)).cloned();
            let [row, step] =
                [(of_windows, series.row()), (of_steps, step)].map(|(is_there, n)| is_there.then(|| n.to_string()));
            // The shortest text that reads back as the same number.
            let numbers = output.iter().map(|y| y.to_string());
            csv.write_record([Some(name.clone()), row, step, class].into_iter().flatten().chain(numbers))?;
        }
    }
    Ok(String::from_utf8(csv.into_inner()?)?)
}
