"""Notes of several readers about tensors that they cannot read as values."""

from __future__ import annotations

from ...notes import Note
from .. import limits


def complex_numbers(dtype: str) -> Note:
    """Complex numbers: no statistic is defined for them."""
    return Note.of("type-not-decoded", "complex numbers ({dtype}) are not measured", dtype=dtype)


def too_many_dimensions(many: int) -> Note:
    """A shape with more dimensions than the limit."""
    template = f"{{many}} dimensions, at most {limits.RANK} are measured"
    return Note.of("too-many-dimensions", template, many=many)


def lazy_negation(dtype: str) -> Note:
    """A pending negation in a type without a sign."""
    return Note.of(
        "lazy-negation", "lazy neg bit, which torch does not resolve for {dtype}", dtype=dtype
    )


def expanded(stored: int, many: int) -> Note:
    """A view in which few stored elements stand for many."""
    return Note.of(
        "expanded", "expanded: {stored} stored elements stand for {many}", stored=stored, many=many
    )
