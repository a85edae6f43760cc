"""Writes pytorch.txt: final states of PyTorch's recurrent modules for weights and inputs from a formula.

    pip install torch safetensors
    python tests/golden/generate_pytorch.py > tests/golden/pytorch.txt

Weight number i of a module (in the order of its state dict, each tensor flattened in C order, one count over all) is
sin(0.7 i + 1) / sqrt(units), input number i is sin(1.3 i); 4 steps. A line is: module, nonlinearity or -, inputs, units, layers,
bias (0 or 1), then for each layer its final h and, of an LSTM, c.

Also writes pytorch_sequences.txt: outputs and final states of bidirectional modules, of modules that begin with a given state, and
of series of several lengths in one batch (pack_padded_sequence). A line is: module, nonlinearity or -, inputs, units, layers, bias,
directions, given (0 or 1), first (the number of the first input), steps, then the outputs of each step, then for each layer and
direction its final h and, of an LSTM, c. Number i of a given state, in that order, is 0.8 sin(0.9 i + 0.5).

Also writes state dicts as PyTorch saves them, with inputs and what PyTorch makes of them: pytorch.safetensors and pytorch.json, and
pytorch_tagger.safetensors and pytorch_tagger.json; and guitarml.json: models as Automated-GuitarAmpModelling writes them, for
GuitarML's programs.
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


def with_weights(kind, nonlinearity, inputs, units, layers, bias, **options):
    options |= {"nonlinearity": nonlinearity} if nonlinearity else {}
    module = getattr(torch.nn, kind)(inputs, units, num_layers=layers, bias=bias, batch_first=True, **options)
    count = 0
    state = module.state_dict()
    for tensor in state.values():
        tensor.copy_(wave(count, tensor.numel(), 1 / np.sqrt(units), 0.7, 1.0).reshape(tensor.shape))
        count += tensor.numel()
    module.load_state_dict(state)
    return module


def line(kind, nonlinearity, inputs, units, layers, bias):
    module = with_weights(kind, nonlinearity, inputs, units, layers, bias)
    _, final = module(wave(0, STEPS * inputs, 1.0, 1.3, 0.0).reshape(1, STEPS, inputs))
    h, c = final if kind == "LSTM" else (final, None)
    numbers = [x for layer in range(layers) for part in (h, c) if part is not None for x in part[layer, 0].tolist()]
    print(kind, nonlinearity or "-", inputs, units, layers, int(bias), *(f"{x:.8g}" for x in numbers))


def sequences(file, kind, nonlinearity, inputs, units, layers, bias, directions, given, lengths):
    """A line for each series of a batch. The inputs of a series begin where those of the one before end."""
    module = with_weights(kind, nonlinearity, inputs, units, layers, bias, bidirectional=directions == 2)
    firsts = [inputs * sum(lengths[:i]) for i in range(len(lengths))]
    series = [wave(first, n * inputs, 1.0, 1.3, 0.0).reshape(n, inputs) for first, n in zip(firsts, lengths)]
    parts, slots = (2 if kind == "LSTM" else 1), layers * directions
    begin = wave(0, slots * parts * units, 0.8, 0.9, 0.5).reshape(slots, parts, 1, units) * given
    begin = begin.expand(-1, -1, len(lengths), -1).contiguous()
    begin = (begin[:, 0].contiguous(), begin[:, 1].contiguous()) if kind == "LSTM" else begin[:, 0].contiguous()
    padded = torch.nn.utils.rnn.pad_sequence(series, batch_first=True)
    packed = torch.nn.utils.rnn.pack_padded_sequence(padded, lengths, batch_first=True, enforce_sorted=False)
    outputs, final = module(packed, begin)
    outputs, _ = torch.nn.utils.rnn.pad_packed_sequence(outputs, batch_first=True)
    final = final if kind == "LSTM" else (final,)
    for i, (first, n) in enumerate(zip(firsts, lengths)):
        numbers = outputs[i, :n].flatten().tolist()
        numbers += [x for slot in range(slots) for part in final for x in part[slot, i].tolist()]
        sizes = [inputs, units, layers, int(bias), directions, int(given), first, n]
        print(kind, nonlinearity or "-", *sizes, *(f"{x:.8g}" for x in numbers), file=file)


class Tagger(torch.nn.Module):
    """An embedding, a causal convolution in groups, a bidirectional GRU, and its outputs for the last time step."""

    def __init__(self):
        super().__init__()
        self.embedding = torch.nn.Embedding(11, 6)
        self.conv = torch.nn.Conv1d(6, 8, 3, dilation=2, groups=2)
        self.slopes = torch.nn.PReLU(8)
        self.rnn = torch.nn.GRU(8, 5, num_layers=2, batch_first=True, bidirectional=True)
        self.head = torch.nn.Linear(10, 3, bias=False)

    def forward(self, tokens):
        x = self.embedding(tokens).transpose(1, 2)
        x = self.slopes(self.conv(torch.nn.functional.pad(x, (4, 0)))).transpose(1, 2)
        y, _ = self.rnn(x)
        return torch.softmax(self.head(torch.tanh(y[:, -1])), dim=-1)


class SimpleRNN(torch.nn.Module):
    """The class of this name in Automated-GuitarAmpModelling (CoreAudioML), and what it writes."""

    def __init__(self, unit, inputs, outputs, units, layers, skip, bias):
        super().__init__()
        self.data = {"model": "SimpleRNN", "input_size": inputs, "skip": skip, "output_size": outputs, "unit_type": unit,
                     "num_layers": layers, "hidden_size": units, "bias_fl": bias}
        self.rec = getattr(torch.nn, unit)(inputs, units, layers, batch_first=True)
        self.lin = torch.nn.Linear(units, outputs, bias=bias)

    def forward(self, x):
        y = self.lin(self.rec(x)[0])
        return y + x[..., : self.data["skip"]] if self.data["skip"] else y

    def case(self, steps):
        weights = {name: tensor.tolist() for name, tensor in self.state_dict().items()}
        x = torch.randn(steps, self.data["input_size"])
        model = {"model_data": self.data, "state_dict": weights}
        return {"model": model, "x": x.tolist(), "y": self(x[None])[0].tolist()}


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
    with open(HERE / "pytorch_sequences.txt", "w") as file:
        for kind, nonlinearity in [("RNN", "tanh"), ("RNN", "relu"), ("LSTM", None), ("GRU", None)]:
            for i, units in enumerate(SIZES):
                bias, given = i % 3 != 1, i % 2 == 1
                sequences(file, kind, nonlinearity, 3, units, 1, bias, 2, given, [3])
                sequences(file, kind, nonlinearity, SIZES[-1 - i], units, 2, not bias, 2, not given, [2])
                sequences(file, kind, nonlinearity, 5, units, 1 + i % 2, bias, 1, True, [3])
            sequences(file, kind, nonlinearity, 4, 9, 1, True, 1, False, [5, 1, 3])
            sequences(file, kind, nonlinearity, 4, 9, 2, True, 2, True, [2, 5, 1])
    torch.manual_seed(1)
    model = Classifier()
    save_file(model.state_dict(), HERE / "pytorch.safetensors")
    x = torch.randn(2, 11, 3)
    answers = {"x": x.tolist(), "y": model(x).tolist()}
    (HERE / "pytorch.json").write_text(json.dumps(answers) + "\n")
    tagger = Tagger()
    torch.nn.init.uniform_(tagger.slopes.weight, -0.5, 0.5)
    save_file(tagger.state_dict(), HERE / "pytorch_tagger.safetensors")
    x = torch.randint(11, (4, 9))
    answers = {"x": x.tolist(), "y": tagger(x).tolist()}
    (HERE / "pytorch_tagger.json").write_text(json.dumps(answers) + "\n")
    cases = [
        SimpleRNN("LSTM", 1, 1, 9, 1, skip=1, bias=True),
        SimpleRNN("LSTM", 2, 1, 7, 1, skip=1, bias=True),
        SimpleRNN("GRU", 3, 2, 5, 1, skip=2, bias=True),
        SimpleRNN("RNN", 2, 3, 4, 1, skip=1, bias=False),
        SimpleRNN("LSTM", 1, 1, 6, 2, skip=0, bias=True),
    ]
    (HERE / "guitarml.json").write_text(json.dumps([case.case(12) for case in cases]) + "\n")
