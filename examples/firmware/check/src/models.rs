//! Other people's models: the board's outputs beside the host's, and the host's beside the reference.

use crate::Promises;
use model::models::{gait, precise, sleep};
use std::collections::BTreeMap;
use std::error::Error;

/// What outputs may differ by from those of the framework that a model comes from.
const BOUND: f32 = 1e-5;

/// Compares what `models` prints with what is computed here.
pub fn check(output: &str, promises: &mut Promises) -> Result<(), Box<dyn Error>> {
    let mut figures = BTreeMap::new();
    for line in output.lines() {
        let (name, value) = line.rsplit_once(' ').ok_or("a line of `models` is no figure")?;
        figures.insert(name, value.parse::<u64>()?);
    }
    let figure = |model: &str, what: &str| figures.get(&*format!("{model} {what}")).copied();
    println!("{:<16}{:>14}{:>8}{:>8}{:>8}", "model", "instructions", "weights", "state", "stack");
    for model in ["precise", "gait", "sleep"] {
        let figures = ["instructions", "weights", "state", "stack"].map(|what| figure(model, what).unwrap_or_default());
        let [instructions, weights, state, stack] = figures;
        println!("{model:<16}{instructions:>14}{weights:>8}{state:>8}{stack:>8}");
    }
    println!();

    let (precise, gait, sleep) = (precise(), gait(), sleep());
    for (model, checksum) in [("precise", precise.checksum()), ("gait", gait.checksum()), ("sleep", sleep.checksum())] {
        let found = figure(model, "checksum");
        promises.keep(found == Some(checksum.into()), &format!("{model}: the host's bits in every output"));
    }
    let references: [(&str, &[f32], &[u8]); 3] = [
        ("precise", &precise.outputs[28], include_bytes!("../../../../tests/models/precise_vad_gru/y.npy")),
        ("gait", gait.outputs.as_flattened(), include_bytes!("../../../../tests/models/ao_gait_gru/gru_model.y.npy")),
        (
            "sleep",
            sleep.outputs.as_flattened(),
            include_bytes!("../../../../tests/models/sleepecg_bigru/ws-gru-mesa.y.npy"),
        ),
    ];
    for (model, outputs, npy) in references {
        promises.keep(is_near(outputs, npy), &format!("{model}: the reference outputs to {BOUND:e}"));
    }
    Ok(())
}

/// Whether these are the first numbers of an array of `<f4` in an `.npy` file.
fn is_near(outputs: &[f32], npy: &[u8]) -> bool {
    let header = 10 + usize::from(u16::from_le_bytes([npy[8], npy[9]]));
    let expected = npy[header..].as_chunks::<4>().0.iter().map(|&bytes| f32::from_le_bytes(bytes));
    expected.len() >= outputs.len() && outputs.iter().zip(expected).all(|(y, expected)| (y - expected).abs() <= BOUND)
}
