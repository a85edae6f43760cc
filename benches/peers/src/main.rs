//! Gatelet beside other libraries on the same networks: the same answers first, then the time of a step.

mod measure;
mod network;
mod onnx;
mod peers;
mod plot;

use anyhow::{Context, Result};
use clap::Parser;
use measure::Row;
use network::{Cell, Network};
use std::path::PathBuf;
use std::process::{Command, ExitCode};

/// Compares Gatelet with other libraries, one step at a time on one thread.
#[derive(Parser)]
struct Arguments {
    /// Cells
    #[arg(long, value_enum, value_delimiter = ',', default_values = ["lstm", "gru"])]
    cell: Vec<Cell>,
    /// Units: any of 8, 16, 32 and 64
    #[arg(long, value_delimiter = ',', default_values_t = [8, 16, 32, 64])]
    hidden: Vec<usize>,
    /// Timed blocks of each library
    #[arg(long, default_value_t = 51)]
    rounds: usize,
    /// Rows as JSON instead of tables
    #[arg(long)]
    json: bool,
    /// Draws the times
    #[arg(long, value_name = "F.svg")]
    plot: Option<PathBuf>,
}

fn main() -> Result<ExitCode> {
    let arguments = Arguments::parse();
    // The thread pools of other libraries look here when they start, before anything can be said to them.
    if std::env::var_os("RAYON_NUM_THREADS").is_none_or(|threads| threads != "1") {
        let program = std::env::current_exe()?;
        let status = Command::new(program).args(std::env::args_os().skip(1)).env("RAYON_NUM_THREADS", "1").status()?;
        return Ok(if status.success() { ExitCode::SUCCESS } else { ExitCode::FAILURE });
    }

    let python = peers::Python::start();
    let (mut rows, mut left_out) = (Vec::new(), Vec::new());
    for &cell in &arguments.cell {
        for &hidden in &arguments.hidden {
            let network = Network::random(cell, hidden);
            let mut missing = Vec::new();
            let mut peers = peers::all(&network, &python, &mut missing)?;
            let measured = measure::rows(&network, &mut peers, arguments.rounds)?;
            if !arguments.json {
                print_table(&measured);
            }
            rows.extend(measured);
            left_out.extend(missing.into_iter().map(|why| format!("left out of {}: {why}", title(cell, hidden))));
        }
    }

    if arguments.json {
        println!("{}", serde_json::to_string_pretty(&rows)?);
    }
    for why in &left_out {
        eprintln!("{why}");
    }
    eprintln!("{} compared, {} left out", rows.len(), left_out.len());
    if let Some(path) = &arguments.plot {
        plot::draw(&rows, path).with_context(|| format!("{} cannot be drawn", path.display()))?;
    }
    Ok(ExitCode::SUCCESS)
}

/// What a network is called.
fn title(cell: Cell, hidden: usize) -> String {
    format!("{cell:?} {}→{hidden}→{}", network::INPUTS, network::OUTPUTS).to_uppercase()
}

fn print_table(rows: &[Row]) {
    let Some(first) = rows.first() else { return };
    println!("{}", title(first.cell, first.hidden));
    println!("  library       version       steps/call    ns/step  spread     ratio  difference");
    for row in rows {
        let Row { peer, version, steps_per_call, ns_per_step, ratio, max_difference, .. } = row;
        let spread = format!("{:.0} %", 100.0 * row.spread);
        println!(
            "  {peer:<13} {version:<13} {steps_per_call:>10} {ns_per_step:>10.1} {spread:>7} {ratio:>9.2} {max_difference:>11.1e}"
        );
    }
    println!();
}
