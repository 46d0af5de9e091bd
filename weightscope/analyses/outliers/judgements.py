"""The severity of each finding in one row of the table, given the place of its tensor.

One function per finding; None where the finding does not apply. A judgement uses the values of the
row, the numbers of marked rows and columns, and the place: a matrix of zeros is damage, while a
bias starts training at zero.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..piece import Piece
from .kinds import (
    is_factor,
    is_gain,
    is_product,
    is_started_at_zero,
    is_table_name,
    is_vector_kind,
)
from .marks import Mark

Severity = Literal["info", "warn", "error"]
Values = Mapping[str, object]

FLOAT16 = 65504.0  # its largest value
TOKENS = ("embed", "head")  # roles whose rows are tokens
# Roles that are often initialised to zero: residual branches and their gates.
ZERO_INITIALISED = ("attn.o", "mlp.down", "moe.expert.down", "modulation")
EXTREME, NOTABLE = 16.0, 4.0  # max_z as a multiple of max_z_null
CONCENTRATED = 0.8  # Gini, as a share of the way from its null to 1; hidden units of MLPs reach 0.7
ENOUGH = 32  # weights beyond 4 std: the Gini coefficient of fewer is noise
SUBNORMAL = 0.01  # share of subnormal values
FEW_CHANGED = 0.05  # share of changed rows: fine-tuning changes nearly all
SET = 3  # rows: two parallel rows may be a coincidence


@dataclass(frozen=True)
class RowValues:
    """The values of one row of the table, and the number of matrix rows or columns per mark."""

    values: Values
    marked: Mapping[Mark, int]

    def get(self, name: str) -> object:
        """A value; None where it is null or was not measured."""
        return self.values.get(name)

    def number(self, name: str) -> float:
        """A value; 0 where it is null."""
        value = self.values.get(name)
        if isinstance(value, int | float):
            return float(value)
        return 0.0

    def count(self, *marks: Mark) -> int:
        """The number of rows and columns with one of these marks."""
        return sum(self.marked.get(mark, 0) for mark in marks)


def _may_be_tokens(row: RowValues, piece: Piece) -> bool:
    """Whether a matrix of unknown role is a table of tokens with zero rows of padding.

    By its name, or by one zero row where padding is; a layer with a bias has a role.
    """
    if piece.place.role != "unknown" or len(piece.stored.dims) != 2:
        return False
    if row.count(Mark.INNER_DEAD_COLUMNS):
        return False
    return row.count(Mark.PADDING_ROWS) > 0 or is_table_name(piece.name)


def nonfinite(row: RowValues, piece: Piece) -> Severity | None:
    """One NaN or Inf or more."""
    if row.number("nan") + row.number("inf"):
        return "error"
    return None


def zero(row: RowValues, piece: Piece) -> Severity | None:
    """All weights are zero, in a tensor that is not a bias."""
    if not piece.params or row.number("zeros") < piece.params:
        return None
    if is_vector_kind(piece):
        if piece.place.role != "norm":
            return None
        return "warn" if is_gain(piece) else "info"
    if piece.place.role in ZERO_INITIALISED or is_product(piece) or is_factor(piece):
        return "info"
    if is_started_at_zero(piece):
        return "info"
    return "warn"


def one_value(row: RowValues, piece: Piece) -> Severity | None:
    """All weights are one value other than zero, in a tensor that is neither a bias nor a norm."""
    if row.get("distinct") != 1 or row.number("zeros") == piece.params:
        return None
    if is_vector_kind(piece) or piece.params < 2:
        return None
    return "info" if is_factor(piece) else "warn"


def dead_lines(row: RowValues, piece: Piece) -> Severity | None:
    """Some rows or columns are zero; tokens, and padding at the end, are mostly intended."""
    if row.number("zeros") == piece.params:
        return None
    if not row.number("dead_rows") + row.number("dead_cols"):
        return None
    inner = row.count(Mark.INNER_DEAD_ROWS, Mark.INNER_DEAD_COLUMNS)
    if not inner or piece.place.kind == "embedding":
        return "info"
    if is_product(piece) or is_factor(piece) or _may_be_tokens(row, piece):
        return "info"
    return "warn"


def constant_lines(row: RowValues, piece: Piece) -> Severity | None:
    """Some rows or columns are constant; averaging filters of convolutions are by design."""
    constant = row.number("constant_rows") + row.number("constant_cols")
    if not constant or row.get("distinct") == 1 or is_product(piece):
        return None
    if piece.place.kind == "conv" or is_factor(piece):
        return "info"
    return "warn"


def duplicates(row: RowValues, piece: Piece) -> Severity | None:
    """Some rows are equal: suspicious for tokens, only wasteful for hidden units."""
    if not row.number("duplicate_rows") or is_product(piece):
        return None
    if piece.place.role in TOKENS:
        return "warn"
    return "info"


def duplicate_tensor(row: RowValues, piece: Piece) -> Severity | None:
    """An earlier tensor has the same content."""
    if row.get("duplicate_of"):
        return "info"
    return None


def untrained(row: RowValues, piece: Piece) -> Severity | None:
    """Three parallel rows or more that are not duplicates, which have a finding of their own.

    All rows of a product of rank 1 are parallel, and most of one with a dominant direction.
    """
    if row.count(Mark.UNTRAINED_ROWS) >= SET and not is_product(piece):
        return "warn"
    return None


def norms(row: RowValues, piece: Piece) -> Severity | None:
    """Rows or columns with 4 times the RMS of the median one; vectors have none."""
    large = row.count(Mark.OUTLIER_ROWS, Mark.OUTLIER_COLUMNS)
    if large and not is_product(piece):
        return "info"
    return None


def extreme(row: RowValues, piece: Piece) -> Severity | None:
    """The largest |z| is a multiple of its expectation for Gaussian weights.

    Heavy-tailed noise reaches such multiples too, so it must also exceed what the tail of the other
    weights leads to expect.
    """
    null = row.number("max_z_null")
    if is_vector_kind(piece) or not null:
        return None  # vectors share no quantisation scale
    if row.number("max_z") <= row.number("max_z_tail"):
        return None
    ratio = row.number("max_z") / null
    if ratio > EXTREME:
        return "warn"
    # Products of Gaussian factors reach 20 sigma.
    if ratio > NOTABLE and not is_product(piece):
        return "info"
    return None


def concentrated(row: RowValues, piece: Piece) -> Severity | None:
    """Gini coefficients far above their nulls, over enough weights beyond 4 std."""
    if row.number("beyond_4") < ENOUGH or is_product(piece):
        return None
    for side in ("row", "col"):
        threshold = CONCENTRATED + (1 - CONCENTRATED) * row.number(f"{side}_gini_null")
        if row.number(f"{side}_gini") > threshold:
            return "info"
    return None


def lattice(row: RowValues, piece: Piece) -> Severity | None:
    """The values are on a lattice of any type, or those of a narrower format."""
    if row.get("lattice") or row.get("precision_history"):
        return "info"
    return None


def padding(row: RowValues, piece: Piece) -> Severity | None:
    """Zero rows or columns at the end, or a zero rectangle at an edge."""
    if row.get("zero_block"):
        return "info"
    return None


def sparse(row: RowValues, piece: Piece) -> Severity | None:
    """Every group of neighbours has its zeros."""
    if row.get("sparsity_pattern"):
        return "info"
    return None


def one_sign(row: RowValues, piece: Piece) -> Severity | None:
    """Some rows or columns are all positive or all negative."""
    if row.number("one_sign_rows") + row.number("one_sign_cols"):
        return "info"
    return None


def subnormal(row: RowValues, piece: Piece) -> Severity | None:
    """More than 1% of the weights are subnormal."""
    limit = SUBNORMAL * piece.params
    if piece.params and row.number("subnormals") > limit:
        return "info"
    return None


def beyond_float16(row: RowValues, piece: Piece) -> Severity | None:
    """A finite value that float16 cannot represent."""
    largest = max(abs(row.number("min")), abs(row.number("max")))
    if largest > FLOAT16:
        return "info"
    return None


def surgery(row: RowValues, piece: Piece) -> Severity | None:
    """Few token rows differ from the base.

    A single tuned token changes one row too, so the error requires changed rows that equal each
    other, which is the trace of embedding surgery. These count for any vocabulary size as long as
    most rows are unchanged; other changes count only where they are few.
    """
    changed = row.number("changed_rows")
    untouched = row.number("untouched_rows")
    if not changed or piece.place.role not in TOKENS:
        return None
    if row.count(Mark.EQUAL_CHANGED_ROWS) and untouched > changed:
        return "error"
    if changed <= FEW_CHANGED * (changed + untouched):
        return "warn"
    return None
