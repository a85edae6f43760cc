//! Promise: a network's summary shows the parameters and output shapes that Keras's `model.summary()` shows.
#![cfg(feature = "std")]

use gatelet::network::{Network, Summary};

fn summary(inputs: usize, description: &str) -> Summary {
    Network::<f32>::describe(inputs, description).unwrap().summary()
}

/// Parameters layer by layer, and whether the total is their sum.
fn parameters(inputs: usize, description: &str) -> Vec<usize> {
    let summary = summary(inputs, description);
    let parameters: Vec<_> = summary.layers.iter().map(|layer| layer.parameters).collect();
    assert_eq!(summary.parameters, parameters.iter().sum::<usize>(), "{description}");
    parameters
}

/// Output shapes as Keras prints them.
fn shapes(inputs: usize, description: &str) -> Vec<String> {
    let print = |size: &Option<usize>| size.map_or("None".into(), |size| size.to_string());
    let layers = summary(inputs, description).layers;
    layers.iter().map(|layer| layer.output_shape.iter().map(print).collect::<Vec<_>>().join(", ")).collect()
}

#[test]
fn parameters_are_those_that_keras_counts() {
    // keras.Sequential([keras.Input((None, 10)), SimpleRNN(3)])
    assert_eq!(parameters(10, "simple_rnn(3)"), [42]);
    // keras.Sequential([keras.Input((None, 5)), SimpleRNN(8, return_sequences=True), SimpleRNN(8)]), and so on
    assert_eq!(parameters(5, "simple_rnn(8, sequences), simple_rnn(8)"), [112, 136]);
    assert_eq!(parameters(5, "simple_rnn(5, sequences), dense(5, softmax)"), [55, 30]);
    assert_eq!(parameters(5, "lstm(5, sequences), dense(32, relu), dense(5, softmax)"), [220, 192, 165]);
    assert_eq!(parameters(5, "gru(5, sequences), dense(32, relu), dense(5, softmax)"), [180, 192, 165]);
    // The paper's form has one bias for each gate: 15 fewer.
    assert_eq!(parameters(5, "gru(5, reset_after=false)"), [165]);
    assert_eq!(parameters(5, "bidirectional(simple_rnn(8))"), [224]);
    let deep = ["bidirectional(simple_rnn(8, sequences))"; 4].join(", ");
    assert_eq!(summary(5, &deep).parameters, 1424);
    assert_eq!(parameters(1, "embedding(100, 16, mask_zero), lstm(8)"), [1600, 800]);
    // Conv1D(16, 20) on 2 inputs; with groups=2; AveragePooling1D; UnitNormalization; PReLU with shared_axes=[1].
    assert_eq!(parameters(2, "conv1d(16, 20), average_pooling(3), unit_normalization, prelu(16)"), [656, 0, 0, 16]);
    assert_eq!(parameters(2, "conv1d(16, 20, groups=2, dilation=3)"), [336]);
}

#[test]
fn output_shapes_are_those_that_keras_prints() {
    assert_eq!(shapes(10, "simple_rnn(3)"), ["None, 3"]);
    assert_eq!(shapes(5, "simple_rnn(8, sequences), simple_rnn(8)"), ["None, None, 8", "None, 8"]);
    assert_eq!(
        shapes(5, "lstm(5, sequences), dense(32), dense(5)"),
        ["None, None, 5", "None, None, 32", "None, None, 5"]
    );
    assert_eq!(shapes(5, "gru(5), dense(32), dense(5)"), ["None, 5", "None, 32", "None, 5"]);
    assert_eq!(
        shapes(5, "bidirectional(gru(8, sequences)), bidirectional(gru(8), merge=ave)"),
        ["None, None, 16", "None, 8"]
    );
    assert_eq!(shapes(2, "conv1d(4, 3), flatten(5)"), ["None, None, 4", "None, 20"]);
}

#[test]
fn the_table_is_printed_whole() {
    let table = summary(5, "gru(5, sequences), dense(32, relu), dense(5, softmax)").to_string();
    let expected = "
 Layer              Output shape        Param #  Flash bytes  State bytes
──────────────────────────────────────────────────────────────────────────
 gru(5, sequences)  (None, None, 5)         180          680           20
 dense(32, relu)    (None, None, 32)        192          768            0
 dense(5, softmax)  (None, None, 5)         165          660            0
──────────────────────────────────────────────────────────────────────────
 Total                                      537         2108           20
";
    assert_eq!(table, &expected[1..], "\n{table}");
}
