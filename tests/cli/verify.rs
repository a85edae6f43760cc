//! Promise: `verify` builds the network's type as firmware has it, and finds a single bit that differs.

use crate::folder::{Folder, motion, tide};
use gatelet::network::{Model, Network};
use gatelet::quantize::{self, quantize};
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

fn trained(model: &str) -> Folder {
    let folder = Folder::new().with("motion.ts", motion(30));
    folder.results(&format!("train --data motion.ts --model '{model}' --epochs 2 --out m.gatelet"));
    folder
}

#[track_caller]
fn verified(model: &str) {
    let folder = trained(model);
    let text = folder.results("verify m.gatelet --random 20 --data motion.ts");
    assert!(
        text.starts_with("verified: the host network, the embedded type and the exported source give the same bits"),
        "{text}"
    );
    assert!(text.ends_with("(20 random sequences, 30 of data)\n"), "{text}");
}

#[test]
fn simple_rnn() {
    verified("simple_rnn(5), dense(3, softmax)");
}

#[test]
fn lstm() {
    verified("lstm(5), dense(3, softmax)");
}

#[test]
fn gru() {
    verified("gru(5), dense(3, softmax)");
}

#[test]
fn gru_that_resets_before() {
    verified("gru(5, reset_after=false), dense(3, softmax)");
}

#[test]
fn residual_and_stacked_layers_with_other_activations() {
    verified(
        "residual(gru(2, sequences)), residual(dense(2)), lstm(3, sequences, relu, recurrent_activation=hard_sigmoid), \
         dense(4, elu), simple_rnn(4, softsign, sequences), gru(5, reset_after=false), dense(4, softplus), dense(3, softmax)",
    );
}

#[test]
fn a_network_that_gives_sequences() {
    verified("gru(4, sequences), dense(3, softmax)");
}

#[test]
fn a_regression() {
    let folder = Folder::new().with("tide.csv", tide());
    folder.results("train --data tide.csv --target height --window 8 --model 'lstm(4), dense(1)' --epochs 1 --out m");
    folder.results("verify m --random 5 --data tide.csv");
}

/// Models that no trainer makes, with numbers from a formula where training would begin with zeros.
#[track_caller]
fn verified_network(inputs: usize, description: &str) {
    verified_model(network(inputs, description));
}

/// The integer network of one with such inputs.
#[track_caller]
fn verified_integers(inputs: usize, description: &str, input: fn(usize) -> f32) {
    let xs: Vec<f32> = (0..200 * inputs).map(input).collect();
    let options = quantize::Options { allow_still: true, ..quantize::Options::default() };
    verified_model(quantize(&network(inputs, description), &[&xs], &options).unwrap().network);
}

fn network(inputs: usize, description: &str) -> Network<f32> {
    let mut network = Network::describe(inputs, description).unwrap().initialized(3);
    for (i, parameter) in network.parameters_mut().iter_mut().enumerate() {
        *parameter += 0.1 * (i as f32).sin();
    }
    network
}

#[track_caller]
fn verified_model(network: Network<f32>) {
    let folder = Folder::new();
    Model::new(network).write(Path::new(&folder.path("m.gatelet"))).unwrap();
    let text = folder.results("verify m.gatelet --random 20");
    assert!(text.ends_with("(20 random sequences, 0 of data)\n"), "{text}");
}

#[test]
fn layers_that_stream() {
    verified_network(
        2,
        "masking(-1), initial_state(lstm(4, sequences, zero_output_for_mask)), conv1d(6, 3, dilation=2, groups=2), \
         residual(initial_state(gru(6, sequences))), average_pooling(2), prelu(6), unit_normalization, flatten(3), \
         dense(3), activation(softmax)",
    );
    verified_network(1, "embedding(7, 3, mask_zero), gru(4, sequences), conv1d(2, 1, relu), last");
}

#[test]
fn layers_that_see_whole_sequences() {
    verified_network(
        3,
        "masking(-1), dense(4, relu), bidirectional(gru(3, sequences, zero_output_for_mask)), conv1d(2, 2), prelu(2), \
         initial_state(bidirectional(lstm(2, sequences), merge=sum)), dense(2)",
    );
    verified_network(2, "residual(bidirectional(gru(2, sequences), merge=ave)), gru(3, go_backwards), dense(2)");
    verified_network(2, "bidirectional(simple_rnn(3), merge=none)");
}

#[test]
fn integers() {
    let wave = |i: usize| (0.7 * i as f32).sin();
    verified_integers(
        2,
        "masking(-1), initial_state(lstm(4, sequences, zero_output_for_mask)), conv1d(6, 3, dilation=2, groups=2), \
         residual(initial_state(gru(6, sequences))), average_pooling(2), prelu(6), activation(sigmoid), flatten(3), \
         dense(3), activation(softmax)",
        wave,
    );
    verified_integers(1, "embedding(7, 3, mask_zero), gru(4, sequences), conv1d(2, 1, relu), last", |i| {
        (i * i % 7) as f32
    });
    verified_integers(
        3,
        "masking(-1), dense(4, relu), bidirectional(gru(3, sequences)), conv1d(2, 2), \
         initial_state(bidirectional(lstm(2, sequences), merge=sum)), residual(dense(2))",
        wave,
    );
}

/// A cargo that does something to what the built program writes.
fn with_cargo(folder: &Folder, script: &str) -> (i32, String, String) {
    let path = folder.path("cargo");
    std::fs::write(&path, format!("#!/bin/sh\n{script}\n")).unwrap();
    std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o755)).unwrap();
    let mut command = folder.command("verify m.gatelet --random 20");
    let real = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
    crate::folder::ended(command.env("CARGO", path).env("REAL_CARGO", real).output().unwrap())
}

#[test]
fn one_wrong_byte_in_any_way_fails() {
    let folder = trained("gru(5), dense(3, softmax)");
    let count = |text: &str| -> usize {
        let (_, rest) = text.split_once("same bits in ").unwrap();
        rest.split(' ').next().unwrap().parse().unwrap()
    };
    let outputs = count(&folder.results("verify m.gatelet --random 20"));
    for (at, way) in [
        (0, "embedded, step by step: output 0 is "),
        (outputs + 7, "embedded, whole sequences: output 7 is "),
        (3 * outputs - 1, &format!("exported as Rust source: output {} is ", outputs - 1)),
    ] {
        // The lowest byte of that output gets another value.
        let script = format!(
            "set -e; out=$(mktemp); \"$REAL_CARGO\" \"$@\" > \"$out\"; head -c {0} \"$out\"\n\
             if [ \"$(tail -c +{1} \"$out\" | head -c 1)\" = U ]; then printf V; else printf U; fi\n\
             tail -c +{2} \"$out\"; rm \"$out\"",
            4 * at,
            4 * at + 1,
            4 * at + 2
        );
        let (status, stdout, stderr) = with_cargo(&folder, &script);
        assert_eq!((status, &*stdout), (1, ""), "{stderr}");
        assert!(
            stderr.contains(&format!("error: {way}")) && stderr.contains(" where the host network gives "),
            "{stderr}"
        );
    }
}

#[test]
fn a_program_that_does_not_build_or_says_nothing_fails() {
    let folder = trained("gru(5), dense(3, softmax)");
    let (status, stdout, stderr) = with_cargo(&folder, "echo 'error[E0308]: mismatched types' >&2; exit 101");
    assert_eq!((status, &*stdout), (1, ""));
    assert!(
        stderr.ends_with("error: the network's type does not build or run:\nerror[E0308]: mismatched types\n\n"),
        "{stderr}"
    );
    let (status, stdout, stderr) = with_cargo(&folder, "exit 0");
    assert_eq!((status, &*stdout), (1, ""));
    assert!(stderr.contains("error: the program gave 0 outputs instead of 3 times "), "{stderr}");
}

#[test]
fn nothing_to_compare_is_refused() {
    let folder = trained("gru(5), dense(3, softmax)");
    assert_eq!(
        folder.error(2, "verify m.gatelet --random 0"),
        "nothing to compare: give --random sequences, or --data"
    );
    let error = folder.error(1, "verify m.gatelet --sources nowhere");
    assert_eq!(error, "the sources of the crate gatelet are not in nowhere: name their folder with --sources");
}
