//! The data set: series with the names of their features and targets.

use std::sync::Arc;

use super::series::Target;
use super::{DataError, Series};

/// Series of feature vectors with targets.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct Dataset {
    /// Channel names; `x0`, `x1`, … where the file has none.
    pub features: Vec<String>,
    /// What the series' targets mean.
    pub targets: Targets,
    /// The series, in file order.
    pub series: Vec<Series>,
    /// Recordings that were left out because they are shorter than one window with its horizon.
    pub skipped: usize,
}

/// What the targets of a data set's series mean.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Targets {
    /// There are none.
    None,
    /// A class: the labels, by class number. From a `.ts` file in the order of its header; from other files in the order
    /// of the numbers if all labels are integers, otherwise alphabetical.
    Classes(Vec<String>),
    /// A vector of values: the names of the target columns.
    Values(Vec<String>),
}

impl Dataset {
    /// A data set made in memory.
    ///
    /// # Errors
    /// If a series has another number of features than `features`, or a target that is not of the kind of `targets`:
    /// one class below the number of classes or one finite vector with a value per name, for the whole series or for
    /// every step.
    pub fn new(features: Vec<String>, targets: Targets, series: Vec<Series>) -> Result<Self, DataError> {
        for series in &series {
            let mismatch = (series.features != features.len())
                .then(|| format!("it has {} features, expected {}", series.features, features.len()))
                .or_else(|| target_problem(series, &targets));
            if let Some(problem) = mismatch {
                return Err(DataError::Series { name: series.name().into(), problem });
            }
        }
        Ok(Self { features, targets, series, skipped: 0 })
    }

    /// Renumbers the classes as in `classes`, the labels a model was trained with.
    ///
    /// # Errors
    /// If a series has a label that is not among them, or the data set has no classes.
    pub fn with_classes_of(mut self, classes: &[String]) -> Result<Self, DataError> {
        let Targets::Classes(labels) = &self.targets else { return Err(DataError::NoClasses) };
        let numbers: Vec<_> = labels.iter().map(|label| classes.iter().position(|class| class == label)).collect();
        let renumber = |class: usize| numbers.get(class).copied().flatten();
        // Windows of one recording follow each other and share its classes, which are renumbered once.
        let (mut before, mut after): (Arc<[usize]>, Arc<[usize]>) = Default::default();
        for series in &mut self.series {
            let mut used = (0..series.len()).filter_map(|step| series.class(step));
            if let Some(new) = used.find(|&class| renumber(class).is_none()) {
                return Err(DataError::NewLabel {
                    label: labels.get(new).cloned().unwrap_or_else(|| new.to_string()),
                    series: series.name().into(),
                    known: classes.to_vec(),
                });
            }
            // A row outside all windows may have an unknown label. Its number is never asked for.
            let renumber = |class: usize| renumber(class).unwrap_or(usize::MAX);
            match &mut series.target {
                Target::Class(class) => *class = renumber(*class),
                Target::Classes { all, .. } => {
                    if !Arc::ptr_eq(&before, all) {
                        before = all.clone();
                        after = all.iter().copied().map(renumber).collect();
                    }
                    *all = after.clone();
                }
                _ => {}
            }
        }
        self.targets = Targets::Classes(classes.to_vec());
        Ok(self)
    }

    /// Whether a network can be trained on this: on the target of every time step, or on that of the last one.
    ///
    /// # Errors
    /// If there is no series, there are no targets, or all series are of one class.
    pub fn check_trainable(&self, every_step: bool) -> Result<(), DataError> {
        let Some(first) = self.series.first() else { return Err(DataError::NoSeries) };
        match &self.targets {
            Targets::None => Err(DataError::NoTargets),
            Targets::Values(_) => Ok(()),
            Targets::Classes(labels) => {
                let steps = |s: &Series| if every_step { 0..s.len() } else { s.len() - 1..s.len() };
                let one = first.last_class();
                let mut classes = self.series.iter().flat_map(|s| steps(s).map(|step| s.class(step)));
                if classes.any(|class| class != one) {
                    return Ok(());
                }
                let label = one.and_then(|class| labels.get(class));
                Err(DataError::OneClass { label: label.cloned().unwrap_or_default() })
            }
        }
    }
}

/// Why a series' target is not one of `targets`.
fn target_problem(series: &Series, targets: &Targets) -> Option<String> {
    let steps = series.len();
    match (targets, &series.target) {
        (Targets::None, Target::None) => None,
        (Targets::Classes(labels), Target::Class(_) | Target::Classes { .. }) => {
            if let Target::Classes { range, .. } = &series.target
                && range.len() != steps
            {
                return Some(format!("it has {} classes for {steps} time steps, expected one per step", range.len()));
            }
            let wrong = (0..steps).find(|&step| series.class(step).is_none_or(|class| class >= labels.len()))?;
            let class = series.class(wrong).unwrap_or(usize::MAX);
            Some(format!("it has class {class} at step {wrong}, but there are {} classes, from 0 on", labels.len()))
        }
        (Targets::Values(names), Target::Values(_) | Target::ValuesPerStep { .. }) => {
            let (expected, found) = match &series.target {
                Target::ValuesPerStep { range, .. } => (steps * names.len(), range.len()),
                _ => (names.len(), series.values(0).map_or(0, <[f32]>::len)),
            };
            if found != expected {
                return Some(format!("it has {found} target values, expected {expected}: {} per vector", names.len()));
            }
            let infinite = |step: &usize| series.values(*step).is_none_or(|v| !v.iter().all(|x| x.is_finite()));
            (0..steps).find(infinite).map(|step| format!("a target value at step {step} is not a finite number"))
        }
        _ => Some("its target is not of the kind that the data set has: none, classes or values".into()),
    }
}
