"""The whole `weightscope spectrum` beside WeightWatcher on the same file.

`python -m tests.bench.weightwatcher`.

WeightWatcher is no dependency: --peer names the interpreter of an environment that has it (and
torch, safetensors). Both read four Gaussian matrices from one safetensors file as processes of
their own, in turns, on two CPU threads. WeightWatcher is called as its users call it: a torch
module with four linear layers, then `analyze()`.
"""

from __future__ import annotations

import argparse
import csv
import subprocess
import sys
import tempfile
from collections.abc import Iterator

import torch
from safetensors.torch import save_file

from tests.bench.common import THREADS, Line, Ran, least, ran, table

PEER = """
import sys, torch, weightwatcher
from safetensors.torch import load_file
weights = load_file(sys.argv[1])
with torch.device("meta"):
    layers = []
    for w in weights.values():
        rows, columns = w.shape
        layers.append(torch.nn.Linear(columns, rows, bias=False, dtype=w.dtype))
    model = torch.nn.Sequential(*layers)
model.load_state_dict(weights, assign=True)
details = weightwatcher.WeightWatcher(model=model).analyze()
details[["alpha"]].to_csv(sys.stdout)
"""


def lacking(peer: str) -> str:
    """Why there is nothing to compare with; "" where there is."""
    try:
        asked = subprocess.run([peer, "-c", "import weightwatcher"], capture_output=True, text=True)
    except OSError as error:
        return f"skipped: {error}"
    return f"skipped: {asked.stderr.strip().splitlines()[-1]}" if asked.returncode else ""


def alphas(printed: str) -> list[float]:
    """The exponents that a program has found, from a table that may follow other lines."""
    lines = printed.splitlines()
    header = next(i for i, line in enumerate(lines) if "alpha" in line.split(","))
    return [float(row["alpha"]) for row in csv.DictReader(lines[header:])]


def turns(path: str, peer: str, rounds: int) -> tuple[Ran, Ran]:
    """Both programs in turns, each at its best."""
    own = [
        sys.executable,
        "-m",
        "weightscope",
        "spectrum",
        path,
        "--device",
        "cpu",
        "--threads",
        str(THREADS),
    ]
    both = [
        (ran(*own, "-f", "csv", "--alpha-cut", "1e-5"), ran(peer, "-c", PEER, path))
        for _ in range(rounds)
    ]
    return least([ours for ours, _ in both]), least([theirs for _, theirs in both])


def compared(peer: str, side: int, dtype: torch.dtype, rounds: int) -> Iterator[Line]:
    """Seconds and peak memory of both, and that both say the same."""
    with tempfile.TemporaryDirectory() as folder:
        path = f"{folder}/four.safetensors"
        draw = torch.Generator().manual_seed(0)
        save_file(
            {
                f"{i}.weight": (torch.randn(side, side, generator=draw) * 0.02).to(dtype)
                for i in range(4)
            },
            path,
        )
        ours, theirs = turns(path, peer, rounds)
    gap = max(
        abs(a / b - 1) for a, b in zip(alphas(ours.stdout), alphas(theirs.stdout), strict=True)
    )
    what = f"4 x {side} x {side} {str(dtype).removeprefix('torch.')}"
    for name, r in (("weightscope", ours), ("WeightWatcher", theirs)):
        yield (
            f"{name}, {what}",
            f"{r.wall:.1f} s",
            f"{r.cpu:.1f} CPU s, {r.peak / 2**20:.0f} MiB",
            "",
        )
    yield (
        "  times faster",
        f"{theirs.wall / ours.wall:.1f} x",
        f"{theirs.cpu / ours.cpu:.1f} x in CPU time",
        ">= 4 x",
    )
    yield "  share of its peak memory", f"{ours.peak / theirs.peak:.2f}", "", "<= 0.5"
    yield "  alpha, largest relative difference", f"{gap:.0e}", "", "<= 1e-6"


def watching(peer: str, side: int = 4096, rounds: int = 1) -> Iterator[Line]:
    """float32 and bf16; a reason where there is no peer."""
    if reason := lacking(peer):
        yield "WeightWatcher", "-", f"{reason}; --peer", ""
        return
    for dtype in (torch.float32, torch.bfloat16):
        yield from compared(peer, side, dtype, rounds)


def main() -> None:
    """Prints the table, a line at a time."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.bench.weightwatcher", description=__doc__
    )
    parser.add_argument("--peer", default=sys.executable, help="interpreter that has weightwatcher")
    parser.add_argument("--side", type=int, default=4096)
    parser.add_argument("--rounds", type=int, default=2)
    options = parser.parse_args()
    table(watching(options.peer, options.side, options.rounds))


if __name__ == "__main__":
    main()
