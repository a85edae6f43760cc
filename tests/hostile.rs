//! Promise: no importer allocates beyond a small multiple of a file's size, whatever the file asks for.
#![cfg(feature = "import")]

use gatelet::import::{ImportError, Imported, Options, from_json, from_keras, from_nam, from_onnx};
use std::alloc::{GlobalAlloc, Layout, System};
use std::io::{Cursor, Write};
use std::sync::atomic::{AtomicUsize, Ordering::SeqCst};
use zip::ZipWriter;
use zip::write::SimpleFileOptions;

/// Bytes that are allocated now, and the most there have been.
static NOW: AtomicUsize = AtomicUsize::new(0);
static MOST: AtomicUsize = AtomicUsize::new(0);

struct Counting;

// SAFETY: the system's allocator does it all; the counts are beside it.
unsafe impl GlobalAlloc for Counting {
    unsafe fn alloc(&self, layout: Layout) -> *mut u8 {
        MOST.fetch_max(NOW.fetch_add(layout.size(), SeqCst) + layout.size(), SeqCst);
        // SAFETY: as promised to this function.
        unsafe { System.alloc(layout) }
    }

    unsafe fn dealloc(&self, pointer: *mut u8, layout: Layout) {
        NOW.fetch_sub(layout.size(), SeqCst);
        // SAFETY: as promised to this function.
        unsafe { System.dealloc(pointer, layout) }
    }
}

#[global_allocator]
static COUNTING: Counting = Counting;

type Importer = fn(&[u8], &Options) -> Result<Imported, ImportError>;

/// The most that is allocated while a file is read, and why it is refused.
fn cost(bytes: &[u8], import: Importer) -> (usize, String) {
    let before = NOW.load(SeqCst);
    MOST.store(before, SeqCst);
    let error = import(bytes, &Options::default()).expect_err("it is refused").to_string();
    (MOST.load(SeqCst) - before, error)
}

/// A `.keras` file with these layers behind an input, deflated.
fn keras(layers: &str, inputs: usize) -> Vec<u8> {
    let input = format!(r#"{{"class_name": "InputLayer", "config": {{"batch_shape": [null, null, {inputs}]}}}}"#);
    let config = format!(r#"{{"class_name": "Sequential", "config": {{"layers": [{input}{layers}]}}}}"#);
    let weights = include_bytes!("models/keras/keras2.h5");
    let mut zip = ZipWriter::new(Cursor::new(Vec::new()));
    let members: [(&str, &[u8]); 3] = [
        ("config.json", config.as_bytes()),
        ("metadata.json", br#"{"keras_version": "3.15.0"}"#),
        ("model.weights.h5", weights),
    ];
    for (name, content) in members {
        zip.start_file(name, SimpleFileOptions::default()).unwrap();
        zip.write_all(content).unwrap();
    }
    zip.finish().unwrap().into_inner()
}

/// Tags and contents of protocol buffers.
fn field(number: u8, content: &[u8]) -> Vec<u8> {
    let mut length = content.len();
    let mut bytes = vec![number << 3 | 2];
    while length > 0x7f {
        bytes.push(length as u8 & 0x7f | 0x80);
        length >>= 7;
    }
    bytes.push(length as u8);
    [&bytes, content].concat()
}

#[test]
fn what_a_file_asks_for_is_bounded_by_its_size() {
    let nam = r#"{"version": "0.5.4", "architecture": "LSTM",
        "config": {"num_layers": 1000000000000, "input_size": 1, "hidden_size": 0}, "weights": [0.0]}"#;
    let leaks = r#", {"class_name": "LeakyReLU", "config": {}}"#.repeat(20_000);
    let nothings = format!(r#", {{"class_name": "Dense", "config": [{}0]}}"#, r#"{"":0},"#.repeat(140_000));
    let slope = r#"{"type": "prelu", "activation": "", "shape": [null, null, 16384], "weights": [[[0]]]}"#;
    let slopes = format!(r#"{{"in_shape": [null, null, 16384], "layers": [{}]}}"#, [slope; 5000].join(","));
    let node = [field(1, b"x"), field(2, b"y"), field(4, b"LSTM"), field(5, b"").repeat(1_000_000)].concat();
    // The graph, and the version of its operators.
    let onnx = [field(7, &field(1, &node)), field(8, &[0x10, 17])].concat();
    let files: [(&str, Vec<u8>, Importer, &str); 5] = [
        ("layers of nothing", nam.into(), from_nam, "`config.hidden_size`: 0"),
        ("one slope for many channels", keras(&leaks, 16384), from_keras, ""),
        ("a configuration that is deflated", keras(&nothings, 1), from_keras, ""),
        ("one slope for many channels, in JSON", slopes.into(), from_json, "a model many times larger than its file"),
        ("attributes", onnx, from_onnx, "not a whole .onnx file: node `y` has 1000000 attributes"),
    ];
    for (what, file, import, message) in files {
        let (bytes, error) = cost(&file, import);
        println!("{what}: {bytes} bytes for {}: {error}", file.len());
        assert!(error.starts_with(message), "{what}: {error}");
        // What is small is small however many times its size it is.
        assert!(bytes <= 40 * file.len() + (8 << 20), "{what}: {bytes} bytes for {}", file.len());
    }
}
