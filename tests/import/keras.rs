//! Keras's models: those of other people, small ones of our own, and damaged ones.

use crate::common::{difference_of_integers, difference_on_every_backend, outputs};
use gatelet::data::read_npy;
use gatelet::import::{ImportError, Imported, Options, from_h5, from_keras, import};
use gatelet::network::{Model, Network};
use hdf5_pure::{AttrValue, File, FileBuilder, FinishedGroup};
use std::collections::BTreeMap;
use std::io::{Cursor, Read, Write};
use std::path::{Path, PathBuf};
use zip::write::SimpleFileOptions;
use zip::{ZipArchive, ZipWriter};

fn model(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/models").join(file)
}

fn bytes(file: &str) -> Vec<u8> {
    std::fs::read(model(file)).unwrap()
}

fn described(description: &str) -> Options {
    Options { model: Some(description.into()), prefix: None }
}

/// Compares the outputs for each series with the reference on every backend.
fn compare(network: &Network, xs: &[Vec<f32>], ys: &[Vec<f32>], bound: f32) {
    assert!(!xs.is_empty() && xs.len() == ys.len());
    for (x, y) in xs.iter().zip(ys) {
        let difference = difference_on_every_backend(y, || outputs(network, x));
        assert!(difference <= bound, "{network}: a difference of {difference:.1e}");
        println!("{network}: largest difference {difference:.1e}");
    }
}

/// An array's first axis as a list.
fn series(file: &str) -> Vec<Vec<f32>> {
    let array = read_npy(&model(file)).unwrap();
    let size = array.values.len() / array.shape[0];
    array.values.chunks(size).map(<[f32]>::to_vec).collect()
}

#[test]
fn models_of_other_people_give_their_reference_outputs() {
    for (file, x, layers) in [
        (
            "sleepecg_bigru/ws-gru-mesa",
            "sleepecg_bigru/ws-gru-mesa.x.npy",
            "masking(-1), normalize(36), dense(64, relu), bidirectional(gru(8, sequences)), bidirectional(gru(8, sequences)), \
             dense(3, softmax)",
        ),
        (
            "sleepecg_bigru/wrn-gru-mesa",
            "sleepecg_bigru/wrn-gru-mesa.x.npy",
            "masking(-1), normalize(36), dense(64, relu), bidirectional(gru(8, sequences)), bidirectional(gru(8, sequences)), \
             dense(4, softmax)",
        ),
        (
            "sleepecg_bigru/wrn-gru-mesa-weighted",
            "sleepecg_bigru/wrn-gru-mesa-weighted.x.npy",
            "masking(-1), normalize(36), dense(64, relu), bidirectional(gru(8, sequences)), bidirectional(gru(8, sequences)), \
             dense(4, softmax)",
        ),
        (
            "ao_gait_gru/gru_model",
            "ao_gait_gru/x.npy",
            "conv1d(16, 20), average_pooling(3), gru(16, sequences), dense(2), unit_normalization",
        ),
        (
            "ao_gait_gru/gru8_model",
            "ao_gait_gru/x.npy",
            "conv1d(8, 20), average_pooling(3), gru(8), dense(2), unit_normalization",
        ),
        (
            "ao_gait_gru/gru32_model",
            "ao_gait_gru/x.npy",
            "conv1d(16, 20), average_pooling(5), gru(32), dense(2), unit_normalization",
        ),
    ] {
        let imported = import(&model(&format!("{file}.keras")), &Options::default()).unwrap();
        assert_eq!(imported.model.network.to_string(), layers, "{file}");
        assert_eq!(imported.notes, [""; 0], "{file}");
        let (xs, ys) = (series(x), series(&format!("{file}.y.npy")));
        compare(&imported.model.network, &xs, &ys, 1e-5);
        // Short vectors made longer have errors made larger.
        let bound = if file.starts_with("sleepecg") { 1e-2 } else { 5e-2 };
        let difference = difference_of_integers(&imported.model.network, &xs).unwrap();
        println!("{difference:.1e} of integers, {file}");
        assert!(difference <= bound, "{file}: {difference:.1e}");
    }
}

#[derive(serde::Deserialize)]
struct Vocabulary {
    char_to_ix: BTreeMap<char, usize>,
}

#[test]
fn a_file_of_weights_takes_a_description() {
    let file = bytes("chars2vec_lstm/weights.h5");
    let Imported { model, notes } = from_h5(&file, &described("lstm(50, sequences), lstm(50)")).unwrap();
    assert_eq!(notes, [""; 0]);
    let vocabulary: Vocabulary = serde_json::from_slice(&bytes("chars2vec_lstm/vocab.json")).unwrap();
    let words: BTreeMap<String, Vec<f32>> = serde_json::from_slice(&bytes("chars2vec_lstm/ref.json")).unwrap();
    let one_hot = |word: &String| {
        let word = word.to_lowercase();
        let rows = word.chars().map(|letter| vocabulary.char_to_ix[&letter]);
        let mut x = vec![0.0; word.len() * 59];
        rows.enumerate().for_each(|(step, letter)| x[step * 59 + letter] = 1.0);
        x
    };
    let xs: Vec<_> = words.keys().map(one_hot).collect();
    let ys: Vec<_> = words.into_values().collect();
    compare(&model.network, &xs, &ys, 1e-5);
    let difference = difference_of_integers(&model.network, &xs).unwrap();
    println!("{difference:.1e} of integers");
    assert!(difference <= 0.02, "{difference:.1e}");

    for (description, message) in [
        ("lstm(50, sequences)", "tensor `lstm_2/lstm_2/bias:0` [200] belongs to no layer of the model"),
        (
            "lstm(50), dense(50)",
            "tensor `lstm_2/lstm_2/kernel:0` has the shape [50, 200], but layer `lstm_2` (Dense) needs [50, 50]",
        ),
        (
            "lstm(50, sequences), lstm(51)",
            "tensor `lstm_2/lstm_2/kernel:0` has the shape [50, 200], but layer `lstm_2` (LSTM) needs [50, 204]",
        ),
        (
            "lstm(50, sequences), lstm(50), dense(2)",
            "--model: layer 3 is dense(2), but no more layers with weights are in the file",
        ),
        (
            "lstm(50, sequences), residual(lstm(50, sequences))",
            "--model: layer 2, residual(lstm(50, sequences)), has no counterpart",
        ),
        ("lstm(", "--model: expected the number of units"),
    ] {
        let error = from_h5(&file, &described(description)).unwrap_err().to_string();
        assert!(error.starts_with(message), "{description}: {error}");
    }
    let error = from_h5(&file, &Options::default()).unwrap_err().to_string();
    assert!(
        error.starts_with("this file has the weights of lstm_1, lstm_2, but does not say what its layers do"),
        "{error}"
    );
}

#[derive(serde::Deserialize)]
struct Answer {
    x: serde_json::Value,
    y: serde_json::Value,
}

fn numbers(value: &serde_json::Value) -> Vec<f32> {
    match value.as_array() {
        Some(values) => values.iter().flat_map(numbers).collect(),
        None => vec![value.as_f64().unwrap() as f32],
    }
}

#[test]
fn what_keras_saves_gives_its_outputs() {
    let answers: BTreeMap<String, Answer> = serde_json::from_slice(&bytes("keras/answers.json")).unwrap();
    for (file, model, layers) in [
        (
            "tokens.keras",
            None,
            "embedding(5, 3, mask_zero), bidirectional(lstm(2, sequences), merge=ave), conv1d(4, 3, dilation=2, groups=2, silu), \
             prelu(4), normalize(4), activation(elu), prelu(4), conv1d(2, 2, dilation=2, leaky_relu), flatten(6), dense(3, softmax)",
        ),
        (
            "graph.keras",
            None,
            "masking(-1), lstm(4, recurrent_activation=hard_sigmoid, sequences), dense(3, relu), gru(5), dense(2, tanh)",
        ),
        (
            "graph.h5",
            None,
            "masking(-1), lstm(4, recurrent_activation=hard_sigmoid, sequences), dense(3, relu), gru(5), dense(2, tanh)",
        ),
        (
            "stack.weights.h5",
            Some("simple_rnn(3, sequences), bidirectional(gru(2, reset_after=false), merge=sum), dense(2, softplus)"),
            "simple_rnn(3, sequences), bidirectional(gru(2, reset_after=false), merge=sum), dense(2, softplus)",
        ),
        (
            "keras2.h5",
            None,
            "lstm(3, recurrent_activation=hard_sigmoid, sequences), \
             gru(3, softsign, recurrent_activation=hard_sigmoid, reset_after=false), dense(2, hard_sigmoid)",
        ),
    ] {
        let options = Options { model: model.map(str::to_owned), prefix: None };
        let imported = import(&self::model("keras").join(file), &options).unwrap();
        assert_eq!(imported.model.network.to_string(), layers, "{file}");
        let Answer { x, y } = &answers[file];
        let series = |values: &serde_json::Value| values.as_array().unwrap().iter().map(numbers).collect::<Vec<_>>();
        compare(&imported.model.network, &series(x), &series(y), 2e-6);
    }
}

/// A tensor: its path, shape and numbers.
type Tensor = (String, Vec<u64>, Vec<f32>);

/// A Keras file in parts.
#[derive(Clone)]
struct Parts {
    /// `None` of an `.h5` file.
    members: Option<Vec<(String, Vec<u8>)>>,
    tensors: Vec<Tensor>,
    /// Attributes of groups.
    attributes: Vec<(String, String, AttrValue)>,
}

fn read_h5(file: &File) -> (Vec<Tensor>, Vec<(String, String, AttrValue)>) {
    fn walk(group: &hdf5_pure::Group, path: &str, found: &mut (Vec<Tensor>, Vec<(String, String, AttrValue)>)) {
        found.1.extend(group.attrs().unwrap().into_iter().map(|(name, value)| (path.to_owned(), name, value)));
        for (name, dataset) in group.iter_datasets().unwrap() {
            found.0.push((format!("{path}{name}"), dataset.shape().unwrap(), dataset.read_f32().unwrap()));
        }
        for (name, group) in group.iter_groups().unwrap() {
            walk(&group, &format!("{path}{name}/"), found);
        }
    }
    let mut found = (Vec::new(), Vec::new());
    walk(&file.root(), "", &mut found);
    found
}

impl Parts {
    fn of(file: &str) -> Self {
        let bytes = bytes(file);
        if file.ends_with(".h5") {
            let (tensors, attributes) = read_h5(&File::from_bytes(bytes).unwrap());
            return Parts { members: None, tensors, attributes };
        }
        let mut archive = ZipArchive::new(Cursor::new(bytes)).unwrap();
        let mut members = Vec::new();
        for name in ["config.json", "metadata.json", "model.weights.h5"] {
            let mut content = Vec::new();
            archive.by_name(name).unwrap().read_to_end(&mut content).unwrap();
            members.push((name.to_owned(), content));
        }
        let (_, weights) = members.pop().unwrap();
        let (tensors, attributes) = read_h5(&File::from_bytes(weights).unwrap());
        Parts { members: Some(members), tensors, attributes }
    }

    fn tensor(&mut self, name: &str) -> &mut Tensor {
        self.tensors.iter_mut().find(|tensor| tensor.0 == name).unwrap()
    }

    fn with(&self, change: impl FnOnce(&mut Self)) -> Self {
        let mut parts = self.clone();
        change(&mut parts);
        parts
    }

    /// With other words in its configuration.
    fn replaced(&self, from: &str, to: &str) -> Self {
        let replace = |text: &str| {
            assert!(text.contains(from), "{from}");
            text.replace(from, to)
        };
        self.with(|parts| match &mut parts.members {
            Some(members) => members[0].1 = replace(std::str::from_utf8(&members[0].1).unwrap()).into_bytes(),
            None => {
                let config = parts.attributes.iter_mut().find(|(_, name, _)| name == "model_config").unwrap();
                config.2 = AttrValue::String(replace(config.2.as_str().unwrap()));
            }
        })
    }

    fn hdf5(&self) -> Vec<u8> {
        let mut builder = FileBuilder::new();
        for (_, name, value) in self.attributes.iter().filter(|(path, ..)| path.is_empty()) {
            builder.set_attr(name, value.clone());
        }
        let mut names: Vec<_> = self.paths().filter_map(|path| path.split_once('/')).map(|(first, _)| first).collect();
        names.dedup();
        for name in names {
            let group = builder.create_group(name);
            builder.add_group(self.group(group, &format!("{name}/")));
        }
        builder.finish().unwrap()
    }

    /// Paths of tensors and of groups with attributes, in order.
    fn paths(&self) -> impl Iterator<Item = &str> {
        let tensors = self.tensors.iter().map(|(path, ..)| path.as_str());
        let mut paths: Vec<_> = tensors.chain(self.attributes.iter().map(|(path, ..)| path.as_str())).collect();
        paths.sort_unstable();
        paths.into_iter()
    }

    fn group(&self, mut group: hdf5_pure::GroupBuilder, path: &str) -> FinishedGroup {
        for (_, name, value) in self.attributes.iter().filter(|(of, ..)| of == path) {
            group.set_attr(name, value.clone());
        }
        let inside = |whole: &'_ str| whole.strip_prefix(path).map(str::to_owned);
        for (name, shape, values) in &self.tensors {
            if let Some(name) = inside(name).filter(|name| !name.contains('/')) {
                group.create_dataset(&name).with_f32_data(values).with_shape(shape);
            }
        }
        let mut names: Vec<String> =
            self.paths().filter_map(inside).filter_map(|path| Some(path.split_once('/')?.0.to_owned())).collect();
        names.dedup();
        for name in names {
            let inner = group.create_group(&name);
            group.add_group(self.group(inner, &format!("{path}{name}/")));
        }
        group.finish()
    }

    fn import(&self) -> Result<Imported, ImportError> {
        let weights = self.hdf5();
        let Some(members) = &self.members else { return from_h5(&weights, &Options::default()) };
        let mut members = members.clone();
        members.push(("model.weights.h5".into(), weights));
        from_keras(&archive(&members), &Options::default())
    }

    fn refused(&self) -> String {
        self.import().unwrap_err().to_string()
    }
}

fn archive(members: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in members {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

#[test]
fn every_tensor_of_a_file_is_used_or_named() {
    let gait = Parts::of("ao_gait_gru/gru8_model.keras");
    let graph = Parts::of("keras/graph.h5");
    for (whole, name, layer, shape, other) in [
        (&gait, "layers/gru/cell/vars/1", "layer `gru` (GRU)", vec![8, 24], vec![24, 8]),
        (
            &gait,
            "layers/batch_normalization/vars/3",
            "layer `batch_normalization` (BatchNormalization)",
            vec![8],
            vec![2, 4],
        ),
        (&gait, "layers/conv1d/vars/0", "layer `conv1d` (Conv1D)", vec![20, 2, 8], vec![20, 8, 2]),
        (&graph, "model_weights/gru/gru/gru_cell/kernel", "layer `gru` (GRU)", vec![3, 15], vec![15, 3]),
    ] {
        whole.import().unwrap();
        let renamed = whole.with(|parts| parts.tensor(name).0 += "x").refused();
        assert_eq!(renamed, format!("there is no tensor `{name}`, which {layer} needs; `--list` shows what there is"));
        let added = whole.with(|parts| parts.tensors.push((format!("{name}x"), vec![2], vec![0.0; 2]))).refused();
        assert_eq!(added, format!("tensor `{name}x` [2] belongs to no layer of the model"));
        let reshaped = whole.with(|parts| parts.tensor(name).1 = other.clone()).refused();
        assert_eq!(reshaped, format!("tensor `{name}` has the shape {other:?}, but {layer} needs {shape:?}"));
        let cut = whole.with(|parts| {
            let (_, shape, values) = parts.tensor(name);
            shape[0] -= 1;
            values.truncate(shape.iter().product::<u64>() as usize);
        });
        assert!(cut.refused().starts_with(&format!("tensor `{name}` has the shape [")), "{}", cut.refused());
        for number in [f32::NAN, f32::INFINITY] {
            let broken = whole.with(|parts| parts.tensor(name).2[3] = number).refused();
            assert_eq!(broken, format!("tensor `{name}`: number 3 is {number}"));
        }
    }
    // What training leaves behind is no part of the model.
    let trained =
        gait.with(|parts| parts.tensors.push(("layers/gru/cell/seed_generator/vars/0".into(), vec![1], vec![0.0])));
    trained.import().unwrap();
}

/// A file in which the last object has another header, which stands behind all others.
fn with_header(file: &[u8], header: &[u8]) -> Vec<u8> {
    let places = |number: usize| {
        let bytes = (number as u64).to_le_bytes();
        file.windows(8).enumerate().filter(move |(_, window)| *window == bytes).map(|(at, _)| at).collect::<Vec<_>>()
    };
    let is_header = |at: &usize| file[*at..].starts_with(&[1, 0]) && file[*at + 3..].starts_with(&[0, 1, 0, 0, 0]);
    let old = (0..file.len() - 8).step_by(8).filter(is_header).rfind(|at| places(*at).len() == 1).unwrap();
    let mut file = [file, header].concat();
    let (length, end) = (file.len() as u64, (file.len() - header.len()) as u64);
    let mut replace = |at: usize, number: u64| file[at..at + 8].copy_from_slice(&number.to_le_bytes());
    replace(places(old)[0], end);
    // The file's length, in the superblock.
    replace(40, length);
    file
}

#[test]
fn a_file_that_is_cut_off_is_damaged() {
    let keras = bytes("keras/tokens.keras");
    for length in (0..keras.len()).step_by(7) {
        let error = from_keras(&keras[..length], &Options::default()).unwrap_err().to_string();
        assert!(error.starts_with("not a whole .keras file: "), "{length}: {error}");
    }
    let h5 = bytes("keras/keras2.h5");
    // The last bytes are room that nothing has been written to.
    for length in (0..h5.len() - 64).step_by(97) {
        let error = from_h5(&h5[..length], &Options::default()).unwrap_err().to_string();
        assert!(error.starts_with("not a whole .h5 file: "), "{length}: {error}");
    }
    // A type of lists of lists of lists …, 8180 deep, which a reader that calls itself for each must not take the stack for.
    let types: Vec<u8> = [0x19, 0, 0, 0, 16, 0, 0, 0].repeat(8180);
    let layout = [8, 0, 24, 0, 0, 0, 0, 0, 3, 1];
    let mut header = vec![1, 0, 2, 0, 1, 0, 0, 0];
    header.extend((32 + 8 + types.len() as u32).to_le_bytes());
    header.extend([0, 0, 0, 0, 3, 0]);
    header.extend((types.len() as u16).to_le_bytes());
    header.extend([0, 0, 0, 0]);
    header.extend(types);
    header.extend(layout);
    header.extend([0; 22]);
    let deep = with_header(&h5, &header);
    let error = from_h5(&deep, &Options::default()).unwrap_err().to_string();
    assert!(error.starts_with("not a whole .h5 file: "), "{error}");
    // A zip that unpacks to far more than it is.
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for name in ["config.json", "metadata.json", "model.weights.h5"] {
        zip.start_file(name, SimpleFileOptions::default().compression_method(zip::CompressionMethod::Deflated))
            .unwrap();
        zip.write_all(&vec![b' '; 1 << 24]).unwrap();
    }
    let bomb = zip.finish().unwrap().into_inner();
    let error = from_keras(&bomb, &Options::default()).unwrap_err().to_string();
    assert!(error.starts_with("not a whole .keras file: config.json: more than "), "{error}");
}

#[test]
fn what_a_configuration_says_is_done_or_refused_by_name() {
    let gait = Parts::of("ao_gait_gru/gru8_model.keras");
    let graph = Parts::of("keras/graph.h5");
    let tokens = Parts::of("keras/tokens.keras");
    let keras2 = Parts::of("keras/keras2.h5");
    for (whole, from, to, message) in [
        (&gait, "\"GRU\"", "\"MGU\"", "layer `gru` (MGU) cannot be imported: there are SimpleRNN, LSTM, GRU"),
        (
            &gait,
            "\"tanh\"",
            "\"gelu\"",
            "layer `gru` (GRU), `activation`: \"gelu\" cannot be imported: there are softmax, linear, tanh",
        ),
        (&gait, "\"causal\"", "\"same\"", "layer `conv1d` (Conv1D), `padding`: same cannot be imported: causal can be"),
        (
            &gait,
            "\"causal\"",
            "\"valid\"",
            "layer `conv1d` (Conv1D), padded with 0 zeros cannot be imported: `causal`, or ZeroPadding1D((19, 0))",
        ),
        (&gait, "\"strides\": [1], \"padding\"", "\"strides\": [2], \"padding\"", "layer `conv1d` (Conv1D), `strides`"),
        (
            &gait,
            "\"pool_size\": [3]",
            "\"pool_size\": [4]",
            "layer `average_pooling1d` (AveragePooling1D), padded with 2 zeros",
        ),
        (
            &gait,
            "\"padding\": [2, 0]",
            "\"padding\": [1, 1]",
            "layer `zero_padding1d` (ZeroPadding1D), `padding`: [1, 1]",
        ),
        (&gait, "\"groups\": 1", "\"groups\": 3", "layer `conv1d` (Conv1D), 3 groups of 2 inputs and 8 filters"),
        (
            &gait,
            "\"axis\": 1}",
            "\"axis\": 0}",
            "layer `phase` (UnitNormalization), `axis`: 0 cannot be imported: the last axis can be",
        ),
        (
            &gait,
            "\"units\": 8",
            "\"units\": 1e9",
            "layer `gru` (GRU), `units`: 1000000000.0 cannot be imported: whole numbers",
        ),
        (
            &gait,
            "\"units\": 8",
            "\"units\": 1000000",
            "tensor `layers/gru/cell/vars/0` has the shape [8, 24], but layer `gru` (GRU) needs [8, 3000000]",
        ),
        (
            &gait,
            "\"reset_after\": true",
            "\"reset_after\": false",
            "tensor `layers/gru/cell/vars/2` has the shape [2, 24], but layer `gru` (GRU) needs [24]",
        ),
        (
            &gait,
            "\"unroll\": false",
            "\"projection\": 3",
            "layer `gru` (GRU), `projection`: 3 cannot be imported: it may change the outputs",
        ),
        (
            &gait,
            "\"config\": {\"name\": \"float32\"}",
            "\"config\": {\"name\": \"mixed_float16\"}",
            "layer `conv1d` (Conv1D), `dtype`: mixed_float16",
        ),
        (
            &gait,
            "\"training\": false",
            "\"training\": true",
            "layer `gru` (GRU), called with `training` cannot be imported",
        ),
        (
            &gait,
            "\"training\": false",
            "\"initial_state\": 1",
            "layer `gru` (GRU), called with `initial_state` cannot be imported",
        ),
        (
            &gait,
            "\"keras_history\": [\"gru\", 0, 0]",
            "\"keras_history\": [\"conv1d\", 0, 0]",
            "layer `batch_normalization` (BatchNormalization) and layer `dense` (Dense), both behind layer `conv1d` (Conv1D)",
        ),
        (
            &gait,
            "\"keras_history\": [\"gru\", 0, 0]",
            "\"keras_history\": [\"gru\", 0, 1]",
            "layer `dense` (Dense) with other inputs",
        ),
        (
            &gait,
            "[128, 200, 2]",
            "[128, 200, 5, 2]",
            "layer `input_layer` (InputLayer), its input's shape [128,200,5,2]",
        ),
        (&gait, "[128, 200, 2]", "[128, 200, 99999]", "the input of 99999 numbers cannot be imported"),
        (&gait, "[128, 200, 2]", "[128, 2]", "layer `conv1d` (Conv1D) on a single vector cannot be imported"),
        (
            &gait,
            "\"keras.src.models.functional\", \"class_name\": \"Functional\"",
            "\"m\", \"class_name\": \"My\"",
            "a model of the class `My` cannot be imported",
        ),
        (
            &gait,
            "\"registered_name\": null, \"name\": \"phase\"",
            "\"registered_name\": \"My>U\", \"name\": \"phase\"",
            "layer `phase` (UnitNormalization) cannot be imported: it is a program's own class",
        ),
        (&graph, "\"return_state\": true", "\"go_backwards\": true", ""),
        (&graph, "-1.0]", "-2.0]", "layer `lstm_1` (LSTM), its mask cannot be imported"),
        (
            &graph,
            "\"class_name\": \"Dropout\"",
            "\"class_name\": \"Lambda\"",
            "layer `dropout` (Lambda) cannot be imported",
        ),
        (&tokens, "\"shared_axes\": [1]", "\"shared_axes\": null", ""),
        (&tokens, "\"alpha\": 1.0", "\"alpha\": 2.0", "layer `elu` (ELU) with another alpha than 1 cannot be imported"),
        (
            &tokens,
            "\"merge_mode\": \"ave\"",
            "\"merge_mode\": \"max\"",
            "layer `bidirectional` (Bidirectional), `merge_mode`: \"max\"",
        ),
        (
            &tokens,
            "\"go_backwards\": true",
            "\"go_backwards\": false",
            "layer `bidirectional` (Bidirectional), its backward_layer (LSTM) cannot be imported",
        ),
        (
            &tokens,
            "\"batch_shape\": [null, 6]",
            "\"batch_shape\": [null, null]",
            "layer `flatten` (Flatten) of an open number of time steps",
        ),
        (
            &tokens,
            "\"class_name\": \"GaussianNoise\"",
            "\"class_name\": \"Softmax\"",
            "layer `gaussian_noise` (Softmax), `stddev`: 0.1",
        ),
        (
            &keras2,
            "\"activation\": \"tanh\"",
            "\"activation\": \"hard_sigmoid\"",
            "layer `lstm_1` (LSTM), Keras 2's hard_sigmoid cannot be imported",
        ),
        (
            &keras2,
            "\"implementation\": 1",
            "\"time_major\": true",
            "layer `lstm_1` (LSTM), `time_major`: true cannot be imported",
        ),
        (&keras2, "\"units\": 2", "\"units\": 0", "layer `dense_1` (Dense), `units`: 0 cannot be imported"),
    ] {
        match whole.replaced(from, to).import() {
            Ok(_) => assert_eq!(message, "", "{from} {to}"),
            Err(error) => {
                assert!(!message.is_empty() && error.to_string().starts_with(message), "{from} {to}\n{error}")
            }
        }
    }
    let member = |name: &str| {
        let mut members = gait.members.clone().unwrap();
        members.push(("model.weights.h5".into(), gait.hdf5()));
        members.push((name.into(), Vec::new()));
        from_keras(&archive(&members), &Options::default()).unwrap_err().to_string()
    };
    assert!(member("assets/words.txt").starts_with("`assets/words.txt` in this file cannot be imported"));
    // What no scale can undo has to be taken in by a neighbour.
    let zero = |name: &'static str| tokens.with(|parts| parts.tensor(name).2[0] = 0.0).import();
    let message = zero("layers/batch_normalization/vars/0").unwrap_err().to_string();
    assert!(message.starts_with("layer `batch_normalization` (BatchNormalization) with a gamma of zero"), "{message}");
    let stopped = gait.with(|parts| parts.tensor("layers/batch_normalization/vars/0").2[0] = 0.0);
    let network = stopped.import().unwrap().model.network;
    assert_eq!(network.parameters()[0], 0.0);
    assert!(matches!(
        from_keras(&bytes("keras/tokens.keras"), &described("dense(1)")),
        Err(ImportError::Option { .. })
    ));
}

/// The models of `examples/firmware` are these files', imported.
#[test]
fn firmware_runs_what_is_imported() {
    for (file, embedded) in [("ao_gait_gru/gru_model.keras", "gait"), ("sleepecg_bigru/ws-gru-mesa.keras", "sleep")] {
        let imported = import(&model(file), &Options::default()).unwrap().model;
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join(format!("examples/firmware/{embedded}.gatelet"));
        assert_eq!(imported.network, Model::read(&path).unwrap().network, "{file}");
    }
}
