//! `gatelet summary`

use crate::failure::Failure;
use crate::output::{print, print_json};
use clap::Args;
use gatelet::network::Model;
use std::path::PathBuf;

/// Show a model's layers, output shapes and sizes
#[derive(Args)]
#[command(after_help = "Example:\n  gatelet summary speaker.gatelet")]
pub struct Arguments {
    /// Model file
    model: PathBuf,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let model = Model::read(&arguments.model)?;
    let summary = model.network.summary();
    if arguments.json {
        return print_json(&summary);
    }
    print(summary)?;
    if !model.labels.is_empty() {
        print(format!(" Classes: {}", model.labels.join(", ")))?;
    }
    if let Some(training) = &model.metadata.training {
        let data = model.metadata.data.as_ref().map_or("data unknown", |data| &data.file);
        print(format!(
            " Trained on {data} for {} epochs with {}, learning rate {} ({}), batches of {}, seed {}",
            training.epochs,
            training.optimizer,
            training.learning_rate,
            training.schedule,
            training.batch_size,
            training.seed
        ))?;
    }
    print(match gatelet::export::type_of(&model.network) {
        Ok(name) => format!(" Type: {name}"),
        Err(error) => format!(" No type: {error}"),
    })
}
