"""Ratios to the peers, measured in one run.

`python -m tests.bench [--only spectrum] [--peer PYTHON]`.

Absolute speeds depend on the machine and on who else uses it; what is compared here ran side by
side, each at its best of several rounds. The checkpoint is synthetic (layers of Llama-7B's shapes,
bf16), lies in a temporary folder in the page cache, and is deleted afterwards.
"""

from __future__ import annotations

import argparse
import json
import resource
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from itertools import chain
from pathlib import Path

import numpy as np
import torch
from safetensors.torch import save_file
from scipy import stats

import weightscope
from tests.bench.common import MEMORY, THREADS, Line, best, measure, table
from tests.bench.compare import beside_both
from tests.bench.depth import beside_all
from tests.bench.lineage import assigned, searched
from tests.bench.outliers import beside_fit
from tests.bench.several import beside_two
from tests.bench.spectrum import commands, decomposing, exactness, reading
from tests.bench.weightwatcher import watching
from weightscope.checkpoints import Stored, open_checkpoint
from weightscope.sketches import Count, MarginSums, Scratch, Tile
from weightscope.statistics.laws.fitting import fit_laws

PARTS = (
    "starting",
    "counting",
    "file",
    "fitting",
    "spectrum",
    "outliers",
    "peer",
    "compare",
    "several",
    "depth",
    "lineage",
)
DEMO = Path(weightscope.__file__).parent / "demo" / "gpt.safetensors"
LLAMA = {  # one layer of Llama-7B
    **{f"self_attn.{r}_proj.weight": (4096, 4096) for r in "qkvo"},
    "mlp.gate_proj.weight": (11008, 4096),
    "mlp.up_proj.weight": (11008, 4096),
    "mlp.down_proj.weight": (4096, 11008),
    "input_layernorm.weight": (4096,),
    "post_attention_layernorm.weight": (4096,),
}
# VmHWM is of the new program; the peak of getrusage is inherited from the parent process.
ALONE = f"""
import sys, weightscope
weightscope.fit(sys.argv[1], device="cpu", memory={MEMORY}, threads={THREADS}, panels=False)
print(next(line.split()[1] for line in open("/proc/self/status") if line.startswith("VmHWM")))
"""


def bincount(codes: torch.Tensor) -> None:
    """What torch offers: one histogram a block, on as many threads as we use."""
    before = torch.get_num_threads()
    torch.set_num_threads(1)
    with ThreadPoolExecutor(THREADS, initializer=torch.set_num_threads, initargs=(1,)) as pool:
        list(pool.map(lambda block: torch.bincount(block, minlength=65536), codes.split(1 << 19)))
    torch.set_num_threads(before)


def write(path: Path, gib: float) -> int:
    """A safetensors file of whole layers, Gaussian bf16; answers its weights."""
    layers = max(1, round(gib * 2**30 / 2 / sum(int(np.prod(s)) for s in LLAMA.values())))
    shapes = {
        f"model.layers.{i}.{name}": shape for i in range(layers) for name, shape in LLAMA.items()
    }
    header, at = {}, 0
    for name, shape in shapes.items():
        size = 2 * int(np.prod(shape))
        header[name] = {"dtype": "BF16", "shape": shape, "data_offsets": [at, at + size]}
        at += size
    raw = json.dumps(header).encode()
    block = (
        (torch.randn(1 << 24, generator=torch.Generator().manual_seed(0)) * 0.02)
        .bfloat16()
        .view(torch.uint8)
        .numpy()
    )
    with open(path, "wb") as file:
        file.write(len(raw).to_bytes(8, "little") + raw)
        for start in range(0, at, block.nbytes):
            file.write(block[: min(block.nbytes, at - start)])
    return at // 2


def counting() -> Iterator[Line]:
    """Counting in memory against torch.bincount over ready-made patterns."""
    wide = torch.randn(4096, 8192, generator=torch.Generator().manual_seed(0)) * 0.02
    codes = wide.bfloat16().view(torch.uint16).to(torch.int32).flatten()
    peer = codes.numel() / best(lambda: bincount(codes)) / 1e9
    yield "torch.bincount, 2 threads", f"{peer:.2f} G/s", "", ""
    for name, tensor, target in (("BF16", wide.bfloat16(), 1.0), ("F32", wide, 0.5)):
        stored = [Stored(name, tuple(tensor.shape), name, tensor=tensor)]
        for measures in ((Count(),), (MarginSums(),), (Count(), MarginSums())):
            took = best(lambda stored=stored, measures=measures: measure(stored, *measures))
            speed, label = (
                tensor.numel() / took / 1e9,
                " + ".join(type(m).__name__ for m in measures),
            )
            goal = f">= {target} G/s" if label == "Count" else ""
            yield f"{label} {name}", f"{speed:.2f} G/s", f"{speed / peer:.2f} x bincount", goal


def whole_file(gib: float) -> Iterator[Line]:
    """The default measures and the whole default `fit` of a file in the page cache."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "llama.safetensors"
        weights = write(path, gib)
        stored = list(open_checkpoint(str(path)).tensors)
        speed = weights / best(lambda: measure(stored, Count(), MarginSums()), 2) / 1e9
        yield (
            f"Count + Lines, file of {weights / 1e9:.2f} G weights",
            f"{speed:.2f} G/s",
            "",
            ">= 0.6 G/s",
        )
        took = best(
            lambda: weightscope.fit(str(path), device="cpu", memory=MEMORY, threads=THREADS), 1
        )
        whole = weights / took / 1e9
        yield (
            "weightscope fit, same file",
            f"{whole:.2f} G/s",
            f"{whole / speed:.2f} x measures alone",
            ">= 0.4 G/s",
        )
        alone = subprocess.run(
            [sys.executable, "-c", ALONE, path], check=True, capture_output=True, text=True
        )
        yield (
            "its peak memory, in a process of its own",
            f"{int(alone.stdout) / 2**20:.2f} GiB",
            "",
            "< 1.5 GiB",
        )


def fitting(elements: int) -> Iterator[Line]:
    """Eight laws on counted cells against scipy's fit of three of them on the elements."""
    x = stats.gennorm.rvs(1.4, scale=0.02, size=(1000, elements // 1000), random_state=0).astype(
        np.float32
    )
    tile = torch.from_numpy(x)[None]
    counter = Count()
    box = weightscope.geometry.whole(x.shape)
    state = counter.add(
        counter.start(1, x.shape, "F32", "cpu"), Tile(tile, "F32", box, x.shape, 0, Scratch())
    )
    counts = counter.finish(state)[0]
    ours = best(lambda: fit_laws(counts), 7)
    yield f"eight laws, {len(counts.value)} cells", f"{1e3 * ours:.1f} ms", "", "< 20 ms"
    flat = x.ravel().astype(float)
    peer = best(lambda: [law.fit(flat) for law in (stats.norm, stats.logistic, stats.gennorm)], 1)
    yield (
        f"scipy: norm, logistic, gennorm of {elements:,}",
        f"{peer:.1f} s",
        f"{peer / ours:.0f} x ours",
        "500 x at 10,000,000",
    )


def cpu(*arguments: str) -> float:
    """CPU seconds of a fresh interpreter with these arguments."""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    subprocess.run([sys.executable, *arguments], check=True, capture_output=True)
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime


def starting() -> Iterator[Line]:
    """What a command costs before and beside its work, as CPU time of whole processes."""
    run = ("-m", "weightscope")
    for command in ((), ("ls",), ("fit",), ("spectrum",), ("outliers",), ("compare",), ("depth",)):
        took = min(cpu(*run, *command, "--help") for _ in range(3))
        yield " ".join(("weightscope", *command, "--help")), f"{took:.2f} s", "", "< 0.3 s"
    with tempfile.TemporaryDirectory() as folder:
        many, small = f"{folder}/many.safetensors", f"{folder}/small.safetensors"
        save_file({f"layers.{i}.mlp.up_proj.weight": torch.zeros(8, 8) for i in range(1000)}, many)
        save_file({"mlp.up_proj.weight": (torch.randn(512, 1024) * 0.02).bfloat16()}, small)
        yield (
            "ls of 1,000 tensors",
            f"{min(cpu(*run, 'ls', many) for _ in range(3)):.2f} s",
            "",
            "< 0.5 s",
        )
        imports = min(cpu("-c", "import torch, pandas, scipy.optimize") for _ in range(3))
        took = min(cpu(*run, "fit", small) for _ in range(3))
        yield "fit of 1 MB", f"{took:.2f} s", f"{took - imports:+.2f} s beside imports", "<= +1.5 s"


def main() -> None:
    """Prints the table, a line at a time."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    parser.add_argument("--gib", type=float, default=1.0, help="size of the synthetic checkpoint")
    parser.add_argument("--elements", type=int, default=1_000_000, help="elements that scipy fits")
    parser.add_argument("--side", type=int, default=4096, help="of the large square matrices")
    parser.add_argument(
        "--model", default=str(DEMO), help="safetensors file that spectrum is run on"
    )
    parser.add_argument("--peer", default=sys.executable, help="interpreter that has weightwatcher")
    parser.add_argument(
        "--differ", default="", help="interpreter that has weightscope 0.4.3 of the index"
    )
    parser.add_argument("--only", nargs="*", choices=PARTS, help="leave the others out")
    options = parser.parse_args()
    spectra = (
        decomposing(options.side),
        reading(),
        exactness(options.model),
        commands(options.model),
    )
    others = starting(), counting(), whole_file(options.gib), fitting(options.elements)
    last = (
        beside_fit(options.side),
        watching(options.peer, options.side),
        beside_both(options.side, options.differ),
        beside_two(options.side),
        beside_all(options.side),
        chain(searched(), assigned()),
    )
    parts = dict(zip(PARTS, (*others, chain(*spectra), *last), strict=True))
    table([("what", "speed", "ratio", "asked for")])
    for part in options.only or PARTS:
        table(parts[part])


if __name__ == "__main__":
    main()
