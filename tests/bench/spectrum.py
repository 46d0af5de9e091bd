"""`spectrum` beside its peers.

Singular values, what is read of them, how exact they are, and whole commands.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Mapping
from functools import partial
from time import thread_time

import numpy as np
import torch
from numpy.typing import NDArray
from safetensors.torch import load_file
from torch import Tensor

from tests.bench.common import THREADS, Line, beside, best, least, measure, ran
from weightscope.checkpoints import Stored
from weightscope.engine import Executor, Unit, choose
from weightscope.geometry import whole
from weightscope.sketches import Decompose, Scratch, SingularValues, Tile
from weightscope.statistics.spectra.bulk import bulk
from weightscope.statistics.spectra.effective_depth import effective_depth
from weightscope.statistics.spectra.mp_law import mp_cdf, mp_edges
from weightscope.statistics.spectra.power_law import power_law

ROOM = 2 << 30  # bytes: two Gram matrices of 4096 x 4096 and their decompositions at once
DRAW = torch.Generator().manual_seed(0)


def gaussian(*shape: int, count: int = 1) -> list[Tensor]:
    """float32 of std 0.02."""
    return [torch.randn(*shape, generator=DRAW) * 0.02 for _ in range(count)]


def stored(matrices: list[Tensor]) -> list[Stored]:
    """Matrices in memory as a checkpoint has them."""
    names = {
        torch.float32: "F32",
        torch.bfloat16: "BF16",
        torch.float16: "F16",
        torch.float64: "F64",
    }
    return [
        Stored(str(i), tuple(w.shape), names[w.dtype], tensor=w) for i, w in enumerate(matrices)
    ]


def singular_values(matrices: list[Tensor], method: Decompose) -> list[SingularValues]:
    """Spectra through the engine, in order."""
    units = [Unit(s.name, {"": s}, {"": frozenset({method})}) for s in stored(matrices)]
    return [
        m.sketches[""][method]
        for m in Executor(choose("cpu", ROOM, THREADS))(units, lambda measured: {})
    ]


def svdvals(w: Tensor, threads: int = THREADS) -> None:
    """What torch offers, LAPACK's divide and conquer."""
    torch.set_num_threads(threads)
    torch.linalg.svdvals(w)


def decomposing(side: int) -> Iterator[Line]:
    """The engine beside torch.linalg.svdvals in float32.

    A wide matrix also as its transpose, which is faster there.
    """
    yield from raced((768, 3072), 4, 10, ">= 3 x")
    yield from raced((side, side), 2, 2, ">= 0.67 x")


def raced(shape: tuple[int, int], count: int, rounds: int, target: str) -> Iterator[Line]:
    """`count` matrices on two workers beside one on two threads, in turns.

    Then what the halves and --svd take.
    """
    matrices, what = gaussian(*shape, count=count), f"{shape[0]} x {shape[1]}"
    w, method = matrices[0], partial(measure, stored(matrices), memory=ROOM)
    peers = [w, w.mT] if shape[0] < shape[1] else [w]
    ours, *theirs = beside(
        rounds, partial(method, Decompose()), *(partial(svdvals, x) for x in peers)
    )
    yield f"Decompose, {what}, each of {count}", f"{1e3 * ours / count:.0f} ms", "", ""
    for x, peer in zip(peers, theirs, strict=True):
        label = f"torch.linalg.svdvals float32, {x.shape[0]} x {x.shape[1]}"
        yield (
            label,
            f"{1e3 * peer:.0f} ms",
            f"{peer * count / ours:.1f} x ours",
            target if x is w else "",
        )
    products, roots, peer = halves(w)
    both, parts = products + roots, f"products {products:.3f}, eigenvalues {roots:.3f}"
    yield "  one thread, CPU time", f"{1e3 * both:.0f} ms", parts, ""
    yield (
        "  svdvals on its better side, likewise",
        f"{1e3 * peer:.0f} ms",
        f"{peer / both:.1f} x ours",
        "",
    )
    if w.numel() < 1 << 23:
        svd = best(partial(method, Decompose(svd=True)), 2)
        yield (
            "  the same with --svd",
            f"{1e3 * svd / count:.0f} ms",
            f"{svd / ours:.1f} x the time",
            "",
        )


def halves(w: Tensor) -> tuple[float, float, float]:
    """CPU seconds on one thread: folding the Gram matrix, its eigenvalues.

    Svdvals of the taller side.
    """
    torch.set_num_threads(1)
    shape, method = (w.shape[0], w.shape[1]), Decompose()
    tile, state = (
        Tile(w[None], "F32", whole(shape), shape, 0, Scratch()),
        method.start(1, shape, "F32", "cpu"),
    )
    tall = w if shape[0] > shape[1] else w.mT
    runs = (
        partial(method.add, state, tile),
        partial(method.finish, state),
        partial(svdvals, tall, 1),
    )
    products, roots, peer = (min(worked(run) for _ in range(2)) for run in runs)
    return products, roots, peer


def worked(run: Callable[[], object]) -> float:
    """CPU seconds of this thread: fair on a busy machine."""
    start = thread_time()
    run()
    return thread_time() - start


def reading() -> Iterator[Line]:
    """What is read of 4,096 singular values, at the slowest of several spectra.

    No peer but the clock.
    """
    spectra = drawn_spectra(4096)
    for what, read, target in (
        ("power-law search", lambda s: power_law(s**2), 0.15),
        ("Marchenko-Pastur rule and its ks", lambda s: bulk(s, 4096, 4096), 0.005),
        ("effective depth", lambda s: effective_depth(s, 4096, 4096), 0.005),
    ):
        took = {name: best(partial(read, s), 10) for name, s in spectra.items()}
        slowest = max(took, key=took.__getitem__)
        yield (
            f"{what}, 4,096 values",
            f"{1e3 * took[slowest]:.2f} ms",
            slowest,
            f"< {1e3 * target:.0f} ms",
        )


def drawn_spectra(count: int) -> Mapping[str, NDArray[np.float64]]:
    """Singular values, descending.

    Of noise, with a tail, of many scales, and equal ones that rounding tells apart.
    """
    rng, at = np.random.default_rng(0), (np.arange(count) + 0.5) / count
    grid = np.linspace(*mp_edges(1.0), 1 << 16)
    eigenvalues = {
        "Marchenko-Pastur": np.interp(at, mp_cdf(grid, 1.0), grid),
        "Pareto": rng.pareto(1.5, count) + 1,
        "lognormal": rng.lognormal(0, 3, count),
        "nearly equal": 1 + 1e-9 * rng.random(count),
    }
    return {name: np.sqrt(np.sort(x)[::-1]) for name, x in eigenvalues.items()}


def exactness(model: str) -> Iterator[Line]:
    """The worst error of both methods against numpy.linalg.svd in float64.

    In units of the method's floor.
    """
    for name, matrices in constructed(model).items():
        truth = [np.linalg.svd(w.double().numpy(), compute_uv=False) for w in matrices]
        for method in (Decompose(), Decompose(svd=True)):
            found = singular_values(matrices, method)
            errors = [float(np.abs(f.values - t).max()) for f, t in zip(found, truth, strict=True)]
            worst = max(e / f.floor for e, f in zip(errors, found, strict=True))
            share = max(e / t[0] for e, t in zip(errors, truth, strict=True))
            target = "<= 1 floor" + (", 1e-12" if method.svd else "")
            yield (
                f"{found[0].method} of {name}",
                f"{share:.0e}",
                f"of sigma_1, {worst:.0e} floors",
                target,
            )
        peer = max(
            np.abs(torch.linalg.svdvals(w.float()).double().numpy() - t).max() / t[0]
            for w, t in zip(matrices, truth, strict=True)
        )
        yield "  torch.linalg.svdvals float32", f"{peer:.0e}", "of sigma_1", ""


def constructed(model: str) -> Mapping[str, list[Tensor]]:
    """Matrices whose spectra are hard in different ways, and the matrices of a checkpoint."""
    turns = [torch.linalg.qr(w.double())[0] for w in gaussian(512, 512, count=2)]
    low = gaussian(768, 16)[0].double() @ gaussian(16, 1024)[0].double()
    ill = (turns[0] * torch.logspace(0, -8, 512, dtype=torch.float64)) @ turns[1]
    real = [
        w
        for w in load_file(model).values()
        if w.ndim == 2 and min(w.shape) > 1 and w.is_floating_point()
    ]
    return {
        "Gaussian 1024 x 1024, 768 x 3072": gaussian(1024, 1024) + gaussian(768, 3072),
        "rank 16 in float64, float32, bf16": [low, low.float(), low.bfloat16()],
        "condition 1e8": [ill],
        f"{len(real)} real matrices": real,
    }


def commands(model: str) -> Iterator[Line]:
    """The whole command on a checkpoint, and what its options add."""
    start = least(
        [ran(sys.executable, "-c", "import torch, pandas, scipy.special") for _ in range(2)]
    )
    yield "imports of torch, pandas, scipy", f"{start.wall:.1f} s", f"{start.cpu:.1f} CPU s", ""
    run = [
        sys.executable,
        "-m",
        "weightscope",
        "spectrum",
        model,
        "--device",
        "cpu",
        "--threads",
        str(THREADS),
    ]
    for options in ("", "--svd", "--balance", "--null shuffle --draws 5", "--alpha-ci"):
        took = least([ran(*run, "-f", "csv", *options.split()) for _ in range(2)])
        used = f"{took.cpu:.1f} CPU s, {took.peak / 2**20:.0f} MiB"
        share = f"{start.cpu / took.cpu:.0%} of it imports" if not options else ""
        yield " ".join(("spectrum MODEL", options)).strip(), f"{took.wall:.1f} s", used, share
