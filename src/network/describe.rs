//! Networks in words: `gru(32, sequences), dense(9, softmax)`.

use super::{Cell, Conv1d, LayerKind, LayerSpec, Merge, Network, Real, Recurrent};
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
    let (layers, places) = parse_layers(inputs, description)?;
    Network::new(layers).map_err(|error| {
        let layer = error.layer().unwrap_or(0);
        let at = places.get(layer.wrapping_sub(1)).cloned().unwrap_or(0..description.len());
        Parser { text: description, at: 0 }.error(at, error.to_string())
    })
}

/// The layers of a description, which need not fit each other, and their places.
pub(super) fn parse_layers(
    inputs: usize,
    description: &str,
) -> Result<(Vec<LayerSpec>, Vec<Range<usize>>), DescriptionError> {
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
            return Ok((layers, places));
        }
        parser.expect(',', "a comma and the next layer, or the end")?;
    }
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
        let names = || NAMES.join(", ");
        let name = self.word(&format!("a layer; there are {}", names()))?;
        if name.is("dropout") {
            let problem = "dropout is no layer here; `gatelet train --dropout 0.2` drops outputs between layers";
            return Err(self.error(name.at, problem));
        }
        let Some(&known) = NAMES.iter().find(|known| name.is(known)) else {
            return Err(self.error(name.at, format!("unknown layer `{}`; there are {}", name.text, names())));
        };
        match known {
            "last" | "unit_normalization" => {
                if self.next_is('(') {
                    self.expect(')', &format!("`)`: {known} has no options"))?;
                }
                let size = inputs;
                let kind =
                    if known == "last" { LayerKind::Last { size } } else { LayerKind::UnitNormalization { size } };
                return Ok(kind.into());
            }
            "residual" | "initial_state" | "bidirectional" => {
                self.expect('(', &format!("`(` and a layer, such as `{known}(gru(32))`"))?;
                return self.around(known, inputs);
            }
            _ => {}
        }
        let size = |what: &str| format!("{what}, such as `{known}({})`", if known == "masking" { "-1" } else { "32" });
        self.expect('(', &format!("`(` and {}", size(first_option(known))))?;
        let cell = match known {
            "simple_rnn" => Some(Cell::SimpleRnn),
            "lstm" => Some(Cell::Lstm),
            "gru" => Some(Cell::Gru { reset_after: true }),
            _ => None,
        };
        if let Some(cell) = cell {
            let units = self.size(&size(first_option(known)))?;
            return Ok(self.recurrent_options(Recurrent::new(cell, inputs, units))?.into());
        }
        let kind = match known {
            "masking" => {
                let value = self.number("the value that masks, such as `masking(-1)`")?;
                self.no_options(known)?;
                LayerKind::Masking { size: inputs, value }
            }
            "activation" => {
                let word = self.value()?;
                let activation = self.output_activation(&word)?;
                self.no_options(known)?;
                LayerKind::Activation { size: inputs, activation }
            }
            "prelu" | "normalize" => {
                let size = self.size(&size(first_option(known)))?;
                self.no_options(known)?;
                if known == "prelu" { LayerKind::Prelu { size } } else { LayerKind::Normalize { size } }
            }
            "average_pooling" | "flatten" => {
                let steps = self.size(&size(first_option(known)))?;
                self.no_options(known)?;
                let size = inputs;
                if known == "flatten" {
                    LayerKind::Flatten { size, steps }
                } else {
                    LayerKind::AveragePooling { size, steps }
                }
            }
            "embedding" => {
                let tokens = self.size(&size(first_option(known)))?;
                self.expect(',', "`,` and the number of outputs, such as `embedding(100, 16)`")?;
                let size = self.size("the number of outputs, such as `embedding(100, 16)`")?;
                LayerKind::Embedding { tokens, size, mask_zero: self.embedding_options()? }
            }
            "conv1d" => {
                let units = self.size(&size(first_option(known)))?;
                self.expect(',', "`,` and the kernel size, such as `conv1d(16, 3)`")?;
                let kernel_size = self.size("the kernel size, such as `conv1d(16, 3)`")?;
                let activation = ActivationKind::Linear;
                let layer = Conv1d { inputs, units, kernel_size, dilation: 1, groups: 1, activation };
                LayerKind::Conv1d(self.conv1d_options(layer)?)
            }
            _ => {
                let units = self.size(&size(first_option(known)))?;
                LayerKind::Dense { inputs, units, activation: self.dense_options()? }
            }
        };
        Ok(kind.into())
    }

    /// What goes around another layer, from that one on.
    fn around(&mut self, known: &str, inputs: usize) -> Result<LayerSpec, DescriptionError> {
        // Before going deeper: a long description must not take the stack. One layer can be all three, once each.
        let inside: &[&str] = match known {
            "residual" => &["initial_state", "bidirectional"],
            "initial_state" => &["bidirectional"],
            _ => &[],
        };
        let next = Parser { text: self.text, at: self.at }.word("a layer")?;
        if ["residual", "initial_state", "bidirectional"].iter().any(|name| next.is(name) && !inside.contains(name)) {
            let problem =
                format!("{known} goes around a layer, and the order is residual, initial_state, bidirectional");
            return Err(self.error(next.at, problem));
        }
        let mut spec = self.layer(inputs)?;
        match known {
            "residual" => spec.residual = true,
            "initial_state" => spec.initial_state = true,
            _ => {
                let LayerKind::Recurrent(layer) = spec.kind else {
                    let at = next.at.start..self.at;
                    return Err(self.error(at, "bidirectional goes around simple_rnn, lstm or gru"));
                };
                spec.kind = LayerKind::Bidirectional { layer, merge: self.merge()? };
                return Ok(spec);
            }
        }
        self.expect(')', &format!("`)` after the layer that {known} goes around"))?;
        Ok(spec)
    }

    fn merge(&mut self) -> Result<Merge, DescriptionError> {
        let mut merge = Merge::Concat;
        while let Some((name, value)) = self.next_option()? {
            let word = match value {
                Some(value) if name.is("merge") || name.is("merge_mode") => value,
                None => name,
                Some(_) => return Err(self.unknown_option(&name, "bidirectional", "merge=…")),
            };
            let names: Vec<_> = Merge::ALL.iter().map(|merge| merge.name()).collect();
            let problem = format!("unknown merge mode `{}`; there are {}", word.text, names.join(", "));
            let known = Merge::ALL.into_iter().find(|merge| word.is(merge.name()));
            merge = known.ok_or_else(|| self.error(word.at.clone(), problem))?;
        }
        Ok(merge)
    }

    /// A whole number, or what should be one.
    fn size(&mut self, what: &str) -> Result<usize, DescriptionError> {
        let word = self.word(what)?;
        word.text.parse().map_err(|_| self.error(word.at, format!("expected {what}, found `{}`", word.text)))
    }

    /// A number with a sign and a fraction.
    fn number(&mut self, what: &str) -> Result<f32, DescriptionError> {
        let start = self.skip_space();
        let rest = self.rest();
        let length = rest.find([',', ')', ' ']).unwrap_or(rest.len());
        self.at += length;
        match rest[..length].parse::<f32>() {
            Ok(number) if number.is_finite() => Ok(number),
            _ => Err(self.error(start..self.at, format!("expected {what}, found `{}`", &rest[..length]))),
        }
    }

    fn unknown_option(&self, name: &Word<'_>, layer: &str, options: &str) -> DescriptionError {
        self.error(name.at.clone(), format!("unknown option `{}` of {layer}; there {options}", name.text))
    }

    fn no_options(&mut self, layer: &str) -> Result<(), DescriptionError> {
        match self.next_option()? {
            None => Ok(()),
            Some((name, _)) => Err(self.unknown_option(&name, layer, "is none")),
        }
    }

    fn embedding_options(&mut self) -> Result<bool, DescriptionError> {
        let mut mask_zero = false;
        while let Some((name, value)) = self.next_option()? {
            if !name.is("mask_zero") {
                return Err(self.unknown_option(&name, "embedding", "is mask_zero"));
            }
            mask_zero = value.as_ref().map_or(Ok(true), |value| self.truth(value))?;
        }
        Ok(mask_zero)
    }

    fn conv1d_options(&mut self, mut layer: Conv1d) -> Result<Conv1d, DescriptionError> {
        while let Some((name, value)) = self.next_option()? {
            let number = |word: &Word<'_>| {
                let problem = format!("expected a number, found `{}`", word.text);
                word.text.parse().map_err(|_| self.error(word.at.clone(), problem))
            };
            match &value {
                Some(value) if name.is("dilation") || name.is("dilation_rate") => layer.dilation = number(value)?,
                Some(value) if name.is("groups") => layer.groups = number(value)?,
                Some(value) if name.is("activation") => layer.activation = self.activation(value)?,
                Some(value) if name.is("padding") && value.is("causal") => {}
                None if activation(&name).is_some() => layer.activation = self.activation(&name)?,
                _ => {
                    let options = format!(
                        "are dilation=…, groups=…, padding=causal, activation=… and an activation's name ({})",
                        activation_names()
                    );
                    return Err(self.unknown_option(&name, "conv1d", &options));
                }
            }
        }
        Ok(layer)
    }

    fn activation(&self, word: &Word<'_>) -> Result<ActivationKind, DescriptionError> {
        let problem = format!("unknown activation `{}`; there are {}", word.text, activation_names());
        activation(word).ok_or_else(|| self.error(word.at.clone(), problem))
    }

    /// An activation that may be over all outputs.
    fn output_activation(&self, word: &Word<'_>) -> Result<OutputKind, DescriptionError> {
        if word.is("softmax") {
            return Ok(OutputKind::Softmax);
        }
        let problem = format!("unknown activation `{}`; there are softmax, {}", word.text, activation_names());
        activation(word).map(OutputKind::Each).ok_or_else(|| self.error(word.at.clone(), problem))
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
            let truth = || value.as_ref().map_or(Ok(true), |value| self.truth(value));
            match (&value, layer.cell) {
                _ if name.is("sequences") || name.is("return_sequences") => layer.return_sequences = truth()?,
                _ if name.is("go_backwards") => layer.go_backwards = truth()?,
                _ if name.is("zero_output_for_mask") => layer.zero_output_for_mask = truth()?,
                (Some(value), Cell::Gru { .. }) if name.is("reset_after") => {
                    layer.cell = Cell::Gru { reset_after: self.truth(value)? };
                }
                (Some(value), _) if name.is("activation") => layer.activation = self.activation(value)?,
                (Some(value), _) if has_gates && name.is("recurrent_activation") => {
                    layer.recurrent_activation = self.activation(value)?;
                }
                (None, _) if activation(&name).is_some() => layer.activation = self.activation(&name)?,
                _ => {
                    let mut options = String::from(
                        "are sequences, return_sequences=true, go_backwards, zero_output_for_mask, activation=…",
                    );
                    if has_gates {
                        options += ", recurrent_activation=…";
                    }
                    if let Cell::Gru { .. } = layer.cell {
                        options += ", reset_after=false";
                    }
                    options += &format!(" and an activation's name ({})", activation_names());
                    return Err(self.unknown_option(&name, layer.cell.kind().name(), &options));
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
                Some(_) => return Err(self.unknown_option(&name, "dense", "is activation=…")),
                None => name,
            };
            chosen = self.output_activation(&word)?;
        }
        Ok(chosen)
    }
}

/// Layers that can be described.
const NAMES: &[&str] = &[
    "simple_rnn",
    "lstm",
    "gru",
    "dense",
    "bidirectional",
    "residual",
    "initial_state",
    "embedding",
    "masking",
    "conv1d",
    "average_pooling",
    "flatten",
    "last",
    "unit_normalization",
    "activation",
    "prelu",
    "normalize",
];

/// What stands first in a layer's parentheses.
fn first_option(layer: &str) -> &'static str {
    match layer {
        "masking" => "the value that masks",
        "activation" => "an activation's name",
        "embedding" => "the number of tokens",
        "average_pooling" | "flatten" => "the number of time steps",
        "prelu" | "normalize" => "the number of inputs",
        _ => "the number of units",
    }
}

/// As in a description.
impl fmt::Display for Recurrent {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}({}", self.cell.kind().name(), self.units)?;
        if self.activation != ActivationKind::Tanh {
            write!(f, ", {}", self.activation.name())?;
        }
        if self.cell != Cell::SimpleRnn && self.recurrent_activation != ActivationKind::Sigmoid {
            write!(f, ", recurrent_activation={}", self.recurrent_activation.name())?;
        }
        if self.cell == (Cell::Gru { reset_after: false }) {
            write!(f, ", reset_after=false")?;
        }
        if self.return_sequences {
            write!(f, ", sequences")?;
        }
        if self.go_backwards {
            write!(f, ", go_backwards")?;
        }
        if self.zero_output_for_mask {
            write!(f, ", zero_output_for_mask")?;
        }
        write!(f, ")")
    }
}

/// As in a description.
impl fmt::Display for LayerKind {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = self.kind().name();
        match *self {
            LayerKind::Dense { units, activation: OutputKind::Each(ActivationKind::Linear), .. } => {
                write!(f, "{name}({units})")
            }
            LayerKind::Dense { units, activation, .. } => write!(f, "{name}({units}, {})", activation.name()),
            LayerKind::Recurrent(layer) => layer.fmt(f),
            LayerKind::Bidirectional { layer, merge: Merge::Concat } => write!(f, "{name}({layer})"),
            LayerKind::Bidirectional { layer, merge } => write!(f, "{name}({layer}, merge={})", merge.name()),
            LayerKind::Masking { value, .. } => write!(f, "{name}({value})"),
            LayerKind::Embedding { tokens, size, mask_zero: false } => write!(f, "{name}({tokens}, {size})"),
            LayerKind::Embedding { tokens, size, mask_zero: true } => write!(f, "{name}({tokens}, {size}, mask_zero)"),
            LayerKind::Conv1d(layer) => {
                write!(f, "{name}({}, {}", layer.units, layer.kernel_size)?;
                if layer.dilation != 1 {
                    write!(f, ", dilation={}", layer.dilation)?;
                }
                if layer.groups != 1 {
                    write!(f, ", groups={}", layer.groups)?;
                }
                if layer.activation != ActivationKind::Linear {
                    write!(f, ", {}", layer.activation.name())?;
                }
                write!(f, ")")
            }
            LayerKind::AveragePooling { steps, .. } | LayerKind::Flatten { steps, .. } => write!(f, "{name}({steps})"),
            LayerKind::Normalize { size }
            | LayerKind::Prelu { size }
            | LayerKind::Quantize { size }
            | LayerKind::Dequantize { size } => write!(f, "{name}({size})"),
            LayerKind::Activation { activation, .. } => write!(f, "{name}({})", activation.name()),
            LayerKind::Last { .. } | LayerKind::UnitNormalization { .. } => f.write_str(name),
        }
    }
}

impl fmt::Display for LayerSpec {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match *self {
            LayerSpec { kind: LayerKind::Quantize { .. } | LayerKind::Dequantize { .. }, .. } => self.kind.fmt(f),
            LayerSpec { integer: true, .. } => write!(f, "integer {}", LayerSpec { integer: false, ..*self }),
            LayerSpec { residual: true, .. } => write!(f, "residual({})", LayerSpec { residual: false, ..*self }),
            LayerSpec { initial_state: true, kind, .. } => write!(f, "initial_state({kind})"),
            LayerSpec { kind, .. } => kind.fmt(f),
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
        assert!(problem(&"residual(".repeat(200_000)).starts_with("residual goes around a layer"));
        assert!(problem(&format!("bidirectional(gru({}))", usize::MAX)).starts_with("layer 1: the number of units is"));
    }
}
