"""Series of layers: the tensors of one role and slot, ordered by their layer index.

Experts of a layer are one point. The index is the axis, so that a layer that is missing leaves a
gap.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from statistics import median
from typing import TypeGuard

from ...notes import Notes, notes_of
from ..piece import Model, Piece
from ..spectrum.matrices import sides
from .gain import GAIN, GAIN_SE, fan_in, gain
from .products.column import PRODUCT, RANGE
from .shared import owner

VECTORS = ("norm", "bias")  # kinds
LARGEST = 1e300  # a line through larger values overflows float64
LACKS_PRODUCT = ("no-product", "heads-unknown", "non-finite", "zero-matrix", "memory")
OF_GAIN = (GAIN.name, GAIN_SE.name)


@dataclass(frozen=True)
class Key:
    """What the tensors of a series share."""

    stack: str
    role: str
    slot: str
    part: str
    kind: str

    @property
    def is_vector(self) -> bool:
        """Whether the tensors are vectors by kind."""
        return self.kind in VECTORS

    @property
    def name(self) -> str:
        """`encoder attn.q`, `conv[1]`, `ssm.in_proj.z`.

        >>> Key("encoder", "attn.q", "cross", "", "matrix").name
        'encoder attn.q[cross]'
        """
        name = self.role
        if self.part:
            name += f".{self.part}"
        if self.slot:
            name += f"[{self.slot}]"
        if self.stack:
            name = f"{self.stack} {name}"
        return name

    @property
    def columns(self) -> dict[str, object]:
        """The columns that identify a row; empty text is null."""
        return {
            "stack": self.stack or None,
            "role": self.role,
            "slot": self.slot or None,
            "part": self.part or None,
            "kind": self.kind,
        }


@dataclass(frozen=True, eq=False)
class Member:
    """A tensor of a layer, with its values and notes."""

    piece: Piece
    values: Mapping[str, object]

    @property
    def notes(self) -> Notes:
        """Why values are missing, or what is unusual."""
        return notes_of(self.values)


@dataclass(frozen=True)
class Point:
    """The value of a statistic in a layer, over experts their median, least and greatest.

    `value` is None where nothing was measured, `error` where no standard error is known; `missing`
    counts the experts without a value, `lack` is the reason of the first.
    """

    layer: int
    value: float | int | None
    low: float | int | None = None
    high: float | int | None = None
    error: float | None = None
    missing: int = 0
    lack: str = ""


@dataclass(frozen=True, eq=False)
class Series:
    """The members of each layer of a key, in the order of the layers."""

    key: Key
    layers: Mapping[int, Sequence[Member]]
    # layers without a point, and the layer whose tensor is also theirs
    shared: Mapping[int, int] = field(default_factory=dict)

    @property
    def members(self) -> list[Member]:
        """All tensors."""
        return [member for members in self.layers.values() for member in members]

    @property
    def experts(self) -> int:
        """The largest number of tensors of a layer."""
        return max(len(members) for members in self.layers.values())

    def noun(self, count: int) -> str:
        """What the tensors of a layer are: experts, or heads that are stored apart."""
        noun = "expert" if "expert" in self.key.role else "part"
        return noun if count == 1 else f"{noun}s"

    @property
    def widths(self) -> tuple[int, ...]:
        """The different numbers of inputs, ascending; empty for vectors."""
        widths = {fan_in(member.piece) for member in self.members}
        return tuple(sorted(width for width in widths if width is not None))

    def points(self, name: str, error: str) -> list[Point]:
        """One point per layer of the column `name`, whose standard error is the column `error`."""
        return [_point(layer, members, name, error) for layer, members in self.layers.items()]


def _point(layer: int, members: Sequence[Member], name: str, error: str) -> Point:
    values: list[float] = []
    errors: list[float] = []
    missing: list[Member] = []
    for member in members:
        value = member.values.get(name)
        if not _is_usable(value):
            missing.append(member)
            continue
        values.append(value)
        value_error = member.values.get(error)
        if isinstance(value_error, int | float):
            errors.append(value_error)
    lack = _lack(missing, name) if missing else ""
    if not values:
        return Point(layer, None, missing=len(missing), lack=lack)
    middle = median(errors) if errors else None
    if len(members) == 1:
        low, high = _range(members[0], name)
        return Point(layer, values[0], low, high, middle)
    return Point(
        layer, median(values), min(values), max(values), middle, missing=len(missing), lack=lack
    )


def _range(member: Member, name: str) -> tuple[float | None, float | None]:
    """The least and the greatest over the heads of one tensor; None for other statistics."""
    ends = member.values.get(RANGE)
    if name == PRODUCT.name and isinstance(ends, tuple):
        low, high = ends
        return low, high
    return None, None


def _is_usable(value: object) -> TypeGuard[float]:
    """Whether a line can go through a value."""
    return isinstance(value, int | float) and abs(value) <= LARGEST


def _lack(members: Sequence[Member], name: str) -> str:
    """Why a layer has no value: it is NaN or Inf, or the first note of a tensor."""
    for member in members:
        value = member.values.get(name)
        if value is not None:
            return f"{name} is {value}"  # NaN, Inf, or too large for a line
    if name == PRODUCT.name:
        members = [_of_products(member) for member in members]
    for member in members:
        if name in OF_GAIN and member.values.get("std") is not None:
            return "a vector has no fan_in"
        for note in member.notes:
            return note.text
    return f"{name} is null"


def _of_products(member: Member) -> Member:
    """A member with those notes alone that may be reasons of a missing product."""
    notes = tuple(note for note in member.notes if note.code in LACKS_PRODUCT)
    return Member(member.piece, {**member.values, "notes": notes or member.notes})


def series_of(members: Iterable[Member]) -> list[Series]:
    """The series of a model, in the order of their first tensors."""
    by_key: dict[Key, dict[int, list[Member]]] = {}
    for member in members:
        place = member.piece.place
        if place.layer is None:
            continue
        layers = by_key.setdefault(key_of(member.piece), {})
        layers.setdefault(place.layer, []).append(member)
    return [Series(key, dict(sorted(layers.items()))) for key, layers in by_key.items()]


def sharing(series: Sequence[Series], model: Model) -> list[Series]:
    """The series with the layers that share the tensor of another layer."""
    shared: dict[Key, dict[int, int]] = {}
    layers = {piece.stored.name: piece.place.layer for piece in model.pieces}
    for alias in model.aliases:
        layer, other = alias.place.layer, layers.get(owner(model, alias))
        if layer is not None and other is not None:
            shared.setdefault(key_of(alias), {})[layer] = other
    return [_sharing(one, shared.get(one.key, {})) for one in series]


def _sharing(series: Series, shared: Mapping[int, int]) -> Series:
    without_point = {layer: other for layer, other in shared.items() if layer not in series.layers}
    return replace(series, shared=without_point)


def key_of(piece: Piece) -> Key:
    """The series of a piece; experts and heads are numbered parts, which a series joins.

    `3.latent` is the latent part of expert 3.
    """
    place = piece.place
    number, _, part = place.part.partition(".")
    if not number.isdecimal():
        part = place.part
    return Key(place.stack, place.role, place.slot, part, place.kind)


def member_of(piece: Piece, values: Mapping[str, object]) -> Member:
    """A piece with what is measured, what its header says, and its gain."""
    header = {"params": piece.params, **sides(piece)}
    return Member(piece, {**header, **values, **gain(piece, values)})
