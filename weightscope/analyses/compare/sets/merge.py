"""The sentence about a merge: the shares of its sources, and whether it is a sum of them at all.

The rest of a fit is compared with what rounding the merged file to its type leaves. Merges that
drop or choose elements (TIES, DARE) leave a rest of the size of the change itself.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from math import sqrt

from ....escape import escaped
from ....sketches.vector_record import VectorProducts
from ....statistics.pairs import mixing
from ..many.bundle import Bundle
from .sentences import summed
from .vectors import Vectors

LINEAR, NEARLY = 0.03, 0.1  # rests of the merge's change
SLACK = 2.0  # rests up to so many times that of rounding are rounding
SPREAD = 0.02  # shares that differ by more between tensors are not one share


def merge_sentences(
    measured: Sequence[tuple[Bundle, Vectors]], names: Sequence[str]
) -> Iterator[str]:
    """`merged.pt: 0.300 of x.pt, 0.700 of y.pt; linear: the rest is 1.2e-05 of the change`."""
    every = tuple(range(1, len(names)))
    whole = [pair for pair in measured if pair[1].places(every) is not None]
    merged = escaped(names[-1])
    total = summed(whole, every)
    if total is None:
        yield f"{merged}: no tensor in which the base and all tunings have a task vector"
        return
    change = float(total.gram[-1, -1])
    if not change > 0:
        yield f"{merged} is the base: its task vector is 0"
        return
    yield f"{merged}: {_shares(total, names)}; {_judged(whole, every, change)}"
    varying = _varying(whole, every, names)
    if varying:
        yield varying


def _shares(total: VectorProducts, names: Sequence[str]) -> str:
    """The shares over all tensors together."""
    parts = []
    for values, name in zip(mixing(total), names[1:-1], strict=True):
        mix = values.get("mix")
        share = "an undetermined share" if mix is None else f"{mix:.3f}"
        parts.append(f"{share} of {escaped(name)}")
    return ", ".join(parts)


def _judged(whole: Sequence[tuple[Bundle, Vectors]], every: Sequence[int], change: float) -> str:
    """Linear or not, by the rest of the fits of each tensor beside the change and rounding."""
    rest = rounding = 0.0
    for _, vectors in whole:
        places = vectors.places(every)
        assert places is not None
        assert vectors.products is not None
        products = vectors.products.among(places)
        residual = mixing(products)[0].get("mix_residual")
        if isinstance(residual, float):
            rest += residual**2 * float(products.gram[-1, -1])
        rounding += vectors.rounding
    share, expected = sqrt(rest / change), sqrt(rounding / change)
    text = f"the rest is {share:.2g} of the change"
    if share <= max(LINEAR, SLACK * expected):
        word = "linear tensor by tensor"
    elif share <= NEARLY:
        word = "nearly linear tensor by tensor"
    else:
        word = "not linear"
    if expected > LINEAR:
        text += f", rounding alone {expected:.2g}"
    return f"{word}: {text}"


def _varying(
    whole: Sequence[tuple[Bundle, Vectors]], every: Sequence[int], names: Sequence[str]
) -> str:
    """The ranges of the shares where these differ between matrices."""
    shares: list[list[float]] = [[] for _ in names[1:-1]]
    for bundle, vectors in whole:
        places = vectors.places(every)
        if places is None or vectors.products is None or min(_shape(bundle)) < 2:
            continue
        for of_source, values in zip(shares, mixing(vectors.products.among(places)), strict=True):
            mix = values.get("mix")
            if isinstance(mix, float):
                of_source.append(mix)
    parts = []
    for of_source, name in zip(shares, names[1:-1], strict=True):
        if of_source and max(of_source) - min(of_source) > SPREAD:
            low, high = min(of_source), max(of_source)
            parts.append(f"{low:.3f} to {high:.3f} of {escaped(name)}")
    if not parts:
        return ""
    return f"shares differ between matrices: {', '.join(parts)}"


def _shape(bundle: Bundle) -> tuple[int, ...]:
    return bundle.entry.shape if bundle.entry else (0,)
