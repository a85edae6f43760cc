//! Writes the seeds of the fuzz targets to `corpus/`: `cargo run --bin seeds` in the folder `fuzz`. Those of `import_json` and `import_nam`
//! are text, written by hand, those of `import_onnx` are files of `tests/golden/onnx`.

use gatelet::export::to_safetensors;
use gatelet::import::{Options, from_h5, from_keras};
use gatelet::network::{LayerKind, Model, Network};
use gatelet::quantize::quantize;
use hdf5_pure::{AttrValue, FileBuilder, FinishedGroup, GroupBuilder};
use std::collections::BTreeSet;
use std::error::Error;
use std::io::{Cursor, Write};
use std::path::Path;
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// What the target `import_safetensors` says of a model, too.
const TAGGER: &str =
    "embedding(3, 2), conv1d(2, 2, groups=2), prelu(2), bidirectional(gru(1)), activation(tanh), dense(1)";

fn main() -> Result<(), Box<dyn Error>> {
    // The two types of the target …
    let description = "gru(3, sequences), residual(gru(3, reset_after=false, sequences)), lstm(2), dense(2, softmax)";
    let normalize = LayerKind::Normalize { size: 2 }.into();
    let network = Network::describe(2, description)?.initialized(1);
    let mut deep = Model::new(network.with_layer(0, normalize, &[0.5, -0.5, 2.0, 3.0])?);
    deep.labels = vec!["걷기".into(), "run".into()];
    deep.metadata.data = Some(Default::default());
    deep.metadata.training = Some(Default::default());
    deep.metadata.metrics.insert("val_accuracy".into(), 0.875);
    let flat = Model::new(Network::describe(2, "dense(1)")?.initialized(1));

    // … and what else a file can hold.
    let description =
        "simple_rnn(2, relu, sequences), lstm(2, softsign, recurrent_activation=hard_sigmoid), dense(1, elu)";
    let others = Model::new(Network::describe(1, description)?.initialized(1));

    let description = "masking(-1), conv1d(4, 2, dilation=3, groups=2), average_pooling(2), unit_normalization, \
        residual(initial_state(bidirectional(gru(2, sequences)))), prelu(4), initial_state(lstm(2, sequences, go_backwards)), \
        activation(tanh), bidirectional(simple_rnn(2), merge=none)";
    let layers = Model::new(Network::describe(2, description)?.initialized(1));
    let tokens = Model::new(Network::describe(1, "embedding(5, 2, mask_zero), flatten(3)")?.initialized(1));

    let description = "lstm(5, sequences), gru(3, sequences), gru(2, reset_after=false, sequences), dense(2, softmax)";
    let network = Network::describe(2, description)?.initialized(1);
    let data: Vec<f32> = (0..40).map(|i| (i as f32).sin()).collect();
    let integers = Model::new(quantize(&network, &[&data], &Default::default())?.network);

    let description = "embedding(5, 3, mask_zero), residual(initial_state(gru(3, sequences))), conv1d(4, 2, dilation=2, relu), \
        average_pooling(3), prelu(4), activation(tanh)";
    let network = Network::describe(1, description)?.initialized(1);
    let data: Vec<f32> = (0..40).map(|i| (i * i % 5) as f32).collect();
    let integer_layers = Model::new(quantize(&network, &[&data], &Default::default())?.network);

    let description = "masking(-1), residual(bidirectional(lstm(2, sequences), merge=mul)), \
        initial_state(lstm(2, sequences, go_backwards, zero_output_for_mask)), flatten(2), dense(1)";
    let network = Network::describe(2, description)?.initialized(1);
    let data: Vec<f32> = (0..40).map(|i| (i as f32).sin()).collect();
    let integer_sequences = Model::new(quantize(&network, &[&data], &Default::default())?.network);

    // The first byte is what the target `read` does to the file: nothing, repair it, repair it with its sections.
    for (name, first, model) in [
        ("deep", 0, deep),
        ("flat", 1, flat),
        ("others", 3, others),
        ("layers", 1, layers),
        ("tokens", 3, tokens),
        ("integers", 1, integers),
        ("integer_layers", 1, integer_layers),
        ("integer_sequences", 1, integer_sequences),
    ] {
        write("read", name, first, &model.to_bytes()?)?;
    }

    // The first byte is what the target `import_safetensors` says about the model: nothing, or a description. A file of another
    // program says nothing about its layers.
    for (name, first, inputs, description, foreign) in [
        ("deep", 1, 2, "lstm(2, sequences), lstm(2, sequences), dense(2)", true),
        ("rnn", 2, 1, "simple_rnn(1, sequences)", true),
        ("gru", 0, 3, "gru(2, sequences), dense(1)", true),
        ("own", 0, 2, "lstm(2), dense(2, relu), dense(2, softmax)", false),
        ("both", 0, 2, "bidirectional(lstm(1, sequences)), bidirectional(gru(1, sequences))", true),
        ("tagger", 5, 1, TAGGER, true),
        ("flat", 4, 4, "dense(1)", true),
    ] {
        let mut bytes = to_safetensors(&Network::describe(inputs, description)?.initialized(1))?;
        let own = b"\"gatelet\"";
        let at = bytes.windows(own.len()).position(|window| window == own).expect("the header has it");
        if foreign {
            // Of the same length, so that the header's stays.
            bytes[at..at + own.len()].copy_from_slice(b"\"program\"");
        }
        write("import_safetensors", name, first, &bytes)?;
    }
    keras()
}

/// A tensor: its path and its shape. The numbers do not matter.
type Tensor = (&'static str, &'static [u64]);

fn keras() -> Result<(), Box<dyn Error>> {
    let models = Path::new(env!("CARGO_MANIFEST_DIR")).join("../tests/models/keras");
    // As Keras has saved them.
    write("import_keras", "tokens", 0, &std::fs::read(models.join("tokens.keras"))?)?;
    write("import_h5", "keras2", 0, &std::fs::read(models.join("keras2.h5"))?)?;

    // In parts: a configuration with few of a layer's options, which have usual values.
    let layer = |class: &str, config: &str| {
        let name = class.to_lowercase();
        format!(r#"{{"class_name": "{class}", "config": {{"name": "{name}", {config}}}}}"#)
    };
    let sequential = |layers: &[String]| {
        let layers = layers.join(", ");
        format!(r#"{{"class_name": "Sequential", "config": {{"layers": [{layers}]}}}}"#)
    };
    let recurrent = sequential(&[
        layer("InputLayer", r#""batch_shape": [null, null, 2]"#),
        layer("Masking", r#""mask_value": -1.0"#),
        layer("BatchNormalization", r#""axis": -1, "epsilon": 0.001"#),
        layer("GRU", r#""units": 1, "return_sequences": true, "reset_after": true"#),
        layer(
            "Bidirectional",
            r#""merge_mode": "sum", "layer": {"class_name": "LSTM", "config": {"units": 1, "go_backwards": false}}"#,
        ),
        layer("Dense", r#""units": 2, "activation": "softmax""#),
    ]);
    let causal = sequential(&[
        layer("InputLayer", r#""batch_shape": [null, 3]"#),
        layer("Embedding", r#""input_dim": 2, "output_dim": 2"#),
        layer("Conv1D", r#""filters": 2, "kernel_size": [2], "padding": "causal", "groups": 2"#),
        layer("PReLU", r#""shared_axes": [1]"#),
        layer("ZeroPadding1D", r#""padding": [1, 0]"#),
        layer("AveragePooling1D", r#""pool_size": [2], "strides": [1]"#),
        layer("Flatten", r#""data_format": "channels_last""#),
    ]);
    let input = r#"["inputlayer", 0, 0]"#;
    let dense = layer("Dense", r#""units": 1"#);
    let dense =
        dense.trim_end_matches('}').to_owned() + &format!(r#"}}, "name": "dense", "inbound_nodes": [[{input}]]}}"#);
    let start = layer("InputLayer", r#""batch_shape": [null, 1]"#)
        .replace("}}", r#"}, "name": "inputlayer", "inbound_nodes": []}"#);
    let graph = format!(
        r#"{{"class_name": "Functional", "config": {{"layers": [{start}, {dense}], "input_layers": {input}, "output_layers": ["dense", 0, 0]}}}}"#
    );
    let files: [(&str, &str, &[Tensor]); 3] = [
        (
            "recurrent",
            &recurrent,
            &[
                ("layers/batch_normalization/vars/0", &[2]),
                ("layers/batch_normalization/vars/1", &[2]),
                ("layers/batch_normalization/vars/2", &[2]),
                ("layers/batch_normalization/vars/3", &[2]),
                ("layers/gru/cell/vars/0", &[2, 3]),
                ("layers/gru/cell/vars/1", &[1, 3]),
                ("layers/gru/cell/vars/2", &[2, 3]),
                ("layers/bidirectional/backward_layer/cell/vars/0", &[1, 4]),
                ("layers/bidirectional/backward_layer/cell/vars/1", &[1, 4]),
                ("layers/bidirectional/backward_layer/cell/vars/2", &[4]),
                ("layers/bidirectional/forward_layer/cell/vars/0", &[1, 4]),
                ("layers/bidirectional/forward_layer/cell/vars/1", &[1, 4]),
                ("layers/bidirectional/forward_layer/cell/vars/2", &[4]),
                ("layers/dense/vars/0", &[1, 2]),
                ("layers/dense/vars/1", &[2]),
            ],
        ),
        (
            "causal",
            &causal,
            &[
                ("layers/embedding/vars/0", &[2, 2]),
                ("layers/conv1d/vars/0", &[2, 1, 2]),
                ("layers/conv1d/vars/1", &[2]),
                ("layers/p_re_lu/vars/0", &[1, 2]),
            ],
        ),
        ("graph", &graph, &[("layers/dense/vars/0", &[1, 1]), ("layers/dense/vars/1", &[1])]),
    ];
    for (name, config, tensors) in files {
        let length = u16::try_from(config.len())?.to_le_bytes();
        let parts = [&length[..], config.as_bytes(), &*hdf5(tensors, &[])?].concat();
        from_keras(&zipped(config, &hdf5(tensors, &[])?)?, &Options::default())?;
        write("import_keras", name, 1, &parts)?;
    }

    let whole: &[(&str, &str)] = &[
        ("model_config", &graph),
        ("keras_version", "2.4.0"),
        ("model_weights/layer_names", "dense"),
        ("model_weights/dense/weight_names", "dense/kernel:0 dense/bias:0"),
    ];
    let tensors: &[Tensor] =
        &[("model_weights/dense/dense/kernel:0", &[1, 1]), ("model_weights/dense/dense/bias:0", &[1])];
    let whole = hdf5(tensors, whole)?;
    from_h5(&whole, &Options::default())?;
    write("import_h5", "whole", 0, &whole)?;
    let weights = hdf5(
        &[
            ("rnn/k/kernel", &[2, 2]),
            ("rnn/k/recurrent_kernel", &[2, 2]),
            ("rnn/k/bias", &[2]),
            ("words/w/embeddings", &[3, 2]),
        ],
        &[
            ("layer_names", "words rnn"),
            ("words/weight_names", "w/embeddings"),
            ("rnn/weight_names", "k/kernel k/recurrent_kernel k/bias"),
        ],
    )?;
    let model = Some("embedding(3, 2, mask_zero), simple_rnn(2, hard_sigmoid)".into());
    from_h5(&weights, &Options { model, prefix: None })?;
    write("import_h5", "weights", 2, &weights)
}

fn zipped(config: &str, weights: &[u8]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    for (name, content) in
        [("metadata.json", b"{}".as_slice()), ("config.json", config.as_bytes()), ("model.weights.h5", weights)]
    {
        zip.start_file(name, SimpleFileOptions::default())?;
        zip.write_all(content)?;
    }
    Ok(zip.finish()?.into_inner())
}

/// A file with these tensors and attributes; lists of names are words.
fn hdf5(tensors: &[Tensor], attributes: &[(&str, &str)]) -> Result<Vec<u8>, Box<dyn Error>> {
    let mut builder = FileBuilder::new();
    let value = |name: &str, value: &str| match name.ends_with("names") {
        true => AttrValue::StringArray(value.split(' ').map(str::to_owned).collect()),
        false => AttrValue::String(value.into()),
    };
    for (name, text) in attributes.iter().filter(|(name, _)| !name.contains('/')) {
        builder.set_attr(name, value(name, text));
    }
    let inside = |path: &str| groups(tensors, attributes, path);
    fn fill(
        mut group: GroupBuilder,
        path: &str,
        tensors: &[Tensor],
        attributes: &[(&str, &str)],
        value: &dyn Fn(&str, &str) -> AttrValue,
    ) -> FinishedGroup {
        for (name, text) in attributes {
            if let Some(own) = name.strip_prefix(path).filter(|own| !own.contains('/')) {
                group.set_attr(own, value(own, text));
            }
        }
        for (name, shape) in tensors {
            if let Some(own) = name.strip_prefix(path).filter(|own| !own.contains('/')) {
                let numbers = vec![0.5; shape.iter().product::<u64>() as usize];
                group.create_dataset(own).with_f32_data(&numbers).with_shape(shape);
            }
        }
        for name in groups(tensors, attributes, path) {
            let inner = group.create_group(&name);
            group.add_group(fill(inner, &format!("{path}{name}/"), tensors, attributes, value));
        }
        group.finish()
    }
    for name in inside("") {
        let group = builder.create_group(&name);
        builder.add_group(fill(group, &format!("{name}/"), tensors, attributes, &value));
    }
    Ok(builder.finish()?)
}

/// The groups in the one of this path.
fn groups(tensors: &[Tensor], attributes: &[(&str, &str)], path: &str) -> BTreeSet<String> {
    let paths = tensors.iter().map(|(path, _)| *path).chain(attributes.iter().map(|(path, _)| *path));
    paths.filter_map(|whole| Some(whole.strip_prefix(path)?.split_once('/')?.0.to_owned())).collect()
}

fn write(target: &str, name: &str, first: u8, file: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(name), [&[first], file].concat())?)
}
