//! RTNeural's models.

use crate::common::{difference_of_integers, difference_on_every_backend};
use crate::refused_json;
use gatelet::import::{Options, from_json};

/// A model of RTNeural's own tests, its inputs and TensorFlow's or PyTorch's outputs.
macro_rules! rtneural {
    ($name:literal) => {
        [
            include_str!(concat!("../golden/rtneural/", $name, ".json")),
            include_str!(concat!("../golden/rtneural/", $name, "_x_python.csv")),
            include_str!(concat!("../golden/rtneural/", $name, "_y_python.csv")),
        ]
    };
}

#[test]
fn models_of_rtneural_give_the_outputs_of_its_tests() {
    for ([model, x, y], description, notes) in [
        (rtneural!("lstm"), "dense(8, tanh), lstm(8, sequences), dense(1)", 0),
        (rtneural!("lstm_1d"), "lstm(8, sequences), dense(1)", 0),
        (rtneural!("gru"), "dense(8, tanh), gru(8, sequences), dense(8, sigmoid), dense(1)", 0),
        (rtneural!("gru_1d"), "gru(8, sequences), dense(8, sigmoid), dense(1)", 0),
        (
            rtneural!("dense"),
            "dense(8, tanh), dense(8, relu), dense(8, elu), dense(8, softmax), dense(1), dense(8), dense(8), dense(1)",
            0,
        ),
        (
            rtneural!("conv"),
            "dense(8, tanh), conv1d(4, 3, tanh), normalize(4), prelu(4), conv1d(4, 1, tanh), \
             conv1d(6, 3, dilation=2, groups=2, tanh), normalize(6), prelu(6), dense(1, sigmoid)",
            0,
        ),
        (
            rtneural!("lstm_torch"),
            "lstm(8, sequences), lstm(8, sequences), lstm(8, sequences), lstm(8, sequences), dense(1)",
            3,
        ),
        (
            rtneural!("gru_torch"),
            "gru(8, sequences), gru(8, sequences), gru(8, sequences), gru(8, sequences), dense(1)",
            3,
        ),
    ] {
        let numbers = |text: &str| text.lines().map(|line| line.parse().unwrap()).collect::<Vec<f32>>();
        let imported = from_json(model.as_bytes(), &Options::default()).unwrap();
        assert_eq!(imported.model.network.to_string(), description);
        assert_eq!(imported.notes.len(), notes, "{:?}", imported.notes);
        let (xs, expected) = (numbers(x), numbers(y));
        let inference = imported.model.network.inference();
        let error = difference_on_every_backend(&expected, || {
            let mut ys = vec![0.0; xs.len()];
            inference.run(&mut inference.zero_state(), &xs, &mut ys);
            ys
        });
        println!("{error:.1e} {description}");
        assert!(error <= 1e-5, "{description}: {error}");
        match difference_of_integers(&imported.model.network, &[xs]) {
            Ok(difference) => {
                println!("{difference:.1e} of integers");
                assert!(difference <= 0.03, "{description}: {difference:.1e} of integers");
            }
            Err(error) if description.contains("elu)") => {
                assert_eq!(
                    error.to_string(),
                    "layer 3: there is no integer dense of this activation: tanh, sigmoid, hard_sigmoid, relu, softmax and linear have one"
                );
            }
            Err(error) => {
                assert!(description.contains("normalize(4), prelu(4)"), "{description}: {error}");
                assert_eq!(
                    error.to_string(),
                    "layer 3: there is no integer normalize here: no layer beside it can take it in; leave it out, or put it at the beginning"
                );
            }
        }
    }
}

#[test]
fn the_order_that_is_assumed_is_said() {
    let [model, ..] = rtneural!("lstm_torch");
    let notes = from_json(model.as_bytes(), &Options::default()).unwrap().notes;
    assert_eq!(notes[0], "unless --model says otherwise, the order `lstm`, `lstm2`, `dense`");
}

#[test]
fn a_model_of_rtneural_that_does_not_fit_is_refused_by_name() {
    assert_eq!(
        refused_json(include_str!("../golden/rtneural/bad_lstm.json")),
        "tensor `layers[0] (lstm), kernel` has the shape [1, 80], but 16 units on 1 inputs needs [1, 64]"
    );
    let full = from_json(include_bytes!("../golden/rtneural/full_model.json"), &Options::default()).unwrap();
    assert_eq!(
        full.model.network.to_string(),
        "dense(8, tanh), conv1d(4, 3, dilation=2, tanh), gru(8, sequences), dense(1)"
    );
    let layer = |layer: &str| format!(r#"{{"in_shape": [null, null, 2], "layers": [{layer}]}}"#);
    let dense = r#"{"type": "dense", "activation": "", "shape": [null, null, 1], "weights": [[[1], [2]], [3]]}"#;
    let whole = layer(dense);
    let imported = from_json(whole.as_bytes(), &Options::default()).unwrap();
    assert_eq!(imported.model.network.parameters(), [1.0, 2.0, 3.0]);
    for (from, to, message) in [
        ("[3]", "[3, 4]", "tensor `layers[0] (dense), bias` has the shape [2], but 1 units on 2 inputs needs [1]"),
        (", [3]", "", ""),
        (", [3]", ", [3], [4]", "layers[0] (dense) with 3 arrays of weights cannot be imported: it has 2"),
        ("[3]", "[1e39]", "tensor `layers[0] (dense), bias`: number 0 is "),
        ("[3]", "[NaN]", "not a whole .json file: "),
        ("[3]", "[[3], 4]", "not a whole .json file: a number beside a list at line 1 column "),
        ("[3]", "[4, [3]]", "not a whole .json file: a list beside a number at line 1 column "),
        ("[[1], [2]]", "[[1], [2, 3]]", "not a whole .json file: a list of 2 beside one of 1 at line 1 column "),
        ("[[1], [2]]", "[[], []]", "tensor `layers[0] (dense), kernel` has the shape [2, 0], but"),
        ("[3]", "[\"3\"]", "not a whole .json file: invalid type: string \"3\", expected numbers, or lists of them at"),
        ("\"weights\"", "\"wieghts\"", "not a whole .json file: unknown field `wieghts`, expected one of `type`"),
        (
            "\"shape\"",
            "\"dilation\": 2, \"shape\"",
            "layers[0] (dense), `dilation` cannot be imported: no such layer has it",
        ),
        ("\"dense\"", "\"prelu\"", "layers[0] (prelu) of 1 outputs on 2 inputs cannot be imported"),
        ("\"dense\"", "\"conv2d\"", "layers[0] (conv2d) cannot be imported: there are lstm, gru, dense"),
        ("\"activation\": \"\"", "\"activation\": \"gelu\"", "layers[0] (dense), activation `gelu` cannot be imported"),
        (
            "\"in_shape\"",
            "\"in_skip\": 1, \"in_shape\"",
            "`in_skip` cannot be imported: a program does it around the network",
        ),
        (
            "null, null, 2",
            "null, null, 3",
            "tensor `layers[0] (dense), kernel` has the shape [2, 1], but 1 units on 3 inputs",
        ),
        (
            "null, null, 2",
            "null, 5, 2",
            "layers[0] (dense) with another number of time steps than `in_shape` cannot be imported: RTNeural's layers are causal",
        ),
        ("null, null, 2", "null, 5, 2, 1", "in_shape: [null,5,2,1] cannot be imported"),
        (
            "null, null, 1",
            "null, null, 4611686018427387904",
            "tensor `layers[0] (dense), kernel` has the shape [2, 1], but",
        ),
    ] {
        assert_eq!(whole.matches(from).count(), 1, "{from}");
        let changed = whole.replace(from, to);
        match from_json(changed.as_bytes(), &Options::default()) {
            Ok(_) => assert_eq!(message, "", "{changed}"),
            Err(error) => assert!(!message.is_empty() && error.to_string().starts_with(message), "{changed}\n{error}"),
        }
    }
    let activation = |name: &str| {
        format!(r#"{{"type": "activation", "activation": "{name}", "shape": [null, null, 1], "weights": []}}"#)
    };
    let both = layer(&format!("{dense}, {}, {}", activation("tanh"), activation("relu")));
    let network = from_json(both.as_bytes(), &Options::default()).unwrap().model.network;
    assert_eq!(network.to_string(), "dense(1, tanh), activation(relu)");
    assert_eq!(
        refused_json(&layer(&activation("tanh"))),
        "layers[0] (activation) of 1 outputs on 2 inputs cannot be imported: it has to have as many"
    );
    assert!(refused_json(&layer(&activation("gelu")).replace("null, 2", "null, 1")).contains("activation `gelu`"));
    assert_eq!(refused_json(&layer("")), "a network needs at least one layer");
    // One slope for each of many channels, many times.
    let prelu = r#"{"type": "prelu", "activation": "", "shape": [null, null, 16384], "weights": [[[0]]]}"#;
    let many = format!(r#"{{"in_shape": [null, null, 16384], "layers": [{}]}}"#, [prelu; 40].join(", "));
    assert!(refused_json(&many).starts_with("a model many times larger than its file cannot be imported"));
    let beside = whole.replace("\"in_shape\"", "\"author\": \"me\", \"in_shape\"");
    let notes = from_json(beside.as_bytes(), &Options::default()).unwrap().notes;
    assert_eq!(notes, ["`author` is no part of the network"]);
    let options = Options { model: Some("dense(1)".into()), prefix: None };
    let message = from_json(whole.as_bytes(), &options).unwrap_err().to_string();
    assert!(message.starts_with("--model is of no use with a model of RTNeural"), "{message}");
    // Cut off anywhere.
    for length in 0..whole.len() {
        assert!(refused_json(&whole[..length]).starts_with("not a whole .json file"), "{length}");
    }
}

/// Each kind of layer with what may be wrong about it.
#[test]
fn convolutions_and_normalisations_are_whole_or_refused_by_name() {
    let conv = r#"{"type": "conv1d", "activation": "relu", "shape": [null, null, 2], "kernel_size": [2], "dilation": [3],
        "groups": 2, "weights": [[[[1, 2]], [[3, 4]]], [5, 6]]}"#;
    let norm = r#"{"type": "batchnorm", "activation": "", "shape": [null, null, 2], "epsilon": 1,
        "weights": [[1, 2], [3, 4], [5, 6], [3, 8]]}"#;
    let prelu = r#"{"type": "prelu", "activation": "", "shape": [null, null, 2], "weights": [[[0.5, 2]]]}"#;
    let whole = |layer: &str| format!(r#"{{"in_shape": [null, null, 2], "layers": [{layer}]}}"#);
    let read = |text: &str| from_json(text.as_bytes(), &Options::default()).unwrap().model.network;
    for (layer, description, parameters) in [
        (conv, "conv1d(2, 2, dilation=3, groups=2, relu)", vec![1.0, 2.0, 3.0, 4.0, 5.0, 6.0]),
        // x / 2 - 5 / 2 + 3, and 2 x / 3 - 4 + 4.
        (norm, "normalize(2)", vec![-1.0, 0.0, 0.5, 2.0 / 3.0]),
        (prelu, "prelu(2)", vec![0.5, 2.0]),
    ] {
        let network = read(&whole(layer));
        assert_eq!((network.to_string(), network.parameters()), (description.into(), &parameters[..]));
    }
    for (layer, from, to, description, parameters) in [
        (
            conv,
            r#""groups": 2, "weights": [[[[1, 2]], [[3, 4]]]"#,
            r#""weights": [[[[1, 2], [7, 8]], [[3, 4], [9, 0]]]"#,
            "conv1d(2, 2, dilation=3, relu)",
            vec![1.0, 2.0, 7.0, 8.0, 3.0, 4.0, 9.0, 0.0, 5.0, 6.0],
        ),
        (conv, r#", [5, 6]"#, "", "conv1d(2, 2, dilation=3, groups=2, relu)", vec![1.0, 2.0, 3.0, 4.0, 0.0, 0.0]),
        (norm, "[[1, 2], [3, 4], ", "[", "normalize(2)", vec![5.0, 6.0, 0.5, 1.0 / 3.0]),
        // Without a slope there is no offset that would give 3.
        (norm, "[1, 2]", "[0, 2]", "conv1d(2, 1, groups=2)", vec![0.0, 2.0 / 3.0, 3.0, 0.0]),
        (prelu, "[0.5, 2]", "[0.5]", "prelu(2)", vec![0.5, 0.5]),
    ] {
        assert_eq!(layer.matches(from).count(), 1, "{from}");
        let network = read(&whole(&layer.replace(from, to)));
        assert_eq!((network.to_string(), network.parameters()), (description.into(), &parameters[..]));
    }
    for (layer, from, to, message) in [
        (
            conv,
            "[2]",
            "[3]",
            "tensor `layers[0] (conv1d), kernel` has the shape [2, 1, 2], but 2 units on 2 inputs in 2 groups needs [3, 1, 2]",
        ),
        (conv, "[2]", "[2, 1]", "layers[0] (conv1d), `kernel_size` of 2 sizes cannot be imported: it has one"),
        (conv, r#""kernel_size": [2], "#, "", "layers[0] (conv1d) without `kernel_size` cannot be imported"),
        (conv, r#""dilation": [3]"#, r#""dilation": [0]"#, "layer 1: the dilation is 0"),
        (conv, r#""dilation": [3]"#, r#""strides": [2]"#, "not a whole .json file: unknown field `strides`"),
        (conv, r#""groups": 2"#, r#""groups": 0"#, "tensor `layers[0] (conv1d), kernel` has the shape [2, 1, 2], but"),
        (conv, r#""groups": 2"#, r#""groups": -2"#, "not a whole .json file: "),
        (
            conv,
            "[5, 6]",
            "[5, 6, 7]",
            "tensor `layers[0] (conv1d), bias` has the shape [3], but 2 units on 2 inputs in 2 groups needs [2]",
        ),
        (conv, "[5, 6]", "[5, NaN]", "not a whole .json file: "),
        (conv, "[5, 6]", "[5, 1e999]", "not a whole .json file: number out of range"),
        (conv, "[5, 6]", "[5, 1e39]", "tensor `layers[0] (conv1d), bias`: number 1 is "),
        (conv, "[5, 6]", "[5, 6], [7]", "layers[0] (conv1d) with 3 arrays of weights cannot be imported: it has 2"),
        (conv, "relu", "softmax", "layers[0] (conv1d), activation `softmax` cannot be imported"),
        (norm, r#""epsilon": 1,"#, "", "layers[0] (batchnorm) without `epsilon` cannot be imported"),
        (
            norm,
            r#""epsilon": 1"#,
            r#""epsilon": -3"#,
            "layers[0] (batchnorm): a variance of 3 with an epsilon of -3 cannot be imported",
        ),
        (norm, "[3, 8]", "[3]", "tensor `layers[0] (batchnorm), variance` has the shape [1], but 2 inputs needs [2]"),
        (norm, "[5, 6], ", "", "layers[0] (batchnorm) with 3 arrays of weights cannot be imported: it has 4"),
        (
            norm,
            r#""""#,
            r#""tanh""#,
            "layers[0] (batchnorm), activation `tanh` cannot be imported: RTNeural does not look at it",
        ),
        (norm, "null, null, 2", "null, null, 3", "layers[0] (batchnorm) of 3 outputs on 2 inputs cannot be imported"),
        (
            prelu,
            "[[0.5, 2]]",
            "[[0.5, 2], [1, 1]]",
            "tensor `layers[0] (prelu), slopes` has the shape [2, 2], but 2 inputs needs [1, 2]",
        ),
        (prelu, "[[[0.5, 2]]]", "[]", "layers[0] (prelu) with 0 arrays of weights cannot be imported: it has 1"),
        (
            prelu,
            r#""shape""#,
            r#""epsilon": 1, "shape""#,
            "layers[0] (prelu), `epsilon` cannot be imported: no such layer has it",
        ),
    ] {
        assert!(layer.matches(from).count() >= 1, "{from}");
        let found = refused_json(&whole(&layer.replacen(from, to, 1)));
        assert!(found.starts_with(message), "{found}\n{message}");
    }
    // One slope is not made a hundred million.
    let wide = whole(prelu).replace("null, 2", "null, 100000000").replace("[0.5, 2]", "[0.5]");
    assert!(refused_json(&wide).contains("the number of inputs is 100000000"), "{}", refused_json(&wide));
}
