//! Promise: a damaged or foreign model file is a typed error, never a panic and never a wrong answer.
//!
//! The first byte of an input says what to do with the rest, which is the file: bit 0 repairs what guards it, so that its
//! content is looked at, and bit 1 makes the lengths of its sections add up as well.
#![no_main]

use core::fmt::Debug;
use gatelet::format::{crc32, open};
use gatelet::network::Model;
use gatelet::quant;
use gatelet::{Dense, Gru, Layer, Lstm, Normalize, ReadInto, Residual, Softmax, Vector, chain};
use libfuzzer_sys::fuzz_target;

type Deep = chain!(Normalize<2>, Gru<2, 3>, Residual<Gru<3, 3, false>>, Lstm<3, 2>, Dense<2, 2, Softmax>);
type Flat = Dense<2, 1>;
type Integers = chain!(
    quant::Quantize<2>,
    quant::Lstm<2, 5>,
    quant::Gru<5, 3>,
    quant::Gru<3, 2, false>,
    quant::Dense<2, 2, Softmax>,
    quant::Dequantize<2>
);
type Others = chain!(
    quant::Quantize<1>,
    quant::Embedding<5, 3, true>,
    quant::Residual<quant::InitialState<quant::Gru<3, 3>>, 3>,
    quant::Conv1d<3, 4, 2, gatelet::Relu, 2>,
    quant::AveragePooling<4, 3>,
    quant::Prelu<4>,
    quant::Activate<4, gatelet::Tanh>,
    quant::Dequantize<4>
);

fuzz_target!(|input: &[u8]| {
    let Some((mode, file)) = input.split_first() else { return };
    let mut file = file.to_vec();
    if mode & 1 != 0 {
        repair(&mut file, mode & 2 != 0);
    }

    if let Ok(container) = open(&file) {
        let labels = container.labels();
        assert_eq!(labels.count(), labels.len());
    }

    let model = Model::from_bytes(&file).ok();
    if let Some(model) = &model {
        let written = model.to_bytes().expect("what could be read can be written");
        assert_eq!(&Model::from_bytes(&written).expect("what was written can be read"), model);
    }

    let outputs = model.as_ref().and_then(step);
    read_and_step::<Deep>(&file, outputs.as_deref());
    read_and_step::<Flat>(&file, outputs.as_deref());
    read_and_step::<Integers>(&file, outputs.as_deref());
    read_and_step::<Others>(&file, outputs.as_deref());
});

/// Makes a file's magic, version, length and checksum right and, with `sections`, its metadata what the other sections leave.
fn repair(file: &mut [u8], sections: bool) {
    const HEADER: usize = 40;
    let Some(body) = file.len().checked_sub(HEADER) else { return };
    let mut write = |at: usize, bytes: &[u8]| file[at..at + bytes.len()].copy_from_slice(bytes);
    write(0, b"GATELET\0");
    write(8, &1_u32.to_le_bytes());
    write(12, &((HEADER + body) as u32).to_le_bytes());
    if sections {
        let length = |at: usize| u32::from_le_bytes([file[at], file[at + 1], file[at + 2], file[at + 3]]) as usize;
        let metadata = body.saturating_sub(length(24)).saturating_sub(length(32));
        file[36..HEADER].copy_from_slice(&(metadata as u32).to_le_bytes());
    }
    let checksum = crc32(&file[20..]);
    file[16..20].copy_from_slice(&checksum.to_le_bytes());
}

/// One step of a model, if it is small; a sequence must not panic either.
fn step(model: &Model) -> Option<Vec<f32>> {
    let network = &model.network;
    let integers: usize = (0..network.layers().len()).map(|layer| network.integers(layer).len()).sum();
    if network.parameters().len() + integers > 4096 {
        return None;
    }
    let inference = network.inference();
    let mut y = vec![0.0; network.outputs()];
    inference.step(&mut inference.zero_state(), &vec![0.5; network.inputs()], &mut y);
    let last = inference.run_last(&mut inference.initial_state(), &vec![-1.0; 3 * network.inputs()]);
    assert_eq!(last.map(|y| y.len()), Some(network.outputs()));
    Some(y)
}

/// Reads a file into a type; `outputs` are those of the same file's run-time network.
fn read_and_step<N>(file: &[u8], outputs: Option<&[f32]>)
where
    N: ReadInto + Layer<Input: Vector<Number = f32>, Output: Vector<Number = f32>> + PartialEq + Debug,
{
    let mut net = N::EMPTY;
    if net.read_into(file).is_err() {
        assert_eq!(net, N::EMPTY, "a refused file has left something behind");
        return;
    }
    let (mut x, mut y) = (N::Input::ZERO, N::Output::ZERO);
    x.as_mut_slice().fill(0.5);
    net.step(&mut N::ZERO_STATE.clone(), &x, &mut y);
    for (y, output) in y.as_slice().iter().zip(outputs.unwrap_or(y.as_slice())) {
        assert!(y.to_bits() == output.to_bits() || y.is_nan() && output.is_nan(), "{y} and {output}");
    }
}
