//! Recognises speakers, with the weights in RAM, where a part's flash is slow.
#![no_std]
#![no_main]

use model::Net;
use semihosting::process::exit;

// The start-up code copies this section from flash. Name the section of a faster memory here if the part has one.
#[unsafe(link_section = ".data.net")]
static NET: Net = model::NET;

#[image::board::entry]
fn main() -> ! {
    image::speaker(&NET);
    exit(0)
}
