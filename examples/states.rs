//! Sequences and states: what Keras's `return_sequences`, `return_state`, `initial_state` and `stateful` are here.
//!
//! A layer never holds a state. It is a value of the caller's, who gives it to every call and finds it changed afterwards:
//! [`Layer::run`] gives all outputs, [`Layer::run_last`] only the last one, and either leaves the final state behind.
//!
//! `cargo run --example states`. Comments show the Keras line that a line stands for; Keras's shapes begin with a batch of 1.

use gatelet::{Gru, HiddenState, Layer, Lstm, LstmState, SimpleRnn};
use std::fmt::Debug;

const STEPS: usize = 4;
const INPUTS: usize = 2;
const UNITS: usize = 3;

type Outputs = [f32; UNITS];
/// A state's vectors with their names: h, and c if there is one.
type Parts = Vec<(&'static str, Outputs)>;

/// Weights `[k][gate][unit]` without a pattern, from -½ to ½.
fn random<const K: usize, const GATES: usize>(seed: usize) -> [[[f32; UNITS]; GATES]; K] {
    let number = |i: usize| (i as f32 * 0.618_034).fract() - 0.5;
    let row = |i: usize| std::array::from_fn(|unit| number(seed + i * UNITS + unit));
    std::array::from_fn(|k| std::array::from_fn(|gate| row(k * GATES + gate)))
}

fn shape(sizes: &[usize]) -> String {
    let sizes: Vec<_> = sizes.iter().map(usize::to_string).collect();
    format!("({})", sizes.join(", "))
}

fn bits(outputs: &[Outputs]) -> Vec<u32> {
    outputs.as_flattened().iter().map(|y| y.to_bits()).collect()
}

/// The lesson on one layer. `parts` takes its state apart.
fn lesson<L>(name: &str, layer: &L, xs: &[[f32; INPUTS]; STEPS], parts: fn(&L::State) -> Parts)
where
    L: Layer<Input = [f32; INPUTS], Output = Outputs, State: PartialEq + Debug>,
{
    let shapes = |state| -> Vec<_> {
        parts(state).iter().map(|(name, part)| format!("{name} {}", shape(&[part.len()]))).collect()
    };

    // y = LSTM(3)(x)                                                        (1, 3)
    let mut state = L::ZERO_STATE;
    let last = layer.run_last(&mut state, xs).expect("there is a time step");
    println!("{name}: x {}", shape(&[xs.len(), xs[0].len()]));
    println!("  neither                        y {}", shape(&[last.len()]));

    // y = LSTM(3, return_sequences=True)(x)                                 (1, 4, 3)
    let mut state = L::ZERO_STATE;
    let mut all = [[0.0; UNITS]; STEPS];
    layer.run(&mut state, xs, &mut all).expect("there is an output for each input");
    println!("  return_sequences               y {}", shape(&[all.len(), all[0].len()]));
    assert_eq!(bits(&all[STEPS - 1..]), bits(&[last]), "the last of all outputs is the last output");

    // y, h, c = LSTM(3, return_state=True)(x)                               (1, 3) each; SimpleRNN and GRU have no c
    let mut state = L::ZERO_STATE;
    let last = layer.run_last(&mut state, xs).expect("there is a time step");
    println!("  return_state                   y {}, {}", shape(&[last.len()]), shapes(&state).join(", "));
    let (_, h) = parts(&state)[0];
    assert_eq!(bits(&[last]), bits(&[h]), "the last output is h");

    // y, h, c = LSTM(3, return_sequences=True, return_state=True)(x)        (1, 4, 3), then (1, 3) each
    let mut final_state = L::ZERO_STATE;
    layer.run(&mut final_state, xs, &mut all).expect("there is an output for each input");
    let sizes = shape(&[all.len(), all[0].len()]);
    println!("  return_sequences, return_state y {sizes}, {}", shapes(&final_state).join(", "));
    assert_eq!(final_state, state, "the state does not depend on which outputs one wants");

    // y, h, c = layer(x[:, :1])
    // rest = layer(x[:, 1:], initial_state=[h, c])
    let (first, rest) = xs.split_at(1);
    let mut state = L::ZERO_STATE;
    let mut parted = [[0.0; UNITS]; STEPS];
    layer.run(&mut state, first, &mut parted[..1]).expect("there is an output for each input");
    let saved = state; // a plain copy: keep it, send it, compare it
    layer.run(&mut state, rest, &mut parted[1..]).expect("there is an output for each input");
    assert_eq!(bits(&parted), bits(&all), "a sequence in two parts gives the bits of one run");
    assert_eq!(state, final_state);

    // From the saved state the rest can be run again, here step by step.
    let mut state = saved;
    for (x, expected) in rest.iter().zip(&all[1..]) {
        let mut y = [0.0; UNITS];
        layer.step(&mut state, x, &mut y);
        assert_eq!(bits(&[y]), bits(&[*expected]), "steps give the bits of a run");
    }

    // layer = LSTM(3, stateful=True);  layer(first);  layer(rest)
    // Stateful is: do not begin at zero in the next call. So keep the value, as `state` above is kept from call to call.
    // layer.reset_state()
    state = L::ZERO_STATE;
    assert_eq!(layer.run_last(&mut state, xs), Some(last), "from zero on all is as at first");

    // Two streams at the same time share the layer, and each has a state (a stateful Keras layer has one for each place of
    // the batch).
    let mut streams = [L::ZERO_STATE; 2];
    for x in xs {
        let mut y = [0.0; UNITS];
        layer.step(&mut streams[0], x, &mut y);
        layer.step(&mut streams[1], &x.map(|x| -x), &mut y);
    }
    assert_eq!(streams[0], final_state, "a stream does not notice the others");
    assert_ne!(streams[1], final_state);
}

/// Runs the lesson on all three layers.
pub fn main() {
    // x.shape == (1, 4, 2)
    let xs = [[0.5, -0.2], [0.1, 0.9], [-0.7, 0.3], [0.4, 0.4]];

    // layer = SimpleRNN(3); layer.build((None, None, 2)); layer.set_weights([kernel, recurrent_kernel, bias])
    let ([[bias]], recurrent_kernel, kernel) = (random(300), random(100), random(200));
    let simple_rnn: SimpleRnn<INPUTS, UNITS> =
        SimpleRnn::new(&recurrent_kernel.map(|[row]| row), &kernel.map(|[row]| row), &bias);
    lesson("SimpleRNN", &simple_rnn, &xs, |HiddenState { h, .. }| vec![("h", *h)]);

    let [bias] = random(300);
    let lstm: Lstm<INPUTS, UNITS> = Lstm::new(&random(100), &random(200), &bias);
    lesson("LSTM", &lstm, &xs, |LstmState { h, c, .. }| vec![("h", *h), ("c", *c)]);

    let gru: Gru<INPUTS, UNITS> = Gru::new(&random(100), &random(200), &bias);
    lesson("GRU", &gru, &xs, |HiddenState { h, .. }| vec![("h", *h)]);
}
