"""Calls without threads of their own measure the same, and fail in the same way."""

import threading

import pytest
import torch

import weightscope as ws
from tests.threadless import on_threads, without_threads
from weightscope.engine import stream

MODEL = {f"h.{i}.mlp.up_proj.weight": torch.arange(12.0).reshape(3, 4) + i for i in range(3)}


@pytest.fixture
def measuring(monkeypatch):
    """The threads that measured."""
    seen = set()
    passes = stream.passes

    def noted(*arguments):
        seen.add(threading.current_thread())
        return passes(*arguments)

    monkeypatch.setattr(stream, "passes", noted)
    return seen


def test_the_thread_of_the_call_measures(measuring):
    """Rows are those of workers, which come back."""
    expected = ws.fit(MODEL).rows
    assert threading.current_thread() not in measuring
    measuring.clear()
    with without_threads():
        assert ws.fit(MODEL).rows == expected
        assert measuring == {threading.current_thread()}
        measuring.clear()
        with on_threads():
            assert ws.fit(MODEL).rows == expected
        assert threading.current_thread() not in measuring


@pytest.mark.parametrize("error", [KeyboardInterrupt, MemoryError("none is left")])
def test_errors_come_out(monkeypatch, error):
    """At the turn of their tensor."""

    def failing(*_):
        raise error

    monkeypatch.setattr(stream, "passes", failing)
    expected = error if isinstance(error, type) else type(error)
    with without_threads(), pytest.raises(expected):
        ws.fit(MODEL)
