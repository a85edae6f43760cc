//! Recognises speakers, with the weights in flash: the usual place.
#![no_std]
#![no_main]

use model::Net;
use semihosting::process::exit;

static NET: Net = model::NET;

#[image::board::entry]
fn main() -> ! {
    image::speaker(&NET);
    exit(0)
}
