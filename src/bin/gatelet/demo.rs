//! `gatelet demo`

use crate::failure::Failure;
use crate::output::print;
use crate::values::count;
use clap::Args;
use gatelet::data::{self, Options};
use gatelet::network::{Model, write_atomically};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

const TRAINING: &[u8] = include_bytes!("../../../tests/data/japanese_vowels/JapaneseVowels_TRAIN.ts");
const TEST: &[u8] = include_bytes!("../../../tests/data/japanese_vowels/JapaneseVowels_TEST.ts");
const MODEL: &str = "gru(32), dense(9, softmax)";

/// Go the whole way on bundled data: train, evaluate, export, verify
#[derive(Args)]
#[command(after_help = "Example:\n  gatelet demo")]
pub struct Arguments {
    /// Folder to make for the data and the model
    #[arg(long, value_name = "FOLDER", default_value = "gatelet-demo")]
    folder: PathBuf,
    /// Epochs
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = count)]
    epochs: usize,
    /// Do not build the const-generic type with cargo
    #[arg(long)]
    no_verify: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::Failed(format!("cannot make the folder {}: {error}", folder.display())))?;
    let file = |name: &str| folder.join(name).display().to_string();
    let (training, test) = (file("JapaneseVowels_TRAIN.ts"), file("JapaneseVowels_TEST.ts"));
    let (model, rust) = (file("speaker.gatelet"), file("speaker.rs"));
    let write = |path: &str, content| {
        write_atomically(Path::new(path), content)?;
        Ok::<_, Failure>(data::read(Path::new(path), &Options::default())?.series.len())
    };
    let (trained_on, tested_with) = (write(&training, TRAINING)?, write(&test, TEST)?);
    print(format!(
        "Who is speaking? Nine men say /ae/; each recording is 7 to 29 frames of 12 cepstral coefficients.\n\
         {trained_on} recordings to train on, {tested_with} to test with, in {}.\n\
         Where it is not installed, `gatelet` is `cargo run --release --features cli --`.",
        folder.display()
    ))?;

    let epochs = arguments.epochs.to_string();
    let mut train = vec!["train", "--data", &training, "--model", MODEL, "--epochs", &epochs];
    train.extend(["--batch-size", "8", "--learning-rate", "0.01", "--seed", "1", "--out", &model]);
    step(1, "train", &train)?;
    step(2, "evaluate on recordings it has not heard", &["eval", &model, "--data", &test])?;
    step(3, "look at it", &["summary", &model])?;
    step(4, "export it as Rust source", &["export", &model, "--rust", &rust])?;
    if arguments.no_verify {
        print("\n5. left out, as asked: verify")?;
    } else {
        step(5, "build it as it will be in flash, and compare", &["verify", &model, "--data", &test])?;
    }
    let firmware = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples/firmware/run");
    for (number, (target, board)) in (6..).zip([("m4f", "a Cortex-M4F"), ("riscv", "RV32IMC, which has no FPU")]) {
        let words = ["--target", target, "--model", &model];
        print(format!("\n{number}. run it on {board}, emulated\n   $ {} {}", firmware.display(), words.join(" ")))?;
        if firmware.is_file() && can_emulate(target) {
            emulate(&firmware, &words)?;
        } else {
            print("   left out: this needs QEMU and a Rust target; the command installs them where it may")?;
        }
    }
    print(format!(
        "\nWhat next\n\
         * In your own firmware:\n    \
             type Net = {net};\n    \
             static NET: Net = gatelet::embed!(\"speaker.gatelet\");\n\
         * Your own data:\n    \
             gatelet train --help",
        net = gatelet::export::type_of(&Model::read(Path::new(&model))?.network)?
    ))
}

/// Prints a command and runs it.
fn step(number: usize, what: &str, words: &[&str]) -> Result<(), Failure> {
    let quoted = |word: &&str| if word.contains([' ', '(']) { format!("'{word}'") } else { word.to_string() };
    let command: Vec<_> = words.iter().map(quoted).collect();
    print(format!("\n{number}. {what}\n   $ gatelet {}", command.join(" ")))?;
    crate::run(words)
}

/// Whether what the firmware images need is there, so that nothing has to be installed in the middle of a demonstration.
fn can_emulate(target: &str) -> bool {
    let (triple, qemu) = match target {
        "m4f" => ("thumbv7em-none-eabihf", "qemu-system-arm"),
        _ => ("riscv32imc-unknown-none-elf", "qemu-system-riscv32"),
    };
    let output = |command: &mut Command| command.stdin(Stdio::null()).stderr(Stdio::null()).output().ok();
    let sysroot = output(Command::new("rustc").args(["--print", "sysroot"]));
    let has_target = sysroot.is_some_and(|output| {
        let sysroot = String::from_utf8_lossy(&output.stdout).trim().to_owned();
        Path::new(&sysroot).join("lib/rustlib").join(triple).join("lib").is_dir()
    });
    has_target && output(Command::new(qemu).arg("--version")).is_some_and(|output| output.status.success())
}

fn emulate(script: &Path, words: &[&str]) -> Result<(), Failure> {
    let status = Command::new(script).args(words).status();
    let status = status.map_err(|error| Failure::Failed(format!("cannot start {}: {error}", script.display())))?;
    if status.success() { Ok(()) } else { Err(Failure::Failed(format!("{} failed", script.display()))) }
}
