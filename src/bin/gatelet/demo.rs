//! `gatelet demo`

use crate::failure::{Failure, note, print};
use crate::{data_options::DataOptions, eval, train, verify};
use clap::Args;
use gatelet::data::{self, Options};
use gatelet::network::Model;
use gatelet::train::evaluate;
use std::path::{Path, PathBuf};

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
    #[arg(long, value_name = "N", default_value_t = 40, value_parser = clap::value_parser!(u32).range(1..))]
    epochs: u32,
    /// Do not build the const-generic type with cargo
    #[arg(long)]
    no_verify: bool,
}

pub fn run(arguments: &Arguments) -> Result<(), Failure> {
    let folder = &arguments.folder;
    std::fs::create_dir_all(folder)
        .map_err(|error| Failure::Failed(format!("cannot make the folder {}: {error}", folder.display())))?;
    let (training, test) = (folder.join("JapaneseVowels_TRAIN.ts"), folder.join("JapaneseVowels_TEST.ts"));
    for (path, content) in [(&training, TRAINING), (&test, TEST)] {
        gatelet::network::write_atomically(path, content)?;
    }
    let (model, rust) = (folder.join("speaker.gatelet"), folder.join("speaker.rs"));

    print("Who is speaking? Nine men say /ae/; each recording is 7 to 29 frames of 12 cepstral coefficients.")?;
    let count = |path: &Path| Ok::<_, Failure>(data::read(path, &Options::default())?.series.len());
    print(format!(
        "{} recordings to train on, {} to test with, in {}.",
        count(&training)?,
        count(&test)?,
        folder.display()
    ))?;

    step(
        1,
        "train",
        format!(
            "gatelet train --data {} --model '{MODEL}' --epochs {} --seed 1 --out {}",
            training.display(),
            arguments.epochs,
            model.display()
        ),
    )?;
    train::run(&train::Arguments {
        data: training,
        model: MODEL.into(),
        out: model.clone(),
        epochs: arguments.epochs,
        batch_size: 16,
        learning_rate: 0.003,
        seed: 1,
        optimizer: train::OptimizerName::Adam,
        momentum: 0.0,
        clip_norm: 1.0,
        loss: None,
        threads: None,
        resume: false,
        json: false,
        split: train::Split::default(),
        options: DataOptions::default(),
    })?;

    step(
        2,
        "evaluate on recordings it has not heard",
        format!("gatelet eval {} --data {}", model.display(), test.display()),
    )?;
    let trained = Model::read(&model)?;
    let data = data::read(&test, &Options::default())?.with_classes_of(&trained.labels)?;
    print(eval::describe(&evaluate(&trained.network, &data)?, &trained.labels))?;

    step(3, "look at it", format!("gatelet summary {}", model.display()))?;
    print(trained.network.summary())?;

    step(4, "export it as Rust source", format!("gatelet export {} --rust {}", model.display(), rust.display()))?;
    gatelet::network::write_atomically(&rust, gatelet::export::to_rust(&trained, "speaker.gatelet").as_bytes())?;
    print(format!("wrote {}", rust.display()))?;

    step(
        5,
        "build it as it will be in flash, and compare",
        format!("gatelet verify {} --data {}", model.display(), test.display()),
    )?;
    if arguments.no_verify {
        note("left out, as asked");
    } else {
        verify::run(&verify::Arguments {
            model: model.clone(),
            data: Some(test),
            random: 100,
            sources: env!("CARGO_MANIFEST_DIR").into(),
            options: DataOptions::default(),
        })?;
    }
    print(format!(
        "\nWhat next\n\
         * The same network on an emulated Cortex-M4F and a RISC-V part:\n    \
             examples/firmware/run --model {model}\n\
         * In your own firmware:\n    \
             type Net = {net};\n    \
             static NET: Net = gatelet::embed!(\"speaker.gatelet\");\n\
         * Your own data:\n    \
             gatelet train --help",
        model = model.display(),
        net = gatelet::export::type_of(&trained.network)
    ))
}

fn step(number: usize, what: &str, command: impl core::fmt::Display) -> Result<(), Failure> {
    print(format!("\n{number}. {what}\n   $ {command}"))
}
