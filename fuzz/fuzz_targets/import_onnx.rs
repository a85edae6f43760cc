//! Promise: a damaged or hostile `.onnx` model is a typed error, never a panic, and nothing is allocated that is not a small multiple
//! of the file; what can be imported can be written.
#![no_main]

use gatelet::import::{Options, from_onnx};
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(imported) = from_onnx(file, &Options::default()) else { return };
    imported.model.to_bytes().expect("what was imported can be written");
    let network = &imported.model.network;
    if network.parameters().len() <= 4096 {
        let inference = network.inference();
        let mut y = vec![0.0; network.outputs()];
        inference.step(&mut inference.initial_state(), &vec![0.5; network.inputs()], &mut y);
    }
});
