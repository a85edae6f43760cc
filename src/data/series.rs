//! One series: feature vectors over time, with its target.

use std::ops::Range;
use std::slice::ChunksExact;
use std::sync::Arc;

use super::DataError;

/// A series of feature vectors with its target, if it has one.
///
/// Windows cut from one recording share its rows; a clone is cheap.
#[derive(Clone, Debug)]
pub struct Series {
    pub(super) name: Arc<str>,
    pub(super) group: Option<Arc<str>>,
    pub(super) row: usize,
    pub(super) features: usize,
    /// All rows of the recording, and which of its values are this series'.
    pub(super) recording: Arc<[f32]>,
    pub(super) range: Range<usize>,
    pub(super) target: Target,
}

/// The target of a series: none, the same at every step, or one per step (a range of the recording's).
#[derive(Clone, Debug)]
pub(super) enum Target {
    None,
    Class(usize),
    Classes { all: Arc<[usize]>, range: Range<usize> },
    Values(Arc<[f32]>),
    ValuesPerStep { dim: usize, all: Arc<[f32]>, range: Range<usize> },
}

impl Target {
    pub(super) fn classes(classes: Vec<usize>) -> Self {
        Self::Classes { range: 0..classes.len(), all: classes.into() }
    }

    pub(super) fn values_per_step(dim: usize, values: Vec<f32>) -> Self {
        Self::ValuesPerStep { dim, range: 0..values.len(), all: values.into() }
    }

    /// The target of some rows of a recording, from the target of all of them.
    pub(super) fn rows(&self, rows: Range<usize>) -> Self {
        match self {
            Self::Classes { all, .. } => Self::Classes { all: all.clone(), range: rows },
            Self::ValuesPerStep { dim, all, .. } => {
                Self::ValuesPerStep { dim: *dim, all: all.clone(), range: rows.start * dim..rows.end * dim }
            }
            whole => whole.clone(),
        }
    }
}

impl Series {
    /// A series of its own, without a target. `inputs` is time-major: (time steps, `features`).
    ///
    /// # Errors
    /// If there is no time step, `inputs` is not a whole number of steps, or a value is not finite.
    pub fn new(name: impl Into<String>, features: usize, inputs: Vec<f32>) -> Result<Self, DataError> {
        let name = name.into();
        let problem = |problem| Err(DataError::Series { name: name.clone(), problem });
        if features == 0 || inputs.is_empty() || !inputs.len().is_multiple_of(features) {
            return problem(format!(
                "{} input values do not make time steps of {features} features; expected at least one whole step",
                inputs.len()
            ));
        }
        if let Some((at, value)) = inputs.iter().enumerate().find(|(_, value)| !value.is_finite()) {
            let (step, feature) = (at / features, at % features);
            return problem(format!(
                "feature {feature} is {value} at step {step}; expected a finite number, remove or fill it"
            ));
        }
        Ok(Self {
            name: name.into(),
            group: None,
            row: 0,
            features,
            range: 0..inputs.len(),
            recording: inputs.into(),
            target: Target::None,
        })
    }

    /// Gives the whole series one class.
    pub fn with_class(mut self, class: usize) -> Self {
        self.target = Target::Class(class);
        self
    }

    /// Gives every time step a class of its own.
    pub fn with_classes(mut self, classes: Vec<usize>) -> Self {
        self.target = Target::classes(classes);
        self
    }

    /// Gives the whole series one vector of target values.
    pub fn with_value(mut self, value: Vec<f32>) -> Self {
        self.target = Target::Values(value.into());
        self
    }

    /// Gives every time step a vector of `dim` target values. `values` is time-major: (time steps, `dim`).
    pub fn with_values(mut self, dim: usize, values: Vec<f32>) -> Self {
        self.target = Target::values_per_step(dim, values);
        self
    }

    /// Puts the series into a group, for [`super::Dataset::split_groups`].
    pub fn with_group(mut self, group: impl Into<String>) -> Self {
        self.group = Some(group.into().into());
        self
    }

    /// Sets [`row`](Self::row), for [`super::Dataset::split_rows`].
    pub fn with_row(mut self, row: usize) -> Self {
        self.row = row;
        self
    }

    /// Name of the recording the series is (a window of).
    pub fn name(&self) -> &str {
        &self.name
    }

    /// The group of the row the last target is taken from.
    pub fn group(&self) -> Option<&str> {
        self.group.as_deref()
    }

    /// Number of the source file's data row that the last target is taken from, from 0: a row of a `.csv` or 2-D
    /// `.npy` file, a series of a `.ts` or 3-D `.npy` file. 0 if the series was made in memory.
    pub fn row(&self) -> usize {
        self.row
    }

    /// Time steps, at least 1.
    #[allow(clippy::len_without_is_empty, reason = "a series is never empty")]
    pub fn len(&self) -> usize {
        self.range.len() / self.features
    }

    /// Features per time step, at least 1.
    pub fn features(&self) -> usize {
        self.features
    }

    /// All inputs, time-major: ([`len`](Self::len), [`features`](Self::features)).
    pub fn inputs(&self) -> &[f32] {
        &self.recording[self.range.clone()]
    }

    /// The inputs step by step, each of [`features`](Self::features) values.
    pub fn steps(&self) -> ChunksExact<'_, f32> {
        self.inputs().chunks_exact(self.features)
    }

    /// The class at a time step; that of the whole series where it has one. `None` beyond the last step and without
    /// classes.
    pub fn class(&self, step: usize) -> Option<usize> {
        match &self.target {
            Target::Class(class) if step < self.len() => Some(*class),
            Target::Classes { all, range } => all.get(range.clone())?.get(step).copied(),
            _ => None,
        }
    }

    /// The target values at a time step; those of the whole series where it has them. `None` beyond the last step and
    /// without target values.
    pub fn values(&self, step: usize) -> Option<&[f32]> {
        match &self.target {
            Target::Values(values) if step < self.len() => Some(values),
            Target::ValuesPerStep { dim, all, range } if *dim > 0 => {
                all.get(range.clone())?.chunks_exact(*dim).nth(step)
            }
            _ => None,
        }
    }

    /// The class at the last time step.
    pub fn last_class(&self) -> Option<usize> {
        self.class(self.len() - 1)
    }

    /// The target values at the last time step.
    pub fn last_values(&self) -> Option<&[f32]> {
        self.values(self.len() - 1)
    }
}
