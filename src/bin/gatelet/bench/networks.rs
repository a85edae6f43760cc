//! What is measured: the standard networks, with sizes in the type, or a model's, with sizes known at run time.

use super::first_cell;
use crate::failure::Failure;
use gatelet::network::{Inference, Model, Network, State};
use gatelet::{Dense, Gru, Layer, Lstm, ReadInto, SimpleRnn, Vector, chain, quant};
use std::hint::black_box;

/// A network that can be measured.
pub struct Candidate {
    pub network: Network<f32>,
    /// Whether sizes are in the type.
    pub constant_sizes: bool,
    /// What weights are: `f32` or `int8`.
    pub storage: &'static str,
    start: fn(&Network<f32>) -> Started,
}

/// A stream, or why there is none.
type Started = Result<Box<dyn Stream>, Failure>;

/// A network on its way through an endless signal.
pub trait Stream {
    /// So many time steps, one call for each.
    fn steps(&mut self, count: usize);
}

impl Candidate {
    /// A network with sizes known at run time.
    pub fn at_run_time(network: Network<f32>) -> Self {
        Candidate { network, constant_sizes: false, storage: "f32", start: run_time }
    }

    /// A network of the type `L`.
    fn constant<L: ReadInto + Layer<Input: Vector<Number = f32>> + 'static>(
        inputs: usize,
        description: &str,
    ) -> Result<Self, Failure> {
        let network = Network::describe(inputs, description).map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(Candidate { network: network.initialized(1), constant_sizes: true, storage: "f32", start: constant::<L> })
    }

    /// An integer network of the type `L`.
    fn integer<L: ReadInto + Layer<Input = [i16; 1]> + 'static>(description: &str) -> Result<Self, Failure> {
        let network = Network::describe(1, description).map_err(|error| Failure::Failed(error.to_string()))?;
        Ok(Candidate { network, constant_sizes: true, storage: "int8", start: |_| Ok(integer::<L>()) })
    }

    /// The network, and what its weights are if that is not said of all others.
    pub fn name(&self) -> String {
        if self.storage == "f32" { self.network.to_string() } else { format!("{}: {}", self.storage, self.network) }
    }

    /// A stream at its beginning.
    pub fn start(&self) -> Started {
        (self.start)(&self.network)
    }
}

/// The standard networks, cell by cell. Each costs time when this program is built.
pub fn standard() -> Result<Vec<Candidate>, Failure> {
    let mut candidates = Vec::new();
    candidates.extend(each_cell::<8>()?);
    candidates.extend(each_cell::<16>()?);
    candidates.extend(each_cell::<20>()?);
    candidates.extend(each_cell::<32>()?);
    candidates.extend(each_cell::<40>()?);
    candidates.extend(each_cell::<64>()?);
    candidates.extend(each_cell::<128>()?);
    candidates.push(Candidate::constant::<Lstm<10, 32>>(10, "lstm(32)")?);
    candidates.push(Candidate::constant::<Gru<10, 32>>(10, "gru(32)")?);
    candidates.push(Candidate::constant::<chain!(Lstm<1, 16>, Lstm<16, 16>, Dense<16, 1>)>(
        1,
        "lstm(16, sequences), lstm(16), dense(1)",
    )?);
    candidates.sort_by_key(|candidate| first_cell(&candidate.network).map(|(cell, _)| cell as u8));
    Ok(candidates)
}

/// One input, `H` units, one output.
fn each_cell<const H: usize>() -> Result<[Candidate; 6], Failure> {
    let [rnn, lstm, gru] = ["simple_rnn", "lstm", "gru"].map(|cell| format!("{cell}({H}), dense(1)"));
    Ok([
        Candidate::constant::<chain!(SimpleRnn<1, H>, Dense<H, 1>)>(1, &rnn)?,
        Candidate::constant::<chain!(Lstm<1, H>, Dense<H, 1>)>(1, &lstm)?,
        Candidate::constant::<chain!(Gru<1, H>, Dense<H, 1>)>(1, &gru)?,
        Candidate::integer::<chain!(quant::SimpleRnn<1, H>, quant::Dense<H, 1>)>(&rnn)?,
        Candidate::integer::<chain!(quant::Lstm<1, H>, quant::Dense<H, 1>)>(&lstm)?,
        Candidate::integer::<chain!(quant::Gru<1, H>, quant::Dense<H, 1>)>(&gru)?,
    ])
}

/// Time steps after which the signal begins again.
const PERIOD: usize = 1024;

/// Sines that share no period with each other.
fn signal(t: usize, input: usize) -> f32 {
    let t = t as f32;
    0.6 * (0.31 * t + input as f32).sin() + 0.4 * (0.047 * t).cos()
}

struct Constant<L: Layer> {
    net: L,
    state: L::State,
    signal: Vec<L::Input>,
    at: usize,
}

fn constant<L: ReadInto + Layer<Input: Vector<Number = f32>> + 'static>(network: &Network<f32>) -> Started {
    let bytes = Model::new(network.clone()).to_bytes()?;
    let signal = (0..PERIOD).map(|t| {
        let mut x = L::Input::ZERO;
        for (input, x) in x.as_mut_slice().iter_mut().enumerate() {
            *x = signal(t, input);
        }
        x
    });
    let mut stream = Box::new(Constant { net: L::EMPTY, state: L::ZERO_STATE, signal: signal.collect(), at: 0 });
    stream.net.read_into(&bytes).map_err(|error| Failure::Failed(error.to_string()))?;
    Ok(stream)
}

/// With weights of zero, which take integers as long as any others.
fn integer<L: ReadInto + Layer<Input = [i16; 1]> + 'static>() -> Box<dyn Stream> {
    let signal = (0..PERIOD).map(|t| [(32_767.0 * signal(t, 0)) as i16]).collect();
    Box::new(Constant { net: L::EMPTY, state: L::ZERO_STATE, signal, at: 0 })
}

impl<L: Layer> Stream for Constant<L> {
    fn steps(&mut self, count: usize) {
        let mut y = L::Output::ZERO;
        for _ in 0..count {
            self.net.step(&mut self.state, black_box(&self.signal[self.at % PERIOD]), &mut y);
            black_box(&mut y);
            self.at += 1;
        }
    }
}

struct RunTime {
    net: Inference,
    state: State,
    signal: Vec<f32>,
    y: Vec<f32>,
    at: usize,
}

fn run_time(network: &Network<f32>) -> Started {
    let net = network.inference();
    let inputs = net.inputs();
    let signal = (0..PERIOD).flat_map(|t| (0..inputs).map(move |input| signal(t, input))).collect();
    Ok(Box::new(RunTime { state: net.initial_state(), signal, y: vec![0.0; net.outputs()], net, at: 0 }))
}

impl Stream for RunTime {
    fn steps(&mut self, count: usize) {
        let inputs = self.net.inputs();
        for _ in 0..count {
            let x = &self.signal[self.at % PERIOD * inputs..][..inputs];
            self.net.step(&mut self.state, black_box(x), &mut self.y);
            black_box(&mut self.y);
            self.at += 1;
        }
    }
}
