//! Runs other people's models and prints checksums of what they give, and what they take.
#![no_std]
#![no_main]

use core::hint::black_box;
use image::stack;
use model::models::{Answer, gait, precise, sleep};
use semihosting::{println, process::exit};

fn tell<const N: usize, const STEPS: usize>(name: &str, run: fn() -> Answer<N, STEPS>) {
    let painted = stack::paint();
    let answer = black_box(run)();
    println!("{name} stack {}", painted.below_caller());
    println!("{name} checksum {}", answer.checksum());
    println!("{name} state {}", answer.state);
    println!("{name} weights {}", answer.weights);
    let instructions = image::instructions(|| {
        black_box(black_box(run)());
    });
    println!("{name} instructions {instructions}");
}

#[image::board::entry]
fn main() -> ! {
    tell("precise", precise);
    tell("gait", gait);
    tell("sleep", sleep);
    exit(0)
}
