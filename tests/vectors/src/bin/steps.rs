//! `steps BACKEND NETWORK STEPS` only computes; `steps` lists the networks.

use gatelet::simd::{BackendKind, force};
use vectors::{Sample, Steps, Visit, typical};

struct List;

impl Visit for List {
    fn visit<N: Sample>(&mut self, name: &'static str) {
        println!("{name}");
    }
}

fn main() {
    let arguments: Vec<_> = std::env::args().collect();
    match &*arguments {
        [_, backend, network, steps] => {
            force(BackendKind::from_name(backend)).unwrap();
            typical(&mut Steps { network: network.parse().unwrap(), steps: steps.parse().unwrap() });
        }
        _ => typical(&mut List),
    }
}
