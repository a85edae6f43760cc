//! Recognises the speakers of all recordings, and tells what that takes.

use crate::stack;
use core::hint::black_box;
use gatelet::{Layer, Vector, math::argmax};
use model::{Checksum, LABELS, Net, RECORDINGS};
use semihosting::{print, println};

/// One step, not inlined: one copy of the code for all callers, and a stack frame of its own to measure.
#[inline(never)]
fn step<L: Layer>(layer: &L, state: &mut L::State, x: &L::Input, y: &mut L::Output) {
    layer.step(state, x, y);
}

/// Prints an answer for each recording, then the figures.
pub fn speaker(net: &Net) {
    let painted = stack::paint();
    let mut checksum = Checksum::new();
    let mut y = [0.0; 9];
    for (number, recording) in (1..).zip(&RECORDINGS) {
        let mut state = Net::ZERO_STATE;
        for x in recording.steps {
            step(net, &mut state, x, &mut y);
            checksum.add(&y);
        }
        let class = argmax(&y);
        println!(
            "recording {number} speaker {} said {} probability {:.4} after {} steps",
            recording.speaker,
            LABELS[class],
            y[class],
            recording.steps.len()
        );
        print!("  probabilities");
        y.iter().for_each(|y| print!(" {y:.4}"));
        print!("\n  bits");
        y.iter().for_each(|y| print!(" {:08x}", y.to_bits()));
        println!();
        let at_once = net.run_last(&mut { Net::ZERO_STATE }, recording.steps);
        assert_eq!(at_once.map(|y| y.map(f32::to_bits)), Some(y.map(f32::to_bits)), "a sequence is not its steps");
    }
    println!("checksum {:08x}", checksum.value());

    let steps: usize = RECORDINGS.iter().map(|recording| recording.steps.len()).sum();
    let mut state = Net::ZERO_STATE;
    let instructions = crate::instructions(|| {
        for recording in &RECORDINGS {
            state = Net::ZERO_STATE;
            for x in recording.steps {
                step(net, &mut state, x, &mut y);
            }
        }
    });
    println!("instructions of a step {}", instructions / steps as u64);
    let x = &RECORDINGS[0].steps[0];
    println!("instructions of Normalize {}", instructions_of(&net.0, x));
    println!("instructions of Gru {}", instructions_of(&net.1.0, x));
    println!("instructions of Dense {}", instructions_of(&net.1.1, &state.1.0.h));
    println!("bytes of stack in all {}", painted.in_all());

    let painted = stack::paint();
    step(net, &mut state, x, &mut y);
    println!("bytes of stack of a step {}", painted.below_caller());
    println!("bytes of state {}", Net::STATE_BYTES);
    println!("bytes of weights {}", Net::FLASH_BYTES);
}

/// The mean of many steps of one layer.
fn instructions_of<L: Layer>(layer: &L, x: &L::Input) -> u64 {
    const STEPS: u64 = 100;
    let mut state = L::ZERO_STATE;
    let instructions = crate::instructions(|| {
        for _ in 0..STEPS {
            let mut y = L::Output::ZERO;
            step(layer, &mut state, x, &mut y);
            black_box(&y);
        }
    });
    instructions / STEPS
}
