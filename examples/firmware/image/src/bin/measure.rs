//! Measures a step of each network, and prints a line with
//! cell, scheme, inputs, hidden units, checksum, instructions of all steps, those of none, stack, state, and the step's address.
#![no_std]
#![no_main]

use core::hint::black_box;
use gatelet::{Layer, Vector};
use image::{board, stack};
use model::networks::{self, Network, Step, Work};
use semihosting::{println, process::exit};

#[inline(never)]
fn step<N: Network>(
    state: &mut <N::Layer as Layer>::State,
    x: &<N::Layer as Layer>::Input,
    y: &mut <N::Layer as Layer>::Output,
) {
    N::layer().step(state, x, y);
}

/// A return and nothing else.
#[inline(never)]
fn nothing<N: Network>(
    _: &mut <N::Layer as Layer>::State,
    _: &<N::Layer as Layer>::Input,
    _: &mut <N::Layer as Layer>::Output,
) {
}

/// The checksum, and how many instructions it has taken. One copy of this code for both steps, or there is nothing to subtract.
#[inline(never)]
fn timed<N: Network>(step: Step<N>) -> (u32, u64) {
    let mut watch = board::Stopwatch::start();
    let checksum = networks::run::<N>(step, || watch.lap());
    (checksum, watch.instructions())
}

struct Measure;

impl Work for Measure {
    #[inline(never)]
    fn network<N: Network>(&mut self) {
        type Input<N> = <<N as Network>::Layer as Layer>::Input;
        type Output<N> = <<N as Network>::Layer as Layer>::Output;
        let step = black_box(step::<N> as Step<N>);
        let (checksum, instructions) = timed::<N>(step);
        let (_, without) = timed::<N>(black_box(nothing::<N>));
        let (mut state, mut y) = (N::Layer::ZERO_STATE, Output::<N>::ZERO);
        let painted = stack::paint();
        step(&mut state, &Vector::ZERO, &mut y);
        let stack = painted.below_caller();
        black_box((state, y));
        println!(
            "{} {} {} {} {checksum} {instructions} {without} {stack} {} {}",
            N::CELL,
            N::SCHEME,
            Input::<N>::LEN,
            Output::<N>::LEN,
            N::Layer::STATE_BYTES,
            step as usize
        );
    }
}

#[image::board::entry]
fn main() -> ! {
    networks::for_each(&mut Measure);
    exit(0)
}
