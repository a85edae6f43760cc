//! Ten steps of a SimpleRNN with plain loops, beside the crate's cell: what a recurrent layer does, with nothing hidden.
//!
//! `cargo run --example from_scratch`. Comments show the line of numpy or Keras that a line stands for.

use gatelet::simd::Scalar;
use gatelet::{HiddenState, Layer, SimpleRnn};

const STEPS: usize = 10;
const INPUTS: usize = 4;
const UNITS: usize = 8;

/// Numbers without a pattern from -½ to ½: multiples of the golden ratio without their whole part.
// rng = np.random.default_rng();  rng.uniform(-0.5, 0.5, (ROWS, COLUMNS))
fn random<const ROWS: usize, const COLUMNS: usize>(seed: usize) -> [[f32; COLUMNS]; ROWS] {
    let number = |i: usize| (i as f32 * 0.618_034).fract() - 0.5;
    std::array::from_fn(|row| std::array::from_fn(|column| number(seed + row * COLUMNS + column)))
}

/// h' = tanh(W x + U h + b), number by number.
// h = np.tanh(b + x @ W + h @ U)
fn step(
    x: &[f32; INPUTS],
    h: &[f32; UNITS],
    w: &[[f32; UNITS]; INPUTS],
    u: &[[f32; UNITS]; UNITS],
    b: &[f32; UNITS],
    tanh: fn(f32) -> f32,
) -> [f32; UNITS] {
    let mut new = [0.0; UNITS];
    for unit in 0..UNITS {
        let mut sum = b[unit];
        for k in 0..INPUTS {
            sum += w[k][unit] * x[k];
        }
        for k in 0..UNITS {
            sum += u[k][unit] * h[k];
        }
        // All units read the old h, so the new one is another array.
        new[unit] = tanh(sum);
    }
    new
}

/// Runs both, prints both, compares both.
pub fn main() {
    // x = rng.uniform(-0.5, 0.5, (10, 4))
    let xs: [[f32; INPUTS]; STEPS] = random(1);
    // kernel, recurrent_kernel, bias = layer.get_weights()                shapes (4, 8), (8, 8), (8,)
    let w = random(100);
    let u = random(200);
    let [b] = random(300);

    // layer = keras.layers.SimpleRNN(8); layer.set_weights([kernel, recurrent_kernel, bias])
    let layer: SimpleRnn<INPUTS, UNITS> = SimpleRnn::new(&u, &w, &b);

    // h = np.zeros(8)
    let mut h = [0.0; UNITS];
    let mut h_same = [0.0; UNITS];
    let mut state = HiddenState::ZERO;
    let mut state_same = HiddenState::ZERO;

    // for x in xs:
    for (t, x) in xs.iter().enumerate() {
        h = step(x, &h, &w, &u, &b, f32::tanh);
        let mut y = [0.0; UNITS];
        layer.step(&mut state, x, &mut y);
        println!("step {t}\n  loops {h:+.7?}\n  cell  {y:+.7?}");

        // A SimpleRNN's output is its state.
        assert_eq!(y, state.h);
        // The standard library's tanh and the crate's are both right, but round differently in the last digits; and vector
        // units may round a sum less often than two loops do. So the two agree within a few units of the seventh digit.
        for (unit, (loops, cell)) in h.iter().zip(&y).enumerate() {
            assert!((loops - cell).abs() <= 3e-7, "step {t}, unit {unit}: {loops} in loops, {cell} in the cell");
        }

        // With the crate's own tanh, on its plain backend, which is what every target has, the sums have the same order
        // and the same roundings: not one bit differs.
        h_same = step(x, &h_same, &w, &u, &b, gatelet::math::tanh);
        layer.step_on(Scalar::new(), &mut state_same, x, &mut y);
        assert_eq!(h_same.map(f32::to_bits), y.map(f32::to_bits), "step {t}");
    }
    println!("The loops agree with the cell: to the bit with the same tanh, within 3e-7 with another.");
}
