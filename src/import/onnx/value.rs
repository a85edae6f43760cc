//! What is known of a tensor in the graph.

use super::flow::{Dim, Flow};
use super::tensor::Tensor;
use std::rc::Rc;

#[derive(Clone, Debug)]
pub(super) enum Value {
    /// Constant numbers.
    Floats(Rc<Tensor>),
    /// Constant numbers, repeated to fill a shape.
    Spread(Rc<Tensor>, Rc<[Dim]>),
    /// A shape, an axis or an index.
    Integers(Integers),
    /// What flows through the network.
    Flow(Rc<Flow>),
    /// Several of these, one behind the other on an axis.
    Stack(usize, Rc<[Flow]>),
    /// States of recurrent nodes, which nothing but a state can be made of.
    States(Rc<[usize]>),
    /// A part of an input, which can only be a state.
    InputPart(usize),
}

#[derive(Clone, Debug, PartialEq)]
pub(super) struct Integers {
    /// Whether it is a number and no list.
    pub(super) scalar: bool,
    pub(super) dims: Rc<[Dim]>,
}

impl Integers {
    pub(super) fn list(dims: impl IntoIterator<Item = Dim>) -> Self {
        Integers { scalar: false, dims: dims.into_iter().collect() }
    }

    /// The numbers, if all of them are known.
    pub(super) fn values(&self) -> Option<Vec<i64>> {
        self.dims.iter().map(Dim::value).collect()
    }

    /// Without the places of a list.
    pub(super) fn single(&self) -> Option<i64> {
        match &*self.dims {
            [dim] => dim.value(),
            _ => None,
        }
    }
}
