//! Vectors on their way through the graph, and which axis of a tensor holds what of them.
//!
//! A network has one vector per time step of each series; a graph has tensors, whose axes it swaps, splits and joins. An
//! axis is therefore kept as its factors: other axes of the graph's input, and parts of the vector.

use super::MOST_AXES;
use std::collections::VecDeque;

/// What an axis counts; an axis without factors has the size 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Factor {
    /// An axis of an input that is not its vector's: series, or time steps.
    Outer {
        /// Its number, over all inputs.
        id: usize,
        /// None if it is open.
        size: Option<usize>,
    },
    /// Numbers of the vector, each so far from the next one. More than one.
    Inner {
        /// How many.
        size: usize,
        /// How far.
        stride: usize,
    },
}

pub(super) type Axis = Vec<Factor>;

/// So many numbers of a vector.
pub(super) fn inner(size: usize, stride: usize) -> Axis {
    if size == 1 { Vec::new() } else { vec![Factor::Inner { size, stride }] }
}

/// A number in a shape: a factor times the sizes of open axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Dim {
    pub(super) factor: i64,
    pub(super) open: Vec<usize>,
}

impl Dim {
    pub(super) const fn known(factor: i64) -> Self {
        Dim { factor, open: Vec::new() }
    }

    pub(super) const fn value(&self) -> Option<i64> {
        if self.open.is_empty() { Some(self.factor) } else { None }
    }

    /// None if the product is too large for anything.
    pub(super) fn times(&self, other: &Self) -> Option<Self> {
        let mut open = self.open.clone();
        open.extend(&other.open);
        open.sort_unstable();
        let factor = self.factor.checked_mul(other.factor)?;
        (open.len() <= MOST_AXES).then_some(Dim { factor, open })
    }

    /// The size of an axis.
    pub(super) fn of(axis: &[Factor]) -> Option<Self> {
        axis.iter().try_fold(Dim::known(1), |dim, factor| match *factor {
            Factor::Outer { id, size: None } => dim.times(&Dim { factor: 1, open: vec![id] }),
            Factor::Outer { size: Some(size), .. } | Factor::Inner { size, .. } => {
                dim.times(&Dim::known(i64::try_from(size).ok()?))
            }
        })
    }
}

/// Where vectors come from.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Source {
    Input(usize),
    Step(usize),
}

/// A tensor with a vector, or a part of it, for each place on its other axes.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Flow {
    pub(super) source: Source,
    /// The first of its numbers in the vector.
    pub(super) start: usize,
    pub(super) axes: Vec<Axis>,
}

impl Flow {
    /// Whether it has all numbers of a vector of so many, in order.
    pub(super) fn is_whole(&self, size: usize) -> bool {
        let mut covered: Option<(usize, usize)> = None;
        for factor in self.axes.iter().flatten() {
            if let Factor::Inner { size, stride } = *factor {
                covered = match covered {
                    None => Some((size, stride)),
                    Some((outer, by)) if size.checked_mul(stride) == Some(by) => Some((outer * size, stride)),
                    Some(_) => return false,
                };
            }
        }
        self.start == 0 && covered.unwrap_or((1, 1)) == (size, 1)
    }

    /// Whether it has the numbers from one to another of its vector, all of them and in order.
    pub(super) fn is_part(&self, start: usize, size: usize) -> bool {
        self.start == start && Flow { start: 0, ..self.clone() }.is_whole(size)
    }

    /// Whether all numbers of its vector, of so many, are on one axis, and nothing else is.
    pub(super) fn has_vector_on(&self, axis: usize, size: usize) -> bool {
        let is_inner = |factor: &Factor| matches!(factor, Factor::Inner { .. });
        let others = self.axes.iter().enumerate().filter(|&(other, _)| other != axis);
        self.is_whole(size)
            && self.axes.get(axis).is_some_and(|axis| axis.iter().all(is_inner))
            && !others.flat_map(|(_, axis)| axis).any(is_inner)
    }

    pub(super) fn with_axes(&self, axes: Vec<Axis>) -> Self {
        Flow { source: self.source, start: self.start, axes }
    }

    /// With another shape, in which -1 stands for what is left. None if that mixes what cannot be told apart any more.
    pub(super) fn reshaped(&self, shape: &[Dim], zero_copies: bool) -> Option<Self> {
        if shape.len() > MOST_AXES {
            return None;
        }
        let mut left: VecDeque<Factor> = self.axes.iter().flatten().copied().collect();
        let copied = |at: usize, dim: &Dim| match (dim.value(), zero_copies) {
            (Some(0), true) => self.axes.get(at).and_then(|axis| Dim::of(axis)),
            _ => Some(dim.clone()),
        };
        let shape: Vec<Dim> = shape.iter().enumerate().map(|(at, dim)| copied(at, dim)).collect::<Option<_>>()?;
        let open = shape.iter().position(|dim| dim.value() == Some(-1));
        let mut axes = Vec::with_capacity(shape.len());
        for dim in &shape[..open.unwrap_or(shape.len())] {
            axes.push(take(&mut left, dim, End::Front)?);
        }
        if let Some(open) = open {
            let mut behind = Vec::new();
            for dim in shape[open + 1..].iter().rev() {
                behind.push(take(&mut left, dim, End::Back)?);
            }
            axes.push(left.drain(..).collect());
            axes.extend(behind.into_iter().rev());
        }
        left.iter().all(is_single).then(|| self.with_axes(axes))
    }
}

fn is_single(factor: &Factor) -> bool {
    matches!(factor, Factor::Outer { size: Some(1), .. })
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum End {
    Front,
    Back,
}

/// Takes factors for an axis of this size. Axes of size 1 go where there is one for them, or get lost.
fn take(left: &mut VecDeque<Factor>, dim: &Dim, end: End) -> Option<Axis> {
    let next = |left: &VecDeque<Factor>| if end == End::Front { left.front().copied() } else { left.back().copied() };
    let drop = |left: &mut VecDeque<Factor>| if end == End::Front { left.pop_front() } else { left.pop_back() };
    let mut size = usize::try_from(dim.factor).ok().filter(|&size| size > 0)?;
    let mut open = dim.open.clone();
    if size == 1 && open.is_empty() {
        let single = next(left).filter(is_single);
        if single.is_some() {
            drop(left);
        }
        return Some(single.into_iter().collect());
    }
    let mut axis = Vec::new();
    while size > 1 || !open.is_empty() {
        let factor = drop(left)?;
        match factor {
            Factor::Outer { size: Some(1), .. } => continue,
            Factor::Outer { id, size: None } => {
                open.remove(open.iter().position(|&other| other == id)?);
            }
            Factor::Outer { size: Some(part), .. } | Factor::Inner { size: part, .. }
                if part > 0 && size.is_multiple_of(part) =>
            {
                size /= part;
            }
            // A part of it; the rest is for the next axis.
            Factor::Inner { size: whole, stride } if size > 1 && whole.is_multiple_of(size) => {
                let (here, rest) = (size, whole / size);
                let [mine, others] = match end {
                    End::Front => [(here, stride * rest), (rest, stride)],
                    End::Back => [(here, stride), (rest, stride * here)],
                };
                let others = Factor::Inner { size: others.0, stride: others.1 };
                if end == End::Front {
                    left.push_front(others)
                } else {
                    left.push_back(others)
                }
                axis.push(Factor::Inner { size: mine.0, stride: mine.1 });
                size = 1;
                continue;
            }
            _ => return None,
        }
        axis.push(factor);
    }
    if end == End::Back {
        axis.reverse();
    }
    Some(axis)
}
