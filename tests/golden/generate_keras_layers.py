"""Writes keras_layers.txt: outputs and final states of Keras's layers for weights and inputs from a formula.

    pip install keras torch
    KERAS_BACKEND=torch python tests/golden/generate_keras_layers.py > tests/golden/keras_layers.txt

Weight number i of a model (in the order of `weights`, layer by layer, each flattened in C order, one count over all) is
sin(0.7 i + 1) / sqrt(units), or 0.5 more than its size where it is a variance. Input number i is sin(1.3 i), or -1 in masked steps,
or i * i + 1 modulo the tokens; number i of an initial state is 0.5 cos(0.9 i). 4 steps. A line is, behind semicolons: the inputs, the
layers, what else is so (initial, no_bias, masked steps), outputs, final states of all recurrent layers (of each h and, of an LSTM, c; of a
bidirectional one both).
"""
import keras
import numpy as np
from keras import layers as L

STEPS = 4
SIZES = [1, 7, 8, 9, 15, 16, 17, 31, 33, 67]
CELLS = {"simple_rnn": (L.SimpleRNN, {}), "lstm": (L.LSTM, {}), "gru": (L.GRU, {}), "gru_before": (L.GRU, {"reset_after": False})}
ACTIVATIONS = ["tanh", "sigmoid", "hard_sigmoid", "relu", "linear", "softsign", "softplus", "elu", "silu", "leaky_relu"]


def cell(name, units, options=(), **more):
    """A cell and how it is described; `options` are those without a value."""
    layer, fixed = CELLS[name]
    values = {"sequences": "return_sequences"}
    flags = {values.get(option, option): True for option in options}
    words = [f"{key}={value}" for key, value in more.items() if key != "use_bias"]
    words += ["reset_after=false"] if name == "gru_before" else []
    described = ", ".join([f"{name.removesuffix('_before')}({units}", *options, *words]) + ")"
    return layer(units, return_state=True, **flags, **fixed, **more), described


def both(name, units, merge, options=()):
    layer, described = cell(name, units, options)
    around = L.Bidirectional(layer, merge_mode=None if merge == "none" else merge)
    return around, f"bidirectional({described}, merge={merge})"


def has_states(layer):
    return isinstance(layer, (L.SimpleRNN, L.LSTM, L.GRU, L.Bidirectional))


def units_of(layer):
    for key in ("units", "filters", "output_dim"):
        if hasattr(layer, key):
            return getattr(layer, key)
    if isinstance(layer, L.Bidirectional):
        return layer.forward_layer.units
    if isinstance(layer, L.TimeDistributed):
        return layer.layer.units
    return layer.weights[0].shape[-1]


def line(inputs, parts, *what, tokens=None):
    """`parts` are pairs of a layer, or several in series, and their description."""
    initial, no_bias = "initial" in what, "no_bias" in what
    masked = [int(word.removeprefix("masked=")) for word in what if word.startswith("masked=")]
    if tokens:
        x = (np.arange(STEPS) ** 2 + 1) % tokens
        x = x.reshape(1, STEPS)
    else:
        x = np.sin(1.3 * np.arange(STEPS * inputs)).astype(np.float32).reshape(1, STEPS, inputs)
        x[0, masked] = -1
    layers = [layer for part, _ in parts for layer in (part if isinstance(part, list) else [part])]
    start = keras.Input(x.shape[1:], batch_size=1)
    flow, states = start, []
    first = True
    for layer in layers:
        if not has_states(layer):
            flow = layer(flow)
            continue
        options = {}
        if initial and first:
            count = 2 if isinstance(getattr(layer, "forward_layer", layer), L.LSTM) else 1
            count *= 2 if isinstance(layer, L.Bidirectional) else 1
            units = units_of(layer)
            values = (0.5 * np.cos(0.9 * np.arange(count * units))).astype(np.float32).reshape(count, 1, units)
            options["initial_state"] = [keras.ops.convert_to_tensor(value) for value in values]
        first = False
        outputs = layer(flow, **options)
        merged_none = isinstance(layer, L.Bidirectional) and layer.merge_mode is None
        flow, own = (L.Concatenate()(outputs[:2]), outputs[2:]) if merged_none else (outputs[0], outputs[1:])
        states += own
    model = keras.Model(start, [flow, *states])
    count = 0
    for layer in layers:
        for variable in layer.weights:
            size = int(np.prod(variable.shape))
            weight = np.sin(0.7 * np.arange(count, count + size) + 1.0) / np.sqrt(units_of(layer))
            weight = np.abs(weight) + 0.5 if variable.name == "moving_variance" else weight
            variable.assign(weight.astype(np.float32).reshape(variable.shape))
            count += size
    y, *states = [keras.ops.convert_to_numpy(tensor) for tensor in model(x)]
    numbers = lambda arrays: " ".join(f"{number:.8g}" for array in arrays for number in array.flatten())
    print(1 if tokens else inputs, ", ".join(described for _, described in parts), ",".join(what), numbers([y]), numbers(states), sep=";")


def masking():
    return L.Masking(-1.0), "masking(-1)"


turn = 0
def size():
    """The next of the ragged sizes."""
    global turn
    turn += 1
    return SIZES[turn % len(SIZES)]


for name in CELLS:
    for i, units in enumerate(SIZES):
        line(SIZES[-1 - i], [cell(name, units, ["sequences"])], *(["initial"] if i % 2 else []))
    line(3, [cell(name, size(), ["sequences"], use_bias=False)], "no_bias")
    for options in [[], ["go_backwards"], ["sequences", "go_backwards"]]:
        line(3, [cell(name, size(), options)])
    for options in [[], ["sequences"], ["sequences", "zero_output_for_mask"], ["go_backwards"], ["sequences", "go_backwards", "zero_output_for_mask"]]:
        line(3, [masking(), cell(name, size(), options)], "masked=0", "masked=2")
    line(2, [masking(), cell(name, 9, ["sequences"]), cell(name, 7)], "masked=1", "masked=3")
    for i, merge in enumerate(["concat", "sum", "mul", "ave", "none"]):
        line(3, [both(name, size(), merge, ["sequences"])], *(["initial"] if i % 2 else []))
        line(3, [both(name, size(), merge)], *([] if i % 2 else ["initial"]))
        line(2, [masking(), both(name, 8, merge, ["sequences"] if i % 2 else [])], "masked=0", "masked=3")
    line(3, [cell(name, 9, ["sequences"]), cell(name, 8, ["sequences"]), cell(name, 17)])
    line(5, [both(name, 8, "concat", ["sequences"]), both(name, 8, "concat", ["sequences"]), both(name, 8, "concat", ["sequences"]), both(name, 8, "concat")])
    line(1, [(L.Embedding(5, 7, mask_zero=True), "embedding(5, 7, mask_zero)"), cell(name, 9, ["sequences"])], tokens=5)
for activation in ACTIVATIONS:
    line(3, [cell("simple_rnn", 9, ["sequences"], activation=activation)])
    line(3, [cell("lstm", 7, ["sequences"], activation=activation)])
    line(3, [cell("lstm", 8, ["sequences"], recurrent_activation=activation)])
    line(3, [cell("gru", 9, ["sequences"], activation=activation, recurrent_activation=activation)])
    line(3, [cell("gru_before", 7, ["sequences"], recurrent_activation=activation)])
    line(3, [(L.Dense(17, activation=activation), f"dense(17, {activation})")])
    line(3, [(L.Activation(activation), f"activation({activation})")])
line(1, [(L.Embedding(3, 16), "embedding(3, 16)"), (L.Dense(4, activation="softmax"), "dense(4, softmax)")], tokens=3)
for i, (inputs, units, kernel, dilation, groups) in enumerate(
    [(1, 1, 1, 1, 1), (7, 9, 2, 1, 1), (8, 15, 3, 2, 1), (16, 16, 2, 3, 4), (9, 33, 3, 1, 3), (31, 17, 4, 1, 1), (4, 8, 2, 9, 2), (15, 15, 5, 1, 15)]
):
    activation = ACTIVATIONS[i]
    layer = L.Conv1D(units, kernel, padding="causal", dilation_rate=dilation, groups=groups, activation=activation)
    described = f"conv1d({units}, {kernel}, dilation={dilation}, groups={groups}, {activation})"
    line(inputs, [(layer, described)])
line(2, [masking(), (L.Conv1D(8, 2, padding="causal"), "conv1d(8, 2)"), cell("gru", 7, ["sequences"])], "masked=1")
for inputs, steps in [(1, 2), (7, 3), (16, 2), (33, 6)]:
    line(inputs, [([L.ZeroPadding1D((steps - 1, 0)), L.AveragePooling1D(steps, strides=1)], f"average_pooling({steps})")])
for inputs in [1, 8, 17]:
    line(inputs, [(L.BatchNormalization(), f"normalize({inputs})"), cell("gru", 9, ["sequences"])])
for inputs in [1, 2, 15, 67]:
    line(inputs, [(L.UnitNormalization(), "unit_normalization")])
for inputs in [1, 9, 31]:
    line(inputs, [(L.TimeDistributed(L.Dense(16, activation="tanh")), "dense(16, tanh)"), (L.Flatten(), "flatten(4)"), (L.Dense(7), "dense(7)")])
line(3, [masking(), (L.TimeDistributed(L.Dense(8)), "dense(8)"), (L.UnitNormalization(), "unit_normalization"), cell("lstm", 9)], "masked=2")
line(9, [(L.PReLU(shared_axes=[1]), "prelu(9)"), (L.Softmax(), "activation(softmax)")])
