"""Writes onnx/: models that PyTorch exports and that tf2onnx makes of Keras's, models made by hand, and answers.json, what onnxruntime makes of them.

    pip install torch onnx onnxruntime onnxscript keras tensorflow tf2onnx
    python tests/golden/generate_onnx.py

answers.json has for each model its inputs, series × time steps × numbers, and its outputs, series × time steps × numbers or, of one that
gives one output for a series, series × numbers. Weights are random; doc strings and metadata of the exporters are taken out.
"""
import io
import json
import logging
import pathlib
import shutil
import warnings
import numpy as np
import onnx
import onnxruntime
import torch
from onnx import TensorProto, helper, numpy_helper
from torch import nn

OUT = pathlib.Path(__file__).parent / "onnx"
INPUTS, STEPS = 3, 5
answers = {}
random = np.random.default_rng(4)
torch.manual_seed(4)
warnings.filterwarnings("ignore")
logging.disable()


def floats(*shape):
    return (random.standard_normal(shape) * 0.5).astype(np.float32)


def shortest(array):
    """Lists of numbers with as few digits as 32 bits need."""
    return [shortest(part) for part in array] if array.ndim else float(str(array))


def keep(name, model, feed, to_series=None, run=None):
    """Saves a model and its answers, which `to_series` makes series first. `run` is a model that says the same to onnxruntime."""
    for node in model.graph.node:
        node.ClearField("doc_string")
        node.ClearField("metadata_props")
    for field in ["doc_string", "metadata_props", "value_info"]:
        model.graph.ClearField(field)
    for info in list(model.graph.input) + list(model.graph.output) + list(model.graph.initializer):
        info.ClearField("doc_string")
        info.ClearField("metadata_props")
    model.ClearField("metadata_props")
    onnx.save(model, OUT / f"{name}.onnx")
    session = onnxruntime.InferenceSession((run or model).SerializeToString())
    y = session.run(None, feed)[0]
    x = next(iter(feed.values()))
    x, y = to_series(x, y) if to_series else (x, y)
    answers[name] = {"x": shortest(x), "y": shortest(y)}


# --- What PyTorch exports

class Network(nn.Module):
    """A recurrent module, and what is done with its outputs."""

    def __init__(self, kind, layers, bidirectional, batch_first, end):
        super().__init__()
        options = {"nonlinearity": "relu"} if kind == "ReLU" else {}
        self.units = {"LSTM": 6, "GRU": 7, "RNN": 8, "ReLU": 5}[kind]
        self.rnn = getattr(nn, "RNN" if kind == "ReLU" else kind)(
            INPUTS, self.units, num_layers=layers, bidirectional=bidirectional, batch_first=batch_first, **options)
        self.both, self.batch_first, self.end = bidirectional, batch_first, end
        self.head = nn.Linear(self.units * (2 if bidirectional else 1), 4)

    def forward(self, x):
        y, state = self.rnn(x)
        h = state[0] if isinstance(state, tuple) else state
        if self.end == "sequence":
            return torch.tanh(self.head(y))
        if self.end == "plain":
            return y
        if self.end == "last":
            return torch.softmax(self.head(y[:, -1] if self.batch_first else y[-1]), -1)
        return self.head(torch.cat((h[-2], h[-1]), 1) if self.both else h[-1])


def export(name, model, batch_first, gives_sequence, dynamo=False, is_open=True):
    series = 2 if is_open else 1
    x = torch.from_numpy(floats(series, STEPS, INPUTS) if batch_first else floats(STEPS, series, INPUTS))
    names = {0: "series", 1: "time"} if batch_first else {0: "time", 1: "series"}
    file = io.BytesIO()
    options = {}
    if is_open and dynamo:
        options = {"dynamic_shapes": ({axis: torch.export.Dim(name) for axis, name in names.items()},)}
    elif is_open:
        options = {"dynamic_axes": {"x": names}}
    torch.onnx.export(model.eval(), (x,), file, input_names=["x"], dynamo=dynamo, verbose=False, **options)
    swap = lambda a: a if batch_first else a.swapaxes(0, 1)
    to_series = lambda x, y: (swap(x), swap(y) if gives_sequence else y)
    keep(name, onnx.load_from_string(file.getvalue()), {"x": x.numpy()}, to_series)


def exported():
    ends = ["last", "sequence", "hidden", "plain"]
    count = 0
    for kind in ["LSTM", "GRU", "RNN", "ReLU"]:
        for layers in [1, 2]:
            for both in [False, True]:
                for batch_first in [False, True]:
                    end = ends[(count + count // 4) % 4]
                    name = f"torch_{kind.lower()}{layers}{'_both' if both else ''}{'_batch_first' if batch_first else ''}_{end}"
                    # Every other one has axes of fixed sizes.
                    model = Network(kind, layers, both, batch_first, end)
                    export(name, model, batch_first, end in ["sequence", "plain"], is_open=(count // 3) % 2 == 0)
                    count += 1
    for kind, layers, both, end, is_open in [
        ("LSTM", 1, False, "last", False), ("GRU", 2, True, "hidden", False),
        ("LSTM", 2, True, "last", True), ("GRU", 1, False, "sequence", True),
    ]:
        name = f"dynamo_{kind.lower()}{layers}{'_both' if both else ''}_{end}{'' if is_open else '_fixed'}"
        export(name, Network(kind, layers, both, True, end), True, end == "sequence", dynamo=True, is_open=is_open)
    # It writes the time steps of an nn.RNN one by one: no answers, as this is no chain of layers.
    export("unrolled", Network("RNN", 1, False, True, "sequence"), True, True, dynamo=True, is_open=False)
    del answers["unrolled"]


# --- What tf2onnx makes of Keras's models, which keeps an LSTM one (SimpleRNN and GRU become loops)

def converted():
    import keras
    import tensorflow
    import tf2onnx
    keras.utils.set_random_seed(4)
    layers = keras.layers
    biased = dict(bias_initializer=keras.initializers.RandomNormal(stddev=0.5, seed=4))

    def lstm(units, **options):
        return layers.LSTM(units, unit_forget_bias=False, **biased, **options)

    for name, steps, stack in [
        ("last", None, [lstm(6), layers.Dense(4, activation="softmax", **biased)]),
        ("sequence", None, [lstm(5, return_sequences=True), layers.Dense(4, activation="tanh", **biased)]),
        ("deep", STEPS, [lstm(5, return_sequences=True), layers.Dropout(0.5), lstm(4), layers.Dense(2, **biased)]),
        ("both", None, [layers.Bidirectional(lstm(4, return_sequences=True)), layers.Bidirectional(lstm(3)), layers.Dense(2, **biased)]),
        ("both_sequence", STEPS, [layers.Bidirectional(lstm(4, return_sequences=True), merge_mode="sum"), layers.Dense(2, **biased)]),
    ]:
        network = keras.Sequential([layers.Input((steps, INPUTS)), *stack])
        signature = [tensorflow.TensorSpec((None, steps, INPUTS), tensorflow.float32, name="x")]
        function = tensorflow.function(lambda x: network(x), input_signature=signature)
        model, _ = tf2onnx.convert.from_function(function, input_signature=signature, opset=17)
        keep(f"keras_{name}", model, {"x": floats(2, STEPS, INPUTS)})


# --- Made by hand

GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def weights(kind, units, directions=1, inputs=INPUTS, end=""):
    rows = GATES[kind] * units
    shapes = {"W": (directions, rows, inputs), "R": (directions, rows, units), "B": (directions, 2 * rows)}
    return [numpy_helper.from_array(floats(*shape), name + end) for name, shape in shapes.items()]


def graph(nodes, constants, x_shape, inputs=(), outputs=1):
    x = helper.make_tensor_value_info("x", TensorProto.FLOAT, x_shape)
    outputs = [helper.make_tensor_value_info(f"y{i or ''}", TensorProto.FLOAT, None) for i in range(outputs)]
    made = helper.make_graph(nodes, "made", [x, *inputs], outputs, constants)
    model = helper.make_model(made, opset_imports=[helper.make_opsetid("", 17)], ir_version=8)
    return model


def constant(name, value, kind=np.float32):
    return numpy_helper.from_array(np.array(value, kind), name)


TIME_FIRST = ["time", "series", INPUTS]
# Y is time × directions × series × units.
Y = lambda x, y: (x.swapaxes(0, 1), y.transpose(2, 0, 1, 3).reshape(y.shape[2], y.shape[0], -1))
# Y_h is directions × series × units.
Y_H = lambda x, y: (x.swapaxes(0, 1), y.transpose(1, 0, 2).reshape(y.shape[1], -1))
SAME = lambda x, y: (x.swapaxes(0, 1), y.swapaxes(0, 1))


def made():
    x = floats(STEPS, 2, INPUTS)
    for kind in GATES:
        for direction in ["forward", "reverse", "bidirectional"]:
            directions = 2 if direction == "bidirectional" else 1
            constants = weights(kind, 5, directions)
            if kind == "LSTM":
                states = [constant(n, np.repeat(floats(directions, 1, 5), 2, 1)) for n in ["h", "c"]]
            else:
                states = [constant("h", np.repeat(floats(directions, 1, 5), 2, 1))]
            names = [state.name for state in states]
            node = helper.make_node(kind, ["x", "W", "R", "B", "", *names], ["y"], direction=direction, hidden_size=5)
            keep(f"{kind.lower()}_{direction}_initial", graph([node], constants + states, TIME_FIRST), {"x": x}, Y)
            node = helper.make_node(kind, ["x", "W", "R", "B"], ["", "y"], direction=direction, hidden_size=5)
            keep(f"{kind.lower()}_{direction}_final", graph([node], constants, TIME_FIRST), {"x": x}, Y_H)

            # onnxruntime has no layout 1: the same answers as of layout 0.
            plain = helper.make_node(kind, ["x", "W", "R", "B"], ["y"], direction=direction, hidden_size=5)
            run = graph([plain], constants, TIME_FIRST)
            node = helper.make_node(kind, ["x", "W", "R", "B"], ["y"], direction=direction, hidden_size=5, layout=1)
            model = graph([node], constants, ["series", "time", INPUTS])
            keep(f"{kind.lower()}_{direction}_layout", model, {"x": x}, Y, run)

    third = dict(activation_alpha=[1 / 6], activation_beta=[0.5])
    for kind, functions, more in [
        ("LSTM", ["HardSigmoid", "Relu", "Relu"], third), ("LSTM", ["Sigmoid", "Softsign", "Softsign"], {}),
        ("GRU", ["HardSigmoid", "Relu"], third), ("GRU", ["Sigmoid", "Affine"], dict(activation_alpha=[1.0], activation_beta=[0.0])),
        ("RNN", ["Elu"], dict(activation_alpha=[1.0])), ("RNN", ["LeakyRelu"], dict(activation_alpha=[0.2])),
        ("RNN", ["Softplus"], {}), ("GRU", ["Sigmoid", "Tanh"], dict(linear_before_reset=1)),
    ]:
        node = helper.make_node(kind, ["x", "W", "R", "B"], ["y"], hidden_size=6, activations=functions, **more)
        name = "_".join([kind, *functions]).lower() + ("_reset_after" if "linear_before_reset" in more else "")
        keep(name, graph([node], weights(kind, 6), TIME_FIRST), {"x": x}, Y)

    # Two nodes as a bidirectional layer, as converters from Keras write it; without biases, with the lengths of series.
    lengths = helper.make_tensor_value_info("lengths", TensorProto.INT32, ["series"])
    for end, output in [("sequence", 0), ("last", 1)]:
        halves, constants = [], []
        for direction in ["forward", "reverse"]:
            constants += weights("GRU", 4, end=direction)[:2]
            outputs = ["", ""]
            outputs[output] = direction
            halves.append(helper.make_node(
                "GRU", ["x", "W" + direction, "R" + direction, "", "lengths"], outputs, hidden_size=4, direction=direction))
        nodes = halves + [
            helper.make_node("Squeeze", ["forward", "axes"], ["f"]), helper.make_node("Squeeze", ["reverse", "axes"], ["r"]),
            helper.make_node("Concat", ["f", "r"], ["y"], axis=-1)]
        constants.append(constant("axes", [1 - output], np.int64))
        model = graph(nodes, constants, TIME_FIRST, [lengths])
        feed = {"x": x, "lengths": np.full(2, STEPS, np.int32)}
        keep(f"two_nodes_{end}", model, feed, SAME if end == "sequence" else lambda x, y: (x.swapaxes(0, 1), y))

    # The state of a stream goes in and out, one time step at a time.
    state = [helper.make_tensor_value_info(n, TensorProto.FLOAT, [1, 1, 6]) for n in ["h", "c"]]
    node = helper.make_node("LSTM", ["x", "W", "R", "B", "", "h", "c"], ["full", "y1", "y2"], hidden_size=6)
    squeeze = helper.make_node("Squeeze", ["full", "axes"], ["y"])
    constants = weights("LSTM", 6) + [constant("axes", [1], np.int64)]
    one = x[:1, :1]
    feed = {"x": one, "h": np.zeros((1, 1, 6), np.float32), "c": np.zeros((1, 1, 6), np.float32)}
    keep("stream", graph([node, squeeze], constants, [1, 1, INPUTS], state, outputs=3), feed, SAME)

    # Everything that is no recurrent node.
    nodes = [
        helper.make_node("Sub", ["x", "mean"], ["x1"]), helper.make_node("Div", ["x1", "deviation"], ["x2"]),
        helper.make_node("MatMul", ["x2", "M"], ["x3"]), helper.make_node("Add", ["b", "x3"], ["x4"]),
        helper.make_node("LeakyRelu", ["x4"], ["x5"], alpha=0.03), helper.make_node("Identity", ["x5"], ["x6"]),
        helper.make_node("Mul", ["x6", "three"], ["x7"]), helper.make_node("PRelu", ["x7", "slope"], ["x8"]),
        helper.make_node("GRU", ["x8", "W", "R", "B"], ["x9"], hidden_size=5),
        helper.make_node("Constant", [], ["open"], value_ints=[0, -1, 5]), helper.make_node("Reshape", ["x9", "open"], ["x10"]),
        helper.make_node("Cast", ["x10"], ["x11"], to=TensorProto.FLOAT), helper.make_node("Dropout", ["x11"], ["x12"]),
        helper.make_node("Slice", ["x12", "from", "to", "axes"], ["x13"]),
        helper.make_node("Squeeze", ["x13", "axes"], ["x14"]), helper.make_node("Flatten", ["x14"], ["x15"]),
        helper.make_node("Gemm", ["x15", "K", "two"], ["x16"], alpha=0.5, beta=2.0), helper.make_node("Sigmoid", ["x16"], ["x17"]),
        helper.make_node("Gemm", ["x17", "KT"], ["x18"], transB=1), helper.make_node("Softmax", ["x18"], ["y"], axis=1)]
    constants = weights("GRU", 5, inputs=4) + [
        constant("mean", floats(INPUTS)), constant("deviation", 1 + np.abs(floats(1, 1, INPUTS))), constant("M", floats(INPUTS, 4)),
        constant("b", floats(4)), constant("three", 3.0), constant("slope", floats(4)), constant("from", [-1], np.int64),
        constant("to", [2**63 - 1], np.int64), constant("axes", [0], np.int64), constant("K", floats(5, 6)),
        constant("two", [2.0]), constant("KT", floats(3, 6))]
    keep("others", graph(nodes, constants, TIME_FIRST), {"x": x}, lambda x, y: (x.swapaxes(0, 1), y))


if __name__ == "__main__":
    shutil.rmtree(OUT, ignore_errors=True)
    OUT.mkdir()
    exported()
    made()
    converted()
    lines = [f"{json.dumps(name)}: {json.dumps(answer, separators=(',', ':'))}" for name, answer in answers.items()]
    (OUT / "answers.json").write_text("{\n" + ",\n".join(lines) + "\n}\n")
