//! Promise: every command explains itself, and its examples work as they stand.

use crate::folder::{Folder, words};

const COMMANDS: [&str; 10] =
    ["train", "eval", "predict", "summary", "import", "quantize", "export", "verify", "bench", "demo"];

fn help(command: &str) -> String {
    let (status, stdout, stderr) = Folder::new().run(&format!("{command} --help"));
    assert_eq!((status, &*stderr), (0, ""));
    stdout
}

/// The commands below "Example:" or "Examples:".
fn examples(help: &str) -> Vec<String> {
    let (_, examples) = help.split_once("\nExample").expect("an example");
    let joined = examples.replace("\\\n", " ");
    joined.lines().filter_map(|line| line.trim().strip_prefix("gatelet ")).map(str::to_owned).collect()
}

#[test]
fn help_is_on_standard_output_and_fits_a_terminal() {
    for command in COMMANDS.iter().chain(&[""]) {
        let help = help(command);
        assert!(help.lines().all(|line| line.chars().count() <= 100), "{help}");
        assert!(!examples(&help).is_empty(), "{help}");
    }
}

#[test]
fn help_lists_every_command() {
    let help = help("");
    let listed: Vec<_> = help.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert!(COMMANDS.iter().all(|command| listed.contains(command)), "{help}");
}

#[test]
fn version_is_the_crates() {
    assert_eq!(Folder::new().results("--version"), concat!("gatelet ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn no_command_and_unknown_commands_are_wrong_usage() {
    for arguments in ["", "tarin", "train", "eval", "summary"] {
        let (status, stdout, stderr) = Folder::new().run(arguments);
        assert_eq!((status, &*stdout), (2, ""), "{arguments}");
        assert!(stderr.contains("Usage"), "{stderr}");
    }
    assert!(Folder::new().error(2, "tarin").contains("a similar subcommand exists: 'train'"));
}

/// In one epoch, since only the commands are on trial.
#[test]
fn examples_work() {
    let folder = Folder::new()
        .with_shipped("japanese_vowels/JapaneseVowels_TRAIN.ts")
        .with_shipped("japanese_vowels/JapaneseVowels_TEST.ts")
        .with_shipped("nyc_weather/weather.csv")
        .with_shipped("watch_exercise/index.csv")
        .with_shipped("watch_exercise/watch_i16.npy")
        .with("model.keras", include_bytes!("../models/keras/graph.keras"))
        .with("model.safetensors", include_bytes!("../golden/pytorch.safetensors"));
    gatelet::data::write_npy(&folder.path("recordings.npy"), &[2, 10, 12], &[0.5; 240]).unwrap();
    for example in COMMANDS.iter().flat_map(|command| examples(&help(command))) {
        let mut words = words(&example);
        if let Some(at) = words.iter().position(|word| word == "--epochs") {
            words[at + 1] = "1".into();
        }
        let output = folder.command("").args(words).output().unwrap();
        assert!(output.status.success(), "{example}\n{}", String::from_utf8_lossy(&output.stderr));
    }
    let written =
        ["speaker.gatelet", "weather.gatelet", "exercise.gatelet", "answers.csv", "speaker.rs", "gatelet-demo"];
    let files = folder.files();
    assert!(written.iter().all(|name| files.iter().any(|file| file == name)), "{files:?}");
}

#[test]
fn the_demo_says_what_it_does_and_what_to_do_next() {
    let folder = Folder::new();
    let text = folder.results("demo --epochs 2 --no-verify --folder here");
    for part in [
        "1. train\n   $ gatelet train --data here/",
        "5. left out, as asked: verify",
        "What next\n",
        "370 examples",
        "TRAIN.ts",
    ] {
        assert!(text.contains(part), "no {part:?} in\n{text}");
    }
    assert!(folder.path("here/speaker.gatelet").is_file());
    // The printed commands do the same.
    let (_, printed) = text.split_once("$ gatelet train ").unwrap();
    let printed = printed.lines().next().unwrap().replace("here/speaker.gatelet", "again.gatelet");
    folder.results(&format!("train {printed}"));
    assert_eq!(folder.read("again.gatelet"), folder.read("here/speaker.gatelet"));
}
