"""Writes small models as Keras saves them, with outputs, for layers that the other models here lack.

    pip install keras torch h5py
    KERAS_BACKEND=torch python tests/models/keras/generate.py

`answers.json` has for each file inputs (batch, time, features) and outputs. The `.keras` files are compressed afterwards; Keras
reads them as before. `keras2.h5` is what Keras 2.2 saves, with its hard sigmoid, which Keras 3 does not have any more.
"""
import json
import os
import zipfile

import h5py
import keras
import numpy as np
from keras import layers, ops

folder = os.path.dirname(os.path.abspath(__file__))
answers = {}


def wave(start, shape, scale=0.5):
    size = int(np.prod(shape))
    return (scale * np.sin(0.7 * np.arange(start, start + size) + 1.0)).astype(np.float32).reshape(shape)


def with_weights(model):
    """Weight number i is 0.5 sin(0.7 i + 1); a variance is made positive."""
    count, weights = 0, []
    for variable in model.weights:
        weight = wave(count, variable.shape)
        weights.append(np.abs(weight) + 0.5 if variable.name == "moving_variance" else weight)
        count += weight.size
    model.set_weights(weights)
    return model


def answer(name, model, x):
    y = np.array(model.predict(x, verbose=0))
    answers[name] = {"x": x.astype(float).tolist(), "y": y.astype(float).tolist()}


def compress(name):
    path = os.path.join(folder, name)
    with zipfile.ZipFile(path) as file:
        members = {info.filename: file.read(info) for info in file.infolist()}
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as file:
        for member, content in members.items():
            # Without the day on which this was run.
            if member == "metadata.json":
                content = json.dumps({"keras_version": keras.__version__}).encode()
            file.writestr(zipfile.ZipInfo(member, (1980, 1, 1, 0, 0, 0)), content, zipfile.ZIP_DEFLATED)


tokens = with_weights(keras.Sequential([
    keras.Input((6,)),
    layers.Embedding(5, 3, mask_zero=True),
    layers.Bidirectional(layers.LSTM(2, return_sequences=True), merge_mode="ave"),
    layers.GaussianNoise(0.1),
    layers.Conv1D(4, 3, padding="causal", dilation_rate=2, groups=2, activation="silu"),
    layers.PReLU(shared_axes=[1]),
    layers.SpatialDropout1D(0.1),
    layers.BatchNormalization(),
    layers.ELU(),
    layers.LeakyReLU(0.25),
    layers.ZeroPadding1D((2, 0)),
    layers.Conv1D(2, 2, dilation_rate=2, use_bias=False),
    layers.LeakyReLU(0.2),
    layers.Flatten(),
    layers.Dense(3),
    layers.Softmax(),
]))
x = np.array([[1, 2, 3, 4, 0, 0], [0, 4, 0, 2, 1, 1]], np.float32)
tokens.save(os.path.join(folder, "tokens.keras"))
compress("tokens.keras")
answer("tokens.keras", tokens, x)

start = keras.Input((None, 3))
flow = layers.Masking(-1.0)(start)
flow = layers.LSTM(4, return_sequences=True, dropout=0.2, recurrent_activation="hard_sigmoid")(flow)
flow = layers.Dropout(0.3)(flow)
flow = layers.TimeDistributed(layers.Dense(3, activation="relu"))(flow)
flow = layers.BatchNormalization(scale=False)(flow)
flow, _ = layers.GRU(5, return_state=True, use_bias=False)(flow)
flow = layers.Dense(2)(flow)
flow = layers.BatchNormalization(center=False)(flow)
flow = layers.Activation("tanh")(flow)
graph = with_weights(keras.Model(start, flow))
x = wave(0, (2, 5, 3), 1.0)
x[0, 0], x[1, 2:4] = -1, -1
graph.save(os.path.join(folder, "graph.keras"))
compress("graph.keras")
graph.save(os.path.join(folder, "graph.h5"))
answer("graph.keras", graph, x)
answers["graph.h5"] = answers["graph.keras"]

stack = with_weights(keras.Sequential([
    keras.Input((None, 2)),
    layers.SimpleRNN(3, return_sequences=True, use_bias=False),
    layers.Bidirectional(layers.GRU(2, reset_after=False), merge_mode="sum"),
    layers.Dense(2, activation="softplus"),
]))
stack.save_weights(os.path.join(folder, "stack.weights.h5"))
answer("stack.weights.h5", stack, wave(0, (2, 4, 2), 1.0))

steep = keras.layers.Lambda(lambda x: ops.clip(0.2 * x + 0.5, 0.0, 1.0))
for_keras_3 = with_weights(keras.Sequential([
    keras.Input((None, 2)),
    layers.LSTM(3, return_sequences=True, recurrent_activation=steep),
    layers.GRU(3, activation="softsign", recurrent_activation=steep, reset_after=False),
    layers.Dense(2, activation=steep),
]))
answer("keras2.h5", for_keras_3, wave(0, (2, 4, 2), 1.0))
common = {"trainable": True, "activation": "tanh", "recurrent_activation": "hard_sigmoid", "use_bias": True, "implementation": 1}
config = [
    {"class_name": "LSTM", "config": {**common, "name": "lstm_1", "batch_input_shape": [None, None, 2], "dtype": "float32",
                                      "units": 3, "return_sequences": True, "unit_forget_bias": True}},
    {"class_name": "GRU", "config": {**common, "name": "gru_1", "units": 3, "activation": "softsign",
                                     "return_sequences": False, "go_backwards": False}},
    {"class_name": "Dense", "config": {"name": "dense_1", "units": 2, "activation": "hard_sigmoid", "use_bias": True}},
]
with h5py.File(os.path.join(folder, "keras2.h5"), "w") as file:
    file.attrs["keras_version"] = b"2.2.4"
    file.attrs["backend"] = b"tensorflow"
    file.attrs["model_config"] = json.dumps({"class_name": "Sequential", "config": config}).encode()
    group = file.create_group("model_weights")
    group.attrs["layer_names"] = [b"lstm_1", b"gru_1", b"dense_1"]
    for name, layer in zip(["lstm_1", "gru_1", "dense_1"], for_keras_3.layers):
        names = [f"{name}/{weight.name}:0" for weight in layer.weights]
        inner = group.create_group(name)
        inner.attrs["weight_names"] = [name.encode() for name in names]
        for weight, path in zip(layer.weights, names):
            inner.create_dataset(path, data=np.array(weight.numpy()))

with open(os.path.join(folder, "answers.json"), "w") as file:
    json.dump({name: {k: np.round(v, 8).tolist() for k, v in answer.items()} for name, answer in answers.items()}, file)
    file.write("\n")
