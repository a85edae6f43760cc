//! `gatelet eval`

use crate::confusion;
use crate::data_options::DataOptions;
use crate::failure::Failure;
use crate::model_data::read_for_evaluation;
use crate::output::{print, print_json};
use clap::Args;
use gatelet::network::Model;
use gatelet::train::{Evaluation, evaluate};
use std::path::PathBuf;

/// Evaluate a model: accuracy, loss and confusion matrix, or errors in the data's units
#[derive(Args)]
#[command(after_help = "\
Data are read as in training unless options say otherwise: for a model trained on a .npy file with an index, the index of \
the same name beside the data. Of the training file only the part that was kept for the test is used.

Example:
  gatelet eval speaker.gatelet --data JapaneseVowels_TEST.ts")]
pub struct Arguments {
    /// Model file
    model: PathBuf,
    /// Data with targets: .ts, .csv or .npy
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Evaluate on everything in the file, also on what the model was trained on
    #[arg(long)]
    all: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: DataOptions,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let model = Model::read(&arguments.model)?;
    let data = read_for_evaluation(&model, &arguments.data, &arguments.options, arguments.all)?;
    let evaluation = evaluate(&model.network, &data)?;
    if arguments.json { print_json(&evaluation) } else { print(describe(&evaluation, &model)) }
}

/// The result in words.
fn describe(evaluation: &Evaluation, model: &Model) -> String {
    let what = if evaluation.examples == 1 { "example" } else { "examples" };
    let mut text = format!("{} {what}, loss {:.4}", evaluation.examples, evaluation.loss);
    if let Some(accuracy) = evaluation.accuracy {
        text += &format!(", accuracy {:.2} %", 100.0 * accuracy);
    }
    if let (Some(mae), Some(rmse)) = (evaluation.mae, evaluation.rmse) {
        text += &format!(", mae {mae:.4}, rmse {rmse:.4}");
    }
    if let Some(table) = &evaluation.confusion {
        text += "\n";
        text += &confusion::table(table, &output_names(model));
    }
    text
}

/// The classes' labels, or the names of the targets.
pub fn output_names(model: &Model) -> Vec<String> {
    let outputs = model.network.outputs();
    let targets = model.metadata.data.iter().map(|data| &data.targets);
    let known = [&model.labels].into_iter().chain(targets).find(|names| names.len() == outputs);
    known.cloned().unwrap_or_else(|| (0..outputs).map(|i| format!("y{i}")).collect())
}
