//! `tract-onnx`: an optimised plan, the recurrent state as inputs and outputs.

use super::Peer;
use crate::network::{Cell, INPUTS, Network};
use anyhow::Result;
use tract_onnx::prelude::*;

struct Tract {
    plan: TypedSimpleState,
    /// h, and c of an LSTM.
    state: TVec<TValue>,
}

impl Peer for Tract {
    fn name(&self) -> &str {
        "tract-onnx"
    }

    fn version(&self) -> &str {
        super::locked_version("tract-onnx")
    }

    fn steps_per_call(&self) -> usize {
        1
    }

    fn run(&mut self, xs: &[f32], ys: &mut [f32]) -> Result<()> {
        for (x, y) in xs.chunks(INPUTS).zip(ys) {
            let mut inputs = tvec!(Tensor::from_shape(&[1, 1, INPUTS], x)?.into_tvalue());
            inputs.append(&mut self.state);
            let mut outputs = self.plan.run(inputs)?;
            *y = outputs.remove(0).try_as_plain_ram()?.as_slice()?[0];
            self.state = outputs;
        }
        Ok(())
    }
}

/// The ONNX model, read and optimised by tract.
pub fn peer(network: &Network) -> Result<Box<dyn Peer>> {
    let model = onnx().model_for_proto_model(&crate::onnx::model(network, 1))?;
    let plan = model.into_optimized()?.into_runnable()?.spawn()?;
    let zeros = || Tensor::zero::<f32>(&[1, 1, network.hidden]).map(IntoTValue::into_tvalue);
    let state = match network.cell {
        Cell::Lstm => tvec!(zeros()?, zeros()?),
        Cell::Gru => tvec!(zeros()?),
    };
    Ok(Box::new(Tract { plan, state }))
}
