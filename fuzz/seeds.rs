//! Writes the seeds of the fuzz target `read` to `corpus/read`: `cargo run --bin seeds` in the folder `fuzz`.

use gatelet::network::{LayerKind, Model, Network};
use std::error::Error;
use std::path::Path;

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

    // The first byte is what the target does to the file: nothing, repair it, repair it with its sections.
    for (name, first, model) in [("deep", 0, deep), ("flat", 1, flat), ("others", 3, others)] {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("corpus/read").join(name);
        std::fs::write(path, [&[first], &model.to_bytes()?[..]].concat())?;
    }
    Ok(())
}
