//! Prints the checksum that each network has on the scalar backend, the specification of the others.

use gatelet::simd::Scalar;
use vectors::{Sample, Visit, checksum, ragged, typical};

struct Print;

impl Visit for Print {
    fn visit<N: Sample>(&mut self, name: &'static str) {
        println!("{} {name}", checksum::<N>(|net, state, x, y| net.step_on(Scalar::single(), state, x, y)));
    }
}

fn main() {
    typical(&mut Print);
    ragged(&mut Print);
}
