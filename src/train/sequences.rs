//! A batch of sequences of unequal lengths without padding.

use core::ops::Range;

/// How the time steps of a batch lie in the columns of its matrices: all first steps, then all second steps, and so on,
/// longest sequence first, so that the sequences still running at a step are the first ones and lie side by side.
#[derive(Clone, Debug)]
pub(super) struct Sequences {
    /// Which sequence of the batch is in which place.
    pub(super) order: Vec<usize>,
    /// Lengths, in that order.
    pub(super) lengths: Vec<usize>,
    /// The first column of each step, and behind the last one's the number of columns.
    starts: Vec<usize>,
}

impl Sequences {
    pub(super) fn new(lengths: &[usize]) -> Self {
        let mut order: Vec<_> = (0..lengths.len()).collect();
        order.sort_by_key(|&i| core::cmp::Reverse(lengths[i]));
        let lengths: Vec<_> = order.iter().map(|&i| lengths[i]).collect();
        let mut starts = vec![0];
        let mut running = lengths.len();
        for step in 0..lengths.first().copied().unwrap_or(0) {
            while running > 0 && lengths[running - 1] <= step {
                running -= 1;
            }
            starts.push(starts[step] + running);
        }
        Sequences { order, lengths, starts }
    }

    /// The number of sequences.
    pub(super) fn count(&self) -> usize {
        self.lengths.len()
    }

    /// The number of steps of the longest one.
    pub(super) fn steps(&self) -> usize {
        self.starts.len() - 1
    }

    /// The number of columns: the sum of all lengths.
    pub(super) fn columns(&self) -> usize {
        self.starts[self.steps()]
    }

    /// The columns of a step.
    pub(super) fn step(&self, step: usize) -> Range<usize> {
        self.starts[step]..self.starts[step + 1]
    }

    /// The column that each column becomes where every sequence is turned round; it is the way back as well.
    pub(super) fn reversed(&self) -> Vec<usize> {
        let mut columns = Vec::with_capacity(self.columns());
        for step in 0..self.steps() {
            for place in 0..self.step(step).len() {
                columns.push(self.starts[self.lengths[place] - 1 - step] + place);
            }
        }
        columns
    }

    /// The column of a sequence's last step.
    pub(super) fn last(&self, place: usize) -> usize {
        self.starts[self.lengths[place] - 1] + place
    }
}

#[cfg(test)]
mod tests {
    use super::Sequences;

    #[test]
    fn running_sequences_lie_side_by_side() {
        let sequences = Sequences::new(&[1, 3, 2]);
        assert_eq!(sequences.order, [1, 2, 0]);
        assert_eq!([sequences.step(0), sequences.step(1), sequences.step(2)], [0..3, 3..5, 5..6]);
        assert_eq!([0, 1, 2].map(|place| sequences.last(place)), [5, 4, 2]);
        assert_eq!(sequences.reversed(), [5, 4, 2, 3, 1, 0]);
    }
}
