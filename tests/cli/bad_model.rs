//! Promise: a --model that is no network is wrong usage, and the message marks the place and lists what there is.

use crate::folder::{Folder, motion};

/// The message without the description and its mark, and what is marked.
fn problem(model: &str) -> (String, String) {
    let folder = Folder::new().with("motion.ts", motion(30));
    let error = folder.error(2, &format!("train --data motion.ts --out m --model '{model}'"));
    assert_eq!(folder.files(), ["motion.ts"]);
    let lines: Vec<_> = error.lines().collect();
    let [message, description, mark] = lines[..] else { panic!("three lines: {error}") };
    let marked = description.chars().zip(mark.chars().chain(std::iter::repeat(' '))).filter(|(_, mark)| *mark == '^');
    (message.strip_prefix("--model: ").unwrap().into(), marked.map(|(c, _)| c).collect())
}

fn is(model: &str, message: &str, marked: &str) {
    assert_eq!(problem(model), (message.to_owned(), marked.to_owned()), "{model}");
}

const LAYERS: &str = "there are simple_rnn, lstm, gru, dense, bidirectional, residual, initial_state, embedding, masking, \
                      conv1d, average_pooling, flatten, last, unit_normalization, activation, prelu, normalize";
const ACTIVATIONS: &str = "linear, tanh, sigmoid, hard_sigmoid, relu, softsign, softplus, elu, silu, leaky_relu";

#[test]
fn the_mark_stands_below_the_place() {
    let folder = Folder::new().with("motion.ts", motion(30));
    let error = folder.error(2, "train --data motion.ts --out m --model 'gru(8), dens(3, softmax)'");
    let lines = [&*format!("--model: unknown layer `dens`; {LAYERS}"), "  gru(8), dens(3, softmax)", "          ^^^^"];
    assert_eq!(error, lines.join("\n"));
    // Wide letters take two columns of a terminal.
    let error = folder.error(2, "train --data motion.ts --out m --model 'gru(8), 조밀(3)'");
    assert!(error.ends_with("\n  gru(8), 조밀(3)\n          ^^^^"), "{error}");
}

#[test]
fn unknown_layers_list_the_layers() {
    is("gru(8), attention(8)", &format!("unknown layer `attention`; {LAYERS}"), "attention");
    is(
        "gru(8), dropout(0.5)",
        "dropout is no layer here; `gatelet train --dropout 0.2` drops outputs between layers",
        "dropout",
    );
    is("", &format!("expected a layer; {LAYERS}"), "");
    is("gru(8),", &format!("expected a layer; {LAYERS}"), "");
}

#[test]
fn unknown_options_list_the_options_of_the_layer() {
    is(
        "gru(8, reset=1)",
        &format!(
            "unknown option `reset` of gru; there are sequences, return_sequences=true, go_backwards, \
             zero_output_for_mask, activation=…, recurrent_activation=…, reset_after=false and an activation's name ({ACTIVATIONS})"
        ),
        "reset",
    );
    is(
        "lstm(8, reset_after=false)",
        &format!(
            "unknown option `reset_after` of lstm; there are sequences, return_sequences=true, go_backwards, \
             zero_output_for_mask, activation=…, recurrent_activation=… and an activation's name ({ACTIVATIONS})"
        ),
        "reset_after",
    );
    is(
        "simple_rnn(8, recurrent_activation=tanh)",
        &format!(
            "unknown option `recurrent_activation` of simple_rnn; there are sequences, return_sequences=true, \
             go_backwards, zero_output_for_mask, activation=… and an activation's name ({ACTIVATIONS})"
        ),
        "recurrent_activation",
    );
    is("dense(3, use_bias=false)", "unknown option `use_bias` of dense; there is activation=…", "use_bias");
    is("gru(8, activation=tahn)", &format!("unknown activation `tahn`; there are {ACTIVATIONS}"), "tahn");
    is("dense(3, sofmax)", &format!("unknown activation `sofmax`; there are softmax, {ACTIVATIONS}"), "sofmax");
    is("gru(8, return_sequences=yes)", "expected true or false, found `yes`", "yes");
}

#[test]
fn a_recurrent_layer_needs_a_sequence() {
    is(
        "lstm(8), gru(4), dense(3, softmax)",
        "layer 2 needs a sequence, but layer 1 gives only its last output: write `lstm(8, sequences)` for \
         layer 1 (Keras: return_sequences=True)",
        "lstm(8)",
    );
}

#[test]
fn sizes_are_whole_numbers_above_zero() {
    is("gru(0), dense(3)", "layer 1: the number of units is 0; give it at least 1", "gru(0)");
    is("gru(8), dense(0)", "layer 2: the number of units is 0; give it at least 1", "dense(0)");
    is("gru(many)", "expected the number of units, such as `gru(32)`, found `many`", "many");
    is(
        "gru(99999999999999999999)",
        "expected the number of units, such as `gru(32)`, found `99999999999999999999`",
        "99999999999999999999",
    );
    is("gru(-1)", "expected the number of units, such as `gru(32)`", "-");
    is("gru(٣)", "expected the number of units, such as `gru(32)`, found `٣`", "٣");
    is("gru(100000)", "layer 1: the number of units is 100000, and 16384 is the most there can be", "gru(100000)");
}

#[test]
fn parentheses_and_commas_are_expected_where_they_are_missing() {
    is("gru(8", "expected `,` and an option, or `)`", "");
    is("gru", "expected `(` and the number of units, such as `gru(32)`", "");
    is("gru 8", "expected `(` and the number of units, such as `gru(32)`", "8");
    is("gru(8) dense(3)", "expected a comma and the next layer, or the end", "d");
    is("gru(8)), dense(3)", "expected a comma and the next layer, or the end", ")");
    is("residual(dense(2), dense(3)", "expected `)` after the layer that residual goes around", ",");
    is("gru(8, activation=\"tanh)", "expected `\"` behind the value", ")");
}

#[test]
fn a_way_around_needs_a_layer_that_fits() {
    let fits = "needs as many outputs as inputs, the whole sequence of a recurrent layer, and none that masks";
    is("residual(gru(2)), dense(3)", &format!("layer 1: residual(gru) {fits}"), "residual(gru(2))");
    is("residual(dense(3))", &format!("layer 1: residual(dense) {fits}"), "residual(dense(3))");
    is(
        "residual(residual(dense(2)))",
        "residual goes around a layer, and the order is residual, initial_state, bidirectional",
        "residual",
    );
    is("bidirectional(dense(2))", "bidirectional goes around simple_rnn, lstm or gru", "dense(2)");
    is("bidirectional(gru(2), merge=max)", "unknown merge mode `max`; there are concat, sum, mul, ave, none", "max");
}

#[test]
fn a_description_of_several_lines_is_marked_in_one() {
    is("gru(8,\n\tfoo=1), dense(3)", &problem("gru(8, foo=1), dense(3)").0, "foo");
}

/// As they stand in a Python program.
#[test]
fn keras_spelling_is_understood() {
    let folder = Folder::new().with("motion.ts", motion(30));
    let train = |model: &str, out: &str| {
        folder.results(&format!("train --data motion.ts --epochs 1 --out {out} --model '{model}'"));
        folder.read(out)
    };
    let here = train("gru(4, sequences, reset_after=false), lstm(3, relu), dense(3, softmax)", "a");
    let keras = "GRU(4, return_sequences=True, reset_after=False), LSTM(3, activation=\"relu\"), Dense(3, activation=\"softmax\")";
    assert!(here == train(keras, "b"));
    assert!(
        here == train(
            "gru(4,sequences=true,reset_after=false),lstm(3,activation=relu,sequences=false),dense(3,softmax)",
            "c"
        )
    );
}

#[test]
fn outputs_that_do_not_fit_the_data_are_told_what_would() {
    let folder = Folder::new().with("motion.ts", motion(30));
    let error = |model: &str| folder.error(1, &format!("train --data motion.ts --out m --model '{model}'"));
    let end = "end the model with `dense(3, softmax)`";
    assert_eq!(
        error("gru(8), dense(5, softmax)"),
        format!("the network gives 5 outputs, but the data have 3 classes: {end}")
    );
    assert_eq!(error("gru(8)"), format!("the network gives 8 outputs, but the data have 3 classes: {end}"));
    assert_eq!(error("gru(8), dense(3)"), format!("sparse_categorical_crossentropy needs probabilities: {end}"));
}
