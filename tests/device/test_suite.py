"""The device suite itself: it is skipped with a reason, and its steps run on any device."""

from __future__ import annotations

import sys

import pytest

from tests.device import __main__ as suite
from tests.device.timing import Rates, lines


def test_it_is_skipped_where_there_is_no_device(monkeypatch, capsys, tmp_path) -> None:
    """With the reason, without a file, and as a success."""
    output = tmp_path / "device.json"
    monkeypatch.setattr(suite.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["device", "--output", str(output)])
    assert suite.main() == 0
    assert "finds no CUDA device on this machine" in capsys.readouterr().out
    assert not output.exists()


def test_every_step_has_seconds_and_shares() -> None:
    """Of each shape: counting, lines, Gram matrices, eigenvalues."""
    found = lines("cpu", sides=(16,), shapes=[(24, 16), (16, 24)], of=Rates(1e9, 1e9))
    steps = ["counting", "lines", "Gram", "eigenvalues"]
    assert [line["step"] for line in found] == 2 * steps
    assert [line["shape"] for line in found] == 4 * ["16x16"] + 4 * ["Llama-7B layer"]
    gram = found[6]
    assert gram["operations"] == 2 * 24 * 16**2
    assert gram["bytes"] == 2 * 2 * 24 * 16
    assert gram["of_float64"] * gram["seconds"] * 1e9 == pytest.approx(gram["operations"])
    assert gram["of_bandwidth"] * gram["seconds"] * 1e9 == pytest.approx(gram["bytes"])


def test_a_check_that_fails_is_reported(monkeypatch) -> None:
    """With the measure and the type."""
    monkeypatch.setattr(suite, "every", lambda: [("Count", {"b": (None, "F32")})])
    monkeypatch.setattr(suite, "on_cpu", lambda measure, stacks: [1])
    monkeypatch.setattr(suite, "on_real", lambda measure, stacks, device: [2])
    assert suite.failed_measures("cuda:0") == ["Count of F32: .0: 1 2"]
