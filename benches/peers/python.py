"""onnxruntime and PyTorch for the comparison: answers each line of JSON on standard input with one on standard output.

{"open": network, "steps": [1, 100], "onnx": [bytes, bytes]} -> {"peers": [{name, version, steps_per_call}], "left_out": [why]}
{"run": which, "xs": [numbers]}                              -> {"nanoseconds": number, "ys": [numbers]}

Inputs stand ready in the library's own form before the clock starts; outputs are read after it has stopped.
"""

import gc
import json
import sys
import time

try:
    import numpy as np
except ImportError as error:
    np = error
try:
    import onnxruntime
except ImportError as error:
    onnxruntime = error
try:
    import torch

    torch.set_num_threads(1)
    torch.set_num_interop_threads(1)
except ImportError as error:
    torch = error


class OnnxRuntime:
    """A session on one thread. Input, output and two states are bound once; a step reads one state and writes the other."""

    name = "onnxruntime"

    def __init__(self, network, steps, model):
        options = onnxruntime.SessionOptions()
        options.intra_op_num_threads = options.inter_op_num_threads = 1
        self.version = onnxruntime.__version__
        self.steps_per_call = steps
        self.session = onnxruntime.InferenceSession(bytes(model), options, providers=["CPUExecutionProvider"])
        self.x, self.y = self.zeros(self.session.get_inputs()[0]), self.zeros(self.session.get_outputs()[0])
        states = [[self.zeros(state) for state in self.session.get_inputs()[1:]] for _ in range(2)]
        self.bindings = [self.bound(*states), self.bound(*reversed(states))]

    @staticmethod
    def zeros(value):
        return np.zeros(value.shape, np.float32)

    def bound(self, state, next_state):
        binding = self.session.io_binding()
        for value, array in zip(self.session.get_inputs(), [self.x, *state]):
            binding.bind_cpu_input(value.name, array)
        for value, array in zip(self.session.get_outputs(), [self.y, *next_state]):
            binding.bind_output(value.name, "cpu", 0, np.float32, array.shape, array.ctypes.data)
        return binding

    def prepared(self, xs):
        xs = np.asarray(xs, np.float32)
        return xs if self.steps_per_call == 1 else xs.reshape(-1, *self.x.shape)

    def run(self, xs):
        session, x, y, ys = self.session, self.x, self.y, []
        one_step = self.steps_per_call == 1
        this, other = self.bindings
        for values in xs:
            x[...] = values
            session.run_with_iobinding(this)
            ys.append(y.item() if one_step else y.copy())
            this, other = other, this
        self.bindings = [this, other]
        return ys

    @staticmethod
    def read(ys):
        return np.asarray(ys).ravel().tolist()


class Torch:
    """`LSTMCell` or `GRUCell` for single steps, `LSTM` or `GRU` for sequences."""

    name = "torch"

    def __init__(self, network, steps, _model):
        self.version = torch.__version__
        self.steps_per_call = steps
        self.lstm = network["cell"] == "lstm"
        hidden = network["hidden"]
        kind = ("LSTM" if self.lstm else "GRU") + ("Cell" if steps == 1 else "")
        self.layer = getattr(torch.nn, kind)(1, hidden)
        self.dense = torch.nn.Linear(hidden, 1)
        names = ("kernel", "recurrent_kernel", "bias", "recurrent_bias", "dense_kernel")
        weights = [*(network[name] for name in names), [network["dense_bias"]]]
        for parameter, values in zip([*self.layer.parameters(), *self.dense.parameters()], weights, strict=True):
            parameter.copy_(torch.tensor(values).reshape(parameter.shape))
        zeros = torch.zeros(1, hidden) if steps == 1 else torch.zeros(1, 1, hidden)
        self.shape = (1, 1) if steps == 1 else (steps, 1, 1)
        self.state = (zeros, zeros) if self.lstm else zeros

    def prepared(self, xs):
        return torch.tensor(xs).reshape(-1, *self.shape).unbind()

    def run(self, xs):
        layer, dense, state, ys = self.layer, self.dense, self.state, []
        if self.steps_per_call > 1:
            for x in xs:
                h, state = layer(x, state)
                ys.append(dense(h))
        elif self.lstm:
            for x in xs:
                state = layer(x, state)
                ys.append(dense(state[0]))
        else:
            for x in xs:
                state = layer(x, state)
                ys.append(dense(state))
        self.state = state
        return ys

    @staticmethod
    def read(ys):
        return torch.cat(ys).flatten().tolist()


def opened(request):
    peers, left_out = [], []
    for kind, module in ((OnnxRuntime, onnxruntime), (Torch, torch)):
        missing = [library for library in (np, module) if isinstance(library, ImportError)]
        if missing:
            left_out.append(f"{kind.name}: {missing[0]}")
        else:
            peers += [kind(request["open"], *arguments) for arguments in zip(request["steps"], request["onnx"])]
    answer = [{"name": p.name, "version": p.version, "steps_per_call": p.steps_per_call} for p in peers]
    return peers, {"peers": answer, "left_out": left_out}


def ran(peer, xs):
    xs = peer.prepared(xs)
    start = time.perf_counter_ns()
    ys = peer.run(xs)
    nanoseconds = time.perf_counter_ns() - start
    return {"nanoseconds": nanoseconds, "ys": peer.read(ys)}


def main():
    peers = []
    for line in sys.stdin:
        request = json.loads(line)
        if "open" in request:
            peers, answer = opened(request)
        else:
            answer = ran(peers[request["run"]], request["xs"])
        print(json.dumps(answer), flush=True)


gc.disable()
if isinstance(torch, ImportError):
    main()
else:
    with torch.inference_mode():
        main()
