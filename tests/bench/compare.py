"""`compare` beside `fit` of both files, beside reading them, and beside another program.

The other program is the package `weightscope` 0.4.3 of the package index, which takes the share
changed, the largest and the mean difference of each pair of tensors. It has our import name:
`--differ` names an interpreter of an environment that has it.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from pathlib import Path
from time import process_time

import torch
from safetensors.torch import save_file

import weightscope
from tests.bench.common import MEMORY, Line, least, ran

ROUNDS = 3
THREE = ("changed_share", "delta_absmax", "delta_mean")
DIFFER = """
import resource, sys, torch
torch.set_num_threads(1)
from weightscope.diff import diff_models
before = resource.getrusage(resource.RUSAGE_SELF)
diff_models(*sys.argv[1:])
after = resource.getrusage(resource.RUSAGE_SELF)
print(after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime)
"""


def beside_both(side: int, differ: str) -> Iterator[Line]:
    """The default columns, statuses, and three columns, in both widths of float."""
    for dtype in (torch.bfloat16, torch.float32):
        with tempfile.TemporaryDirectory() as folder:
            a, b = (Path(folder) / name / "model.safetensors" for name in ("a", "b"))
            write(a, b, side, dtype)
            word = str(dtype).removeprefix("torch.")
            yield from compared(a, b, f"{word}, {3e-6 * side**2:.0f} M pairs", 3 * side**2)
            if differ and dtype == torch.bfloat16:
                yield other_program(differ, a, b, 3 * side**2)


def write(a: Path, b: Path, side: int, dtype: torch.dtype) -> None:
    """Three square Gaussian matrices of std 0.02, and a change of a tenth of that."""
    draw = torch.Generator().manual_seed(0)
    old: dict[str, torch.Tensor] = {}
    new: dict[str, torch.Tensor] = {}
    for name in ("self_attn.q_proj", "mlp.up_proj", "mlp.down_proj"):
        full = f"model.layers.0.{name}.weight"
        old[full] = (torch.randn(side, side, generator=draw) * 0.02).to(dtype)
        change = torch.randn(side, side, generator=draw) * 0.002
        new[full] = (old[full].float() + change).to(dtype)
    for path, tensors in ((a, old), (b, new)):
        path.parent.mkdir(parents=True)
        save_file(tensors, path)


def compared(a: Path, b: Path, what: str, pairs: int) -> Iterator[Line]:
    """Each at its least CPU seconds of several rounds, in turns, on one worker."""
    run: Mapping[str, object] = {"device": "cpu", "memory": MEMORY, "threads": 1, "panels": False}
    runs: tuple[Callable[[], object], ...] = (
        partial(weightscope.fit, a, b, **run),
        partial(weightscope.compare, a, b, **run),
        partial(read, a, b),
        partial(weightscope.compare, a, b, columns=("tensor", "status"), **run),
        partial(weightscope.compare, a, b, columns=THREE, **run),
    )
    rounds = [[spent(each) for each in runs] for _ in range(ROUNDS)]
    fit, full, floor, status, three = (min(times) for times in zip(*rounds, strict=True))
    yield f"fit of both, {what}", f"{fit:.1f} CPU s", "", ""
    yield "  compare", f"{full:.1f} CPU s", f"{full / fit:.2f} x fit of both", "<= 1.6 x"
    yield "  compare: status", f"{status:.2f} CPU s", f"{status / floor:.2f} x reading", "<= 1.5 x"
    yield "  compare: three columns", f"{1e9 * three / pairs:.1f} ns a pair", "", ""


def read(*paths: Path) -> None:
    """Reads files in pieces of 4 MiB: the floor of every command that sees all bytes."""
    buffer = bytearray(4 << 20)
    for path in paths:
        with path.open("rb", buffering=0) as stream:
            while stream.readinto(buffer):
                pass


def spent(run: Callable[[], object]) -> float:
    """CPU seconds of all threads."""
    start = process_time()
    run()
    return process_time() - start


def other_program(differ: str, a: Path, b: Path, pairs: int) -> Line:
    """The same three numbers by the other program, on one thread."""
    command = (differ, "-c", DIFFER, str(a.parent), str(b.parent))
    seconds = float(least([ran(*command) for _ in range(ROUNDS)]).stdout)
    return (
        "  weightscope 0.4.3 of the index",
        f"{1e9 * seconds / pairs:.1f} ns a pair",
        "",
        "3 x ours",
    )
