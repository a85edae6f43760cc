//! RTNeural's models.

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
        let mut ys = vec![0.0; xs.len()];
        inference.run(&mut inference.zero_state(), &xs, &mut ys);
        for (y, expected) in ys.iter().zip(&expected) {
            assert!((y - expected).abs() <= 1e-5, "{description}: {y} instead of {expected}");
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
    assert_eq!(
        refused_json(include_str!("../golden/rtneural/full_model.json")),
        "layers[1] (conv1d) cannot be imported: there are lstm, gru, dense, time-distributed-dense and activation"
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
        ("\"dense\"", "\"prelu\"", "layers[0] (prelu) cannot be imported"),
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
        ("null, null, 2", "null, 5, 2", "in_shape: [null,5,2] cannot be imported"),
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
    assert!(
        refused_json(&both).starts_with("layers[2] (activation) cannot be imported: it can stand behind a dense layer")
    );
    assert!(refused_json(&layer(&activation("tanh"))).starts_with("layers[0] (activation) cannot be imported"));
    assert_eq!(refused_json(&layer("")), "a network needs at least one layer");
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
