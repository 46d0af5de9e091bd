"""Too little memory is reported as such, in every form in which libraries report it."""

import pytest

from tests import memory_errors
from tests.memory_errors import OF_A_GPU, OF_OTHER_CAUSES
from weightscope import out_of_memory
from weightscope.cli import ending, exits

OF_GPU_ADVICE = "lower --memory, or use --device cpu"
CAUSED = ImportError("Importing the numpy C-extensions failed")
CAUSED.__cause__ = ImportError("libx.so: failed to map segment from shared object")
OF_THE_HOST = {**memory_errors.OF_THE_HOST, "caused": CAUSED}


@pytest.mark.parametrize("error", OF_THE_HOST.values(), ids=OF_THE_HOST)
def test_every_form_is_out_of_memory(weightscope, model, monkeypatch, error):
    """With advice, and not as a fault in weightscope."""

    def full(*arguments):
        raise error

    monkeypatch.setattr(ending, "ask", full)
    done = weightscope("fit", model)
    assert done.code == 70
    reason = str(error.__cause__ or error) or "MemoryError"
    assert done.err.startswith(f"weightscope: out of memory: {reason}; ")
    assert "lower --memory or --threads" in done.err
    assert exits.REPORT not in done.err


@pytest.mark.parametrize("error", OF_A_GPU.values(), ids=OF_A_GPU)
def test_too_little_memory_of_a_gpu_has_its_advice(weightscope, model, monkeypatch, error):
    """--threads takes none of it; what CUDA adds for its own debugging is left out."""

    def full(*arguments):
        raise error

    monkeypatch.setattr(ending, "ask", full)
    done = weightscope("fit", model)
    assert done.code == 70
    reason = str(error).splitlines()[0]
    assert done.err == f"weightscope: out of memory: {reason}; {OF_GPU_ADVICE}\n"


FAULTS = {key: e for key, e in OF_OTHER_CAUSES.items() if not isinstance(e, OSError)}


@pytest.mark.parametrize("error", FAULTS.values(), ids=FAULTS)
def test_other_faults_are_faults(weightscope, model, monkeypatch, error):
    """Nor do words of an error of our own prove anything."""

    def broken(*arguments):
        raise error

    monkeypatch.setattr(ending, "ask", broken)
    assert exits.REPORT in weightscope("fit", model).err


@pytest.mark.parametrize("gib", [0.1, 0.3, 0.5])
def test_a_limit_below_that_of_torch_is_refused_first(weightscope, model, monkeypatch, gib):
    """Loading torch would abort the process; `ls` does not load it."""
    monkeypatch.setattr(out_of_memory, "address_limit", lambda: int(gib * 2**30))
    done = weightscope("fit", model)
    assert (done.code, done.out) == (70, "")
    assert "too little memory: expected at least 640 MiB of address space" in done.err
    assert f"found a limit of {int(gib * 1024)} MiB" in done.err
    assert exits.REPORT not in done.err
    assert weightscope("ls", model).code == 0


def test_a_wide_limit_is_named_in_the_advice(monkeypatch):
    """And no limit is not."""
    monkeypatch.setattr(out_of_memory, "address_limit", lambda: 1 << 30)
    out_of_memory.check_limit()
    assert "`ulimit -v`), which is 1024 MiB" in out_of_memory.report(MemoryError())
    monkeypatch.setattr(out_of_memory, "address_limit", lambda: None)
    out_of_memory.check_limit()
    assert "ulimit" not in out_of_memory.report(MemoryError())
