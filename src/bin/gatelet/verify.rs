//! `gatelet verify`

mod program;

use crate::data_options::DataOptions;
use crate::failure::Failure;
use crate::model_data::read_inputs;
use crate::output::{note, print};
use clap::Args;
use gatelet::network::{LayerKind, Model};
use rand::RngExt;
use rand_chacha::ChaCha8Rng;
use rand_chacha::rand_core::SeedableRng;
use std::fs::{self, File};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

/// Build a model's const-generic type, run it beside the host network and compare every bit
#[derive(Args)]
#[command(after_help = "\
Makes a small program in which the network is embedded twice, from the .gatelet file and from exported Rust source, builds \
it with cargo, and runs it on random sequences and on those of --data, step by step and as whole sequences.

Example:
  gatelet verify speaker.gatelet --data JapaneseVowels_TEST.ts")]
pub struct Arguments {
    /// Model file
    model: PathBuf,
    /// Data whose inputs are run, too
    #[arg(long, value_name = "FILE")]
    data: Option<PathBuf>,
    /// Random sequences
    #[arg(long, value_name = "N", default_value_t = 100)]
    random: usize,
    /// Folder of the crate gatelet's sources (default: where this program was built from)
    #[arg(long, value_name = "FOLDER", default_value = env!("CARGO_MANIFEST_DIR"), hide_default_value = true)]
    sources: PathBuf,
    #[command(flatten)]
    options: DataOptions,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    if arguments.random == 0 && arguments.data.is_none() {
        return Err(Failure::Usage("nothing to compare: give --random sequences, or --data".into()));
    }
    let model = Model::read(&arguments.model)?;
    let inputs = model.network.inputs();
    let mut sequences = random_sequences(arguments.random, &model.network.layers()[0].kind);
    let random = sequences.len();
    if let Some(path) = &arguments.data {
        let (data, _) = read_inputs(&model, path, &arguments.options)?;
        sequences.extend(data.series.iter().map(|series| series.inputs().to_vec()));
    }
    let steps: usize = sequences.iter().map(|sequence| sequence.len() / inputs).sum();

    let expected = on_host(&model, &sequences);
    let found = on_constant_sizes(&model, &arguments.sources, &sequences)?;
    let ways = if model.network.is_causal() { &STREAMING[..] } else { &WHOLE };
    compare(ways, &expected, &found).map_err(Failure::Failed)?;
    print(format!(
        "verified: the host network, the embedded type and the exported source give the same bits in {} outputs of {steps} \
         steps ({random} random sequences, {} of data)",
        expected.len(),
        sequences.len() - random
    ))
}

/// The longest random sequence.
const MOST_STEPS: usize = 50;

/// Sequences of 1 to 50 steps, of numbers about as large as data. A layer that has a use for whole numbers or for masked steps
/// is given some.
fn random_sequences(count: usize, first: &LayerKind) -> Vec<Vec<f32>> {
    let mut rng = ChaCha8Rng::seed_from_u64(0);
    let inputs = first.inputs();
    (0..count)
        .map(|_| {
            let steps = rng.random_range(1..=MOST_STEPS);
            let size = 10f32.powf(rng.random_range(-2.0..2.0));
            let mut sequence: Vec<_> = (0..steps * inputs).map(|_| size * rng.random_range(-1.0..1.0)).collect();
            for step in sequence.chunks_exact_mut(inputs) {
                match *first {
                    LayerKind::Embedding { tokens, .. } => step[0] = rng.random_range(0..tokens) as f32,
                    LayerKind::Masking { value, .. } if rng.random_range(0..4) == 0 => step.fill(value),
                    _ => {}
                }
            }
            sequence
        })
        .collect()
}

/// Every output of every sequence by the network with run-time sizes, or the one for the whole where a layer has seen its end
/// before.
fn on_host(model: &Model, sequences: &[Vec<f32>]) -> Vec<f32> {
    let inference = model.network.inference();
    let mut outputs = Vec::new();
    for sequence in sequences {
        let mut state = inference.initial_state();
        if model.network.is_causal() || model.network.gives_sequence() {
            let mut ys = vec![0.0; sequence.len() / inference.inputs() * inference.outputs()];
            inference.run(&mut state, sequence, &mut ys);
            outputs.extend(ys);
        } else {
            outputs.extend(inference.run_last(&mut state, sequence).into_iter().flatten());
        }
    }
    outputs
}

/// What the program's outputs are, in its order, of a network that goes step by step.
const STREAMING: [&str; 3] = ["embedded, step by step", "embedded, whole sequences", "exported as Rust source"];
/// Of one that does not.
const WHOLE: [&str; 2] = ["embedded, whole sequences", "exported as Rust source"];

/// Compares what the program wrote with what each of its ways should give, bit by bit.
fn compare(ways: &[&str], expected: &[f32], found: &[f32]) -> Result<(), String> {
    let count = expected.len();
    if count == 0 || found.len() != ways.len() * count {
        return Err(format!("the program gave {} outputs instead of {} times {count}", found.len(), ways.len()));
    }
    for (way, found) in ways.iter().zip(found.chunks_exact(count)) {
        if let Some(at) = (0..count).find(|&at| found[at].to_bits() != expected[at].to_bits()) {
            let (found, expected) = (found[at], expected[at]);
            return Err(format!("{way}: output {at} is {found:e} where the host network gives {expected:e}"));
        }
    }
    Ok(())
}

/// The outputs of a program that has the network's type, in all of its ways.
fn on_constant_sizes(model: &Model, sources: &Path, sequences: &[Vec<f32>]) -> Result<Vec<f32>, Failure> {
    if !sources.join("Cargo.toml").is_file() {
        return Err(Failure::Failed(format!(
            "the sources of the crate gatelet are not in {}: name their folder with --sources",
            sources.display()
        )));
    }
    let failed = |what: &str, error: std::io::Error| Failure::Failed(format!("cannot {what}: {error}"));
    let folder = program_folder().map_err(|error| failed("make a folder for the program", error))?;
    // Until the end of this function no other run writes into the folder.
    let lock = File::create(folder.join("lock")).map_err(|error| failed("make a lock file", error))?;
    lock.lock().map_err(|error| failed("wait for another run", error))?;

    let manifest = format!(
        "[package]\nname = \"gatelet-verify\"\nversion = \"0.0.0\"\nedition = \"2024\"\n\n\
         [dependencies]\ngatelet = {{ path = {:?} }}\n\n[workspace]\n\n[profile.release]\nopt-level = 3\n",
        sources.display().to_string()
    );
    let files: [(&str, Vec<u8>); 5] = [
        ("Cargo.toml", manifest.into()),
        ("src/main.rs", program::source(model, sequences)?.into()),
        ("src/exported.rs", gatelet::export::to_rust(model, "model.gatelet")?.into()),
        ("src/model.gatelet", model.to_bytes()?),
        ("input", to_bytes(sequences)),
    ];
    for (name, content) in files {
        fs::write(folder.join(name), content).map_err(|error| failed(&format!("write {name}"), error))?;
    }
    // The versions this program was built with are at hand and need no registry.
    let _ = fs::copy(sources.join("Cargo.lock"), folder.join("Cargo.lock"));
    let input = File::open(folder.join("input")).map_err(|error| failed("read the input", error))?;
    note("building the network's const-generic type with cargo");
    let output = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
        .args(["run", "--quiet", "--release"])
        .current_dir(&folder)
        .env("CARGO_TARGET_DIR", "target")
        .stdin(input)
        .stdout(Stdio::piped())
        .output()
        .map_err(|error| failed("start cargo, which builds the network's type", error))?;
    if !output.status.success() {
        return Err(Failure::Failed(format!(
            "the network's type does not build or run:\n{}",
            String::from_utf8_lossy(&output.stderr)
        )));
    }
    let (words, _) = output.stdout.as_chunks::<4>();
    Ok(words.iter().map(|&word| f32::from_le_bytes(word)).collect())
}

/// Where the program is built: always the same place, so that only what has changed is built again.
fn program_folder() -> std::io::Result<PathBuf> {
    let home = std::env::home_dir().map(|home| home.join(".cache"));
    let cache = std::env::var_os("XDG_CACHE_HOME").map(PathBuf::from).or(home);
    let folder = |parent: PathBuf| {
        let folder = parent.join("gatelet/verify");
        fs::create_dir_all(folder.join("src")).map(|()| folder)
    };
    match cache.map(folder) {
        Some(Ok(folder)) => Ok(folder),
        _ => folder(std::env::temp_dir()),
    }
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

#[cfg(test)]
mod tests {
    use super::{STREAMING, WHOLE, compare};

    const EXPECTED: [f32; 4] = [0.5, -0.25, 0.0, 1.0];

    #[test]
    fn the_same_bits_in_every_way_are_right() {
        assert_eq!(compare(&STREAMING, &EXPECTED, &EXPECTED.repeat(3)), Ok(()));
        assert_eq!(compare(&WHOLE, &EXPECTED, &EXPECTED.repeat(2)), Ok(()));
    }

    #[test]
    fn one_bit_of_one_output_of_any_way_is_found() {
        for at in 0..STREAMING.len() * EXPECTED.len() {
            for bit in [0, 31] {
                let mut found = EXPECTED.repeat(STREAMING.len());
                found[at] = f32::from_bits(found[at].to_bits() ^ 1 << bit);
                let problem = compare(&STREAMING, &EXPECTED, &found).unwrap_err();
                assert!(problem.starts_with(&format!("{}: output {} is ", STREAMING[at / 4], at % 4)), "{problem}");
            }
        }
    }

    #[test]
    fn missing_outputs_are_no_agreement() {
        assert!(compare(&STREAMING, &EXPECTED, &EXPECTED.repeat(2)).is_err());
        assert!(compare(&STREAMING, &EXPECTED, &[]).is_err());
        assert!(compare(&STREAMING, &[], &[]).is_err());
    }
}
