//! ONNX: what PyTorch exports, graphs made by hand, and the operators' own conformance tests.

use crate::common::{difference_of_integers, difference_on_every_backend, outputs};
use gatelet::import::{Imported, Options, from_onnx};
use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

fn golden(file: &str) -> Vec<u8> {
    std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/onnx").join(file)).unwrap()
}

fn import(model: &[u8]) -> Imported {
    from_onnx(model, &Options::default()).unwrap()
}

fn refused(model: &[u8]) -> String {
    from_onnx(model, &Options::default()).unwrap_err().to_string()
}

/// The largest difference from what is expected, on any backend.
fn largest_difference(imported: &Imported, xs: &[f32], expected: &[f32]) -> f32 {
    difference_on_every_backend(expected, || outputs(&imported.model.network, xs))
}

#[test]
fn models_give_the_outputs_of_onnxruntime() {
    #[derive(serde::Deserialize)]
    struct Answers {
        x: Vec<Vec<Vec<f32>>>,
        y: Vec<serde_json::Value>,
    }
    /// Lists of numbers as one list.
    fn flat(value: &serde_json::Value) -> Vec<f32> {
        match value {
            serde_json::Value::Array(values) => values.iter().flat_map(flat).collect(),
            value => vec![value.as_f64().unwrap() as f32],
        }
    }
    let answers: BTreeMap<String, Answers> = serde_json::from_slice(&golden("answers.json")).unwrap();
    let mut worst = 0.0_f32;
    for (name, Answers { x, y }) in &answers {
        let imported = from_onnx(&golden(&format!("{name}.onnx")), &Options::default());
        let imported = imported.unwrap_or_else(|error| panic!("{name}: {error}"));
        assert_eq!(x.len(), y.len(), "{name}");
        for (x, y) in x.iter().zip(y) {
            let difference = largest_difference(&imported, &x.concat(), &flat(y));
            assert!(difference <= 2e-6, "{name}: {difference:.1e}");
            worst = worst.max(difference);
        }
    }
    assert_eq!(answers.len(), 80);
    println!("largest difference: {worst:.1e}");

    // Each as integers, unless an activation has no integer form.
    let (mut worst, mut refused) = (0.0_f32, Vec::new());
    for (name, Answers { x, .. }) in &answers {
        let xs: Vec<_> = x.iter().map(|x| x.concat()).collect();
        match difference_of_integers(&import(&golden(&format!("{name}.onnx"))).model.network, &xs) {
            Ok(difference) => {
                // Errors of a state that is not bounded grow with it.
                let bound = if name.contains("relu") { 0.25 } else { 0.03 };
                assert!(difference <= bound, "{name}: {difference:.1e} of integers");
                worst = worst.max(difference);
            }
            Err(error) => refused.push(format!("{name}: {error}")),
        }
    }
    println!("largest difference of integers: {worst:.1e}");
    assert_eq!(
        refused,
        [
            "lstm_sigmoid_softsign_softsign: layer 1: there is no integer lstm of these activations: tanh, sigmoid, relu and linear have one, and gates with sigmoid or hard_sigmoid",
            "others: layer 5: there is no integer normalize here: no layer beside it can take it in; leave it out, or put it at the beginning",
            "rnn_elu: layer 1: there is no integer simple_rnn of these activations: tanh, sigmoid, relu and linear have one, and gates with sigmoid or hard_sigmoid",
            "rnn_leakyrelu: layer 1: there is no integer simple_rnn of these activations: tanh, sigmoid, relu and linear have one, and gates with sigmoid or hard_sigmoid",
            "rnn_softplus: layer 1: there is no integer simple_rnn of these activations: tanh, sigmoid, relu and linear have one, and gates with sigmoid or hard_sigmoid",
        ]
    );
}

#[test]
fn graphs_become_the_layers_that_they_stand_for() {
    for (name, layers) in [
        ("torch_lstm1_last", "lstm(6), dense(4, softmax)"),
        ("torch_gru2_batch_first_last", "gru(7, sequences), gru(7), dense(4, softmax)"),
        ("torch_rnn2_sequence", "simple_rnn(8, sequences), simple_rnn(8, sequences), dense(4, tanh)"),
        ("torch_lstm1_both_hidden", "bidirectional(lstm(6)), dense(4)"),
        // The last output of a backward layer is that of one time step.
        (
            "dynamo_lstm2_both_last",
            "bidirectional(lstm(6, sequences)), bidirectional(lstm(6, sequences)), last, dense(4, softmax)",
        ),
        ("lstm_forward_initial", "initial_state(lstm(5, sequences))"),
        ("gru_reverse_final", "gru(5, reset_after=false, go_backwards)"),
        ("gru_reverse_layout", "bidirectional(gru(5, reset_after=false, sequences), merge=sum)"),
        ("keras_last", "lstm(6), dense(4, softmax)"),
        ("keras_both", "bidirectional(lstm(4, sequences)), bidirectional(lstm(3)), dense(2)"),
        ("keras_both_sequence", "bidirectional(lstm(4, sequences), merge=sum), dense(2)"),
        ("two_nodes_last", "bidirectional(gru(4, reset_after=false))"),
        ("gru_hardsigmoid_relu", "gru(6, relu, recurrent_activation=hard_sigmoid, reset_after=false, sequences)"),
        (
            "others",
            "normalize(3), normalize(3), dense(4), prelu(4), normalize(4), prelu(4), gru(5, reset_after=false), \
             dense(6, sigmoid), dense(3, softmax)",
        ),
    ] {
        assert_eq!(import(&golden(&format!("{name}.onnx"))).model.network.to_string(), layers, "{name}");
    }
    assert_eq!(
        import(&golden("stream.onnx")).notes,
        [
            "input `h` is a state: here a series begins with zeros, or with a state that it is given",
            "input `c` is a state: here a series begins with zeros, or with a state that it is given",
            "output `y1` is a state: it is kept, but no output of the network",
            "output `y2` is a state: it is kept, but no output of the network",
        ]
    );
    assert_eq!(
        import(&golden("two_nodes_last.onnx")).notes,
        ["input `lengths` has the lengths of series: here each series is as long as it is"]
    );
    assert!(import(&golden("torch_lstm1_last.onnx")).notes.is_empty());
}

#[test]
fn older_models_have_their_axes_as_attributes() {
    let axis = |name, value| ints(name, &[value]);
    let mut graph = Graph::lstm(WEIGHTS, &[]).then(&[
        node("Slice", &["y"], &["a"], &[axis("starts", -1), axis("ends", i64::MAX), axis("axes", 0)]),
        node("Squeeze", &["a"], &["b"], &[ints("axes", &[0, -3])]),
        node("Unsqueeze", &["b"], &["d"], &[axis("axes", 1)]),
        node("Flatten", &["d"], &["z"], &[]),
    ]);
    assert_eq!(import(&graph.model()).model.network.to_string(), "lstm(2)");
    graph.nodes[2] = node("Squeeze", &["a"], &["b"], &[ints("axes", &[0, 5])]);
    assert_eq!(refused(&graph.model()), "node `b` (Squeeze), axis 5 cannot be imported: its input has 4 axes");
}

// Protocol buffers by hand: a field is its number and type, and for everything but a number its length.

fn varint(mut number: u64) -> Vec<u8> {
    let mut bytes = Vec::new();
    while number >= 0x80 {
        bytes.push(number as u8 | 0x80);
        number >>= 7;
    }
    bytes.push(number as u8);
    bytes
}

fn number(field: u64, value: i64) -> Vec<u8> {
    [varint(field << 3), varint(value as u64)].concat()
}

fn bytes(field: u64, content: impl AsRef<[u8]>) -> Vec<u8> {
    let content = content.as_ref();
    [varint(field << 3 | 2), varint(content.len() as u64), content.to_vec()].concat()
}

fn int(name: &str, value: i64) -> Vec<u8> {
    [bytes(1, name), number(3, value), number(20, 2)].concat()
}

fn float(name: &str, value: f32) -> Vec<u8> {
    [bytes(1, name), varint(2 << 3 | 5), value.to_le_bytes().to_vec(), number(20, 1)].concat()
}

fn alphas(values: &[f32]) -> Vec<u8> {
    let packed: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [bytes(1, "activation_alpha"), bytes(7, packed), number(20, 6)].concat()
}

fn ints(name: &str, values: &[i64]) -> Vec<u8> {
    [bytes(1, name), values.iter().flat_map(|&value| number(8, value)).collect(), number(20, 7)].concat()
}

fn string(name: &str, value: &str) -> Vec<u8> {
    [bytes(1, name), bytes(4, value), number(20, 3)].concat()
}

fn strings(name: &str, values: &[&str]) -> Vec<u8> {
    [bytes(1, name), values.iter().flat_map(|value| bytes(9, value)).collect(), number(20, 8)].concat()
}

/// A node, named after its first output.
fn node(operator: &str, inputs: &[&str], outputs: &[&str], attributes: &[Vec<u8>]) -> Vec<u8> {
    let mut node: Vec<u8> = inputs.iter().flat_map(|input| bytes(1, input)).collect();
    node.extend(outputs.iter().flat_map(|output| bytes(2, output)));
    node.extend(bytes(4, operator));
    node.extend(attributes.iter().flat_map(|attribute| bytes(5, attribute)));
    node
}

fn dims(field: u64, shape: &[usize]) -> Vec<u8> {
    shape.iter().flat_map(|&size| number(field, size as i64)).collect()
}

fn floats(name: &str, shape: &[usize], values: &[f32]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [dims(1, shape), number(2, 1), bytes(8, name), bytes(9, raw)].concat()
}

fn zeros(name: &str, shape: &[usize]) -> Vec<u8> {
    floats(name, shape, &vec![0.0; shape.iter().product()])
}

fn integers(name: &str, values: &[i64]) -> Vec<u8> {
    let raw: Vec<u8> = values.iter().flat_map(|value| value.to_le_bytes()).collect();
    [dims(1, &[values.len()]), number(2, 7), bytes(8, name), bytes(9, raw)].concat()
}

/// A tensor of floats with this shape, in which 0 stands for an open axis.
fn value(name: &str, shape: &[usize]) -> Vec<u8> {
    let axis = |&size: &usize| bytes(1, if size == 0 { bytes(2, "open") } else { number(1, size as i64) });
    let shape = bytes(2, shape.iter().flat_map(axis).collect::<Vec<u8>>());
    [bytes(1, name), bytes(2, bytes(1, [number(1, 1), shape].concat()))].concat()
}

#[derive(Clone, Default)]
struct Graph {
    nodes: Vec<Vec<u8>>,
    tensors: Vec<Vec<u8>>,
    inputs: Vec<Vec<u8>>,
    outputs: Vec<&'static str>,
}

impl Graph {
    fn model(&self) -> Vec<u8> {
        let mut graph: Vec<u8> = self.nodes.iter().flat_map(|node| bytes(1, node)).collect();
        graph.extend(self.tensors.iter().flat_map(|tensor| bytes(5, tensor)));
        graph.extend(self.inputs.iter().flat_map(|input| bytes(11, input)));
        graph.extend(self.outputs.iter().flat_map(|output| bytes(12, bytes(1, output))));
        [number(1, 8), bytes(7, graph), bytes(8, number(2, 17))].concat()
    }

    /// An LSTM of 2 units on 3 inputs, and everything that it gives.
    fn lstm(inputs: &[&str], attributes: &[Vec<u8>]) -> Self {
        Graph {
            nodes: vec![node("LSTM", inputs, &["y", "h", "c"], attributes)],
            tensors: vec![zeros("W", &[1, 8, 3]), zeros("R", &[1, 8, 2]), zeros("B", &[1, 16])],
            inputs: vec![value("x", &[0, 0, 3])],
            outputs: vec!["y"],
        }
    }

    /// More nodes behind it, the last of which gives the output `z`.
    fn then(mut self, nodes: &[Vec<u8>]) -> Self {
        self.nodes.extend_from_slice(nodes);
        self.outputs = vec!["z"];
        self
    }

    fn with(mut self, tensor: Vec<u8>) -> Self {
        self.tensors.push(tensor);
        self
    }

    fn with_input(mut self, name: &str, shape: &[usize]) -> Self {
        self.inputs.push(value(name, shape));
        self
    }
}

const WEIGHTS: &[&str] = &["x", "W", "R", "B"];

#[test]
fn what_is_not_understood_is_named() {
    assert_eq!(import(&Graph::lstm(WEIGHTS, &[]).model()).model.network.to_string(), "lstm(2, sequences)");
    let lstm = |attribute: Vec<u8>| Graph::lstm(WEIGHTS, &[attribute]);
    let wide = import(&lstm(float("clip", 30.0)).model());
    assert_eq!(wide.model.network.to_string(), "lstm(2, sequences)");
    let note = "node `y` (LSTM): sums beyond 30 are not cut off, where tanh and sigmoid are level";
    assert!(wide.notes.iter().any(|said| said == note), "{:?}", wide.notes);
    let with_input = |name| Graph::lstm(&[WEIGHTS, &["", "", "", name][..]].concat(), &[]);
    let then = |operator: &str, inputs: &[&str], attributes: &[Vec<u8>]| {
        Graph::lstm(WEIGHTS, &[]).then(&[node(operator, inputs, &["z"], attributes)])
    };
    for (graph, message) in [
        (
            lstm(float("clip", 3.0)),
            "node `y` (LSTM), attribute `clip` = 3 cannot be imported: sums are not cut off here",
        ),
        (
            Graph::lstm(WEIGHTS, &[float("clip", 30.0), strings("activations", &["Sigmoid", "Relu", "Relu"])]),
            "node `y` (LSTM), attribute `clip` = 30 cannot be imported: sums are not cut off here",
        ),
        (lstm(int("input_forget", 1)), "node `y` (LSTM), attribute `input_forget` cannot be imported: "),
        (
            lstm(int("hidden_size", 3)),
            "node `y` (LSTM), attribute `hidden_size` cannot be imported: its weights have 2 units",
        ),
        (lstm(int("clip", 3)), "node `y` (LSTM), attribute `clip` cannot be imported: it is of another type"),
        (lstm(int("layout", 2)), "node `y` (LSTM), layout 2 cannot be imported"),
        (lstm(int("time_major", 1)), "node `y` (LSTM), attribute `time_major` cannot be imported: "),
        (lstm(string("direction", "both")), "node `y` (LSTM), direction `both` cannot be imported"),
        (
            lstm(string("direction", "bidirectional")),
            "tensor `R` has the shape [1, 8, 2], but node `y` (LSTM) needs [2, 4 · units, units]",
        ),
        (
            lstm(strings("activations", &["HardSigmoid", "Tanh", "Tanh"])),
            "node `y` (LSTM), activation `HardSigmoid` with the parameters [0.2, 0.5] cannot be imported: only [0.16666667, 0.5] can be",
        ),
        (
            Graph::lstm(WEIGHTS, &[strings("activations", &["LeakyRelu", "Tanh", "Tanh"]), alphas(&[f32::NAN])]),
            "node `y` (LSTM), activation `LeakyRelu` with the parameters [NaN] cannot be imported: only [0.2] can be",
        ),
        (
            lstm(strings("activations", &["Sigmoid", "Tanh", "Relu"])),
            "node `y` (LSTM), attribute `activations` cannot be imported: those of the candidate",
        ),
        (
            lstm(strings("activations", &["Tanh"])),
            "node `y` (LSTM), attribute `activations` of 1 functions cannot be imported: it has 3",
        ),
        (
            lstm(strings("activations", &["Sigmoid", "Mish", "Mish"])),
            "node `y` (LSTM), activation `Mish` cannot be imported: there are Tanh, ",
        ),
        (with_input("P").with(zeros("P", &[1, 6])), "node `y` (LSTM), input `P` (P) cannot be imported: peepholes"),
        (
            Graph::lstm(&[WEIGHTS, &["n"][..]].concat(), &[]).with(integers("n", &[4])),
            "node `y` (LSTM), input `n` (sequence_lens) cannot be imported: here each series is as long as it is",
        ),
        (
            Graph::lstm(&[WEIGHTS, &["", "h0"][..]].concat(), &[]).with(floats(
                "h0",
                &[1, 2, 2],
                &[1.0, 2.0, 1.0, 3.0],
            )),
            "node `y` (LSTM), input `h0` cannot be imported: it is another state for each series",
        ),
        (
            Graph::lstm(&[WEIGHTS, &["", "h0"][..]].concat(), &[]).with(zeros("h0", &[1, 1, 3])),
            "tensor `h0` has the shape [1, 1, 3], but node `y` (LSTM) needs 1 directions and 2 units",
        ),
        (then("Conv", &["y", "W"], &[]), "node `z` (Conv) cannot be imported: there are RNN, LSTM, GRU, "),
        (
            then("HardSigmoid", &["y"], &[]),
            "node `z` (HardSigmoid), attribute `alpha` = 0.2 cannot be imported: only 0.16666667 can be",
        ),
        (then("Elu", &["y"], &[float("alpha", 0.5)]), "node `z` (Elu), attribute `alpha` = 0.5 cannot be imported"),
        (then("Tanh", &["y"], &[int("axis", 1)]), "node `z` (Tanh), attribute `axis` cannot be imported: "),
        (then("Tanh", &["y", "B"], &[]), "node `z` (Tanh), input `B` cannot be imported: it takes 1 inputs"),
        (then("Tanh", &["c"], &[]), "node `z` (Tanh), input `c` cannot be imported: it is a state"),
        (then("Softmax", &["y"], &[int("axis", 0)]), "node `z` (Softmax), axis 0 cannot be imported: "),
        (then("Identity", &["c"], &[]), "output `z` cannot be imported: it is no layer's output"),
        (
            then("Transpose", &["y"], &[int("perm", 1)]),
            "node `z` (Transpose), attribute `perm` cannot be imported: it is of another type",
        ),
        (
            then("Squeeze", &["y", "n"], &[]).with(integers("n", &[0])),
            "node `z` (Squeeze), axis 0 cannot be imported: its size is not 1",
        ),
        (
            then("Gather", &["y", "n"], &[]).with(integers("n", &[2])),
            "node `z` (Gather), time step 2 cannot be imported: only the last",
        ),
        (
            then("Gather", &["y", "n"], &[int("axis", 2)]).with(integers("n", &[1])),
            "node `z` (Gather), axis 2 cannot be imported: ",
        ),
        (
            then("Gather", &["y", "n"], &[int("axis", 4)]).with(integers("n", &[1])),
            "node `z` (Gather), axis 4 cannot be imported: its input has 4 axes",
        ),
        (
            then("Reshape", &["y", "n"], &[]).with(integers("n", &[7, -1])),
            "node `z` (Reshape), its shape cannot be imported: ",
        ),
        (
            then("Reshape", &["y", "y"], &[]),
            "node `z` (Reshape), input `y` cannot be imported: it has to follow from constants",
        ),
        (
            then("MatMul", &["y", "M"], &[]).with(zeros("M", &[3, 4])),
            "tensor `M` has the shape [3, 4], but node `z` (MatMul) needs [2, outputs]",
        ),
        (
            then("MatMul", &["M", "y"], &[]).with(zeros("M", &[3, 4])),
            "node `z` (MatMul), input `M` cannot be imported: it is constant",
        ),
        (then("Add", &["y", "x"], &[]), "node `z` (Add) cannot be imported: its inputs are not the two directions"),
        (
            then("Add", &["y", "n"], &[]).with(zeros("n", &[5])),
            "tensor `n` has the shape [5], but node `z` (Add) needs [2]",
        ),
        (
            then("Div", &["y", "n"], &[]).with(zeros("n", &[1])),
            "node `z` (Div), its constant cannot be imported: a quotient by it is not finite",
        ),
        (then("Add", &["y", "x2"], &[]).with_input("x2", &[0, 1, 0, 2]), "node `z` (Add) cannot be imported: "),
        // Two ways from the input to an output.
        (
            Graph::lstm(WEIGHTS, &[])
                .then(&[
                    node("Squeeze", &["y", "one"], &["a"], &[]),
                    node("LSTM", &["x", "W", "R", "B"], &["b"], &[]),
                    node("Squeeze", &["b", "one"], &["b1"], &[]),
                    node("Concat", &["a", "b1"], &["z"], &[int("axis", -1)]),
                ])
                .with(integers("one", &[1])),
            "output `z` cannot be imported: it is no layer's output",
        ),
        // Series where time steps should be.
        (
            Graph::lstm(WEIGHTS, &[])
                .then(&[
                    node("Squeeze", &["y", "one"], &["a"], &[]),
                    node("Transpose", &["a"], &["b"], &[ints("perm", &[1, 0, 2])]),
                    node("LSTM", &["b", "W", "R", "B"], &["z"], &[]),
                ])
                .with(integers("one", &[1])),
            "node `z` (LSTM), its input cannot be imported: its axes are not those that are wanted, time, series, vector",
        ),
        // Vectors' numbers and series on one axis.
        (
            Graph::lstm(WEIGHTS, &[])
                .then(&[node("Flatten", &["y"], &["a"], &[]), node("MatMul", &["a", "M"], &["z"], &[])])
                .with(zeros("M", &[2, 2])),
            "node `z` (MatMul), its input cannot be imported: the last axis has to be a layer's whole output",
        ),
    ] {
        let found = refused(&graph.model());
        assert!(found.starts_with(message), "{found}\n{message}");
    }
    assert!(refused(&golden("unrolled.onnx")).contains("if the exporter has written time steps out one by one"));
}

#[test]
fn every_tensor_node_and_input_is_used_or_named() {
    let tensors = |tensors: Vec<Vec<u8>>| Graph { tensors, ..Graph::lstm(WEIGHTS, &[]) };
    let [w, r, b] = [zeros("W", &[1, 8, 3]), zeros("R", &[1, 8, 2]), zeros("B", &[1, 16])];
    let mut number = [0.0; 16];
    number[5] = f32::NAN;
    let external = [dims(1, &[1, 16]), self::number(2, 1), bytes(8, "B"), self::number(14, 1)].concat();
    let half = [dims(1, &[1, 16]), self::number(2, 10), bytes(8, "B"), bytes(9, [0; 32])].concat();
    let cut = [dims(1, &[1, 16]), self::number(2, 1), bytes(8, "B"), bytes(9, [0; 60])].concat();
    let huge = [dims(1, &[1 << 40, 1 << 40]), self::number(2, 1), bytes(8, "B")].concat();
    for (graph, message) in [
        (
            tensors(vec![w.clone(), r.clone()]),
            "there is no tensor `B`, which node `y` (LSTM) needs; `--list` shows what there is",
        ),
        (
            tensors(vec![w.clone(), r.clone(), zeros("b", &[1, 16])]),
            "tensor `b` [1, 16] cannot be imported: no node uses it",
        ),
        (tensors(vec![w.clone(), r.clone(), b.clone(), b.clone()]), "not a whole .onnx file: `B` is there twice"),
        (
            tensors(vec![w.clone(), r.clone(), b.clone(), zeros("more", &[2])]),
            "tensor `more` [2] cannot be imported: no node uses it",
        ),
        (
            tensors(vec![w.clone(), r.clone(), zeros("B", &[1, 8])]),
            "tensor `B` has the shape [1, 8], but node `y` (LSTM) needs [1, 16]",
        ),
        (
            tensors(vec![w.clone(), zeros("R", &[1, 9, 2]), b.clone()]),
            "tensor `R` has the shape [1, 9, 2], but node `y` (LSTM) needs [1, 4 · units, units]",
        ),
        (
            tensors(vec![zeros("W", &[1, 8, 4]), r.clone(), b.clone()]),
            "tensor `W` has the shape [1, 8, 4], but node `y` (LSTM) needs [1, 8, 3]",
        ),
        (tensors(vec![w.clone(), r.clone(), floats("B", &[1, 16], &number)]), "tensor `B`: number 5 is NaN"),
        (
            tensors(vec![w.clone(), r.clone(), cut]),
            "not a whole .onnx file: tensor `B` [1, 16] has 60 bytes for 16 numbers of 4 bytes",
        ),
        (
            tensors(vec![w.clone(), r.clone(), huge]),
            "not a whole .onnx file: tensor `B` has the shape [1099511627776, 1099511627776]",
        ),
        (
            tensors(vec![w.clone(), r.clone(), external]),
            "tensor `B` cannot be imported: its numbers are in another file",
        ),
        (tensors(vec![w.clone(), r.clone(), half]), "tensor `B` holds float16 numbers"),
        (
            Graph {
                nodes: vec![Graph::lstm(WEIGHTS, &[]).nodes[0].clone(), node("Tanh", &["y"], &["t"], &[])],
                ..tensors(vec![w.clone(), r.clone(), b.clone()])
            },
            "node `t` (Tanh) cannot be imported: no output of the model depends on it",
        ),
        (Graph::lstm(WEIGHTS, &[]).with_input("x2", &[0, 0, 3]), "input `x2` cannot be imported: no node uses it"),
        (
            Graph { outputs: vec!["y", "x"], ..Graph::lstm(WEIGHTS, &[]) },
            "output `x` cannot be imported: a network has one, here `y`",
        ),
        (
            Graph { outputs: vec!["y2"], ..Graph::lstm(WEIGHTS, &[]) },
            "node `y` (LSTM) cannot be imported: no output of the model depends on it",
        ),
        (Graph { outputs: Vec::new(), ..Graph::lstm(WEIGHTS, &[]) }, "node `y` (LSTM) cannot be imported: no output"),
    ] {
        let found = refused(&graph.model());
        assert!(found.starts_with(message), "{found}\n{message}");
    }
    // A state may be an output beside the first one.
    let states = Graph { outputs: vec!["h", "c"], ..Graph::lstm(WEIGHTS, &[]) };
    assert_eq!(import(&states.model()).model.network.to_string(), "lstm(2)");
}

#[test]
fn a_damaged_file_is_refused() {
    let whole = golden("torch_lstm1_last.onnx");
    for length in [0, 1, 100, whole.len() / 2, whole.len() - 8, whole.len() - 1] {
        let found = refused(&whole[..length]);
        assert!(found.starts_with("not a whole .onnx file: "), "{length}: {found}");
    }
    let mut renamed = whole.clone();
    let name = b"head.bias";
    let at = renamed.windows(name.len()).rposition(|window| window == name).unwrap();
    renamed[at..at + name.len()].copy_from_slice(b"head.bios");
    assert_eq!(
        refused(&renamed),
        "tensor `head.bios` [4] cannot be imported: no node uses it; take it out of the file"
    );
    // Messages that are there twice are put together, so a tensor can be added behind the file's end.
    let added = [whole.clone(), bytes(7, bytes(5, zeros("head.scale", &[4])))].concat();
    assert_eq!(refused(&added), "tensor `head.scale` [4] cannot be imported: no node uses it; take it out of the file");

    let options = Options { model: Some("lstm(6)".into()), prefix: None };
    assert_eq!(
        from_onnx(&whole, &options).unwrap_err().to_string(),
        "--model is of no use with a model of ONNX, which says everything itself; leave it out"
    );
}

/// A model that uses its weights again and again may not become many times larger than its file.
#[test]
fn no_node_has_attributes_without_end() {
    let found = refused(&Graph::lstm(WEIGHTS, &vec![int("layout", 0); 1000]).model());
    assert_eq!(found, "not a whole .onnx file: node `y` has 1000 attributes");
}

#[test]
fn weights_are_not_multiplied_without_end() {
    let once = Graph {
        nodes: vec![node("MatMul", &["x0", "M"], &["a"], &[]), node("Add", &["a", "b"], &["z"], &[])],
        tensors: vec![zeros("M", &[400, 400]), zeros("b", &[400])],
        inputs: vec![value("x0", &[0, 400])],
        outputs: vec!["z"],
    };
    assert_eq!(import(&once.model()).model.network.to_string(), "dense(400)");

    let product = |i: usize| node("MatMul", &[&format!("x{i}"), "M"], &[&format!("x{}", i + 1)], &[]);
    let often = Graph {
        nodes: (0..40).map(product).collect(),
        tensors: vec![zeros("M", &[400, 400])],
        outputs: vec!["x40"],
        ..once
    };
    let found = refused(&often.model());
    assert_eq!(
        found,
        "a model many times larger than its file cannot be imported: give every layer weights of its own"
    );
}

// --- The conformance tests of the operators themselves

fn cases() -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/onnx");
    let mut cases: Vec<PathBuf> = std::fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    cases.retain(|path| path.is_dir());
    cases.sort();
    cases
}

/// A tensor's sizes and numbers: what these files have, as simple as they are.
fn tensor(content: &[u8]) -> (Vec<usize>, Vec<f32>) {
    let (mut shape, mut values) = (Vec::new(), Vec::new());
    let mut left = content;
    while let [key, rest @ ..] = left {
        let (&length, behind) = rest.split_first().unwrap();
        left = match (key >> 3, key & 7) {
            (1, 0) => {
                shape.push(usize::from(length));
                behind
            }
            (_, 0) => behind,
            (field, 2) => {
                // The largest has some hundred numbers.
                let (length, behind) = match length {
                    0x80.. => (usize::from(length & 0x7f) | usize::from(behind[0]) << 7, &behind[1..]),
                    _ => (usize::from(length), behind),
                };
                if field == 9 {
                    values = behind[..length].as_chunks().0.iter().map(|&bytes| f32::from_le_bytes(bytes)).collect();
                }
                &behind[length..]
            }
            other => panic!("{other:?}"),
        };
    }
    (shape, values)
}

/// They give weights as inputs, X being the first: here they are put into the model as constants, one of which overrides an input.
#[test]
fn conformance_tests_of_the_operators_pass() {
    let mut passed = 0;
    let mut worst = 0.0_f32;
    for case in cases() {
        let name = case.file_name().unwrap().to_string_lossy().into_owned();
        let data = |file: String| std::fs::read(case.join("test_data_set_0").join(file)).ok();
        let mut model = std::fs::read(case.join("model.onnx")).unwrap();
        for weights in (1..).map_while(|input| data(format!("input_{input}.pb"))) {
            model.extend(bytes(7, bytes(5, weights)));
        }
        if name == "test_lstm_with_peepholes" {
            assert_eq!(
                refused(&model),
                "node `Y_h` (LSTM), input `P` (P) cannot be imported: peepholes are not known here"
            );
            continue;
        }
        let imported = import(&model);
        let is_batch_first = name.ends_with("batchwise");
        let (shape, x) = tensor(&data("input_0.pb".into()).unwrap());
        let [first, second, size] = shape[..] else { panic!("{name}: {shape:?}") };
        let (series, steps) = if is_batch_first { (first, second) } else { (second, first) };
        // Y, where it is given, is of one time step and one direction, as is Y_h.
        let (_, y) = tensor(&data("output_0.pb".into()).unwrap());
        assert!(!is_batch_first || steps == 1);
        for (index, expected) in y.chunks_exact(imported.model.network.outputs()).enumerate() {
            let at = |step: usize| if is_batch_first { index * steps + step } else { step * series + index };
            let xs: Vec<f32> = (0..steps).flat_map(|step| &x[at(step) * size..][..size]).copied().collect();
            let difference = largest_difference(&imported, &xs, expected);
            assert!(difference <= 1e-5, "{name}: {difference:.1e}");
            worst = worst.max(difference);
        }
        passed += 1;
    }
    assert_eq!(passed, 11);
    println!("largest difference: {worst:.1e}");
}
