//! The elementwise part of each cell, forwards and backwards, for one time step of several sequences.
//!
//! All slices are columns of a matrix one after the other: H numbers each for `h` and `c`, G·H for `gates`, ordered
//! `[gate][unit]`. `gates` holds W x + b on the way in and the activated gates on the way out.

pub(super) mod gru;
pub(super) mod lstm;
pub(super) mod simple_rnn;

use crate::network::Real;

/// `to += what`
pub(super) fn add<T: Real>(to: &mut [T], what: &[T]) {
    for (to, &what) in to.iter_mut().zip(what) {
        *to += what;
    }
}
