//! Networks in words: `gru(32, sequences), dense(9, softmax)`.

use super::{Cell, LayerKind, LayerSpec, Network, NetworkError, Real, Recurrent};
use crate::math::{ActivationKind, OutputKind};
use core::fmt;
use core::ops::Range;

/// A description that is no network, with the place where it stops being one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct DescriptionError {
    description: String,
    at: Range<usize>,
    problem: String,
}

impl DescriptionError {
    /// What is wrong.
    #[must_use]
    pub fn problem(&self) -> &str {
        &self.problem
    }

    /// The place, in bytes of the description.
    #[must_use]
    pub fn at(&self) -> Range<usize> {
        self.at.clone()
    }
}

impl fmt::Display for DescriptionError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let before = columns(self.description.get(..self.at.start).unwrap_or(""));
        let marked = columns(self.description.get(self.at.clone()).unwrap_or("")).max(1);
        writeln!(f, "{}", self.problem)?;
        // In one line, so that the marks stand below their place.
        writeln!(f, "  {}", self.description.replace(char::is_control, " "))?;
        write!(f, "  {}{}", " ".repeat(before), "^".repeat(marked))
    }
}

impl core::error::Error for DescriptionError {}

/// How wide a terminal shows a text. From the Hangul letters on, East Asian letters are two columns wide.
fn columns(text: &str) -> usize {
    let wide = |c: char| matches!(c, '\u{1100}'..='\u{115f}' | '\u{2e80}'..='\u{a4cf}' | '\u{ac00}'..='\u{d7a3}' | '\u{ff00}'..='\u{ff60}');
    text.chars().map(|c| if wide(c) { 2 } else { 1 }).sum()
}

/// Parses a description.
pub(super) fn parse<T: Real>(inputs: usize, description: &str) -> Result<Network<T>, DescriptionError> {
    let mut parser = Parser { text: description, at: 0 };
    let mut layers = Vec::new();
    let mut places = Vec::new();
    let mut width = inputs;
    loop {
        let start = parser.skip_space();
        let layer = parser.layer(width)?;
        width = layer.kind.outputs();
        layers.push(layer);
        places.push(start..parser.at);
        if parser.skip_space() == description.len() {
            break;
        }
        parser.expect(',', "a comma and the next layer, or the end")?;
    }
    Network::new(layers).map_err(|error| {
        let layer = match error {
            NetworkError::ZeroSize { layer, .. }
            | NetworkError::SizeMismatch { layer, .. }
            | NetworkError::Residual { layer, .. }
            | NetworkError::ParameterCount { layer, .. }
            | NetworkError::TooLarge { layer } => layer,
            NetworkError::NeedsSequence { giver, .. } => giver,
            NetworkError::Empty => 0,
        };
        let at = places.get(layer.wrapping_sub(1)).cloned().unwrap_or(0..description.len());
        parser.error(at, error.to_string())
    })
}

struct Parser<'a> {
    text: &'a str,
    at: usize,
}

/// A word and where it stands.
struct Word<'a> {
    text: &'a str,
    at: Range<usize>,
}

impl Word<'_> {
    /// Whether it is a name, in Python's spelling (`return_sequences`) or as Keras's class (`SimpleRNN`).
    fn is(&self, name: &str) -> bool {
        let letters = |text: &str| -> String { text.chars().filter(|&c| c != '_').collect() };
        letters(self.text).eq_ignore_ascii_case(&letters(name))
    }
}

/// Looks an activation up by name.
fn activation(name: &Word<'_>) -> Option<ActivationKind> {
    ActivationKind::ALL.iter().copied().find(|kind| name.is(kind.name()))
}

fn activation_names() -> String {
    let names: Vec<_> = ActivationKind::ALL.iter().map(|kind| kind.name()).collect();
    names.join(", ")
}

impl<'a> Parser<'a> {
    fn error(&self, at: Range<usize>, problem: impl Into<String>) -> DescriptionError {
        DescriptionError { description: self.text.into(), at, problem: problem.into() }
    }

    fn rest(&self) -> &'a str {
        self.text.get(self.at..).unwrap_or("")
    }

    fn skip_space(&mut self) -> usize {
        self.at = self.text.len() - self.rest().trim_start().len();
        self.at
    }

    fn next_is(&mut self, wanted: char) -> bool {
        self.skip_space();
        let found = self.rest().starts_with(wanted);
        if found {
            self.at += wanted.len_utf8();
        }
        found
    }

    fn expect(&mut self, wanted: char, what: &str) -> Result<(), DescriptionError> {
        if self.next_is(wanted) {
            return Ok(());
        }
        let end = self.at + self.rest().chars().next().map_or(0, char::len_utf8);
        Err(self.error(self.at..end, format!("expected {what}")))
    }

    /// A name or a number.
    fn word(&mut self, what: &str) -> Result<Word<'a>, DescriptionError> {
        let start = self.skip_space();
        let rest = self.rest();
        let length = rest.find(|c: char| !c.is_alphanumeric() && c != '_').unwrap_or(rest.len());
        if length == 0 {
            let end = start + rest.chars().next().map_or(0, char::len_utf8);
            return Err(self.error(start..end, format!("expected {what}")));
        }
        self.at += length;
        Ok(Word { text: &rest[..length], at: start..self.at })
    }

    fn layer(&mut self, inputs: usize) -> Result<LayerSpec, DescriptionError> {
        const LAYERS: &str = "there are simple_rnn, lstm, gru, dense and residual(…) around one of them";
        let name = self.word(&format!("a layer; {LAYERS}"))?;
        let cell = if name.is("simple_rnn") {
            Some(Cell::SimpleRnn)
        } else if name.is("lstm") {
            Some(Cell::Lstm)
        } else if name.is("gru") {
            Some(Cell::Gru { reset_after: true })
        } else if name.is("dense") || name.is("residual") {
            None
        } else {
            return Err(self.error(name.at, format!("unknown layer `{}`; {LAYERS}", name.text)));
        };
        self.expect('(', &format!("`(` and the number of units, such as `{}(32)`", name.text))?;
        if name.is("residual") {
            // Before going deeper: a long description must not take the stack.
            let next = Parser { text: self.text, at: self.at }.word("a layer")?;
            if next.is("residual") {
                return Err(self.error(next.at, "residual goes around simple_rnn, lstm, gru or dense"));
            }
            let inner = self.layer(inputs)?;
            self.expect(')', "`)` after the layer that residual goes around")?;
            return Ok(LayerSpec { residual: true, ..inner });
        }
        let units = self.word("the number of units")?;
        let units = match units.text.parse() {
            Ok(units) => units,
            Err(_) => {
                let problem =
                    format!("expected the number of units, such as `{}(32)`, found `{}`", name.text, units.text);
                return Err(self.error(units.at, problem));
            }
        };
        let kind = match cell {
            Some(cell) => LayerKind::Recurrent(self.recurrent_options(Recurrent::new(cell, inputs, units))?),
            None => LayerKind::Dense { inputs, units, activation: self.dense_options()? },
        };
        Ok(kind.into())
    }

    /// The options up to the closing parenthesis, one at a time.
    fn next_option(&mut self) -> Result<Option<(Word<'a>, Option<Word<'a>>)>, DescriptionError> {
        if self.next_is(')') {
            return Ok(None);
        }
        self.expect(',', "`,` and an option, or `)`")?;
        let name = self.word("an option")?;
        let value = if self.next_is('=') { Some(self.value()?) } else { None };
        Ok(Some((name, value)))
    }

    /// The value of an option, in quotes if it was copied from Python.
    fn value(&mut self) -> Result<Word<'a>, DescriptionError> {
        let quote = ['"', '\''].into_iter().find(|&quote| self.next_is(quote));
        let value = self.word("the option's value")?;
        if let Some(quote) = quote {
            self.expect(quote, &format!("`{quote}` behind the value"))?;
        }
        Ok(value)
    }

    fn truth(&self, value: &Word<'_>) -> Result<bool, DescriptionError> {
        if value.is("true") {
            Ok(true)
        } else if value.is("false") {
            Ok(false)
        } else {
            Err(self.error(value.at.clone(), format!("expected true or false, found `{}`", value.text)))
        }
    }

    fn recurrent_options(&mut self, mut layer: Recurrent) -> Result<Recurrent, DescriptionError> {
        let has_gates = layer.cell != Cell::SimpleRnn;
        while let Some((name, value)) = self.next_option()? {
            let known = |word: &Word<'_>| {
                let problem = format!("unknown activation `{}`; there are {}", word.text, activation_names());
                activation(word).ok_or_else(|| self.error(word.at.clone(), problem))
            };
            match (&value, layer.cell) {
                (value, _) if name.is("sequences") || name.is("return_sequences") => {
                    layer.return_sequences = value.as_ref().map_or(Ok(true), |value| self.truth(value))?;
                }
                (Some(value), Cell::Gru { .. }) if name.is("reset_after") => {
                    layer.cell = Cell::Gru { reset_after: self.truth(value)? };
                }
                (Some(value), _) if name.is("activation") => layer.activation = known(value)?,
                (Some(value), _) if has_gates && name.is("recurrent_activation") => {
                    layer.recurrent_activation = known(value)?;
                }
                (None, _) if activation(&name).is_some() => layer.activation = known(&name)?,
                _ => {
                    let mut options = String::from("sequences, return_sequences=true, activation=…");
                    if has_gates {
                        options += ", recurrent_activation=…";
                    }
                    if let Cell::Gru { .. } = layer.cell {
                        options += ", reset_after=false";
                    }
                    let kind = layer.cell.kind().name();
                    let problem = format!(
                        "unknown option `{}` of {kind}; there are {options} and an activation's name ({})",
                        name.text,
                        activation_names()
                    );
                    return Err(self.error(name.at, problem));
                }
            }
        }
        Ok(layer)
    }

    fn dense_options(&mut self) -> Result<OutputKind, DescriptionError> {
        let mut chosen = OutputKind::Each(ActivationKind::Linear);
        while let Some((name, value)) = self.next_option()? {
            let word = match value {
                Some(value) if name.is("activation") => value,
                Some(_) => {
                    let problem = format!("unknown option `{}` of dense; there is activation=…", name.text);
                    return Err(self.error(name.at, problem));
                }
                None => name,
            };
            chosen = if word.is("softmax") {
                OutputKind::Softmax
            } else if let Some(kind) = activation(&word) {
                OutputKind::Each(kind)
            } else {
                let problem = format!("unknown activation `{}`; there are softmax, {}", word.text, activation_names());
                return Err(self.error(word.at, problem));
            };
        }
        Ok(chosen)
    }
}

impl fmt::Display for LayerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.residual {
            let inner = LayerSpec { residual: false, ..*self };
            return write!(f, "residual({inner})");
        }
        match self.kind {
            LayerKind::Normalize { size } => write!(f, "normalize({size})"),
            LayerKind::Dense { units, activation, .. } => match activation {
                OutputKind::Each(ActivationKind::Linear) => write!(f, "dense({units})"),
                activation => write!(f, "dense({units}, {})", activation.name()),
            },
            LayerKind::Recurrent(layer) => {
                write!(f, "{}({}", layer.cell.kind().name(), layer.units)?;
                if layer.activation != ActivationKind::Tanh {
                    write!(f, ", {}", layer.activation.name())?;
                }
                if layer.cell != Cell::SimpleRnn && layer.recurrent_activation != ActivationKind::Sigmoid {
                    write!(f, ", recurrent_activation={}", layer.recurrent_activation.name())?;
                }
                if layer.cell == (Cell::Gru { reset_after: false }) {
                    write!(f, ", reset_after=false")?;
                }
                if layer.return_sequences {
                    write!(f, ", sequences")?;
                }
                write!(f, ")")
            }
        }
    }
}

/// The description, with normalisations.
impl<T> fmt::Display for Network<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for (i, layer) in self.layers.iter().enumerate() {
            if i > 0 {
                write!(f, ", ")?;
            }
            write!(f, "{layer}")?;
        }
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::Network;

    fn problem(description: &str) -> String {
        Network::<f32>::describe(2, description).unwrap_err().to_string()
    }

    #[test]
    fn the_place_is_marked() {
        let said = problem("gru(4, sequences), grü(3)");
        let lines: Vec<_> = said.lines().collect();
        assert_eq!(lines[1..], ["  gru(4, sequences), grü(3)", "                     ^^^"]);
    }

    #[test]
    fn a_long_description_is_an_error_like_any_other() {
        assert!(problem(&format!("{}x(3)", " ".repeat(70_000))).starts_with("unknown layer `x`"));
        assert!(problem(&"residual(".repeat(200_000)).starts_with("residual goes around simple_rnn"));
    }
}
