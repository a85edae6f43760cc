//! Promise: a run that is stopped loses nothing but its last epoch, and leaves nothing that is half done.

use crate::folder::{Folder, motion, with_third_channel};
use std::io::{BufRead, BufReader};
use std::process::{Command, Stdio};

const TRAIN: &str =
    "train --data motion.ts --split 0.2 --model 'gru(24), dense(3, softmax)' --epochs 12 --out m.gatelet";
/// What the program calls the network of `TRAIN`.
const NETWORK: &str = "normalize(2), gru(24), dense(3, softmax)";

fn folder() -> Folder {
    Folder::new().with("motion.ts", motion(1200))
}

/// Starts `TRAIN` and sends it a signal after its third epoch.
fn stop(folder: &Folder, signal: &str) {
    stop_at(folder, TRAIN, signal);
}

fn stop_at(folder: &Folder, train: &str, signal: &str) {
    let mut run = folder.command(train).stdout(Stdio::null()).stderr(Stdio::piped()).spawn().unwrap();
    let lines = BufReader::new(run.stderr.take().unwrap()).lines();
    lines.map_while(Result::ok).find(|line| line.starts_with("epoch 3: ")).expect("a third epoch");
    assert!(Command::new("kill").args([signal, &run.id().to_string()]).status().unwrap().success());
    assert_eq!(run.wait().unwrap().code(), None, "the run was over before the signal came");
}

/// A folder with the checkpoint of a run that was stopped.
fn stopped() -> Folder {
    let folder = folder();
    stop(&folder, "-KILL");
    folder
}

#[test]
fn a_stopped_run_goes_on_to_the_same_bytes() {
    let whole = folder();
    whole.results(TRAIN);
    for signal in ["-KILL", "-INT"] {
        let folder = folder();
        stop(&folder, signal);
        // A file that was being written may be left, under a name that nobody asks for.
        let files: Vec<_> = folder.files().into_iter().filter(|name| !name.starts_with(".tmp")).collect();
        assert_eq!(files, ["m.gatelet.checkpoint", "motion.ts"]);
        let (status, stdout, stderr) = folder.run(&format!("{TRAIN} --resume"));
        assert_eq!(status, 0, "{stderr}");
        assert!(stdout.starts_with("wrote m.gatelet after epoch 12: "), "{stdout}");
        assert!(stderr.starts_with("going on after epoch "), "{stderr}");
        assert!(!stderr.contains("epoch 3: "), "{stderr}");
        assert!(folder.read("m.gatelet") == whole.read("m.gatelet"), "after {signal}");
        assert!(!folder.path("m.gatelet.checkpoint").exists());
    }
}

/// With the best network of the epochs before.
#[test]
fn fine_tuning_goes_on_to_the_same_bytes() {
    let folder = Folder::new().with("motion.ts", motion(400));
    folder.results("train --data motion.ts --model 'gru(24), dense(3, softmax)' --epochs 2 --out m.gatelet");
    let train = "train --quantize m.gatelet --data motion.ts --split 0.2 --epochs 6 --out q.gatelet";
    folder.results(&train.replace("q.gatelet", "whole.gatelet"));
    stop_at(&folder, train, "-KILL");
    assert!(folder.path("q.gatelet.checkpoint").exists() && folder.path("q.gatelet").exists());
    let (status, stdout, stderr) = folder.run(&format!("{train} --resume"));
    assert_eq!(status, 0, "{stderr}");
    assert!(stdout.starts_with("wrote q.gatelet after epoch "), "{stdout}");
    assert!(stderr.starts_with("going on after epoch ") && !stderr.contains("epoch 3: "), "{stderr}");
    assert!(folder.read("q.gatelet") == folder.read("whole.gatelet"));
    assert!(!folder.path("q.gatelet.checkpoint").exists());
}

#[test]
fn more_epochs_are_the_same_run() {
    let folder = stopped();
    folder.results(&format!("{} --resume", TRAIN.replace("--epochs 12", "--epochs 14")));
    let whole = Folder::new().with("motion.ts", motion(1200));
    whole.results(&TRAIN.replace("--epochs 12", "--epochs 14"));
    assert!(folder.read("m.gatelet") == whole.read("m.gatelet"));
}

#[test]
fn another_run_is_refused() {
    let motion = motion(1200);
    let folder =
        stopped().with("other.ts", motion.replacen("0.", "0.5", 1)).with("three.ts", with_third_channel(&motion));
    let checkpoint = folder.read("m.gatelet.checkpoint");
    let resume = |from: &str, to: &str| folder.error(1, &format!("{} --resume", TRAIN.replace(from, to)));
    let begun =
        |how: &str| format!("m.gatelet.checkpoint: the run was begun {how}: give the same, or train from the start");
    for (option, was, is) in [
        ("--batch-size", "16", "8"),
        ("--learning-rate", "0.003", "0.01"),
        ("--optimizer", "adam", "sgd with momentum 0"),
        ("--schedule", "constant", "cosine over 12 epochs"),
        ("--clip-norm", "1", "0"),
        ("--dropout", "0", "0.5"),
        ("--seed", "0", "1"),
        ("--loss", "the default", "sparse_categorical_crossentropy"),
    ] {
        let value = is.split(' ').next().unwrap();
        let error = resume("--out", &format!("{option} {value} --out"));
        assert_eq!(error, begun(&format!("with {option} {was}, not {is}")));
    }
    let error = resume("--out", "--seed 7 --batch-size 4 --out");
    assert_eq!(error, begun("with --batch-size 16, not 4, and --seed 0, not 7"));
    assert_eq!(
        resume("gru(24)", "gru(23)"),
        begun(&format!("with the network {NETWORK}, not {}", NETWORK.replace("24", "23")))
            .replace("give the same", "give the same --model")
    );
    let other_data = begun("on other training data, or on another part of them");
    assert_eq!(resume("--split 0.2", "--split 0.3"), other_data);
    assert_eq!(resume("--data motion.ts", "--data other.ts"), other_data);
    assert_eq!(resume("--data motion.ts", "--data three.ts"), other_data);
    assert_eq!(
        resume("--epochs 12", "--epochs 1"),
        format!(
            "m.gatelet.checkpoint: the run has done {} epochs already: give as many --epochs, or more",
            epochs(&checkpoint)
        )
    );
    assert!(folder.read("m.gatelet.checkpoint") == checkpoint, "a refusal changed the checkpoint");
    folder.results(&format!("{TRAIN} --resume"));
}

fn epochs(checkpoint: &[u8]) -> usize {
    let text = String::from_utf8_lossy(checkpoint);
    let (_, rest) = text.split_once("\"epochs\":").unwrap();
    rest.split(',').next().unwrap().parse().unwrap()
}

#[test]
fn a_damaged_or_missing_checkpoint_is_refused() {
    let folder = stopped();
    let whole = folder.read("m.gatelet.checkpoint");
    let mut flipped = whole.clone();
    flipped[whole.len() / 2] ^= 1;
    for damaged in [&whole[..whole.len() - 1], &whole[..20], &[], &flipped, motion(9).as_bytes()] {
        let folder = folder_with(damaged);
        let error = folder.error(1, &format!("{TRAIN} --resume"));
        assert_eq!(error, "m.gatelet.checkpoint: this is no whole checkpoint: train from the start, without --resume");
    }
    std::fs::remove_file(folder.path("m.gatelet.checkpoint")).unwrap();
    let error = folder.error(1, &format!("{TRAIN} --resume"));
    assert_eq!(
        error,
        "m.gatelet.checkpoint: there is no such checkpoint: a run has one from its first epoch to its end; train from the \
         start, without --resume"
    );
}

fn folder_with(checkpoint: &[u8]) -> Folder {
    folder().with("m.gatelet.checkpoint", checkpoint)
}

#[test]
fn a_run_from_the_start_says_what_it_leaves_behind() {
    let folder = stopped();
    let (status, _, stderr) = folder.run(&TRAIN.replace("--epochs 12", "--epochs 1"));
    assert_eq!(status, 0);
    assert!(
        stderr.starts_with("beginning anew; with --resume the run in m.gatelet.checkpoint would go on\n"),
        "{stderr}"
    );
}

#[test]
fn training_goes_on_when_nobody_reads_its_results() {
    let folder = folder();
    let mut run =
        folder.command(&format!("{TRAIN} --json")).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
    // As `head -1` does.
    let mut first = String::new();
    BufReader::new(run.stdout.take().unwrap()).read_line(&mut first).unwrap();
    assert!(first.starts_with("{\"epoch\":1,"), "{first}");
    let output = run.wait_with_output().unwrap();
    let stderr = String::from_utf8(output.stderr).unwrap();
    assert!(output.status.success(), "{stderr}");
    assert!(stderr.ends_with("wrote m.gatelet after epoch 12\n") && !stderr.contains("panic"), "{stderr}");
    assert!(folder.path("m.gatelet").is_file());
}

#[test]
fn results_that_nobody_reads_are_no_failure() {
    let folder = folder();
    folder.results(&TRAIN.replace("--epochs 12", "--epochs 1"));
    for arguments in
        ["summary m.gatelet", "summary m.gatelet --json", "eval m.gatelet --data motion.ts", "train --help"]
    {
        let mut run = folder.command(arguments).stdout(Stdio::piped()).stderr(Stdio::piped()).spawn().unwrap();
        drop(run.stdout.take());
        let output = run.wait_with_output().unwrap();
        let stderr = String::from_utf8(output.stderr).unwrap();
        assert!(output.status.success() && !stderr.contains("panic"), "{arguments}\n{stderr}");
    }
}
