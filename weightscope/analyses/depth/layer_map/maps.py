"""The map of a role: its layers, the cosine of each pair, and which pairs are equal.

Experts are compared with the expert of their number. A layer without a tensor of its own, whose
name shares the storage of another one, has the sample of that one.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from math import isnan, sqrt
from statistics import median
from typing import TYPE_CHECKING

from ....engine.unit import Measurer
from ....notes import Note, Notes, united
from ...measuring import no_values
from ...piece import Model, Piece
from ..series import VECTORS, Key, key_of
from ..shared import owner
from .cosines import cosines
from .equal import confirmed
from .sample import Sample, likeness, sample_of, units

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from ....lazy import numpy as np

MOST = 512  # layers of a map: of more evenly spaced ones are compared
Layers = tuple[int, int]


@dataclass(frozen=True, eq=False)
class Cell:
    """A pair of layers; over experts the median."""

    cosine: float | None
    null: float | None
    equal: bool = False
    notes: Notes = ()


@dataclass(frozen=True, eq=False)
class Map:
    """All pairs of layers of a role, the earlier layer first."""

    key: Key
    layers: Sequence[int]
    cells: Mapping[Layers, Cell]


@dataclass(eq=False)
class Role:
    """The matrices of a role by layer and number of the expert; which layers are left out."""

    key: Key
    pieces: dict[int, dict[str, Piece]] = field(default_factory=dict)
    shared: dict[int, dict[str, Piece]] = field(default_factory=dict)  # by another layer
    layers_of_all: int = 0

    @property
    def layers(self) -> list[int]:
        """All layers, ascending."""
        return sorted({*self.pieces, *self.shared})

    @property
    def stored(self) -> list[Piece]:
        """The matrices that are read."""
        return [piece for members in self.pieces.values() for piece in members.values()]

    def at(self, layer: int) -> Mapping[str, Piece]:
        """The matrices of a layer, stored in it or in another one."""
        return {**self.shared.get(layer, {}), **self.pieces.get(layer, {})}


def maps(model: Model, measure: Measurer) -> Iterator[Map]:
    """The map of each role with two layers; the samples of one role are in memory at a time."""
    roles = [_thinned(role) for role in roles_of(model)]
    roles = [role for role in roles if len(role.layers) > 1]
    by_role = [list(units(role.stored)) for role in roles]
    every = [unit for units_of_role in by_role for unit in units_of_role]
    if not every:
        return
    measured = measure(every, no_values)
    for role, units_of_role in zip(roles, by_role, strict=True):
        samples = [sample_of(next(measured)) for _ in units_of_role]
        yield _map(role, samples, measure)


def roles_of(model: Model) -> list[Role]:
    """The matrices of a model by role, with those that other layers share."""
    roles: dict[Key, Role] = {}
    stored: dict[tuple[str, str], Piece] = {}
    for piece in model.pieces:
        layer = piece.place.layer
        if layer is None or not piece.is_matrix or piece.place.kind in VECTORS:
            continue
        role = roles.setdefault(key_of(piece), Role(key_of(piece)))
        role.pieces.setdefault(layer, {})[piece.place.part] = piece
        stored[piece.stored.name, piece.place.piece] = piece
    for alias in model.aliases:
        layer = alias.place.layer
        shared = stored.get((owner(model, alias), alias.place.piece))
        known = roles.get(key_of(alias))
        if layer is not None and shared is not None and known is not None:
            known.shared.setdefault(layer, {})[alias.place.part] = shared
    return list(roles.values())


def _thinned(role: Role) -> Role:
    """A role with at most MOST layers: pairs grow with their square."""
    layers = role.layers
    if len(layers) <= MOST:
        return role
    kept = {layers[i * len(layers) // MOST] for i in range(MOST)}
    pieces = {layer: members for layer, members in role.pieces.items() if layer in kept}
    shared = {layer: members for layer, members in role.shared.items() if layer in kept}
    needed = {id(piece) for members in shared.values() for piece in members.values()}
    pieces |= {  # the storage of layers that are kept
        layer: members
        for layer, members in role.pieces.items()
        if any(id(piece) in needed for piece in members.values())
    }
    return Role(role.key, pieces, shared, len(layers))


@dataclass(frozen=True, eq=False)
class _Matrix:
    """The numbers of pairs of matrices of one shape: rows of `cosine` by the id of a piece."""

    index: Mapping[int, int]
    cosine: NDArray[np.float64]
    elements: NDArray[np.float64]
    size: int  # elements of a sample
    same: Mapping[int, int]  # id of a piece -> id of the first one that is equal


def _map(role: Role, samples: Sequence[Sample], measure: Measurer) -> Map:
    """The cells of a role from its samples; equal ones are confirmed by reading them whole."""
    same = {id(sample.piece): id(sample.piece) for sample in samples}
    for first, later in confirmed(samples, measure):
        same[id(later)] = id(first)
    groups: dict[object, list[Sample]] = {}
    for sample in samples:
        if sample.values is not None:
            groups.setdefault((likeness(sample.piece), sample.piece.place.part), []).append(sample)
    of_piece: dict[int, _Matrix] = {}
    for members in groups.values():
        values = [sample.values for sample in members if sample.values is not None]
        found = cosines(values)
        size = len(values[0])
        index = {id(sample.piece): i for i, sample in enumerate(members)}
        matrix = _Matrix(index, found.cosine, found.elements, size, same)
        of_piece |= dict.fromkeys(index, matrix)
    memory = united(*(sample.notes for sample in samples))
    common = united(memory, _many(role), _experts(role))
    cells = {}
    layers = role.layers
    at = {layer: role.at(layer) for layer in layers}
    for i, a in enumerate(layers):
        for b in layers[i + 1 :]:
            cells[a, b] = _cell((a, b), at[a], at[b], of_piece, common)
    return Map(role.key, layers, cells)


def _many(role: Role) -> Note | None:
    if not role.layers_of_all:
        return None
    template = "{n} layers: the pairs are those of {most}, evenly spaced"
    return Note.of("many-layers", template, n=role.layers_of_all, most=MOST)


def _experts(role: Role) -> Note | None:
    most = max(len(role.at(layer)) for layer in role.layers)
    if most < 2:
        return None
    return Note.of("over-experts", "median over {n} experts of a layer", n=most)


def _cell(
    layers: Layers,
    a: Mapping[str, Piece],
    b: Mapping[str, Piece],
    of_piece: Mapping[int, _Matrix],
    common: Notes,
) -> Cell:
    """One pair of layers: the experts that both have."""
    values: list[float] = []
    nulls: list[float] = []
    equal: list[bool] = []
    notes: list[Note | None] = []
    for number in a.keys() & b.keys():
        first, second = a[number], b[number]
        matrix = of_piece.get(id(first))
        if matrix is None or id(second) not in matrix.index:
            notes.append(_unlike(first, second))
            equal.append(False)
            continue
        is_equal = matrix.same[id(first)] == matrix.same[id(second)]
        equal.append(is_equal)
        i, j = matrix.index[id(first)], matrix.index[id(second)]
        elements = float(matrix.elements[i, j])
        notes.append(_non_finite(matrix, (i, j)))
        cosine = float(matrix.cosine[i, j])
        if isnan(cosine):
            notes.append(_without(elements))
            continue
        values.append(1.0 if is_equal else cosine)
        nulls.append(1 / sqrt(elements))
    same = bool(equal) and all(equal)
    if same:
        notes.insert(0, _equal(layers, a, b))
    return Cell(
        median(values) if values else None,
        median(nulls) if nulls else None,
        same,
        united(*notes, common),
    )


def _equal(layers: Layers, a: Mapping[str, Piece], b: Mapping[str, Piece]) -> Note:
    """The note of equal layers: of one tensor, or of two with equal elements."""
    first, second = layers
    if all(a[number] is b[number] for number in a.keys() & b.keys()):
        template = "layers {first} and {second} are one tensor"
        return Note.of("shared-layers", template, first=first, second=second)
    template = "layers {first} and {second} are equal"
    return Note.of("equal-layers", template, first=first, second=second)


def _unlike(first: Piece, second: Piece) -> Note | None:
    """The note of two shapes; a sample that did not fit has a note of its own."""
    if likeness(first) == likeness(second):
        return None
    shapes = ["x".join(str(side) for side in likeness(piece)) for piece in (first, second)]
    template = "shapes {a} and {b} differ: no cosine"
    return Note.of("shapes-differ", template, a=shapes[0], b=shapes[1])


def _non_finite(matrix: _Matrix, pair: tuple[int, int]) -> Note | None:
    """The note of elements that are left out."""
    if matrix.elements[pair] == matrix.size:
        return None
    return Note("non-finite", "NaN or Inf in a sample: the cosine is of the finite elements")


def _without(elements: float) -> Note:
    """Why a pair has no cosine."""
    if not elements:
        return Note("nothing-finite", "no element is finite in both layers: no cosine")
    return Note("zero-norm", "no cosine: the sample of a layer is zero")
