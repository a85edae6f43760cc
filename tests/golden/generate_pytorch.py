"""Writes pytorch.txt: final states of PyTorch's recurrent modules for weights and inputs from a formula.

    pip install torch
    python tests/golden/generate_pytorch.py > tests/golden/pytorch.txt

Weight number i of a module (in the order of its state dict, each tensor flattened in C order, one count over all) is
sin(0.7 i + 1) / sqrt(units), input number i is sin(1.3 i); 4 steps. A line is: module, nonlinearity or -, inputs, units, layers,
bias (0 or 1), then for each layer its final h and, of an LSTM, c.

Also writes pytorch.safetensors, a state dict as PyTorch saves it, and pytorch.json: inputs and what PyTorch makes of them.
"""
import json
import pathlib
import numpy as np
import torch
from safetensors.torch import save_file

HERE = pathlib.Path(__file__).parent
STEPS = 4
SIZES = [1, 7, 8, 9, 15, 16, 17, 31, 33, 67]


def wave(start, count, scale, step, phase):
    return torch.tensor((scale * np.sin(step * np.arange(start, start + count) + phase)).astype(np.float32))


def line(kind, nonlinearity, inputs, units, layers, bias):
    options = {"nonlinearity": nonlinearity} if nonlinearity else {}
    module = getattr(torch.nn, kind)(inputs, units, num_layers=layers, bias=bias, batch_first=True, **options)
    count = 0
    state = module.state_dict()
    for tensor in state.values():
        tensor.copy_(wave(count, tensor.numel(), 1 / np.sqrt(units), 0.7, 1.0).reshape(tensor.shape))
        count += tensor.numel()
    module.load_state_dict(state)
    _, final = module(wave(0, STEPS * inputs, 1.0, 1.3, 0.0).reshape(1, STEPS, inputs))
    h, c = final if kind == "LSTM" else (final, None)
    numbers = [x for layer in range(layers) for part in (h, c) if part is not None for x in part[layer, 0].tolist()]
    print(kind, nonlinearity or "-", inputs, units, layers, int(bias), *(f"{x:.8g}" for x in numbers))


class Classifier(torch.nn.Module):
    def __init__(self):
        super().__init__()
        self.rnn = torch.nn.LSTM(3, 9, num_layers=2, batch_first=True)
        self.fc = torch.nn.Linear(9, 4)

    def forward(self, x):
        y, _ = self.rnn(x)
        return self.fc(y)


with torch.no_grad():
    for kind, nonlinearity in [("RNN", "tanh"), ("RNN", "relu"), ("LSTM", None), ("GRU", None)]:
        for i, units in enumerate(SIZES):
            line(kind, nonlinearity, 3, units, 1, True)
            line(kind, nonlinearity, SIZES[-1 - i], units, 2, i % 2 == 0)
    torch.manual_seed(1)
    model = Classifier()
    save_file(model.state_dict(), HERE / "pytorch.safetensors")
    x = torch.randn(2, 11, 3)
    answers = {"x": x.tolist(), "y": model(x).tolist()}
    (HERE / "pytorch.json").write_text(json.dumps(answers) + "\n")
