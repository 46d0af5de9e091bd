"""Sentences about a series: each step, breaks, plateaus, the rank of the change, log-time."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from math import isfinite, sqrt
from statistics import median

from ....sketches.pair_record import PairMoments
from ....statistics.series.log_time import log_time
from ..change import change
from ..comparison import Comparison
from ..facts import Facts
from ..many.bundle import Member, Sides
from ..request import UNCHANGED, CompareRequest
from ..verdict import counted, summed

MOST = 20  # lines of steps
RANK = "delta_rank_90"
NOISE = 3.0  # std of the cosine of independent tensors: a smaller difference means nothing
RELATED = {
    "related": "related to",
    "undecided": "undecided whether related to",
    "unrelated": "unrelated to",
}
Comparisons = Mapping[Sides, Comparison]


def sentences(
    numbers: Sequence[int], comparisons: Comparisons, request: CompareRequest, timed: bool
) -> Iterator[str]:
    """One line a step, then what the steps show together.

    `timed`: the numbers are those of the steps, not positions.
    """
    lines = [_step(b, numbers, comparisons) for b in range(1, len(numbers))]
    yield from lines[:MOST]
    if len(lines) > MOST:
        yield f"{len(lines) - MOST} further steps in the rows"
    yield from _breaks(numbers, comparisons)
    yield from _plateaus(numbers, comparisons)
    if request.options.spectrum:
        yield from _ranks(numbers, comparisons)
    if timed:
        yield from _distance(numbers, comparisons)


def matrices(comparison: Comparison) -> PairMoments:
    """The moments of all matrices together; of all tensors where there is no matrix."""
    of_matrices = [facts for facts in comparison.facts if facts.is_matrix]
    return summed(of_matrices or comparison.facts)


def _step(b: int, numbers: Sequence[int], comparisons: Comparisons) -> str:
    """`step 400: related to the first (median cosine 0.52); rotation 0.47 from the first`."""
    first = comparisons[0, b]
    if not any(facts.pair.is_paired for facts in first.facts):
        return f"step {numbers[b]}: another architecture: no tensor in common with the first"
    parts = []
    if _is_other(first):
        parts.append("another architecture than the first")
    relation = first.relation
    if relation is not None:
        parts.append(f"{RELATED[relation.name]} the first (median cosine {relation.cosine:.3f})")
    turned = []
    for name, sides in (("first", (0, b)), ("previous", (b - 1, b))):
        if sides[0] == 0 and name == "previous":
            continue
        rotation = matrices(comparisons[sides]).rotation
        if rotation is not None:
            turned.append(f"{rotation:.3g} from the {name}")
    if turned:
        parts.append(f"rotation {', '.join(turned)}")
    parts.append(counted(first.facts))
    return f"step {numbers[b]}: {'; '.join(part for part in parts if part)}"


def _is_other(first: Comparison) -> bool:
    """Whether half of the parameters of one side, or more, have no partner in the other."""
    relation = first.relation
    kind = change(first.facts, relation.name if relation else None)
    return kind is not None and kind.name == "other_architecture"


def _breaks(numbers: Sequence[int], comparisons: Comparisons) -> Iterator[str]:
    """Steps nearer to the first than to the previous: another run begins there."""
    for b in range(2, len(numbers)):
        of_first, of_previous = _in_common(comparisons[0, b], comparisons[b - 1, b])
        to_first, to_previous = of_first.rotation, of_previous.rotation
        if to_first is None or to_previous is None:
            continue
        noise = NOISE / sqrt(min(of_first.n, of_previous.n))
        if to_previous - to_first > noise:
            yield (
                f"another run begins at step {numbers[b]}: its cosine to step {numbers[b - 1]} is "
                f"{1 - to_previous:.3f}, to the first step {1 - to_first:.3f}"
            )


def _in_common(a: Comparison, b: Comparison) -> tuple[PairMoments, PairMoments]:
    """The moments of two comparisons, of the tensors that both have.

    Tensors turn at different rates: without some of them a step seems to be nearer.
    """
    of_a, of_b = _measured(a), _measured(b)
    common = of_a.keys() & of_b.keys()
    chosen = [tensor for tensor in common if of_a[tensor].is_matrix] or common
    ordered = sorted(chosen)
    return (
        summed(of_a[tensor] for tensor in ordered),
        summed(of_b[tensor] for tensor in ordered),
    )


def _measured(comparison: Comparison) -> dict[int, Facts]:
    """The pairs with moments, by the number of their tensor."""
    found = {}
    for facts in comparison.facts:
        pair = facts.pair
        assert isinstance(pair, Member)
        if facts.moments is not None:
            found[pair.tensor] = facts
    return found


def _plateaus(numbers: Sequence[int], comparisons: Comparisons) -> Iterator[str]:
    """Steps at which every tensor is that of the step before."""
    still = [
        numbers[b] for b in range(1, len(numbers)) if _is_unchanged(comparisons[b - 1, b].facts)
    ]
    if not still:
        return
    verb = "changes" if len(still) == 1 else "change"
    words = "step" if len(still) == 1 else "steps"
    named = ", ".join(str(number) for number in still[:MOST])
    more = f" and {len(still) - MOST} more" if len(still) > MOST else ""
    yield f"plateau: {words} {named}{more} {verb} nothing"


def _is_unchanged(facts: Sequence[Facts]) -> bool:
    return bool(facts) and all(of_pair.status in UNCHANGED for of_pair in facts)


def _ranks(numbers: Sequence[int], comparisons: Comparisons) -> Iterator[str]:
    """The median rank that holds 90% of the energy of the change since the first step."""
    found = []
    for b in range(1, len(numbers)):
        ranks = comparisons[0, b].numbers(RANK)
        if ranks:
            found.append((numbers[b], median(ranks), len(ranks)))
    if len(found) < 2:
        return
    (start, before, _), (end, after, count) = found[0], found[-1]
    verb = "stays"
    if after != before:
        verb = "grows" if after > before else "falls"
    yield (
        f"{RANK} {verb}: median {before:g} at step {start}, {after:g} at step {end}, "
        f"over {count} matrices"
    )


def _distance(numbers: Sequence[int], comparisons: Comparisons) -> Iterator[str]:
    """The distance from the first step over the logarithm of the step."""
    steps, distances = [], []
    for b in range(1, len(numbers)):
        moments = matrices(comparisons[0, b])
        if moments.n and isfinite(moments.dd):
            steps.append(numbers[b])
            distances.append(sqrt(moments.dd))
    line = log_time(steps, distances)
    if line is None:
        return
    sign = "-" if line.slope < 0 else "+"
    yield (
        f"distance from the first step: |D| = {line.intercept:.3g} {sign} {abs(line.slope):.3g} "
        f"ln(step), R2 {line.r2:.3f} over {line.points} steps"
    )
