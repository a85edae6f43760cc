//! The command line tool: train, evaluate, predict, import, quantise, export, verify, measure.

mod bench;
mod confusion;
mod data_options;
mod demo;
mod eval;
mod export;
mod failure;
mod import;
mod model_data;
mod output;
mod predict;
mod progress;
mod quantize;
mod split;
mod summary;
mod train;
mod values;
mod verify;

use clap::{Parser, Subcommand};
use failure::Failure;
use std::process::ExitCode;

/// Recurrent networks that are trained on a host and give the same answers on a microcontroller.
#[derive(Parser)]
#[command(
    version,
    after_help = "\
Results go to standard output, progress and errors to standard error. Exit status: 0 done, 1 failed, 2 wrong usage.

Example, and a good beginning:
  gatelet demo"
)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Subcommand)]
enum Command {
    Train(train::Arguments),
    Eval(eval::Arguments),
    Predict(predict::Arguments),
    Summary(summary::Arguments),
    Import(import::Arguments),
    Quantize(quantize::Arguments),
    Export(export::Arguments),
    Verify(verify::Arguments),
    Bench(bench::Arguments),
    Demo(demo::Arguments),
}

impl Arguments {
    fn run(&self) -> Result<(), Failure> {
        match &self.command {
            Command::Train(arguments) => train::run(arguments),
            Command::Eval(arguments) => eval::run(arguments),
            Command::Predict(arguments) => predict::run(arguments),
            Command::Summary(arguments) => summary::run(arguments),
            Command::Import(arguments) => import::run(arguments),
            Command::Quantize(arguments) => quantize::run(arguments),
            Command::Export(arguments) => export::run(arguments),
            Command::Verify(arguments) => verify::run(arguments),
            Command::Bench(arguments) => bench::run(arguments),
            Command::Demo(arguments) => demo::run(arguments),
        }
    }
}

/// Runs a command that is given as its words, as the shell would.
fn run(words: &[&str]) -> Result<(), Failure> {
    let words = std::iter::once("gatelet").chain(words.iter().copied());
    Arguments::try_parse_from(words).map_err(|error| Failure::Usage(error.to_string()))?.run()
}

fn main() -> ExitCode {
    let arguments = Arguments::parse();
    // A backend that is named and not there would otherwise be found missing in the middle of the work.
    let backend = gatelet::simd::from_environment().map_err(Failure::Usage);
    match backend.and_then(|_| arguments.run()) {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
