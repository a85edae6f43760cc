//! `gatelet import`, and what the other commands make of its model.

use crate::folder::Folder;
use std::collections::BTreeMap;
use std::fmt::Write;
use std::path::Path;

const STATE_DICT: &[u8] = include_bytes!("../golden/pytorch.safetensors");

#[derive(serde::Deserialize)]
struct Answers {
    x: Vec<Vec<Vec<f32>>>,
    y: Vec<Vec<Vec<f32>>>,
}

#[test]
fn an_imported_model_predicts_what_pytorch_does() {
    let answers: Answers = serde_json::from_str(include_str!("../golden/pytorch.json")).unwrap();
    let mut csv = "id,a,b,c\n".to_owned();
    for (series, steps) in answers.x.iter().enumerate() {
        for step in steps {
            writeln!(csv, "{series},{},{},{}", step[0], step[1], step[2]).unwrap();
        }
    }
    let folder = Folder::new().with("model.safetensors", STATE_DICT).with("x.csv", csv);
    let (status, results, notes) = folder.run("import model.safetensors --out m.gatelet");
    assert_eq!((status, &*results), (0, ""), "{notes}");
    assert_eq!(
        notes,
        "note: `fc`, Linear(9, 4): unless --model says otherwise, no activation behind it\n\
         note: `rnn`, l1, LSTM(9, 9): unless --model says otherwise, an output for every time step\n\
         wrote m.gatelet: lstm(9, sequences), lstm(9, sequences), dense(4)\n"
    );
    let predicted = folder.results("predict m.gatelet --input x.csv --series id");
    let rows: Vec<Vec<f32>> = predicted
        .lines()
        .skip(1)
        .map(|line| line.rsplit(',').take(4).map(|cell| cell.parse().unwrap()).collect())
        .collect();
    let expected = answers.y.concat();
    assert_eq!(rows.len(), expected.len(), "{predicted}");
    for (row, expected) in rows.iter().zip(&expected) {
        for (found, expected) in row.iter().rev().zip(expected) {
            assert!((found - expected).abs() <= 2e-6, "{found} instead of {expected}");
        }
    }
}

/// An embedding, a convolution and layers that go both ways, as a description puts them together.
#[test]
fn a_described_model_predicts_what_pytorch_does() {
    #[derive(serde::Deserialize)]
    struct Answers {
        x: Vec<Vec<u8>>,
        y: Vec<Vec<f32>>,
    }
    let answers: Answers = serde_json::from_str(include_str!("../golden/pytorch_tagger.json")).unwrap();
    let mut csv = "id,token\n".to_owned();
    for (series, tokens) in answers.x.iter().enumerate() {
        tokens.iter().for_each(|token| writeln!(csv, "{series},{token}").unwrap());
    }
    let folder = Folder::new()
        .with("model.safetensors", include_bytes!("../golden/pytorch_tagger.safetensors"))
        .with("x.csv", csv);
    let model = "embedding(11, 6), conv1d(8, 3, dilation=2, groups=2), prelu(8), bidirectional(gru(5, sequences)), \
                 bidirectional(gru(5, sequences)), last, activation(tanh), dense(3, softmax)";
    let (status, _, notes) = folder.run(&format!("import model.safetensors --model '{model}' -o m.gatelet"));
    assert_eq!((status, notes), (0, format!("wrote m.gatelet: {model}\n")));
    let predicted = folder.results("predict m.gatelet --input x.csv --series id");
    let rows: Vec<Vec<f32>> = predicted
        .lines()
        .skip(1)
        .map(|line| line.split(',').skip(1).map(|cell| cell.parse().unwrap()).collect())
        .collect();
    assert_eq!(rows.len(), answers.y.len(), "{predicted}");
    for (found, expected) in rows.concat().iter().zip(answers.y.concat()) {
        assert!((found - expected).abs() <= 2e-6, "{found} instead of {expected}");
    }
}

#[test]
fn a_model_of_rtneural_is_described_and_listed() {
    let folder = Folder::new().with("lstm.json", include_bytes!("../golden/rtneural/lstm.json"));
    let (status, results, notes) = folder.run("import lstm.json --out m.gatelet");
    let described = "wrote m.gatelet: dense(8, tanh), lstm(8, sequences), dense(1)\n";
    assert_eq!((status, &*results, &*notes), (0, "", described));
    assert_eq!(
        folder.results("import --list lstm.json").lines().next(),
        Some("layers[0] (time-distributed-dense), weights[0]  [1, 8]  number")
    );
}

#[test]
fn models_of_rtneural_predict_what_their_tests_expect() {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/golden/rtneural");
    let shipped = |file: &str| std::fs::read(models.join(file)).unwrap();
    let last = |line: &str| line.rsplit(',').next().unwrap().parse::<f32>().unwrap();
    for name in ["conv", "dense", "gru", "gru_1d", "gru_torch", "lstm", "lstm_1d", "lstm_torch"] {
        let [x, y] = ["x", "y"].map(|end| String::from_utf8(shipped(&format!("{name}_{end}_python.csv"))).unwrap());
        let folder =
            Folder::new().with("model.json", shipped(&format!("{name}.json"))).with("x.csv", format!("x\n{x}"));
        folder.results("import model.json --out m.gatelet");
        let predicted = folder.results("predict m.gatelet --input x.csv");
        let found: Vec<f32> = predicted.lines().skip(1).map(last).collect();
        let expected: Vec<f32> = y.lines().map(last).collect();
        assert_eq!(found.len(), expected.len(), "{name}");
        assert!(found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() <= 1e-5), "{name}");
    }
}

/// From the model's own initial state on.
#[test]
fn a_model_of_neural_amp_modeler_predicts_its_reference() {
    let folder = Folder::new()
        .with("lstm.nam", include_bytes!("../models/nam/lstm.nam"))
        .with("x.npy", include_bytes!("../models/nam/lstm.x.npy"))
        .with("expected.npy", include_bytes!("../models/nam/lstm.y.npy"));
    assert_eq!(folder.results("import --list lstm.nam"), "weights (LSTM)  [70]  number\n");
    let (status, _, notes) = folder.run("import lstm.nam --out m.gatelet");
    let described = "note: it is for 48000 samples per second\n\
                     wrote m.gatelet: initial_state(lstm(3, sequences)), dense(1)\n";
    assert_eq!((status, &*notes), (0, described));
    folder.results("predict m.gatelet --input x.npy --output y.npy");
    let [found, expected] = ["y.npy", "expected.npy"].map(|name| gatelet::data::read_npy(&folder.path(name)).unwrap());
    assert_eq!(found.shape, expected.shape);
    assert!(found.values.iter().zip(&expected.values).all(|(found, expected)| (found - expected).abs() <= 1e-5));
}

/// What the model predicts for a file of `tests/models`, and what it should.
fn predicted(model: &str, options: &str, x: &str, y: &str) -> (Vec<f32>, Vec<f32>) {
    let shipped =
        |file: &str| std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(file)).unwrap();
    let name = Path::new(model).file_name().unwrap().to_str().unwrap();
    let folder = Folder::new().with(name, shipped(model)).with("x.npy", shipped(x)).with("expected.npy", shipped(y));
    let (status, results, notes) = folder.run(&format!("import {name} {options} --out m.gatelet"));
    assert_eq!((status, &*results), (0, ""), "{notes}");
    folder.results("predict m.gatelet --input x.npy --output y.npy");
    let [found, expected] = ["y.npy", "expected.npy"].map(|file| gatelet::data::read_npy(&folder.path(file)).unwrap());
    assert_eq!(found.shape, expected.shape, "{model}");
    (found.values, expected.values)
}

#[test]
fn models_of_keras_predict_what_keras_does() {
    let of = |folder: &str, name: &str, x: &str| [".keras", x, ".y.npy"].map(|end| format!("{folder}/{name}{end}"));
    let mut models: Vec<[String; 3]> = ["ws-gru-mesa", "wrn-gru-mesa", "wrn-gru-mesa-weighted"]
        .into_iter()
        .map(|name| of("sleepecg_bigru", name, ".x.npy"))
        .collect();
    models.extend(["gru_model", "gru8_model", "gru32_model"].map(|name| {
        let [model, _, y] = of("ao_gait_gru", name, "");
        [model, "ao_gait_gru/x.npy".into(), y]
    }));
    for [model, x, y] in &models {
        let (found, expected) = predicted(model, "", x, y);
        assert!(found.iter().zip(&expected).all(|(found, expected)| (found - expected).abs() <= 1e-5), "{model}");
    }
}

#[test]
fn weights_of_keras_alone_predict_what_keras_does() {
    let shipped = |file: &str| {
        std::fs::read(Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models/chars2vec_lstm").join(file)).unwrap()
    };
    let vocabulary: serde_json::Value = serde_json::from_slice(&shipped("vocab.json")).unwrap();
    let words: BTreeMap<String, Vec<f32>> = serde_json::from_slice(&shipped("ref.json")).unwrap();
    let mut csv = "word".to_owned();
    (0..59).for_each(|input| write!(csv, ",x{input}").unwrap());
    for word in words.keys() {
        for letter in word.to_lowercase().chars() {
            let letter = vocabulary["char_to_ix"][letter.to_string()].as_u64().unwrap();
            write!(csv, "\n{word}").unwrap();
            (0..59).for_each(|input| write!(csv, ",{}", u8::from(input == letter)).unwrap());
        }
    }
    let folder = Folder::new().with("weights.h5", shipped("weights.h5")).with("x.csv", csv);
    let error = folder.error(2, "import weights.h5 --out m.gatelet");
    assert!(error.starts_with("weights.h5: this file has the weights of lstm_1, lstm_2, but does not say"), "{error}");
    assert_eq!(folder.results("import --list weights.h5").lines().next(), Some("lstm_1/lstm_1/bias:0  [200]  f32"));
    folder.results("import weights.h5 --model 'lstm(50, sequences), lstm(50)' --out m.gatelet");
    let predicted = folder.results("predict m.gatelet --input x.csv --series word");
    assert_eq!(predicted.lines().count(), 1 + words.len());
    for line in predicted.lines().skip(1) {
        let (word, outputs) = line.split_once(',').unwrap();
        let outputs: Vec<f32> = outputs.split(',').map(|cell| cell.parse().unwrap()).collect();
        assert_eq!(outputs.len(), 50);
        assert!(outputs.iter().zip(&words[word]).all(|(found, expected)| (found - expected).abs() <= 1e-5), "{word}");
    }
}

#[test]
fn an_onnx_model_predicts_what_onnxruntime_does() {
    #[derive(serde::Deserialize)]
    struct Answers {
        x: Vec<Vec<Vec<f32>>>,
        y: serde_json::Value,
    }
    let answers = include_str!("../golden/onnx/answers.json");
    let mut answers: BTreeMap<String, Answers> = serde_json::from_str(answers).unwrap();
    for (name, file, layers) in [
        (
            "torch_gru2_batch_first_last",
            &include_bytes!("../golden/onnx/torch_gru2_batch_first_last.onnx")[..],
            "gru(7, sequences), gru(7), dense(4, softmax)",
        ),
        (
            "torch_lstm2_both_batch_first_last",
            include_bytes!("../golden/onnx/torch_lstm2_both_batch_first_last.onnx"),
            "bidirectional(lstm(6, sequences)), bidirectional(lstm(6, sequences)), last, dense(4, softmax)",
        ),
        (
            "lstm_bidirectional_initial",
            include_bytes!("../golden/onnx/lstm_bidirectional_initial.onnx"),
            "initial_state(bidirectional(lstm(5, sequences)))",
        ),
    ] {
        let Answers { x, y } = answers.remove(name).unwrap();
        let mut csv = "id,a,b,c\n".to_owned();
        for (series, step) in x.iter().enumerate().flat_map(|(id, steps)| steps.iter().map(move |step| (id, step))) {
            writeln!(csv, "{series},{},{},{}", step[0], step[1], step[2]).unwrap();
        }
        let folder = Folder::new().with("model.onnx", file).with("x.csv", csv);
        let (status, results, notes) = folder.run("import model.onnx --out m.gatelet");
        assert_eq!((status, &*results, notes), (0, "", format!("wrote m.gatelet: {layers}\n")));
        let predicted = folder.results("predict m.gatelet --input x.csv --series id");
        // One row for each list of numbers, outputs in the last columns.
        fn rows(value: &serde_json::Value) -> Vec<Vec<f64>> {
            let list = value.as_array().unwrap();
            match list[0].as_f64() {
                Some(_) => vec![list.iter().map(|number| number.as_f64().unwrap()).collect()],
                None => list.iter().flat_map(rows).collect(),
            }
        }
        let expected = rows(&y);
        assert_eq!(predicted.lines().count(), 1 + expected.len(), "{name}\n{predicted}");
        for (line, expected) in predicted.lines().skip(1).zip(&expected) {
            for (cell, expected) in line.rsplit(',').zip(expected.iter().rev()) {
                assert!((cell.parse::<f64>().unwrap() - expected).abs() <= 2e-6, "{name}: {line}\n{expected}");
            }
        }
    }
    let folder = Folder::new()
        .with("model.onnx", include_bytes!("../golden/onnx/torch_gru2_batch_first_last.onnx"))
        .with("unrolled.onnx", include_bytes!("../golden/onnx/unrolled.onnx"));
    assert_eq!(folder.results("import --list model.onnx").lines().next(), Some("head.weight  [4, 7]  float"));
    let error = folder.error(1, "import unrolled.onnx --out m.gatelet");
    assert!(error.starts_with("unrolled.onnx: node `node_"), "{error}");
    let error = folder.error(1, "import model.onnx --prefix head --out m.gatelet");
    assert!(error.starts_with("model.onnx: --prefix is of no use with a model of ONNX"), "{error}");
}

#[test]
fn a_description_says_what_the_file_does_not() {
    let folder = Folder::new().with("model.safetensors", STATE_DICT);
    let model = "lstm(9, sequences), lstm(9), dense(4, softmax)";
    let (status, _, notes) = folder.run(&format!("import model.safetensors --model '{model}' -o m.gatelet"));
    assert_eq!((status, notes), (0, format!("wrote m.gatelet: {model}\n")));
}

#[test]
fn a_list_has_every_tensor() {
    let folder = Folder::new().with("model.safetensors", STATE_DICT);
    let list = folder.results("import --list model.safetensors");
    assert_eq!(list.lines().count(), 10);
    assert_eq!(list.lines().next(), Some("fc.bias  [4]  f32"));
    assert_eq!(list.lines().last(), Some("rnn.weight_ih_l1  [36, 9]  f32"));
    assert_eq!(folder.files(), ["model.safetensors"]);
}

#[test]
fn what_cannot_be_imported_leaves_nothing_behind() {
    let folder = Folder::new()
        .with("model.safetensors", STATE_DICT)
        .with("cut.safetensors", &STATE_DICT[..2000])
        .with("cut.nam", &include_bytes!("../models/nam/lstm.nam")[..2000])
        .with("wavenet.nam", r#"{"version": "0.5.4", "architecture": "WaveNet", "config": {}, "weights": []}"#)
        .with("m.pt", "");
    let files = folder.files();
    for (status, arguments, message) in [
        (1, "import cut.safetensors -o m.gatelet", "cut.safetensors: not a whole .safetensors file: "),
        (1, "import cut.nam -o m.gatelet", "cut.nam: not a whole .nam file: "),
        (1, "import wavenet.nam -o m.gatelet", "wavenet.nam: `architecture`: WaveNet cannot be imported: "),
        (1, "import --list cut.safetensors", "cut.safetensors: not a whole .safetensors file: "),
        (1, "import none.safetensors -o m.gatelet", "cannot read none.safetensors: "),
        (1, "import model.safetensors -o none/m.gatelet", "--out none/m.gatelet: there is no folder none"),
        (
            1,
            "import model.safetensors --prefix encoder -o m.gatelet",
            "model.safetensors: there is no tensor `encoder.…`",
        ),
        (
            2,
            "import m.pt -o m.gatelet",
            "`m.pt` is not the name of a file that can be imported: PyTorch's own files hold programs",
        ),
        (2, "import m -o m.gatelet", "`m` is not the name of a file that can be imported: there are .keras, .h5"),
        (
            2,
            "import model.safetensors --model 'lstm(9), dense(4)' -o m.gatelet",
            "model.safetensors: --model: `rnn`, l1, LSTM(9, 9) is in",
        ),
        (2, "import model.safetensors --model 'lstm(9' -o m.gatelet", "model.safetensors: --model: "),
        (2, "import model.safetensors", "the following required arguments were not provided:\n  --out <FILE>"),
    ] {
        let error = folder.error(status, arguments);
        assert!(error.starts_with(message), "gatelet {arguments}\n{error}");
        assert_eq!(folder.files(), files, "gatelet {arguments}");
    }
}
