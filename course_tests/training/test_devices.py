"""Devices by name, and the step recorded as a CUDA graph: the same numbers, or a plain step."""

from __future__ import annotations

import contextlib

import numpy as np
import pytest
import torch

from course import training
from course.training import SGD, Adam, devices, fit
from course_tests.small import blobs, build

cuda = pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")


def test_devices_by_name(monkeypatch):
    monkeypatch.setattr(torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(torch.backends.mps, "is_available", lambda: True)
    assert training.device().type == training.device("cpu").type == "cpu"
    assert training.device("mps").type == "mps"
    with pytest.raises(ValueError, match=r"device = 'cuda': .* of this machine: auto, cpu, mps"):
        training.device("cuda")
    with pytest.raises(ValueError, match="device = 'gpu': it must be one of auto, cpu, cuda, mps"):
        training.device("gpu")
    monkeypatch.setattr(torch.cuda, "is_available", lambda: True)
    assert training.device().type == "cuda"


class Graph:
    """Stands in for a CUDA graph: a replay runs the function on the recorded inputs again."""

    recorded = 0

    def replay(self):
        for place, value in zip(self.outputs, self.function(*self.inputs), strict=True):
            place.detach().copy_(value)


@pytest.fixture
def pretended_cuda(monkeypatch):
    """The path of a GPU, walked on the CPU."""
    record = devices.Repeated._record

    def recording(self, inputs):
        record(self, inputs)
        if self.graph is not None:
            Graph.recorded += 1
            self.graph.function, self.graph.inputs = self.function, self.inputs
            self.graph.outputs = self.outputs

    class Stream:
        def wait_stream(self, other):
            pass

    monkeypatch.setattr(Graph, "recorded", 0)
    monkeypatch.setattr(devices, "on_cuda", lambda tensor: True)
    monkeypatch.setattr(devices.Repeated, "_record", recording)
    for name, stand_in in dict(
        CUDAGraph=Graph,
        Stream=Stream,
        current_stream=Stream,
        stream=lambda side: contextlib.nullcontext(),
        graph=lambda graph, capture_error_mode: contextlib.nullcontext(),
    ).items():
        monkeypatch.setattr(torch.cuda, name, stand_in)


OPTIONS = dict(steps=12, batch=20, evaluate_every=5, watch=(), device="cpu")


def numbers(name, optimizer, **options):
    """All that a run yields in numbers, and its weights."""
    network = build(name)
    records = list(fit(network, blobs(), optimizer=optimizer, **{**OPTIONS, **options}))
    return [r.loss for r in records], [r.alpha for r in records], network.state_dict()


@pytest.mark.parametrize("optimizer", [SGD(0.05, 0.9), Adam(0.01)])
@pytest.mark.parametrize("options", [{}, dict(clip=0.3, record_every=4, watch=["gradients"])])
def test_recorded_steps_are_the_same_steps(optimizer, options, request):
    expected = numbers("van", optimizer, **options)
    request.getfixturevalue("pretended_cuda")
    losses, alphas, state = numbers("van", optimizer, **options)
    assert Graph.recorded == 2
    np.testing.assert_array_equal(losses, expected[0])
    np.testing.assert_array_equal(alphas, expected[1])
    assert all(torch.equal(state[name], value) for name, value in expected[2].items())


@pytest.mark.parametrize("message", ["operation not permitted when stream is capturing", ""])
def test_where_recording_fails_the_step_runs_as_it_is(message, monkeypatch, request):
    expected = numbers("van", SGD(0.05))
    request.getfixturevalue("pretended_cuda")

    current = ["default"]

    @contextlib.contextmanager
    def stream(chosen):
        before, current[0] = current[0], chosen
        try:
            yield
        finally:
            current[0] = before

    @contextlib.contextmanager
    def failing(graph, capture_error_mode):
        current[0] = "recording"  # as torch leaves it when a recording can't be ended
        yield
        raise RuntimeError(message)

    monkeypatch.setattr(torch.cuda, "stream", stream)
    monkeypatch.setattr(torch.cuda, "graph", failing)
    losses, _, state = numbers("van", SGD(0.05))
    assert Graph.recorded == 0 and current == ["default"]
    np.testing.assert_array_equal(losses, expected[0])
    assert all(torch.equal(state[name], value) for name, value in expected[2].items())


@cuda
@pytest.mark.parametrize("name", ["plain", "resnet", "highway", "diracnet", "van"])
@pytest.mark.parametrize("optimizer", [SGD(0.02, 0.9), Adam(0.002)])
def test_cuda_and_cpu_agree(name, optimizer, monkeypatch):
    here = numbers(name, optimizer)
    there = numbers(name, optimizer, device="cuda")
    monkeypatch.setattr(devices, "on_cuda", lambda tensor: False)
    unrecorded = numbers(name, optimizer, device="cuda")
    np.testing.assert_allclose(there[0], here[0], rtol=1e-3, atol=1e-4)
    np.testing.assert_allclose(there[0], unrecorded[0], rtol=1e-4, atol=1e-5)
    for key, value in here[2].items():
        if isinstance(optimizer, SGD) or not taken_off(key):
            torch.testing.assert_close(there[2][key].cpu(), value, rtol=1e-2, atol=1e-3)


def taken_off(key: str) -> bool:
    """Whether it is a bias that batch norm subtracts again, or the mean that holds such a bias.

    Its gradient is 0 but for rounding, and Adam makes full steps of whatever is left of it: on two
    devices it walks different ways, and the network computes the same.
    """
    own = "norm" in key or "gate" in key or key.startswith("head.")
    return key.endswith("running_mean") or (key.endswith("bias") and not own)


@cuda
def test_the_step_is_recorded_on_cuda():
    repeated = devices.Repeated(lambda x: (x * 2,), [])
    x = torch.arange(3.0, device="cuda")
    assert repeated(x)[0].tolist() == [0, 2, 4] and repeated.graph is not None
    assert repeated(x + 1)[0].tolist() == [2, 4, 6]


@cuda
def test_a_run_checkpointed_on_cuda_goes_on_there(tmp_path):
    expected = numbers("van", Adam(0.01), device="cuda")
    options = {**OPTIONS, "device": "cuda", "checkpoint": tmp_path / "run", "checkpoint_every": 0}
    first = fit(build("van"), blobs(), optimizer=Adam(0.01), **options)
    for _ in range(5):
        next(first)
    first.close()
    network = build("van")
    list(fit(network, blobs(), optimizer=Adam(0.01), **options))
    for name, value in expected[2].items():
        torch.testing.assert_close(network.state_dict()[name], value, rtol=1e-4, atol=1e-5)
