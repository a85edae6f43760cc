"""Writes keras.txt: outputs of Keras's recurrent layers for weights and inputs from a formula.

    pip install keras tensorflow-cpu
    python tests/golden/generate_keras.py > tests/golden/keras.txt

Weight number i of a layer (kernel, recurrent kernel, bias, each flattened in C order, one count over all) is
0.5 sin(0.7 i + 1), input number i is sin(1.3 i). 3 inputs, 5 units, 7 steps. A line is the layer, then 7 * 5 outputs.
"""
import os
os.environ["TF_CPP_MIN_LOG_LEVEL"] = "3"
import numpy as np
import keras

INPUTS, UNITS, STEPS = 3, 5, 7
LAYERS = {
    "simple_rnn": keras.layers.SimpleRNN(UNITS, return_sequences=True),
    "lstm": keras.layers.LSTM(UNITS, return_sequences=True),
    "gru": keras.layers.GRU(UNITS, return_sequences=True),
    "gru_reset_before": keras.layers.GRU(UNITS, return_sequences=True, reset_after=False),
}
x = np.sin(1.3 * np.arange(STEPS * INPUTS)).astype(np.float32).reshape(1, STEPS, INPUTS)
for name, layer in LAYERS.items():
    layer.build(x.shape)
    count, weights = 0, []
    for weight in layer.get_weights():
        numbers = 0.5 * np.sin(0.7 * np.arange(count, count + weight.size) + 1.0)
        weights.append(numbers.astype(np.float32).reshape(weight.shape))
        count += weight.size
    layer.set_weights(weights)
    print(name, *(f"{y:.9g}" for y in np.array(layer(x)).flatten()))
