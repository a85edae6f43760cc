//! What the network says to each recording, from an image's output or computed here.

use gatelet::{Layer, math::argmax, simd::Scalar};
use model::{Checksum, LABELS, NET, Net, RECORDINGS};
use std::collections::BTreeMap;
use std::error::Error;

/// The answer to one recording.
#[derive(Debug, PartialEq)]
pub struct Answer {
    pub speaker: String,
    pub said: String,
    pub bits: Vec<u32>,
}

/// The answers to all recordings, and the figures that were printed with them.
pub struct Answers {
    pub recordings: Vec<Answer>,
    pub checksum: u32,
    pub figures: BTreeMap<String, u64>,
}

impl PartialEq for Answers {
    fn eq(&self, other: &Self) -> bool {
        self.recordings == other.recordings && self.checksum == other.checksum
    }
}

impl Answers {
    /// Reads what `speaker` prints: lines that begin with `recording`, `bits`, `checksum`, and figures by name.
    pub fn parse(output: &str) -> Result<Self, Box<dyn Error>> {
        let mut answers = Answers { recordings: Vec::new(), checksum: 0, figures: BTreeMap::new() };
        for line in output.lines() {
            let words: Vec<&str> = line.split_whitespace().collect();
            match words[..] {
                ["recording", _, "speaker", speaker, "said", said, ..] => {
                    let (speaker, said) = (speaker.to_string(), said.to_string());
                    answers.recordings.push(Answer { speaker, said, bits: Vec::new() });
                }
                ["bits", ref bits @ ..] => {
                    let answer = answers.recordings.last_mut().ok_or("bits before a recording")?;
                    answer.bits = bits.iter().map(|bits| u32::from_str_radix(bits, 16)).collect::<Result<_, _>>()?;
                }
                ["probabilities", ..] => {}
                ["checksum", checksum] => answers.checksum = u32::from_str_radix(checksum, 16)?,
                [ref name @ .., value] => drop(answers.figures.insert(name.join(" "), value.parse()?)),
                [] => {}
            }
        }
        Ok(answers)
    }

    /// The same recordings on the reference backend.
    pub fn on_host() -> Self {
        let mut checksum = Checksum::new();
        let recordings = RECORDINGS
            .iter()
            .map(|recording| {
                let (mut state, mut y) = (Net::ZERO_STATE, [0.0; 9]);
                for x in recording.steps {
                    NET.step_on(Scalar::new(), &mut state, x, &mut y);
                    checksum.add(&y);
                }
                let bits = y.iter().map(|y| y.to_bits()).collect();
                Answer { speaker: recording.speaker.into(), said: LABELS[argmax(&y)].into(), bits }
            })
            .collect();
        Answers { recordings, checksum: checksum.value(), figures: BTreeMap::new() }
    }

    /// A figure by its name.
    pub fn figure(&self, name: &str) -> Result<u64, String> {
        self.figures.get(name).copied().ok_or_else(|| format!("the image does not print `{name}`"))
    }
}
