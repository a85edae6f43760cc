//! One of each kind of layer, step by step and over sequences whose lengths the compiler does not know: no panic may be reached.
#![no_std]
#![no_main]

use core::hint::black_box;
use gatelet::{
    Activate, AveragePooling, Backwards, Bidirectional, Conv1d, Dense, Embedding, Flatten, Gru, InitialState, Last,
    Layer, Lstm, Masking, Prelu, ReadInto, Relu, Residual, SequenceLayer, SimpleRnn, Softmax, Sum, UnitNormalization,
    ZeroOutput, chain,
};
use semihosting::process::exit;

type Streaming = chain!(
    Embedding<9, 4, true>,
    InitialState<Lstm<4, 3>>,
    Residual<ZeroOutput<Gru<3, 3>>>,
    Conv1d<3, 6, 3, Relu, 2, 1>,
    Prelu<6>,
    AveragePooling<6, 3>,
    UnitNormalization<6>,
    Masking<6>,
    SimpleRnn<6, 4>,
    Last<4>,
    Flatten<4, 3, 12>,
    Activate<12, Softmax>
);
static STREAMING: Streaming = Streaming::EMPTY;

type Whole = chain!(
    chain!(Masking<3>, Dense<3, 3>),
    Residual<Bidirectional<Gru<3, 3>, 3, Sum>>,
    InitialState<Bidirectional<Lstm<3, 2>, 4>>,
    Backwards<ZeroOutput<Gru<4, 2>>>,
    Dense<2, 2>
);
static WHOLE: Whole = Whole::EMPTY;

#[image::board::entry]
fn main() -> ! {
    let mut state = black_box(Layer::initial_state(&STREAMING));
    let mut y = [0.0; 12];
    STREAMING.step(&mut state, black_box(&[0.1]), &mut y);
    black_box(STREAMING.run_last(&mut state, black_box(&[[0.1]; 3])));
    black_box((y, state));

    let mut state = black_box(SequenceLayer::initial_state(&WHOLE));
    let (xs, mut ys) = (black_box([[0.5; 3]; 20]), [[0.0; 2]; 20]);
    let steps = black_box(7);
    if let (Some(xs), Some(ys)) = (xs.get(..steps), ys.get_mut(..steps)) {
        black_box(WHOLE.run_sequence::<20>(&mut state, xs, ys).is_ok());
        black_box(WHOLE.last::<20>(&mut state, xs).is_ok());
    }
    black_box((ys, state));
    exit(0)
}
