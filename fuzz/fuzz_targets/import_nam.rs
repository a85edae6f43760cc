//! Promise: a damaged or hostile `.nam` model is a typed error, never a panic, and nothing is allocated that is not a small multiple
//! of the file; what can be imported can be written, and begins with a state of its own.
#![no_main]

use gatelet::import::{Options, from_nam};
use gatelet::network::Model;
use libfuzzer_sys::fuzz_target;

fuzz_target!(|file: &[u8]| {
    let Ok(imported) = from_nam(file, &Options::default()) else { return };
    let bytes = imported.model.to_bytes().expect("what was imported can be written");
    assert_eq!(Model::from_bytes(&bytes).expect("what was written can be read").network, imported.model.network);
    let network = &imported.model.network;
    let inference = network.inference();
    let mut y = vec![0.0; network.outputs()];
    inference.step(&mut inference.initial_state(), &vec![0.5; network.inputs()], &mut y);
});
