//! Writes `model/src/recordings.rs`: each speaker's first recording of the test set.
//!
//! ```sh
//! cargo run --bin recordings
//! ```

use std::{error::Error, fmt::Write, fs};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../../..");
const DATA: &str = "tests/data/japanese_vowels/JapaneseVowels_TEST.ts";

fn main() -> Result<(), Box<dyn Error>> {
    let data = fs::read_to_string(format!("{ROOT}/{DATA}"))?;
    let mut source = format!(
        "//! The first recording of each speaker in `{DATA}`.\n//! Written by `check/src/bin/recordings.rs`.\n\n\
         use crate::Recording;\n\n\
         /// One recording of each speaker, which the network has not been trained on.\n\
         #[rustfmt::skip]\n\
         pub static RECORDINGS: [Recording; 9] = [\n"
    );
    let mut previous = "";
    for line in data.lines().filter(|line| !line.is_empty() && !line.starts_with(['#', '@'])) {
        let (channels, speaker) = line.rsplit_once(':').ok_or("a recording without a class")?;
        if speaker == previous {
            continue;
        }
        previous = speaker;
        let channels: Vec<Vec<&str>> = channels.split(':').map(|channel| channel.split(',').collect()).collect();
        writeln!(source, "    Recording {{ speaker: \"{speaker}\", steps: &[")?;
        for time in 0..channels[0].len() {
            let step: Vec<&str> = channels.iter().map(|channel| channel[time]).collect();
            writeln!(source, "        [{}],", step.join(", "))?;
        }
        source += "    ] },\n";
    }
    source += "];\n";
    fs::write(concat!(env!("CARGO_MANIFEST_DIR"), "/../model/src/recordings.rs"), source)?;
    Ok(())
}
