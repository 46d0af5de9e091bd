"""Notes on what a series lacks: layers and experts without a value, finite elements."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ...notes import Note
from ..layer_names import few_ranges, layers_named
from .series import Member, Point, Series

NON_FINITE = "non-finite"  # code of the notes of tensors with NaN or Inf


def lacking(series: Series, points: Sequence[Point]) -> Iterator[Note]:
    """What is missing in a series of one statistic."""
    gaps = [point for point in points if point.value is None]
    if gaps:
        yield _left_out(gaps, len(points))
    incomplete = [point for point in points if point.value is not None and point.missing]
    if incomplete:
        yield _experts_left_out(series, incomplete)
    layers = [point.layer for point in points if point.value is not None]
    impure = [layer for layer in layers if _has_note(series.layers[layer], NON_FINITE)]
    if impure:
        template = "NaN or Inf in {names}: statistics of the finite values"
        yield Note.of(NON_FINITE, template, names=layers_named(impure))


def of_layer(series: Series, point: Point) -> Note | None:
    """Why a layer, or some of its experts, has no value."""
    if point.value is None:
        return Note("no-layer", point.lack)
    if point.missing:
        return _experts_left_out(series, [point])
    return None


def _left_out(gaps: Sequence[Point], count: int) -> Note:
    """The layers without a value, and the reason of the first."""
    reason = _reason(gaps)
    if len(gaps) == count:
        return Note.of("no-layer", "no layer has a value: {reason}", reason=reason)
    verb = "has" if len(gaps) == 1 else "have"
    return Note.of(
        "layers-left-out",
        f"{{left}} of {{all}} layers {verb} no value ({{names}}): {{reason}}",
        left=len(gaps),
        all=count,
        names=few_ranges([point.layer for point in gaps]),
        reason=reason,
    )


def _experts_left_out(series: Series, points: Sequence[Point]) -> Note:
    """The experts without a value in layers that have others, and the reason of the first."""
    missing = sum(point.missing for point in points)
    verb = "has" if missing == 1 else "have"
    return Note.of(
        "experts-left-out",
        f"{{missing}} {series.noun(missing)} {verb} no value in {{names}}: {{reason}}",
        missing=missing,
        names=layers_named([point.layer for point in points]),
        reason=_reason(points),
    )


def _reason(points: Sequence[Point]) -> str:
    """The reason of the first layer, which is named where the others have another one."""
    first = points[0]
    if all(point.lack == first.lack for point in points):
        return first.lack
    return f"in layer {first.layer}: {first.lack}"


def _has_note(members: Sequence[Member], code: str) -> bool:
    """Whether a tensor of a layer has a note."""
    return any(note.code == code for member in members for note in member.notes)
