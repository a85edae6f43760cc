//! Promise: a damaged or hostile `.safetensors` file is a typed error, never a panic, and nothing is allocated that is not a small
//! multiple of the file; what can be imported can be written.
//!
//! The first byte of an input chooses what is said about the model, the rest is the file.
#![no_main]

use gatelet::export::to_safetensors;
use gatelet::import::{Options, from_safetensors};
use libfuzzer_sys::fuzz_target;

const MODELS: [Option<&str>; 6] = [
    None,
    Some("lstm(2, sequences), lstm(2), dense(2, softmax)"),
    Some("simple_rnn(1, relu)"),
    Some("gru(2), dense(1)"),
    Some("flatten(2), dense(1)"),
    Some("embedding(3, 2), conv1d(2, 2, groups=2), prelu(2), bidirectional(gru(1)), activation(tanh), dense(1)"),
];

fuzz_target!(|input: &[u8]| {
    let Some((&mode, file)) = input.split_first() else { return };
    let model = MODELS[usize::from(mode) % MODELS.len()].map(str::to_owned);
    let prefix = (mode >= 128).then(|| "model".to_owned());
    let Ok(imported) = from_safetensors(file, &Options { model, prefix }) else { return };
    imported.model.to_bytes().expect("what was imported can be written");
    let network = &imported.model.network;
    if let Ok(exported) = to_safetensors(network) {
        let again = from_safetensors(&exported, &Options::default()).expect("what was exported can be imported");
        assert_eq!(&again.model.network, network);
    }
    // A convolution may look far back.
    let state: usize = network.layers().iter().map(|layer| layer.kind.state()).sum();
    if network.parameters().len() <= 4096 && state <= 4096 {
        let inference = network.inference();
        let mut y = vec![0.0; network.outputs()];
        inference.step(&mut inference.zero_state(), &vec![0.5; network.inputs()], &mut y);
    }
});
