//! `gatelet verify`

use crate::data_options::{DataOptions, stored_for};
use crate::failure::{Failure, note, print};
use clap::Args;
use gatelet::data;
use gatelet::network::Model;
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Build a model's const-generic type, run it beside the host network and compare every bit
#[derive(Args)]
#[command(
    after_help = "Makes a small program in which the network is embedded twice, from the .gatelet file and from exported Rust\n\
                  source, builds it with cargo, and runs it on random sequences and on those of --data, step by step and\n\
                  as whole sequences.\n\n\
                  Example:\n  gatelet verify speaker.gatelet --data JapaneseVowels_TEST.ts"
)]
pub struct Arguments {
    /// Model file
    pub model: PathBuf,
    /// Data whose inputs are run, too
    #[arg(long, value_name = "FILE")]
    pub data: Option<PathBuf>,
    /// Random sequences
    #[arg(long, value_name = "N", default_value_t = 100)]
    pub random: usize,
    /// Folder of the crate gatelet's sources (default: where this program was built from)
    #[arg(long, value_name = "FOLDER", default_value = env!("CARGO_MANIFEST_DIR"))]
    pub sources: PathBuf,
    #[command(flatten)]
    pub options: DataOptions,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let model = Model::read(&arguments.model)?;
    let inputs = model.network.inputs();
    let mut sequences = random_sequences(arguments.random, inputs);
    let random = sequences.len();
    if let Some(path) = &arguments.data {
        let provenance = model.metadata.data.clone().unwrap_or_default();
        let data = data::read_inputs(path, &arguments.options.over(&stored_for(&provenance, path)))?;
        if data.features.len() != inputs {
            return Err(gatelet::train::TrainError::Features { features: data.features.len(), inputs }.into());
        }
        sequences.extend(data.series.iter().map(|series| series.inputs().to_vec()));
    }
    let steps: usize = sequences.iter().map(|sequence| sequence.len() / inputs).sum();

    let expected = on_host(&model, &sequences);
    let found = on_constant_sizes(&model, &arguments.sources, &sequences)?;
    for (way, found) in
        ["embedded, step by step", "embedded, whole sequences", "exported as Rust source"].iter().zip(found)
    {
        if let Some(difference) = difference(&expected, &found) {
            return Err(Failure::Failed(format!("{way}: {difference}")));
        }
    }
    print(format!(
        "verified: the host network, the embedded type and the exported source give the same bits in {} outputs of {steps} \
         steps ({random} random sequences, {} of data)",
        expected.len(),
        sequences.len() - random
    ))
}

/// Sequences of 1 to 50 steps, of numbers about as large as data.
fn random_sequences(count: usize, inputs: usize) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    (0..count)
        .map(|_| {
            let steps = rng.random_range(1..=50);
            let size = 10f32.powf(rng.random_range(-2.0..2.0));
            (0..steps * inputs).map(|_| size * rng.random_range(-1.0..1.0)).collect()
        })
        .collect()
}

/// Every output of every sequence by the network with run-time sizes.
fn on_host(model: &Model, sequences: &[Vec<f32>]) -> Vec<f32> {
    let inference = model.network.inference();
    let mut outputs = Vec::new();
    for sequence in sequences {
        let mut ys = vec![0.0; sequence.len() / inference.inputs() * inference.outputs()];
        inference.run(&mut inference.zero_state(), sequence, &mut ys);
        outputs.extend(ys);
    }
    outputs
}

fn difference(expected: &[f32], found: &[f32]) -> Option<String> {
    if expected.len() != found.len() {
        return Some(format!("{} outputs instead of {}", found.len(), expected.len()));
    }
    let at = expected.iter().zip(found).position(|(a, b)| a.to_bits() != b.to_bits())?;
    Some(format!("output {at} is {:e} where the host network gives {:e}", found[at], expected[at]))
}

/// The same by a program with the network's type, in its three ways.
fn on_constant_sizes(model: &Model, sources: &Path, sequences: &[Vec<f32>]) -> Result<[Vec<f32>; 3], Failure> {
    if !sources.join("Cargo.toml").is_file() {
        return Err(Failure::Failed(format!(
            "the sources of the crate gatelet are not in {}: name their folder with --sources",
            sources.display()
        )));
    }
    let failed = |what: &str, error: std::io::Error| Failure::Failed(format!("cannot {what}: {error}"));
    let folder = tempfile::tempdir().map_err(|error| failed("make a temporary folder", error))?;
    let path = folder.path();
    std::fs::create_dir(path.join("src")).map_err(|error| failed("make a folder", error))?;
    let manifest = format!(
        "[package]\nname = \"gatelet-verify\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\ngatelet = {{ path = {:?} }}\n\n[workspace]\n\n[profile.release]\nopt-level = 3\n",
        sources.display().to_string()
    );
    let files: [(&str, Vec<u8>); 5] = [
        ("Cargo.toml", manifest.into()),
        ("src/main.rs", program(model).into()),
        ("src/exported.rs", gatelet::export::to_rust(model, "model.gatelet").into()),
        ("src/model.gatelet", model.to_bytes()?),
        ("input", to_bytes(sequences)),
    ];
    for (name, content) in files {
        std::fs::write(path.join(name), content).map_err(|error| failed(&format!("write {name}"), error))?;
    }
    // The versions this program was built with are at hand and need no registry.
    let _ = std::fs::copy(sources.join("Cargo.lock"), path.join("Cargo.lock"));
    note("building the network's const-generic type with cargo");
    let target = std::env::temp_dir().join("gatelet-verify-target");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--release"])
        .current_dir(path)
        .env("CARGO_TARGET_DIR", target)
        .stdin(Stdio::null())
        .output()
        .map_err(|error| failed("start cargo, which builds the network's type", error))?;
    if !output.status.success() {
        return Err(Failure::Failed(format!(
            "the network's type does not build or run:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    let (words, _) = output.stdout.as_chunks::<4>();
    let outputs: Vec<_> = words.iter().map(|&word| f32::from_le_bytes(word)).collect();
    let third = outputs.len() / 3;
    let (first, rest) = outputs.split_at(third);
    let (second, rest) = rest.split_at(third);
    Ok([first.to_vec(), second.to_vec(), rest.to_vec()])
}

/// Each sequence's number of values, then its values.
fn to_bytes(sequences: &[Vec<f32>]) -> Vec<u8> {
    let mut bytes = Vec::new();
    for sequence in sequences {
        bytes.extend((sequence.len() as u64).to_le_bytes());
        bytes.extend(sequence.iter().flat_map(|x| x.to_le_bytes()));
    }
    bytes
}

fn program(model: &Model) -> String {
    let (inputs, outputs) = (model.network.inputs(), model.network.outputs());
    let network = gatelet::export::type_of(&model.network);
    format!(
        r#"mod exported;
use gatelet::Layer;
use std::io::Write;

type Net = {network};
static NET: Net = gatelet::embed!("model.gatelet");

fn sequences() -> Vec<Vec<[f32; {inputs}]>> {{
    let bytes = include_bytes!("../input");
    let mut rest = &bytes[..];
    let mut sequences = Vec::new();
    while let Some((length, values)) = rest.split_first_chunk::<8>() {{
        let (values, next) = values.split_at(4 * u64::from_le_bytes(*length) as usize);
        let values: Vec<f32> = values.as_chunks::<4>().0.iter().map(|&word| f32::from_le_bytes(word)).collect();
        sequences.push(values.as_chunks::<{inputs}>().0.to_vec());
        rest = next;
    }}
    sequences
}}

fn stepped(net: &Net, sequence: &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]> {{
    let mut state = Net::ZERO_STATE;
    let mut outputs = vec![[0.0; {outputs}]; sequence.len()];
    for (x, y) in sequence.iter().zip(&mut outputs) {{
        net.step(&mut state, x, y);
    }}
    outputs
}}

fn whole(net: &Net, sequence: &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]> {{
    let mut outputs = vec![[0.0; {outputs}]; sequence.len()];
    net.run(&mut Net::ZERO_STATE.clone(), sequence, &mut outputs).unwrap();
    let last = net.run_last(&mut Net::ZERO_STATE.clone(), sequence).unwrap();
    assert_eq!(outputs.last().unwrap().map(f32::to_bits), last.map(f32::to_bits), "run and run_last");
    outputs
}}

fn main() {{
    let sequences = sequences();
    let mut stdout = std::io::stdout().lock();
    let exported = |_: &Net, sequence: &[[f32; {inputs}]]| stepped(&exported::NET, sequence);
    let ways: [&dyn Fn(&Net, &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]>; 3] = [&stepped, &whole, &exported];
    for way in ways {{
        for sequence in &sequences {{
            for y in way(&NET, sequence).as_flattened() {{
                stdout.write_all(&y.to_le_bytes()).unwrap();
            }}
        }}
    }}
}}
"#
    )
}
