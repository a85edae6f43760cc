//! The program that runs a network as its const-generic type.

use gatelet::export::ExportError;
use gatelet::network::Model;
use gatelet::simd::BackendKind;

/// Its source. It reads sequences from standard input, each as the number of its values (u64) and then they (f32), and
/// writes every output (f32) to standard output: of the embedded type step by step, of it by whole sequences, and of the
/// exported source.
pub fn source(model: &Model) -> Result<String, ExportError> {
    let (inputs, outputs) = (model.network.inputs(), model.network.outputs());
    let backend = BackendKind::current();
    let network = gatelet::export::type_of(&model.network)?;
    Ok(format!(
        r#"mod exported;
use gatelet::Layer;
use std::io::{{Read, Write}};

type Net = {network};
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

fn stepped(net: &Net, sequence: &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]> {{
    let mut state = Net::ZERO_STATE;
    let mut outputs = vec![[0.0; {outputs}]; sequence.len()];
    for (x, y) in sequence.iter().zip(&mut outputs) {{
        net.step(&mut state, x, y);
    }}
    outputs
}}

fn whole(net: &Net, sequence: &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]> {{
    let mut outputs = vec![[0.0; {outputs}]; sequence.len()];
    net.run(&mut Net::ZERO_STATE.clone(), sequence, &mut outputs).unwrap();
    let last = net.run_last(&mut Net::ZERO_STATE.clone(), sequence).unwrap();
    assert_eq!(outputs.last().unwrap().map(f32::to_bits), last.map(f32::to_bits), "run and run_last");
    outputs
}}

fn main() {{
    // As the host network, which is looked at on the same backend.
    gatelet::simd::force(gatelet::simd::BackendKind::from_name("{backend}")).unwrap();
    let sequences = sequences();
    let mut stdout = std::io::stdout().lock();
    let exported = |_: &Net, sequence: &[[f32; {inputs}]]| stepped(&exported::NET, sequence);
    let ways: [&dyn Fn(&Net, &[[f32; {inputs}]]) -> Vec<[f32; {outputs}]>; 3] = [&stepped, &whole, &exported];
    for way in ways {{
        for sequence in &sequences {{
            for y in way(&NET, sequence).as_flattened() {{
                stdout.write_all(&y.to_le_bytes()).unwrap();
            }}
        }}
    }}
}}
"#
    ))
}
