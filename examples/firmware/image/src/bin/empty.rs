//! Starts and exits: what an image is before anything is in it.
#![no_std]
#![no_main]

use semihosting::process::exit;

#[image::board::entry]
fn main() -> ! {
    exit(0)
}
