//! The network as an ONNX model, for tract and onnxruntime.

use crate::network::{Cell, INPUTS, Network, OUTPUTS};
use tract_onnx::pb::{
    AttributeProto, GraphProto, ModelProto, NodeProto, OperatorSetIdProto, TensorProto, TensorShapeProto, TypeProto,
    ValueInfoProto, attribute_proto, tensor_proto, tensor_shape_proto, type_proto,
};

/// Inputs `x` `[steps, 1, 1]`, `h` and for an LSTM `c` `[1, 1, hidden]`; outputs `y` `[steps, 1]`, `h_next`, `c_next`.
pub fn model(network: &Network, steps: usize) -> ModelProto {
    let (gates, hidden) = (network.cell.gates(), network.hidden);
    let rows = gates * hidden;
    // ONNX has i, o, f, g and z, r, n.
    let (op, order, states): (_, &[usize], &[&str]) = match network.cell {
        Cell::Lstm => ("LSTM", &[0, 3, 1, 2], &["h", "c"]),
        Cell::Gru => ("GRU", &[1, 0, 2], &["h"]),
    };
    let biases = [network.reordered(&network.bias, order), network.reordered(&network.recurrent_bias, order)].concat();
    let initializer = vec![
        tensor("W", &[1, rows, INPUTS], &network.reordered(&network.kernel, order)),
        tensor("R", &[1, rows, hidden], &network.reordered(&network.recurrent_kernel, order)),
        tensor("B", &[1, 2 * rows], &biases),
        tensor("dense_kernel", &[hidden, OUTPUTS], &network.dense_kernel),
        tensor("dense_bias", &[OUTPUTS], &[network.dense_bias]),
    ];

    let next: Vec<String> = states.iter().map(|state| format!("{state}_next")).collect();
    let recurrent_inputs = [&["x", "W", "R", "B", ""], states].concat();
    let recurrent_outputs: Vec<&str> = std::iter::once("hs").chain(next.iter().map(String::as_str)).collect();
    let mut recurrent = node(op, &recurrent_inputs, &recurrent_outputs);
    recurrent.attribute.push(integer("hidden_size", hidden));
    if network.cell == Cell::Gru {
        recurrent.attribute.push(integer("linear_before_reset", 1));
    }

    let state_shape = [1, 1, hidden];
    let mut input = vec![value("x", &[steps, 1, INPUTS])];
    input.extend(states.iter().map(|state| value(state, &state_shape)));
    let mut output = vec![value("y", &[steps, OUTPUTS])];
    output.extend(next.iter().map(|state| value(state, &state_shape)));
    let dense = [node("Flatten", &["hs"], &["flat"]), node("Gemm", &["flat", "dense_kernel", "dense_bias"], &["y"])];
    let node = [vec![recurrent], dense.to_vec()].concat();
    ModelProto {
        ir_version: 8,
        opset_import: vec![OperatorSetIdProto { version: 17, ..Default::default() }],
        graph: Some(GraphProto { name: "peers".into(), node, initializer, input, output, ..Default::default() }),
        ..Default::default()
    }
}

fn node(op: &str, inputs: &[&str], outputs: &[&str]) -> NodeProto {
    NodeProto {
        name: op.into(),
        op_type: op.into(),
        input: inputs.iter().map(ToString::to_string).collect(),
        output: outputs.iter().map(ToString::to_string).collect(),
        ..Default::default()
    }
}

fn integer(name: &str, value: usize) -> AttributeProto {
    let r#type = attribute_proto::AttributeType::Int.into();
    AttributeProto { name: name.into(), r#type, i: value as i64, ..Default::default() }
}

fn tensor(name: &str, shape: &[usize], values: &[f32]) -> TensorProto {
    TensorProto {
        name: name.into(),
        dims: shape.iter().map(|&size| size as i64).collect(),
        data_type: tensor_proto::DataType::Float.into(),
        float_data: values.to_vec(),
        ..Default::default()
    }
}

fn value(name: &str, shape: &[usize]) -> ValueInfoProto {
    let dimension = |&size: &usize| tensor_shape_proto::Dimension {
        value: Some(tensor_shape_proto::dimension::Value::DimValue(size as i64)),
        ..Default::default()
    };
    let tensor = type_proto::Tensor {
        elem_type: tensor_proto::DataType::Float.into(),
        shape: Some(TensorShapeProto { dim: shape.iter().map(dimension).collect() }),
    };
    let r#type = TypeProto { value: Some(type_proto::Value::TensorType(tensor)), ..Default::default() };
    ValueInfoProto { name: name.into(), r#type: Some(r#type), ..Default::default() }
}
