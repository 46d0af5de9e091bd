"""The device suite: `python -m tests.device [--device cuda:0] [--output device.json]`.

The checks of the pretended device on real hardware, then seconds and shares of its rates, as one
JSON. Exits with 1 where a check fails, and with 0 and the reason where there is no device.
"""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path

import torch

from tests.device.cases import every
from tests.device.taking import differences, on_cpu, on_real
from tests.device.timing import lines, rates
from tests.engine.conftest import AGAIN, sketches, stored, tensors, unit
from weightscope.engine import Executor, choose
from weightscope.version import __version__


def main() -> int:
    """Runs all and writes the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.device")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--output", type=Path, default=Path("device.json"))
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        print(f"skipped: torch {torch.__version__} finds no CUDA device on this machine")
        return 0
    failures = [*failed_measures(asked.device), *failed_runs(asked.device)]
    report = described(asked.device) | {"failures": failures, "lines": timed(asked.device)}
    asked.output.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    print(f"{len(failures)} checks failed; figures in {asked.output}")
    for failure in failures:
        print(failure, file=sys.stderr)
    return 1 if failures else 0


def described(device: str) -> dict[str, object]:
    """What was measured, and with what."""
    found = torch.cuda.get_device_properties(device)
    return {
        "weightscope": __version__,
        "torch": torch.__version__,
        "device": found.name,
        "capability": f"{found.major}.{found.minor}",
        "memory": found.total_memory,
    }


def timed(device: str) -> dict[str, object]:
    """The rates of the device, and every step."""
    can = rates(device)
    return {"bandwidth": can.bandwidth, "float64": can.float64, "steps": lines(device, of=can)}


def failed_measures(device: str) -> list[str]:
    """Measures whose sketches are not those of the CPU, or that CUDA refuses."""
    failures = []
    for measure, stacks in every():
        types = "/".join(dtype for _, dtype in stacks.values())
        try:
            found = differences(on_cpu(measure, stacks), on_real(measure, stacks, device))
        except RuntimeError as error:
            found = [str(error)]
        failures += [f"{measure} of {types}: {one}" for one in found[:3]]
    return failures


def failed_runs(device: str) -> list[str]:
    """Runs whose digits depend on threads or memory, or whose counts are not those of the CPU."""
    units = [unit(i, entry, AGAIN) for i, entry in enumerate(stored(tensors()))]
    runs = []
    for threads, memory in ((1, None), (4, None), (2, 1 << 30)):
        chosen = choose(device, memory, threads)
        runs.append(list(Executor(chosen)(units, lambda measured: {})))
    failures = []
    if any(sketches(run) != sketches(runs[0]) for run in runs):
        failures.append("digits depend on --threads or --memory")
    here = Executor(choose("cpu", 1 << 30, 1))(units, lambda measured: {})
    for one, other in zip(here, runs[0], strict=True):
        failures += differences(dict(one.sketches[""]), dict(other.sketches[""]))
    return failures


if __name__ == "__main__":
    sys.exit(main())
