//! The program that runs a network as its const-generic type.

use gatelet::export::ExportError;
use gatelet::network::Model;
use gatelet::simd::BackendKind;

/// Its source. It reads sequences from standard input, each as the number of its values (u64) and then they (f32), and
/// writes outputs (f32) to standard output: of the embedded type step by step, of it by whole sequences, and of the exported
/// source. `sequences` are those that it will read; where a layer sees whole ones, it has room for the longest.
pub fn source(model: &Model, sequences: &[Vec<f32>]) -> Result<String, ExportError> {
    let network = &model.network;
    let (inputs, outputs) = (network.inputs(), network.outputs());
    let backend = BackendKind::current();
    let name = gatelet::export::type_of(network)?;
    let most = sequences.iter().map(|sequence| sequence.len() / inputs).max().unwrap_or(0);
    let (layer, ways) = if network.is_causal() {
        ("Layer", streaming(inputs, outputs))
    } else {
        ("SequenceLayer", whole(inputs, outputs, most, network.gives_sequence()))
    };
    Ok(format!(
        r#"mod exported;
use gatelet::{layer};
use std::io::{{Read, Write}};

type Net = {name};
static NET: Net = gatelet::embed!("model.gatelet");

fn sequences() -> Vec<Vec<[f32; {inputs}]>> {{
    let mut bytes = Vec::new();
    std::io::stdin().read_to_end(&mut bytes).unwrap();
    let mut rest = &bytes[..];
    let mut sequences = Vec::new();
    while let Some((length, values)) = rest.split_first_chunk::<8>() {{
        let (values, next) = values.split_at(4 * u64::from_le_bytes(*length) as usize);
        let values: Vec<f32> = values.as_chunks::<4>().0.iter().map(|&word| f32::from_le_bytes(word)).collect();
        sequences.push(values.as_chunks::<{inputs}>().0.to_vec());
        rest = next;
    }}
    sequences
}}

{ways}

fn main() {{
    // As the host network, which is looked at on the same backend.
    gatelet::simd::force(gatelet::simd::BackendKind::from_name("{backend}")).unwrap();
    let sequences = sequences();
    let mut stdout = std::io::stdout().lock();
    for (way, net) in WAYS {{
        for sequence in &sequences {{
            for y in way(net, sequence).as_flattened() {{
                stdout.write_all(&y.to_le_bytes()).unwrap();
            }}
        }}
    }}
}}
"#
    ))
}

/// The ways of a network that goes step by step.
fn streaming(inputs: usize, outputs: usize) -> String {
    format!(
        r#"type Way = fn(&Net, &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]>;
const WAYS: [(Way, &Net); 3] = [(stepped, &NET), (whole, &NET), (stepped, &exported::NET)];

fn stepped(net: &Net, sequence: &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]> {{
    let mut state = net.initial_state();
    let mut outputs = vec![[0.0; {outputs}]; sequence.len()];
    for (x, y) in sequence.iter().zip(&mut outputs) {{
        net.step(&mut state, x, y);
    }}
    outputs
}}

fn whole(net: &Net, sequence: &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]> {{
    let mut outputs = vec![[0.0; {outputs}]; sequence.len()];
    net.run(&mut net.initial_state(), sequence, &mut outputs).unwrap();
    let last = net.run_last(&mut net.initial_state(), sequence).unwrap();
    assert_eq!(outputs.last().unwrap().map(f32::to_bits), last.map(f32::to_bits), "run and run_last");
    outputs
}}"#
    )
}

/// The ways of a network that sees whole sequences, of `most` time steps.
fn whole(inputs: usize, outputs: usize, most: usize, gives_sequence: bool) -> String {
    let run = if gives_sequence {
        format!(
            "let mut outputs = vec![[0.0; {outputs}]; sequence.len()];
    net.run_sequence::<{most}>(&mut net.initial_state(), sequence, &mut outputs).unwrap();
    outputs"
        )
    } else {
        format!("vec![net.last::<{most}>(&mut net.initial_state(), sequence).unwrap()]")
    };
    format!(
        r#"type Way = fn(&Net, &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]>;
const WAYS: [(Way, &Net); 2] = [(whole, &NET), (whole, &exported::NET)];

fn whole(net: &Net, sequence: &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]> {{
    {run}
}}"#
    )
}
