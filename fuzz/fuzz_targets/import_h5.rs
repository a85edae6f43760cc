//! Promise: a damaged or hostile `.h5` model is a typed error, never a panic, and nothing is allocated that is not a small multiple
//! of the file; what can be imported can be written.
//!
//! The first byte of an input chooses what is said about the model, the rest is the file.
#![no_main]

use gatelet::import::{Options, from_h5};
use libfuzzer_sys::fuzz_target;

const MODELS: [Option<&str>; 4] = [
    None,
    Some("lstm(2, sequences), bidirectional(gru(1)), dense(1)"),
    Some("embedding(3, 2, mask_zero), simple_rnn(2, hard_sigmoid)"),
    Some("conv1d(2, 2), prelu(2), flatten(2), dense(1)"),
];

fuzz_target!(|input: &[u8]| {
    let Some((&mode, file)) = input.split_first() else { return };
    let model = MODELS[usize::from(mode % 4)].map(str::to_owned);
    let Ok(imported) = from_h5(file, &Options { model, prefix: None }) else { return };
    imported.model.to_bytes().expect("what was imported can be written");
    let network = &imported.model.network;
    if network.parameters().len() <= 4096 && network.layers().iter().all(|layer| layer.kind.state() <= 4096) {
        let inference = network.inference();
        let mut y = vec![0.0; network.outputs()];
        inference.step(&mut inference.zero_state(), &vec![0.5; network.inputs()], &mut y);
    }
});
