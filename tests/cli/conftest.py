"""Small checkpoints on disk, and the program run in this process or in one of its own."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from dataclasses import dataclass

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests import fits, sketched
from tests.copies import copies, few_variables
from weightscope.cli.app import run as program
from weightscope.cli.exits import guarded

COVERAGE = re.compile(r"^\d+ of \d+ tensors (?:measured|listed)(?:; left out: .*)?\n", re.M)


@dataclass(frozen=True)
class Ended:
    """Exit code and both streams of one run; of stderr the coverage line is apart."""

    code: int
    out: str
    err: str
    coverage: str = ""


def tensors(seed=0):
    """Two layers of a small network, a vector and a tensor with a NaN."""
    rng = np.random.default_rng(seed)
    draw = lambda *shape: (0.02 * rng.standard_normal(shape)).astype(np.float32)
    values = {f"model.layers.{i}.mlp.down_proj.weight": draw(48, 32) for i in (10, 2)}
    return values | {"model.norm.weight": draw(64), "lm_head.weight": draw(40, 32)}


@pytest.fixture(scope="module", autouse=True)  # folders of tests are no packages
def tensors_are_measured_once():
    """The same few checkpoints are measured hundreds of times."""
    with fits.fitted_once(), sketched.measured_once():
        yield


@pytest.fixture
def measured_anew():
    """Two runs that are compared have sketches and fits of their own."""
    with fits.fitted_anew(), sketched.measured_anew():
        yield


@pytest.fixture
def store(tmp_path):
    """`store(tensors)`: a checkpoint of these."""

    def write(tensors, name="own.safetensors"):
        save_file(tensors, tmp_path / name)
        return str(tmp_path / name)

    return write


@pytest.fixture
def model(tmp_path):
    """A checkpoint of four tensors."""
    path = tmp_path / "model.safetensors"
    save_file(tensors(), path)
    return str(path)


@pytest.fixture
def odd(tmp_path):
    """A checkpoint with a NaN, a hostile name and a type that cannot be measured."""
    values = tensors() | {
        "h.0.\x1b[31m[bold]w\n": np.ones((4, 4), np.float32),
        "z.phase": np.ones((2, 2), np.complex64),
    }
    values["lm_head.weight"][3, 4] = np.nan
    path = tmp_path / "odd.safetensors"
    save_file(values, path)
    return str(path)


@pytest.fixture
def weightscope(capsys, monkeypatch):
    """`weightscope("fit", path)`: the program in this process, its streams no terminals."""

    def call(*arguments):
        monkeypatch.setattr(sys, "argv", ["weightscope", *map(str, arguments)])
        capsys.readouterr()
        code = guarded(program)
        out, err = capsys.readouterr()
        lines = COVERAGE.findall(err)
        assert len(lines) <= 1
        assert err.endswith("".join(lines))  # it is the last line
        return Ended(code, out, COVERAGE.sub("", err), "".join(lines).rstrip("\n"))

    return call


@pytest.fixture
def unread(weightscope, monkeypatch):
    """`unread("ls", path)`.

    The program in this process, the reader of its stdout gone before it writes.
    """

    def call(*arguments):
        ours, theirs = os.pipe()
        os.close(ours)
        with monkeypatch.context() as patched, open(theirs, "w", encoding="utf-8") as pipe:
            patched.setattr(sys, "stdout", pipe)
            patched.setattr(sys, "__stdout__", pipe)
            return weightscope(*arguments)

    return call


@pytest.fixture
def fresh():
    """`fresh("ls", path)`: the program in a process of its own.

    More keywords go to subprocess.Popen.
    """

    def call(*arguments, **more):
        environment = few_variables() | more.pop("env", {})
        return subprocess.Popen(
            [sys.executable, "-m", "weightscope", *map(str, arguments)],
            env=environment,
            text=True,
            **more,
        )

    return call


@pytest.fixture
def copied():
    """`copied("ls", path, stdout=…, stderr=…)`: as `fresh`, with the imports already done."""
    return copies()


@pytest.fixture
def sparse(tmp_path):
    """A file of 6 GB that takes no room: long enough to be interrupted."""
    shape = [60_000, 50_000]
    size = 2 * shape[0] * shape[1]
    about = json.dumps(
        {"h.0.w": {"dtype": "BF16", "shape": shape, "data_offsets": [0, size]}}
    ).encode()
    path = tmp_path / "sparse.safetensors"
    with path.open("wb") as file:
        file.write(len(about).to_bytes(8, "little") + about)
        file.truncate(8 + len(about) + size)
    return str(path)
