"""Too little memory is reported as such, in every form in which libraries report it."""

import errno

import pytest
import torch

from weightscope.cli import ending, exhausted, exits

CAUSED = ImportError("Importing the numpy C-extensions failed")
CAUSED.__cause__ = ImportError("libx.so: failed to map segment from shared object")


@pytest.mark.parametrize(
    "error",
    [
        MemoryError(),
        ImportError("libtorch_cpu.so: failed to map segment from shared object"),
        ImportError("libm.so: cannot allocate memory in static TLS block"),
        CAUSED,
        OSError(errno.ENOMEM, "Cannot allocate memory"),
        RuntimeError("can't start new thread"),
        RuntimeError("DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"),
        RuntimeError("DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"),
        RuntimeError("CUDA out of memory. Tried to allocate 2.00 GiB"),
        torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 3.00 GiB"),
        RuntimeError("std::bad_alloc"),
    ],
    ids=lambda e: str(e)[:40],
)
def test_every_form_is_out_of_memory(weightscope, model, monkeypatch, error):
    """With advice, and not as a fault in weightscope."""

    def full(*arguments):
        raise error

    monkeypatch.setattr(ending, "ask", full)
    done = weightscope("fit", model)
    assert done.code == 70
    assert done.err.startswith("weightscope: out of memory: ")
    assert "lower --memory or --threads" in done.err
    assert exits.REPORT not in done.err


@pytest.mark.parametrize("error", [ZeroDivisionError("out of memory"), RuntimeError("ouch")])
def test_other_faults_are_faults(weightscope, model, monkeypatch, error):
    """The words of an error of our own prove nothing."""

    def broken(*arguments):
        raise error

    monkeypatch.setattr(ending, "ask", broken)
    assert exits.REPORT in weightscope("fit", model).err


@pytest.mark.parametrize("gib", [0.1, 0.3, 0.5])
def test_a_limit_below_that_of_torch_is_refused_first(weightscope, model, monkeypatch, gib):
    """Loading torch would abort the process; `ls` does not load it."""
    monkeypatch.setattr(exhausted, "address_limit", lambda: int(gib * 2**30))
    done = weightscope("fit", model)
    assert (done.code, done.out) == (70, "")
    assert "too little memory: expected at least 640 MiB of address space" in done.err
    assert f"found a limit of {int(gib * 1024)} MiB" in done.err
    assert exits.REPORT not in done.err
    assert weightscope("ls", model).code == 0


def test_a_wide_limit_is_named_in_the_advice(monkeypatch):
    """And no limit is not."""
    monkeypatch.setattr(exhausted, "address_limit", lambda: 1 << 30)
    exhausted.check_limit()
    assert "`ulimit -v`), which is 1024 MiB" in exhausted.report(MemoryError())
    monkeypatch.setattr(exhausted, "address_limit", lambda: None)
    exhausted.check_limit()
    assert "ulimit" not in exhausted.report(MemoryError())
