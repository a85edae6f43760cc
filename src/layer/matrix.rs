//! Layers on nalgebra's vectors.

use super::Layer;
use nalgebra::SVector;

/// [`Layer`] with nalgebra's static vectors in and out; nothing is copied on the way.
///
/// ```
/// use gatelet::{Dense, MatrixLayer};
/// use nalgebra::{SVector, Vector2};
/// let layer: Dense<2, 1> = Dense::new(&[[1.0], [10.0]], &[0.5]);
/// let y: SVector<f32, 1> = layer.step_vector(&mut (), &Vector2::new(2.0, 3.0));
/// assert_eq!(y[0], 32.5);
/// ```
pub trait MatrixLayer<const I: usize, const O: usize>: Layer<Input = [f32; I], Output = [f32; O]> {
    /// [`Layer::step`] on a column vector.
    fn step_vector(&self, state: &mut Self::State, x: &SVector<f32, I>) -> SVector<f32, O> {
        let mut y = SVector::<f32, O>::zeros();
        self.step(state, &x.data.0[0], &mut y.data.0[0]);
        y
    }
}

impl<const I: usize, const O: usize, L: Layer<Input = [f32; I], Output = [f32; O]>> MatrixLayer<I, O> for L {}
