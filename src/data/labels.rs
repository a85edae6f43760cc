//! Class labels collected from a file, and their order.

use std::collections::HashMap;

/// Labels, numbered as they are met.
#[derive(Default)]
pub(super) struct Labels {
    names: Vec<String>,
    numbers: HashMap<String, usize>,
}

impl Labels {
    /// The provisional number of a label.
    pub(super) fn number(&mut self, label: &str) -> usize {
        if let Some(&number) = self.numbers.get(label) {
            return number;
        }
        let number = self.names.len();
        self.names.push(label.into());
        self.numbers.insert(label.into(), number);
        number
    }

    /// The labels in their final order, and the final number of every provisional one.
    pub(super) fn ordered(self) -> (Vec<String>, Vec<usize>) {
        let ordered = in_order(self.names.clone());
        let places: HashMap<_, _> = ordered.iter().enumerate().map(|(place, name)| (name, place)).collect();
        let renumbered = self.names.iter().map(|name| places.get(name).copied().unwrap_or_default()).collect();
        (ordered, renumbered)
    }
}

/// Names in the order of their numbers if all are integers, otherwise alphabetical.
pub(super) fn in_order(mut names: Vec<String>) -> Vec<String> {
    names.sort();
    if names.iter().all(|name| name.parse::<i64>().is_ok()) {
        names.sort_by_key(|name| name.parse::<i64>().unwrap_or_default());
    }
    names
}
