//! `gatelet bench`

mod measure;
mod networks;
mod unit;

use crate::failure::Failure;
use crate::output::{note, print, print_json};
use crate::values::{count, positive};
use clap::{Args, ValueEnum};
use gatelet::network::{Cell, LayerKind, Model, Network};
use gatelet::simd::{BackendKind, Unavailable, from_environment};
use indicatif::{ProgressBar, ProgressStyle};
use measure::Times;
use networks::Candidate;
use serde::Serialize;
use std::collections::BTreeSet;
use std::io::IsTerminal;
use std::path::PathBuf;
use std::time::Duration;
use unit::{Samples, Unit};

/// Measure how long a time step takes on this machine, on each of its backends
#[derive(Args)]
#[command(after_help = "\
Without a model: standard networks with sizes in the type, as a program embeds them, one call of `step` for each sample. \
With a model: its network with sizes known at run time, as `predict` runs it. The state goes on from step to step.

Median and minimum are of blocks of steps that take about 10 µs, divided by their steps. The worst is the longest of many \
single steps after a warm-up, with all that may come between: reading the clock, interrupts, other programs. Units are the \
median divided by the time of a multiply-add that waits for the one before it, on the widest vectors of this machine, \
which is measured in the same run.

Examples:
  gatelet bench speaker.gatelet
  gatelet bench --cell lstm,gru --hidden 16,32 --seconds 2")]
pub struct Arguments {
    /// Model file (default: standard networks)
    model: Option<PathBuf>,
    /// Backends, such as scalar,avx2 (default: what GATELET_BACKEND names, or all that this machine has)
    #[arg(long, value_name = "NAMES", value_delimiter = ',', value_parser = backend)]
    backend: Vec<BackendKind>,
    /// Only standard networks of these cells
    #[arg(long, value_enum, value_name = "CELLS", value_delimiter = ',', conflicts_with = "model")]
    cell: Vec<CellName>,
    /// Only standard networks of so many units
    #[arg(long, value_name = "UNITS", value_delimiter = ',', value_parser = count, conflicts_with = "model")]
    hidden: Vec<usize>,
    /// How long to measure each network
    #[arg(long, value_name = "SECONDS", default_value_t = 0.6, value_parser = positive, allow_negative_numbers = true)]
    seconds: f64,
    /// Print lines of JSON: the unit, then one for each network and backend
    #[arg(long)]
    json: bool,
}

#[derive(Clone, Copy, PartialEq, Eq, Serialize, ValueEnum)]
#[serde(rename_all = "snake_case")]
#[value(rename_all = "snake_case")]
enum CellName {
    SimpleRnn,
    Lstm,
    Gru,
}

impl From<Cell> for CellName {
    fn from(cell: Cell) -> Self {
        match cell {
            Cell::SimpleRnn => CellName::SimpleRnn,
            Cell::Lstm => CellName::Lstm,
            Cell::Gru { .. } => CellName::Gru,
        }
    }
}

/// A backend that this machine has.
fn backend(text: &str) -> Result<BackendKind, String> {
    let kind = BackendKind::from_name(text).ok_or_else(|| {
        let names: Vec<_> = available().map(BackendKind::name).collect();
        format!("expected a backend of this machine: {}", names.join(", "))
    })?;
    if kind.is_available() { Ok(kind) } else { Err(Unavailable(kind).to_string()) }
}

fn available() -> impl Iterator<Item = BackendKind> {
    BackendKind::ALL.into_iter().filter(|kind| kind.is_available())
}

/// What was measured of one network on one backend.
#[derive(Serialize)]
struct Row {
    /// The network, for people.
    #[serde(skip)]
    name: String,
    network: String,
    /// Of the first recurrent layer.
    cell: Option<CellName>,
    inputs: usize,
    /// Units of the first recurrent layer.
    hidden: Option<usize>,
    outputs: usize,
    /// Whether sizes are in the type.
    constant_sizes: bool,
    storage: &'static str,
    backend: &'static str,
    ns_per_step: f64,
    ns_min: f64,
    ns_worst: f64,
    units: f64,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let candidates = arguments.candidates()?;
    let backends = arguments.backends()?;
    let budget = Duration::try_from_secs_f64(arguments.seconds)
        .map_err(|_| Failure::Usage("--seconds: nobody waits so long; give fewer".into()))?;

    let bar = bar(candidates.len());
    let mut samples = Samples::new();
    let mut measured = Vec::new();
    for (number, candidate) in (1..).zip(&candidates) {
        if bar.is_hidden() {
            note(format!("network {number}/{}: {}", candidates.len(), candidate.name()));
        }
        bar.set_message(candidate.name());
        samples.take();
        let times = measure::time(&mut *candidate.start()?, &backends, budget)?;
        measured.push((candidate, times));
        bar.inc(1);
    }
    bar.finish_and_clear();

    let unit = samples.unit();
    let rows = measured.iter().flat_map(|(candidate, times)| {
        backends.iter().zip(times).map(|(&backend, times)| Row::new(candidate, backend, times, &unit))
    });
    if arguments.json { print_lines(&unit, rows) } else { print_table(&unit, &rows.collect::<Vec<_>>()) }
}

impl Arguments {
    /// The model's network, or the standard ones that are asked for.
    fn candidates(&self) -> Result<Vec<Candidate>, Failure> {
        if let Some(path) = &self.model {
            return Ok(vec![Candidate::at_run_time(Model::read(path)?.network)]);
        }
        let mut candidates = networks::standard()?;
        let has_cell = |candidate: &Candidate| {
            first_cell(&candidate.network).is_some_and(|(cell, _)| self.cell.is_empty() || self.cell.contains(&cell))
        };
        candidates.retain(has_cell);
        let units = |candidate: &Candidate| first_cell(&candidate.network).map(|(_, units)| units);
        let sizes: BTreeSet<_> = candidates.iter().filter_map(units).collect();
        if let Some(size) = self.hidden.iter().find(|size| !sizes.contains(size)) {
            let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
            let sizes = sizes.join(", ");
            return Err(Failure::Usage(format!("--hidden: no such network has {size} units; there are {sizes}")));
        }
        candidates.retain(|candidate| {
            self.hidden.is_empty() || units(candidate).is_some_and(|units| self.hidden.contains(&units))
        });
        Ok(candidates)
    }

    /// What is asked for, the best one last.
    fn backends(&self) -> Result<Vec<BackendKind>, Failure> {
        let mut named = self.backend.clone();
        if named.is_empty() {
            named.extend(from_environment().map_err(Failure::Usage)?);
        }
        Ok(available().filter(|kind| named.is_empty() || named.contains(kind)).collect())
    }
}

/// Cell and units of the first recurrent layer.
fn first_cell(network: &Network<f32>) -> Option<(CellName, usize)> {
    network.layers().iter().find_map(|layer| match layer.kind {
        LayerKind::Recurrent(recurrent) => Some((recurrent.cell.into(), recurrent.units)),
        _ => None,
    })
}

impl Row {
    fn new(candidate: &Candidate, backend: BackendKind, times: &Times, unit: &Unit) -> Self {
        let network = &candidate.network;
        let (cell, hidden) = first_cell(network).unzip();
        Row {
            name: candidate.name(),
            network: network.to_string(),
            cell,
            inputs: network.inputs(),
            hidden,
            outputs: network.outputs(),
            constant_sizes: candidate.constant_sizes,
            storage: candidate.storage,
            backend: backend.name(),
            ns_per_step: rounded(times.median),
            ns_min: rounded(times.min),
            ns_worst: rounded(times.worst),
            units: rounded(times.median / unit.ns),
        }
    }
}

/// To two decimals: what is behind them is chance.
fn rounded(x: f64) -> f64 {
    (100.0 * x).round() / 100.0
}

fn print_lines(unit: &Unit, rows: impl Iterator<Item = Row>) -> Result<(), Failure> {
    #[derive(Serialize)]
    struct Line<'a> {
        unit: &'a Unit,
    }
    print_json(&Line { unit })?;
    for row in rows {
        print_json(&row)?;
    }
    Ok(())
}

fn print_table(unit: &Unit, rows: &[Row]) -> Result<(), Failure> {
    print(format!(" {unit}\n"))?;
    let names = rows.iter().map(|row| row.name.chars().count());
    let width = names.chain(["Network".len()]).max().unwrap_or_default();
    let line = |cells: [&str; 7]| {
        let [network, inputs, backend, median, min, worst, units] = cells;
        print(format!(" {network:width$}  {inputs:>6}  {backend:8} {median:>9}  {min:>9}  {worst:>9}  {units:>7}"))
    };
    line(["Network", "Inputs", "Backend", "Median ns", "Min ns", "Worst ns", "Units"])?;
    print("─".repeat(width + 62))?;
    for row in rows {
        line([
            &row.name,
            &row.inputs.to_string(),
            row.backend,
            &format!("{:.1}", row.ns_per_step),
            &format!("{:.1}", row.ns_min),
            &format!("{:.0}", row.ns_worst),
            &format!("{:.1}", row.units),
        ])?;
    }
    Ok(())
}

/// On a terminal, a bar on standard error.
fn bar(networks: usize) -> ProgressBar {
    let can_draw = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
    let bar = if can_draw { ProgressBar::new(networks as u64) } else { ProgressBar::hidden() };
    let style = ProgressStyle::with_template("{pos}/{len} networks {bar:16} {eta} left  {wide_msg}");
    bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
    bar
}
