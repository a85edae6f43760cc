//! `gatelet quantize`

use crate::data_options::DataOptions;
use crate::failure::Failure;
use crate::model_data::{read_for_calibration, read_for_evaluation};
use crate::output::{check_writable, note, print, print_json};
use crate::values::count;
use clap::{Args, ValueEnum};
use gatelet::data::Dataset;
use gatelet::network::{Model, Summary};
use gatelet::quantize::{Drift, Options, QuantizeError, Ranges, drift, quantize};
use gatelet::train::{Evaluation, evaluate};
use serde::Serialize;
use std::path::PathBuf;

/// Series to calibrate with, if nothing else is asked for.
pub const MOST_SERIES: usize = 1000;

/// Make an integer network of a model: int8 weights, no floating point, the same bits on every target
#[derive(Args)]
#[command(after_help = "\
The ranges of numbers are found on --data, which are read as in training unless options say
otherwise; of the training file the part that was kept for the test is left out, and results are
compared on that. Inputs and outputs of the new model are single precision as before; a device
that has integers already takes gatelet::quant::Fixed in the place of the conversions.

Example:
  gatelet quantize speaker.gatelet --data JapaneseVowels_TRAIN.ts \\
      --test JapaneseVowels_TEST.ts --out speaker-int8.gatelet")]
pub struct Arguments {
    /// Model file
    model: PathBuf,
    /// Data to find the ranges of numbers on: .ts, .csv or .npy
    #[arg(long, value_name = "FILE")]
    data: PathBuf,
    /// Model file to write
    #[arg(short, long, value_name = "FILE")]
    out: PathBuf,
    /// Data with targets, on which results are compared
    #[arg(long, value_name = "FILE")]
    test: Option<PathBuf>,
    /// How ranges are found: by all of these ways, the best of which is taken, by the largest number, by
    /// all but one in ten thousand, or by the least mean squared error
    #[arg(long, value_enum, value_name = "HOW", default_value_t = RangesName::Auto)]
    ranges: RangesName,
    /// Series to calibrate with, at most
    #[arg(long, value_name = "N", default_value_t = MOST_SERIES, value_parser = count)]
    calibration_series: usize,
    /// Time steps over which drift is measured, one series after another without a new beginning
    #[arg(long, value_name = "N", default_value_t = 10_000, value_parser = count)]
    steps: usize,
    /// Take an input that never moves to have the range of the widest other one
    #[arg(long)]
    allow_still: bool,
    /// Print one JSON object
    #[arg(long)]
    json: bool,
    #[command(flatten)]
    options: DataOptions,
}

#[derive(Clone, Copy, ValueEnum)]
enum RangesName {
    Auto,
    MinMax,
    Percentile,
    MeanSquare,
}

impl From<RangesName> for Ranges {
    fn from(name: RangesName) -> Self {
        match name {
            RangesName::Auto => Ranges::Auto,
            RangesName::MinMax => Ranges::MinMax,
            RangesName::Percentile => Ranges::Percentile,
            RangesName::MeanSquare => Ranges::MeanSquare,
        }
    }
}

impl From<QuantizeError> for Failure {
    fn from(error: QuantizeError) -> Self {
        Failure::Failed(error.to_string())
    }
}

/// What became of the model.
#[derive(Serialize)]
struct Report {
    series: usize,
    ranges: Ranges,
    rms_error: f64,
    saturated: u64,
    drift: Drift,
    #[serde(skip_serializing_if = "Option::is_none")]
    before: Option<Evaluation>,
    #[serde(skip_serializing_if = "Option::is_none")]
    after: Option<Evaluation>,
    flash_bytes: [usize; 2],
    state_bytes: [usize; 2],
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let Arguments { model, data, out, test, options, .. } = arguments;
    let inputs: Vec<_> = [Some(model), Some(data), test.as_ref()].into_iter().flatten().map(|path| &**path).collect();
    check_writable("--out", out, &inputs)?;
    let mut model = Model::read(model)?;
    let (calibration, kept) = read_for_calibration(&model, data, options)?;
    let test = match test {
        Some(test) => Some(read_for_evaluation(&model, test, options, false)?),
        None => kept,
    };
    let chosen = evenly(&calibration, arguments.calibration_series);
    let ranges = Options { ranges: arguments.ranges.into(), allow_still: arguments.allow_still };
    let quantized = quantize(&model.network, &chosen, &ranges)?;
    let long: Vec<f32> =
        test.as_ref().unwrap_or(&calibration).series.iter().flat_map(|s| s.inputs().to_vec()).collect();
    let result = |network| test.as_ref().map(|test| evaluate(network, test)).transpose();
    let [before, after] = [model.network.summary(), quantized.network.summary()];
    let sizes = |size: fn(&Summary) -> usize| [size(&before), size(&after)];
    let report = Report {
        series: chosen.len(),
        ranges: quantized.ranges,
        rms_error: quantized.rms_error,
        saturated: quantized.saturated,
        drift: drift(&model.network, &quantized.network, &long, arguments.steps),
        before: result(&model.network)?,
        after: result(&quantized.network)?,
        flash_bytes: sizes(|summary| summary.flash_bytes),
        state_bytes: sizes(|summary| summary.state_bytes),
    };
    model.network = quantized.network;
    model.metadata.metrics.clear();
    model.write(out)?;
    note(format!("wrote {}: {}", out.display(), model.network));
    if arguments.json { print_json(&report) } else { print(describe(&report)) }
}

/// The inputs of so many series at most, from all over the data.
pub fn evenly(data: &Dataset, most: usize) -> Vec<&[f32]> {
    let count = data.series.len();
    let chosen = most.min(count);
    (0..chosen).map(|i| data.series[i * count / chosen].inputs()).collect()
}

/// The report in words.
fn describe(report: &Report) -> String {
    let Report { series, ranges, rms_error, saturated, drift, before, after, flash_bytes, state_bytes } = report;
    let mut text = format!(
        "calibrated on {series} series, ranges by {}: outputs differ by {rms_error:.2e} (rms), {saturated} numbers were \
         cut off\n",
        ranges.name()
    );
    text += &format!("drift over {} steps, as a part of the range: rms, max, rms of each tenth\n", drift.steps);
    for layer in drift.layers.iter().chain([&drift.output]) {
        let tenths: Vec<_> = layer.tenths.iter().map(|tenth| format!("{tenth:.4}")).collect();
        text += &format!("  {:32} {:.4}  {:.4}  {}\n", layer.layer, layer.rms, layer.max, tenths.join(" "));
    }
    if let (Some(before), Some(after)) = (before, after) {
        let pairs = [
            ("accuracy, %", before.accuracy.map(|x| 100.0 * x), after.accuracy.map(|x| 100.0 * x)),
            ("mae", before.mae, after.mae),
            ("rmse", before.rmse, after.rmse),
        ];
        for (name, before, after) in pairs {
            if let (Some(before), Some(after)) = (before, after) {
                text += &format!("{name}: {before:.4} before, {after:.4} after\n");
            }
        }
    }
    let [flash, flash_after] = flash_bytes;
    let [state, state_after] = state_bytes;
    text += &format!("flash: {flash} bytes before, {flash_after} after; state: {state} before, {state_after} after");
    text
}
