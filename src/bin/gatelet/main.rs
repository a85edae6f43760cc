//! The command line tool: train, evaluate, predict, export, verify.

mod data_options;
mod demo;
mod eval;
mod export;
mod failure;
mod predict;
mod summary;
mod train;
mod verify;

use clap::{Parser, Subcommand};
use std::process::ExitCode;

/// Recurrent networks that are trained on a host and give the same answers on a microcontroller.
#[derive(Parser)]
#[command(
    version,
    after_help = "Begin with `gatelet demo`. Exit status: 0 done, 1 failed, 2 wrong usage.\n\
                  Results go to standard output, progress and errors to standard error."
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
    Export(export::Arguments),
    Verify(verify::Arguments),
    Demo(demo::Arguments),
}

fn main() -> ExitCode {
    let result = match Arguments::parse().command {
        Command::Train(arguments) => train::run(&arguments),
        Command::Eval(arguments) => eval::run(&arguments),
        Command::Predict(arguments) => predict::run(&arguments),
        Command::Summary(arguments) => summary::run(&arguments),
        Command::Export(arguments) => export::run(&arguments),
        Command::Verify(arguments) => verify::run(&arguments),
        Command::Demo(arguments) => demo::run(&arguments),
    };
    match result {
        Ok(()) => ExitCode::SUCCESS,
        Err(failure) => failure.report(),
    }
}
