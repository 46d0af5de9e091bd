"""`make truth`: the whole check. Its results are stored, and the page of docs is made of them."""

from __future__ import annotations

import subprocess
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from .case import Case
from .checking import cases_of, compare, failures, measured, write_constructed, wrong_cells
from .definitions import DEFINITIONS
from .results import Record, merged, records, store
from .storing import read
from .tails import rates
from .tensors import constructed

DEMO = Path(__file__).parents[2] / "weightscope/demo/gpt.safetensors"


def main() -> int:
    """Checks every tensor and stores the results; 1 where a cell is wrong."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "constructed.safetensors"
        sources = {
            path: write_constructed(path, constructed()),
            DEMO: cases_of(read(DEMO)),
        }
        commands = {command: _checked(command, sources) for command in DEFINITIONS}
    counts = {"constructed": len(sources[path]), "demo": len(sources[DEMO])}
    columns = {command: found for command, (found, _) in commands.items()}
    store(counts, columns, rates(_run))
    return int(any(failed for _, failed in commands.values()))


def _checked(command: str, sources: dict[Path, list[Case]]) -> tuple[list[Record], int]:
    """Records of the columns, and the number of wrong cells, which are printed."""
    parts = []
    columns: list[str] = []
    for path, cases in sources.items():
        rows = measured(_run, command, str(path))
        columns = list(next(iter(rows.values())))
        parts.append(compare(cases, rows, command))
    results = merged(parts)
    for line in wrong_cells(results):
        print(f"{command} {line}")
    compared = sum(result.compared for result in results.values())
    wrong = failures(results)
    print(f"{command}: {compared} cells compared, {wrong} wrong")
    return records(results, columns), wrong


def _run(arguments: Sequence[str]) -> None:
    # its exit code is 1 where a tensor could not be measured
    subprocess.run([sys.executable, "-m", "weightscope", *arguments], check=False)


if __name__ == "__main__":
    sys.exit(main())
