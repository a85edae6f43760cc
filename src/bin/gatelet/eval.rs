//! `gatelet eval`

use crate::data_options::{DataOptions, read_for_evaluation};
use crate::failure::{Failure, print, print_json};
use clap::Args;
use gatelet::network::Model;
use gatelet::train::{Evaluation, evaluate};
use std::path::PathBuf;

/// Evaluate a model: accuracy, loss and confusion matrix, or errors in the data's units
#[derive(Args)]
#[command(
    after_help = "Data are read as in training unless options say otherwise, and of the training file only the part that\n\
                  was kept for the test is used.\n\n\
                  Example:\n  gatelet eval speaker.gatelet --data JapaneseVowels_TEST.ts"
)]
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
    if arguments.json { print_json(&evaluation) } else { print(describe(&evaluation, &model.labels)) }
}

/// The result in words.
pub fn describe(evaluation: &Evaluation, labels: &[String]) -> String {
    let what = if evaluation.examples == 1 { "example" } else { "examples" };
    let mut text = format!("{} {what}, loss {:.4}", evaluation.examples, evaluation.loss);
    if let Some(accuracy) = evaluation.accuracy {
        text += &format!(", accuracy {:.2} %", 100.0 * accuracy);
    }
    if let (Some(mae), Some(rmse)) = (evaluation.mae, evaluation.rmse) {
        text += &format!(", mean absolute error {mae:.4}, root mean squared error {rmse:.4}");
    }
    if let Some(confusion) = &evaluation.confusion {
        text += "\n";
        text += &confusion_table(confusion, labels);
    }
    text
}

/// Rows are the classes that the examples are of, columns the classes they were taken for.
fn confusion_table(confusion: &[Vec<usize>], labels: &[String]) -> String {
    let label = |class: usize| labels.get(class).cloned().unwrap_or_else(|| class.to_string());
    let labels: Vec<_> = (0..confusion.len()).map(label).collect();
    let numbers = confusion.iter().flatten().map(|n| n.to_string().len());
    let width = labels.iter().map(|label| label.chars().count()).chain(numbers).max().unwrap_or(1) + 1;
    let width = width.max(6);
    let mut table = format!("{:>width$} ", "is\\as");
    for label in &labels {
        table += &format!("{label:>width$}");
    }
    for (label, row) in labels.iter().zip(confusion) {
        table += &format!("\n{label:>width$} ");
        for &count in row {
            let cell = if count == 0 { "·".to_owned() } else { count.to_string() };
            table += &format!("{cell:>width$}");
        }
    }
    table
}
