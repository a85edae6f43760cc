//! How far training is, on standard error: a bar on a terminal, else a line for each epoch.

use crate::failure::Failure;
use crate::output::{note, print_json};
use gatelet::train::{Epoch, Progress};
use indicatif::{ProgressBar, ProgressStyle};
use std::io::IsTerminal;

/// The progress of a training run.
pub struct Bar {
    bar: ProgressBar,
    epochs: usize,
    metric: fn(f64) -> String,
    begun: bool,
    json: bool,
}

/// The metric of a batch in words.
pub fn metric(is_classifier: bool) -> fn(f64) -> String {
    if is_classifier {
        |accuracy| format!("accuracy {:.2} %", 100.0 * accuracy)
    } else {
        |error| format!("mae {error:.4}")
    }
}

impl Bar {
    /// A run of so many epochs, each of which is a line of JSON, too, where they are asked for.
    pub fn new(epochs: usize, metric: fn(f64) -> String, json: bool) -> Self {
        let can_draw = std::io::stderr().is_terminal() && std::env::var_os("TERM").is_some_and(|term| term != "dumb");
        let bar = if can_draw { ProgressBar::new(0) } else { ProgressBar::hidden() };
        // In a narrow terminal the message is cut, so that a line stays a line.
        let style = ProgressStyle::with_template("{prefix} {bar:16} {eta} left  {wide_msg}");
        bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_bar()));
        Bar { bar, epochs, metric, begun: false, json }
    }

    /// After each batch.
    pub fn batch(&mut self, epoch: usize, progress: Progress) {
        if self.bar.is_hidden() {
            return;
        }
        if self.bar.length() == Some(0) {
            self.bar.set_length((self.epochs * progress.batches) as u64);
        }
        self.bar.set_prefix(format!("epoch {epoch}/{}", self.epochs));
        self.bar.set_message(format!("loss {:.4}, {}", progress.loss, (self.metric)(progress.metric)));
        // Epochs are equally long, so one bar over all of them tells the time that is left.
        self.bar.set_position(((epoch - 1) * progress.batches + progress.batch) as u64);
        if !self.begun {
            self.begun = true;
            // What an earlier run did says nothing about the time that is left.
            self.bar.reset_eta();
        }
    }

    /// After each epoch, which is told in words and as a value.
    pub fn epoch(&mut self, words: String, epoch: &impl serde::Serialize) -> Result<(), Failure> {
        self.bar
            .suspend(|| {
                note(words);
                if self.json { print_json(epoch) } else { Ok(()) }
            })
            .or_else(|failure| match failure {
                // The model is worth having even if nobody reads how it came about.
                Failure::ClosedPipe => {
                    self.json = false;
                    Ok(())
                }
                failure => Err(failure),
            })
    }

    /// Says something between epochs.
    pub fn note(&self, text: impl core::fmt::Display) {
        self.bar.suspend(|| note(text));
    }

    /// At the end.
    pub fn finish(&self) {
        self.bar.finish_and_clear();
    }
}

/// The figures of an epoch in words.
pub fn figures(epoch: &Epoch) -> String {
    let percent = |share: f64| format!("{:.2} %", 100.0 * share);
    let number = |x: f64| format!("{x:.4}");
    let figures = [
        ("loss", Some(number(epoch.loss))),
        ("accuracy", epoch.accuracy.map(percent)),
        ("mae", epoch.mae.map(number)),
        ("validation loss", epoch.val_loss.map(number)),
        ("validation accuracy", epoch.val_accuracy.map(percent)),
        ("validation mae", epoch.val_mae.map(number)),
    ];
    let figures: Vec<_> =
        figures.into_iter().filter_map(|(name, figure)| Some(format!("{name} {}", figure?))).collect();
    figures.join(", ")
}
