"""The device suite: `python -m tests.device [--device cuda:0] [--output device.json]`.

The checks of the pretended device on real hardware, then seconds and shares of its rates, as one
JSON. Exits with 1 where a check fails, and with 0 and the reason where there is no device.
"""

from __future__ import annotations

import argparse
import json
import sys
import time
import traceback
from collections.abc import Callable
from pathlib import Path

import torch

from tests.device.checks import CHECKS, Answer, told
from tests.device.hardware import described
from weightscope.version import __version__

UNFINISHED = {"failures": ["the process ended during this check"]}
SHOWN = 20  # failures on the screen; the file has all


def main() -> int:
    """Runs all and writes the file."""
    parser = argparse.ArgumentParser(prog="python -m tests.device")
    parser.add_argument("--device", default="cuda:0")
    parser.add_argument("--output", type=Path, default=Path("device.json"))
    asked = parser.parse_args()
    if not torch.cuda.is_available():
        print(f"skipped: torch {torch.__version__} finds no CUDA device on this machine")
        return 0
    results: dict[str, dict[str, object]] = {}
    report = {"weightscope": __version__, "torch": torch.__version__, "checks": results}
    for name, check in {"described": _described, **CHECKS}.items():
        # written before and after each: an end of the process leaves what was measured
        results[name] = UNFINISHED
        _write(asked.output, report)
        results[name] = judged(check, asked.device)
        _write(asked.output, report)
        failures = results[name]["failures"]
        print(f"{name}: {len(failures)} failures in {results[name]['seconds']} s", flush=True)
        for failure in failures[:SHOWN]:
            print(f"  {failure}", file=sys.stderr, flush=True)
    failed = sum(len(result["failures"]) for result in results.values())
    print(f"{failed} failures; figures in {asked.output}")
    return 1 if failed else 0


def judged(check: Callable[[str], Answer], device: str) -> dict[str, object]:
    """What a check has found, and its seconds; an error of its own is a failure too."""
    begun = time.perf_counter()
    try:
        answer = check(device)
    except Exception as error:
        lines = traceback.format_exc().splitlines()
        answer = Answer([told(error)], {"traceback": lines})
    spent = round(time.perf_counter() - begun, 1)
    return {"failures": answer.failures, "seconds": spent, **answer.figures}


def _described(device: str) -> Answer:
    """What is tested; the first check, so that a device that cannot be opened is in the file."""
    torch.cuda.set_device(device)  # pinned memory belongs to the current device
    return Answer(figures=described(device))


def _write(output: Path, report: dict[str, object]) -> None:
    """Replaces the file, which is whole at any time."""
    part = output.with_name(output.name + ".part")
    part.write_text(json.dumps(report, indent=1) + "\n", encoding="utf-8")
    part.replace(output)


if __name__ == "__main__":
    sys.exit(main())
