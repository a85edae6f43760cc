//! Promise: a damaged or hostile `.keras` model is a typed error, never a panic, and nothing is allocated that is not a small
//! multiple of the file; what can be imported can be written.
//!
//! The first byte of an input says what the rest is: the file, or, so that no checksum stands in front of them, what is in it:
//! the length of the configuration in two bytes, the configuration, and the weights.
#![no_main]

use gatelet::import::{Options, from_keras};
use libfuzzer_sys::fuzz_target;
use std::io::{Cursor, Write};
use zip::write::SimpleFileOptions;
use zip::{CompressionMethod, ZipWriter};

fuzz_target!(|input: &[u8]| {
    let Some((&mode, rest)) = input.split_first() else { return };
    let file = if mode == 0 { rest.to_vec() } else { archive(rest) };
    let Ok(imported) = from_keras(&file, &Options::default()) else { return };
    imported.model.to_bytes().expect("what was imported can be written");
    let network = &imported.model.network;
    if network.parameters().len() <= 4096 && network.layers().iter().all(|layer| layer.kind.state() <= 4096) {
        let inference = network.inference();
        let mut y = vec![0.0; network.outputs()];
        inference.step(&mut inference.zero_state(), &vec![0.5; network.inputs()], &mut y);
    }
});

fn archive(parts: &[u8]) -> Vec<u8> {
    let (length, rest) = parts.split_first_chunk().unwrap_or((&[0, 0], &[]));
    let (config, weights) = rest.split_at(rest.len().min(usize::from(u16::from_le_bytes(*length))));
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let stored = SimpleFileOptions::default().compression_method(CompressionMethod::Stored);
    for (name, content) in [
        ("metadata.json", b"{\"keras_version\": \"3.15.1\"}".as_slice()),
        ("config.json", config),
        ("model.weights.h5", weights),
    ] {
        zip.start_file(name, stored).expect("the name is new");
        zip.write_all(content).expect("memory takes it");
    }
    zip.finish().expect("memory takes it").into_inner()
}
