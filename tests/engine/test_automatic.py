"""What --device auto takes, before and after a release was tested on a GPU."""

from __future__ import annotations

from pathlib import Path

import pytest
import torch

import weightscope as ws
from weightscope.engine import automatic, choose, device
from weightscope.errors import UsageError
from weightscope.running import Running

GIB = 1 << 30
BUILT = ["sm_75", "sm_80", "sm_86", "sm_90", "sm_90a"]
PERFORMANCE = Path(__file__).parents[2] / "docs" / "performance.md"


class Machine:
    """GPUs by number: their compute capabilities, and their free bytes or the driver's error."""

    def __init__(self, monkeypatch, *gpus: tuple[tuple[int, int], int | str]) -> None:
        self.gpus = gpus
        self.opened: list[str] = []
        for name, stand_in in {
            "is_available": lambda: bool(gpus),
            "device_count": lambda: len(gpus),
            "get_arch_list": lambda: BUILT,
            "get_device_capability": lambda name: self.of(name)[0],
        }.items():
            monkeypatch.setattr(torch.cuda, name, stand_in)
        monkeypatch.setattr(device, "free_memory", self.free)

    def of(self, name: str) -> tuple[tuple[int, int], int | str]:
        kind, _, number = name.partition(":")
        assert kind == "cuda"
        return self.gpus[int(number)]

    def free(self, name: str) -> int:
        if name == "cpu":
            return 8 * GIB
        self.opened.append(name)
        found = self.of(name)[1]
        if isinstance(found, str):
            raise RuntimeError(found)
        return found


@pytest.fixture
def tested(monkeypatch) -> None:
    """A release says that the device suite ran."""
    monkeypatch.setattr(device, "TESTED_ON_GPU", "0.4")


def test_auto_is_the_cpu_until_a_release_was_tested(monkeypatch) -> None:
    """A GPU beside it is named with --device cuda; nothing is opened."""
    machine = Machine(monkeypatch, ((9, 0), 80 * GIB), ((9, 0), 80 * GIB))
    monkeypatch.setattr(device, "TESTED_ON_GPU", None)
    found = choose("auto", GIB, 2)
    assert (found.name, found.host, found.note) == ("cpu", None, "")
    assert found.why.startswith("cpu: no release was tested on a GPU, --device cuda takes one; ")
    assert machine.opened == []
    assert choose("cuda:1", GIB).name == "cuda:1"


def test_the_first_gpu_that_passes_is_taken(monkeypatch, tested) -> None:
    """With its reason, and what those before it lack."""
    machine = Machine(
        monkeypatch,
        ((7, 0), 80 * GIB),
        ((8, 0), 3 * GIB),
        ((8, 9), 20 * GIB),
        ((9, 0), 80 * GIB),
    )
    found = choose("auto", None, 3)
    assert (found.name, found.budget, found.note) == ("cuda:2", 5 * GIB, "")
    assert found.host == choose("cpu", None, 3)
    assert found.why.startswith(
        "cuda:2: the first GPU with code in torch and free memory (cuda:0 has compute capability"
        " 7.0, torch is built for sm_75 sm_80 sm_86 sm_90 sm_90a; cuda:1 has 3072 MiB of free"
        " memory, needs 3584); memory 5120 MiB, "
    )
    assert "cuda:0" not in machine.opened, "a GPU without code is not opened"
    assert "cuda:3" not in machine.opened, "what follows is not asked"


def test_a_gpu_alone_needs_no_comparison(monkeypatch, tested) -> None:
    """No brackets where the first one passes."""
    Machine(monkeypatch, ((8, 0), automatic.LEAST_FREE))
    found = choose("auto", None, 1)
    assert found.why.startswith(
        "cuda:0: the first GPU with code in torch and free memory; memory 896 MiB, "
    )


@pytest.mark.parametrize(
    ("gpu", "reason"),
    [
        (((8, 0), automatic.LEAST_FREE - 1), "cuda:0 has 3583 MiB of free memory, needs 3584"),
        (((12, 0), 80 * GIB), "cuda:0 has compute capability 12.0, torch is built for sm_75 "),
        (((8, 0), "CUDA error: busy\nCompile"), "cuda:0 cannot be opened (CUDA error: busy)"),
    ],
    ids=["memory", "capability", "driver"],
)
def test_the_cpu_is_taken_where_none_passes(monkeypatch, tested, gpu, reason) -> None:
    """With a note that says why."""
    Machine(monkeypatch, gpu)
    found = choose("auto", None, 2)
    assert (found.name, found.host) == ("cpu", None)
    assert found.why.startswith("cpu: no GPU is taken; memory 2048 MiB, ")
    assert found.note.startswith(f"--device auto takes the CPU: {reason}")


def test_a_limit_above_the_free_memory_is_not_taken_for_granted(monkeypatch, tested) -> None:
    """A GPU that has less than --memory would run out of it."""
    Machine(monkeypatch, ((8, 0), 10 * GIB), ((8, 0), 40 * GIB))
    assert choose("auto", 8 * GIB).name == "cuda:0"
    assert choose("auto", 20 * GIB).name == "cuda:1"
    assert "cuda:1 has 40960 MiB of free memory, needs 65536" in choose("auto", 64 * GIB).note


def test_no_gpu_needs_no_note(monkeypatch, tested) -> None:
    """Most machines have none."""
    Machine(monkeypatch)
    found = choose("auto", GIB, 1)
    assert (found.name, found.note) == ("cpu", "")
    assert found.why.startswith("cpu: no CUDA device is available; ")


def test_a_named_gpu_is_taken_whatever_it_lacks(monkeypatch, tested) -> None:
    """The checks are those of auto."""
    Machine(monkeypatch, ((7, 0), GIB))
    assert choose("cuda").name == "cuda:0"
    monkeypatch.setattr(torch.backends.cuda, "is_built", lambda: True)
    with pytest.raises(UsageError, match="finds 1 on this machine"):
        choose("cuda:1")


@pytest.mark.parametrize(
    ("capability", "built", "has"),
    [
        ((8, 0), ["sm_80"], True),
        ((8, 9), ["sm_80"], True),
        ((8, 0), ["sm_86"], False),
        ((9, 0), ["sm_80", "sm_86"], False),
        ((7, 5), ["sm_80"], False),
        ((12, 0), ["sm_80", "compute_80"], True),
        ((7, 5), ["compute_80"], False),
        ((9, 0), ["sm_90a"], False),
        ((12, 1), ["sm_120"], True),
        ((8, 0), [], False),
    ],
)
def test_code_runs_on_newer_gpus_of_its_generation(capability, built, has) -> None:
    """PTX runs on newer generations too."""
    assert automatic.has_code(capability, built) == has


def test_the_note_is_in_the_report(monkeypatch, tested) -> None:
    """Whoever has a GPU sees why it idles."""
    Machine(monkeypatch, ((8, 0), GIB))
    report = ws.fit({"w": torch.randn(8, 8)}, columns=["tensor", "std"])
    assert report.notes[-1] == (
        "--device auto takes the CPU: cuda:0 has 1024 MiB of free memory, needs 3584"
    )


def test_help_and_page_say_what_the_constant_says() -> None:
    """A release that sets it changes both."""
    text = Running.__dataclass_fields__["device"].metadata["option"].help
    is_untested = device.TESTED_ON_GPU is None
    assert ("No release was tested on a GPU yet" in text) == is_untested
    page = " ".join(PERFORMANCE.read_text(encoding="utf-8").split())
    assert ("no release was tested on a GPU yet" in page) == is_untested
