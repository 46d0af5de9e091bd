"""All pairs of vectors of one model: their correlation in each layer, from one product a layer."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import combinations, product
from statistics import median
from typing import TYPE_CHECKING, Any

from ....lazy import numpy as np
from ....notes import Notes, united
from ....statistics.coupling import expected_largest, largest_point, pearson, spearman
from .heads import HEADS, KV_HEADS, UNPAIRED, repeated
from .vectors import BOTH, Line, Vector

if TYPE_CHECKING:
    from numpy.typing import NDArray

SHARE = 0.95


@dataclass(frozen=True)
class Key:
    """What identifies a pair: a row of the table."""

    stack: str
    a: str
    b: str
    index_set: str
    of: str


@dataclass(frozen=True)
class Correlation:
    """The correlations of two vectors of `length` elements in a layer, or in an expert of it."""

    layer: int
    rho: float
    of_ranks: float
    length: int
    number: str


@dataclass(eq=False)
class Pair:
    """A pair with its correlations; `vectors` are the two lines."""

    key: Key
    lines: tuple[Line, Line]
    correlations: list[Correlation] = field(default_factory=list)
    notes: Notes = ()

    @property
    def of_matrices(self) -> bool:
        """Whether both vectors are of rows or columns of matrices."""
        a, b = self.lines
        return a.of_matrix and b.of_matrix

    @property
    def is_repeated(self) -> bool:
        """Whether it is in the table for each kind of vectors: of gains and biases alone."""
        a, b = self.lines
        return not a.of_matrix and not b.of_matrix

    @property
    def lengths(self) -> list[int]:
        """The number of elements of each correlation."""
        return [one.length for one in self.correlations]

    @property
    def largest(self) -> Correlation:
        """The correlation of largest size, the first of equal ones."""
        return max(self.correlations, key=lambda one: abs(one.rho))

    @property
    def null(self) -> float:
        """The expectation of the largest."""
        return expected_largest(self.lengths)

    def point(self, count: int) -> float:
        """The 95% point of the largest of `count` correlations of this length."""
        return largest_point(self.lengths, SHARE ** (len(self.correlations) / count))

    @property
    def values(self) -> dict[str, object]:
        """The columns of the pair alone."""
        largest = self.largest
        return {
            "layers": len({one.layer for one in self.correlations}),
            "max_rho": abs(largest.rho),
            "at_layer": largest.layer,
            "max_rho_null": self.null,
            "max_rho_null_95": self.point(len(self.correlations)),
            "median_rho": median(one.rho for one in self.correlations),
            "median_spearman": median(one.of_ranks for one in self.correlations),
        }


def pairs(
    vectors: Sequence[Vector], kinds: Sequence[str], config: Mapping[str, object]
) -> list[Pair]:
    """Every pair on one index set, the largest relative to its null first."""
    made: dict[Key, Pair] = {}
    for of in kinds:
        blocks: dict[tuple[str, int], list[Vector]] = {}
        for vector in vectors:
            if vector.of in (of, BOTH):
                blocks.setdefault((vector.stack, vector.layer), []).append(vector)
        for (stack, _), block in blocks.items():
            _add_block(made, block, of, tower=(config, stack))
    return sorted(made.values(), key=lambda pair: -abs(pair.largest.rho) / pair.null)


def count_of(pairs: Sequence[Pair]) -> int:
    """The number of correlations of a table, those that are there twice counted once."""
    counted = {}
    for pair in pairs:
        key = pair.key
        of = BOTH if pair.is_repeated else key.of
        counted[key.stack, key.a, key.b, key.index_set, of] = len(pair.correlations)
    return sum(counted.values())


def _add_block(
    made: dict[Key, Pair],
    block: Sequence[Vector],
    of: str,
    tower: tuple[Mapping[str, object], str],
) -> None:
    """Adds the correlations of one layer of a stack."""
    for index_set, group in _groups(block):
        by_length: dict[int, list[tuple[Vector, NDArray[Any]]]] = {}
        for vector in group:
            by_length.setdefault(len(vector.values), []).append((vector, vector.values))
        unpaired = set()
        if index_set == HEADS:
            unpaired = _repeat(by_length, tower)
        for members in by_length.values():
            _correlate(made, members, index_set, of)
        if unpaired:
            _note(made, unpaired)


def _note(made: Mapping[Key, Pair], unpaired: set[str]) -> None:
    """Notes the rows of vectors of kv heads that would have more pairs."""
    for pair in made.values():
        if pair.key.index_set == KV_HEADS and {pair.key.a, pair.key.b} & unpaired:
            pair.notes = united(pair.notes, UNPAIRED)


def _groups(block: Sequence[Vector]) -> Iterator[tuple[str, list[Vector]]]:
    """The vectors of each index set; those of kv heads also beside those of query heads."""
    groups: dict[tuple[str, tuple[str, ...]], list[Vector]] = {}
    for vector in block:
        line = vector.line
        groups.setdefault((line.index_set, line.inside), []).append(vector)
    # kv heads first, so that their rows exist
    for (index_set, inside), group in sorted(groups.items(), key=lambda item: item[0][0] == HEADS):
        if index_set == HEADS:
            group = [*group, *groups.get((KV_HEADS, inside), ())]
        yield index_set, group


def _repeat(
    by_length: dict[int, list[tuple[Vector, NDArray[Any]]]],
    tower: tuple[Mapping[str, object], str],
) -> set[str]:
    """Puts each vector of kv heads beside those of query heads; returns those without heads."""
    unpaired = set()
    every = [member for members in by_length.values() for member in members]
    of_heads = {len(values) for vector, values in every if vector.line.index_set == HEADS}
    by_length.clear()
    for vector, values in every:
        if vector.line.index_set == HEADS:
            by_length.setdefault(len(values), []).append((vector, values))
            continue
        for length in of_heads:
            wide = repeated(values, length, *tower)
            if wide is None:
                unpaired.add(vector.line.label)
            else:
                by_length.setdefault(length, []).append((vector, wide))
    return unpaired


def _correlate(
    made: dict[Key, Pair],
    members: Sequence[tuple[Vector, NDArray[Any]]],
    index_set: str,
    of: str,
) -> None:
    """Adds the correlation of every two vectors of one length."""
    if len(members) < 2:
        return
    members = sorted(members, key=lambda member: member[0].line.order)
    stacked = np.stack([values for _, values in members])
    finite = np.isfinite(stacked)
    rho, of_ranks = pearson(stacked), spearman(stacked)
    for i, j in _candidates([vector.line.number for vector, _ in members]):
        a, b = members[i][0], members[j][0]
        if not _is_pair(a.line, b.line, index_set) or not np.isfinite(rho[i, j]):
            continue
        key = Key(a.stack, a.line.label, b.line.label, index_set, of)
        pair = made.setdefault(key, Pair(key, (a.line, b.line)))
        length = int((finite[i] & finite[j]).sum())
        number = a.line.number or b.line.number
        pair.correlations.append(
            Correlation(a.layer, float(rho[i, j]), float(of_ranks[i, j]), length, number)
        )


def _candidates(numbers: Sequence[str]) -> Iterator[tuple[int, int]]:
    """Pairs of positions of one expert, of none, or of an expert and none: linear in experts."""
    by_number: dict[str, list[int]] = {"": []}
    for i, number in enumerate(numbers):
        by_number.setdefault(number, []).append(i)
    shared = by_number.pop("")
    yield from combinations(shared, 2)
    for own in by_number.values():
        yield from combinations(own, 2)
        for i, j in product(shared, own):
            yield min(i, j), max(i, j)


def _is_pair(a: Line, b: Line, index_set: str) -> bool:
    """Whether two vectors differ in their label, and are not both repeated from kv heads."""
    if a.label == b.label:
        return False
    return index_set != HEADS or HEADS in (a.index_set, b.index_set)
