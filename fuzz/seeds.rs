//! Writes the seeds of the fuzz targets to `corpus/`: `cargo run --bin seeds` in the folder `fuzz`. Those of `import_json` and `import_nam`
//! are text, written by hand, those of `import_onnx` are files of `tests/golden/onnx`.

use gatelet::export::to_safetensors;
use gatelet::network::{LayerKind, Model, Network};
use std::error::Error;
use std::path::Path;

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

    // The first byte is what the target `read` does to the file: nothing, repair it, repair it with its sections.
    for (name, first, model) in
        [("deep", 0, deep), ("flat", 1, flat), ("others", 3, others), ("layers", 1, layers), ("tokens", 3, tokens)]
    {
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
    Ok(())
}

fn write(target: &str, name: &str, first: u8, file: &[u8]) -> Result<(), Box<dyn Error>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus").join(target);
    std::fs::create_dir_all(&folder)?;
    Ok(std::fs::write(folder.join(name), [&[first], file].concat())?)
}
