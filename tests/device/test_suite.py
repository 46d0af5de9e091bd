"""The device suite on a stand-in: each check passes, fails where it should, and is written."""

from __future__ import annotations

import json
import sys
from itertools import islice

import pytest
import torch

from tests.device import __main__ as suite
from tests.device import checks, hardware, timing
from tests.device.cases import of_table
from tests.device.pretended import NAME
from tests.device.standing import standing
from weightscope.sketches import Count, MarginSums


@pytest.fixture
def gpu(monkeypatch):
    """A stand-in, and little to do."""
    some = [(m, s) for m in (Count(), MarginSums()) for s in islice(of_table(m, False), 3)]
    monkeypatch.setattr(checks, "every", lambda: some)
    few = checks.tensors()[:3]
    monkeypatch.setattr(checks, "tensors", lambda: few)
    monkeypatch.setattr(checks, "LARGE", (300, 200))
    monkeypatch.setattr(checks, "ROOM", 64 << 10)
    monkeypatch.setattr(checks, "STACKS", ((64, 48),))
    monkeypatch.setattr(checks, "SIDE", 32)
    monkeypatch.setattr(timing, "SHAPES", {"16x16": ((16, 16),)})
    monkeypatch.setattr(timing.rates, "__defaults__", (16,))
    with standing(monkeypatch) as found:
        yield found


def ran(monkeypatch, folder) -> tuple[int, dict[str, dict]]:
    """The exit code and the checks of the file."""
    output = folder / "device.json"
    monkeypatch.setattr(sys, "argv", ["device", "--device", NAME, "--output", str(output)])
    code = suite.main()
    return code, json.loads(output.read_text())["checks"]


def test_it_is_skipped_where_there_is_no_device(monkeypatch, capsys, tmp_path) -> None:
    """With the reason, without a file, and as a success."""
    output = tmp_path / "device.json"
    monkeypatch.setattr(suite.torch.cuda, "is_available", lambda: False)
    monkeypatch.setattr(sys, "argv", ["device", "--output", str(output)])
    assert suite.main() == 0
    assert "finds no CUDA device on this machine" in capsys.readouterr().out
    assert not output.exists()


def test_all_checks_pass_and_are_written(gpu, monkeypatch, tmp_path) -> None:
    """With what they have found beside failures."""
    code, found = ran(monkeypatch, tmp_path)
    assert list(found) == ["described", *checks.CHECKS]
    assert [one["failures"] for one in found.values()] == [[]] * len(found)
    assert code == 0
    assert found["described"]["device"] == "pretended"
    assert set(found["measures"]["waits"]) == {"Count", "MarginSums"}
    assert all(found["measures"]["waits"].values())
    assert found["moves"]["moved"] == {"64 MiB": 0, "14 MiB": 12, "8 MiB": 16, "3 MiB": 16}
    assert [one["case"] for one in found["memory"]["taken"]] == [
        "one pass of 64x48",
        "Gram of 64x48",
    ]
    assert [one["step"] for one in found["speed"]["steps"]] == list(timing.STEPS)
    assert found["speed"]["bandwidth"] > 0
    assert gpu.log.refused == []
    assert gpu.mode == "default"


def there_is_one(monkeypatch) -> None:
    """torch finds a device."""
    monkeypatch.setattr(suite.torch.cuda, "is_available", lambda: True)


def broken(device: str):
    """Any error, whatever its class."""
    raise TypeError(f"can't convert {device}\nUse Tensor.cpu()")


@pytest.mark.parametrize("name", checks.CHECKS)
def test_an_error_of_a_check_is_written_and_the_others_run(monkeypatch, tmp_path, name) -> None:
    """With its traceback; the process exits with 1."""
    there_is_one(monkeypatch)
    monkeypatch.setattr(suite, "_described", lambda device: checks.Answer())
    for one in checks.CHECKS:
        check = broken if one == name else lambda device: checks.Answer(figures={"of": device})
        monkeypatch.setitem(checks.CHECKS, one, check)
    code, found = ran(monkeypatch, tmp_path)
    assert code == 1
    failed = found.pop(name)
    assert failed["failures"] == [f"TypeError: can't convert {NAME}"]
    assert any("in broken" in line for line in failed["traceback"])
    assert all(one["failures"] == [] for one in found.values())
    assert {one.get("of", NAME) for one in found.values()} == {NAME}


def test_an_unknown_device_is_a_failure(monkeypatch, tmp_path) -> None:
    """Opening it is a part of the first check."""
    there_is_one(monkeypatch)
    monkeypatch.setattr(suite.torch.cuda, "set_device", broken)
    monkeypatch.setattr(suite, "CHECKS", {})
    code, found = ran(monkeypatch, tmp_path)
    assert (code, found["described"]["failures"]) == (1, [f"TypeError: can't convert {NAME}"])


def test_the_end_of_the_process_leaves_what_was_written(monkeypatch, tmp_path) -> None:
    """And names the check during which it ended."""

    def stopped(device: str):
        raise KeyboardInterrupt

    there_is_one(monkeypatch)
    monkeypatch.setattr(suite, "_described", lambda device: checks.Answer())
    monkeypatch.setattr(suite, "CHECKS", {"digits": stopped, "speed": stopped})
    with pytest.raises(KeyboardInterrupt):
        ran(monkeypatch, tmp_path)
    found = json.loads((tmp_path / "device.json").read_text())["checks"]
    assert found["described"]["failures"] == []
    assert found["digits"]["failures"] == ["the process ended during this check"]
    assert "speed" not in found


def test_a_refused_measure_is_a_failure_and_the_others_are_compared(gpu, monkeypatch) -> None:
    """Of whatever class: torch raises TypeError where it makes no array of a device tensor."""
    compared = checks.on_real

    def refused(measure, stacks, name):
        if isinstance(measure, Count):
            raise TypeError("can't convert cuda:0 device type tensor to numpy\nUse Tensor.cpu()")
        return compared(measure, stacks, name)

    monkeypatch.setattr(checks, "on_real", refused)
    failures = checks.measures(NAME).failures
    assert len(failures) == 3
    assert failures[0].startswith("Count() of ")
    assert failures[0].endswith(": TypeError: can't convert cuda:0 device type tensor to numpy")


def test_other_numbers_are_a_failure(gpu, monkeypatch) -> None:
    """With the measure and the type."""
    other = {"b": (torch.ones(3, 12, 20), "F32")}
    compared = checks.on_real
    monkeypatch.setattr(checks, "on_real", lambda measure, stacks, n: compared(measure, other, n))
    failures = checks.measures(NAME).failures
    assert {line.split(" of ")[0] for line in failures} == {"Count()", "MarginSums(extremes=False)"}


def test_more_waits_than_pretended_are_a_failure(gpu, monkeypatch) -> None:
    """A line that asks once more is named."""
    compared = checks.on_real

    def asking(measure, stacks, name):
        for _ in range(20):
            torch.ones(1, device=name).item()
        return compared(measure, stacks, name)

    monkeypatch.setattr(checks, "on_real", asking)
    failures = checks.measures(NAME).failures
    assert len(failures) == 6
    assert " waits, pretended are " in failures[0]


def test_waits_outside_are_not_counted(gpu) -> None:
    """Before and after."""
    x = torch.ones(2, device=NAME)
    x.tolist()
    with hardware.waits() as counted:
        x.tolist()
        x.sum().item()
    x.tolist()
    assert counted.total() == 2


@pytest.mark.parametrize(
    ("check", "failure"),
    [
        (checks.digits, "other digits with --threads 4"),
        (checks.moves, "digits of neither"),
        (checks.retry, "other digits than those of the CPU"),
    ],
    ids=["digits", "moves", "retry"],
)
def test_digits_that_depend_on_the_run_are_a_failure(gpu, monkeypatch, check, failure) -> None:
    """Every run has others."""
    of_run = checks.sketches
    runs = iter(range(1000))
    monkeypatch.setattr(
        checks, "sketches", lambda rows: [(next(runs), one) for one in of_run(rows)]
    )
    assert any(failure in one for one in check(NAME).failures)


def test_a_device_that_has_memory_does_not_retry(gpu, monkeypatch) -> None:
    """Then nothing was tested, which is a failure."""
    monkeypatch.setattr(checks, "ROOM", 1 << 30)
    assert checks.retry(NAME).failures == ["no retry: measured on the device"]


@pytest.mark.parametrize(("peak", "pinned"), [(1 << 30, 0), (0, 1 << 30)])
def test_a_peak_over_the_budget_is_a_failure(gpu, monkeypatch, peak, pinned) -> None:
    """Of the device or of pinned memory."""
    gpu.peak, gpu.pinned = peak, 0
    with hardware.peaks(NAME) as found:
        gpu.pinned = pinned
    assert found == {"device": peak, "pinned": pinned}
    cases = ["one pass of 64x48", "Gram of 64x48"]
    gpu.peak = 1 << 30
    assert [line.split(":")[0] for line in checks.memory(NAME).failures] == cases
    monkeypatch.setattr(hardware, "_pinned", {"current": 0, "peak": pinned}.__getitem__)
    gpu.peak = peak
    assert [line.split(":")[0] for line in checks.memory(NAME).failures] == cases


def test_inexact_products_are_a_failure(gpu, monkeypatch) -> None:
    """Such as those of TF32."""
    monkeypatch.setattr(checks, "_error", lambda found, expected: 1e-3)
    assert len(checks.products(NAME).failures) == 1


def test_a_step_without_memory_is_a_failure(gpu, monkeypatch) -> None:
    """The others are measured."""

    def full(shapes, device):
        raise torch.OutOfMemoryError("CUDA out of memory")

    monkeypatch.setitem(timing.STEPS, "Gram", full)
    answer = checks.speed(NAME)
    assert answer.failures == ["Gram of 16x16: OutOfMemoryError: CUDA out of memory"]
    assert len(answer.figures["steps"]) == 4
