"""The memory of the tests of commands: equal tensors are known, any other tensor is new."""

import numpy as np
import pytest
import torch
from safetensors.numpy import save_file

import weightscope as ws
from tests import sketched
from weightscope.engine import session
from weightscope.statistics.statistic import Evidence, Statistic


@pytest.fixture(autouse=True)
def nothing_is_known(monkeypatch):
    """Each test begins with an empty memory."""
    for name in ("SKETCHES", "VALUES", "NUMBERS", "ASKED"):
        monkeypatch.setattr(sketched, name, {})
    monkeypatch.setattr(sketched, "KNOWN", set())


@pytest.fixture
def store(tmp_path):
    """`store("a.safetensors", values)`: a checkpoint of one matrix."""

    def write(name, values):
        save_file({"h.0.mlp.up_proj.weight": values}, tmp_path / name)
        return tmp_path / name

    return write


@pytest.fixture
def read(monkeypatch):
    """`read(call)`: the report of a call, and how many units were measured for it."""
    sizes = []
    plain = session.Executor.__call__

    def counting(executor, units, each):
        sizes.append(len(units))
        return plain(executor, units, each)

    monkeypatch.setattr(session.Executor, "__call__", counting)

    def run(call, *arguments, once=sketched.measured_once, **more):
        sizes.clear()
        with once():
            report = call(*arguments, **more)
        return report, sum(sizes)

    return run


def matrix(seed=0, dtype=np.float32):
    """Gaussian values."""
    return np.random.default_rng(seed).standard_normal((12, 8)).astype(dtype)


def test_equal_bytes_are_known(read, store):
    """Under any file's name, with the values of a first run."""
    first, count = read(ws.fit, store("a.safetensors", matrix()))
    assert count == 1
    again, count = read(ws.fit, store("b.safetensors", matrix()))
    assert count == 0
    assert again.rows == first.rows == ws.fit(store("c.safetensors", matrix())).rows


@pytest.mark.parametrize(
    "values",
    [matrix(1), matrix(0, np.float16), np.ascontiguousarray(matrix().T), matrix().reshape(8, 12)],
    ids=["other values", "another type", "transposed", "another shape"],
)
def test_any_other_tensor_is_new(read, store, values):
    """Also in a file that was known with other content."""
    path = store("a.safetensors", matrix())
    read(ws.fit, path)
    assert store("a.safetensors", values) == path
    report, count = read(ws.fit, path)
    assert count == 1
    assert report.rows == ws.fit(path).rows


def test_other_measures_are_new(read, store):
    """A second command reads the tensor again where it needs what the first one has not taken."""
    path = store("a.safetensors", matrix())
    read(ws.fit, path)
    report, count = read(ws.spectrum, path)
    assert count == 1
    assert report.rows == ws.spectrum(path).rows
    assert read(ws.fit, path, columns=["std"])[1] == 0  # a part of what is known


def test_options_of_statistics_are_new(read, store):
    """Equal sketches, other values."""
    path = store("a.safetensors", matrix())
    for cut in (1e-5, 0.5):
        report, _ = read(ws.spectrum, path, alpha_cut=cut)
        assert report.rows == ws.spectrum(path, alpha_cut=cut).rows


def test_pairs_are_known_by_both_sides(read, store):
    """A comparison with another model is new, on either side."""
    a, b, c = (store(f"{i}.safetensors", matrix(i)) for i in range(3))
    for sides, expected in (((a, b), 1), ((a, b), 0), ((a, c), 1), ((c, b), 1), ((b, a), 1)):
        report, count = read(ws.compare, *sides)
        assert count == expected
        assert report.rows == ws.compare(*sides).rows


def test_tensors_in_memory_are_known_by_their_elements(read):
    """Not by their place, whose elements may change; also by the strides that they have in it."""
    w = torch.from_numpy(matrix())
    assert [read(ws.fit, {"w": w})[1] for _ in range(2)] == [1, 0]
    assert read(ws.fit, {"w": w.clone()})[1] == 0
    assert read(ws.fit, {"w": w.mT.contiguous().mT})[1] == 1
    w[3, 2] = -w[3, 2]
    report, count = read(ws.fit, {"w": w})
    assert count == 1
    assert report.rows == ws.fit({"w": w}).rows


def test_refused_measures_and_large_tensors_are_never_known(read, store, monkeypatch):
    """The first depend on the memory."""
    path = store("a.safetensors", matrix())
    assert [read(ws.fit, path, memory="64MiB")[1] for _ in range(2)] == [1, 1]
    monkeypatch.setattr(sketched, "MOST", 12 * 8 * 4 - 1)
    for large in (path, {"w": torch.from_numpy(matrix())}):
        assert [read(ws.fit, large)[1] for _ in range(2)] == [1, 1]
    assert not sketched.SKETCHES


def test_a_test_knows_what_others_have_measured(read, store, monkeypatch):
    """What it asks for again is measured: two runs that it compares are two."""
    path = store("a.safetensors", matrix())
    counts = []
    for test in ("a", "a", "b", "b", "a"):
        monkeypatch.setenv("PYTEST_CURRENT_TEST", f"test_file.py::test_{test} (call)")
        report, count = read(ws.fit, path, once=sketched.measured_once_by_tests)
        assert report.rows == ws.fit(path).rows
        counts.append(count)
    assert counts == [1, 1, 0, 1, 0]


def test_statistics_of_unknown_sketches_are_called_each_time():
    """Such as those of pooled tensors."""
    calls = []
    statistic = Statistic((), frozenset({"counts"}), lambda evidence: calls.append(evidence) or {})
    for _ in range(2):
        sketched.evaluated([statistic], Evidence({"counts": object()}, None))
    assert len(calls) == 2


def test_functions_differ_by_what_they_use():
    """Two functions of one code."""

    def of(number):
        return lambda: number

    assert sketched.function(of(1)) == sketched.function(of(1)) != sketched.function(of(2))
    assert sketched.function(of([1])) != sketched.function(of([2]))


def test_the_engine_comes_back():
    """After the tests of commands, and for a test that compares two runs."""
    plain = session.Executor
    with sketched.measured_once():
        assert session.Executor is sketched.Remembering
        with sketched.measured_anew():
            assert session.Executor is plain
    assert session.Executor is plain
