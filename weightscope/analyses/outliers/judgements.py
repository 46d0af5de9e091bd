"""How grave is what a row shows, where it stands? One judgement a finding; None where it is not found.

A judgement looks at one row's values, at the numbers of marked lines beside them, and at the place: a zero matrix is
damage, a zero bias is how biases begin.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

from ..piece import Piece
from .marks import Mark

Severity = Literal["info", "warn", "error"]
Values = Mapping[str, object]

FLOAT16 = 65504.0  # its largest value
BEGIN_AT_ZERO = (                               # residual branches and their gates often do, and adapters
    "attn.o", "mlp.down", "moe.expert.down", "modulation", "lora.b",
)  # fmt: skip
EXTREME, NOTABLE = 16.0, 4.0  # max_z in units of what chance gives
CROWDED, ENOUGH = 0.8, 32  # Gini: of the way from its null to 1; hidden units of MLPs reach 0.7
SUBNORMAL = 0.01  # share of subnormal values
SPARSE = 0.05  # share of changed rows below which a change is one of a few rows
SET = 3  # rows: two are parallel by chance


@dataclass(frozen=True)
class Seen:
    """What a judgement looks at: the values of a row, and how many lines of the matrix have which mark."""

    values: Values
    marked: Mapping[Mark, int]

    def get(self, name: str) -> object:
        """A value, None where it is null or was not measured."""
        return self.values.get(name)

    def number(self, name: str) -> float:
        """A value, 0 where it is null."""
        found = self.values.get(name)
        return float(found) if isinstance(found, int | float) else 0.0

    def lines(self, *marks: Mark) -> int:
        """How many lines have one of some marks."""
        return sum(self.marked.get(mark, 0) for mark in marks)


def _is_product(piece: Piece) -> bool:
    """Of few factors: its lines are as uneven as theirs, and as equal, without anything standing out."""
    return piece.name.endswith("[lora]")


def _is_gain(piece: Piece) -> bool:
    """Of a norm; not the scale of a residual branch (LayerScale), which may begin at zero and is no `weight`."""
    return piece.place.role == "norm" and (
        piece.name.endswith(".weight") or "norm" in piece.name.lower()
    )


def nonfinite(v: Seen, piece: Piece) -> Severity | None:
    """A single one is enough."""
    return "error" if v.number("nan") + v.number("inf") else None


def zero(v: Seen, piece: Piece) -> Severity | None:
    """All of them, where zeros are not how such a tensor begins, as a bias, an adapter or a residual branch does."""
    if not piece.params or v.number("zeros") < piece.params:
        return None
    if piece.place.kind in ("bias", "norm"):
        return None if piece.place.role != "norm" else "warn" if _is_gain(piece) else "info"
    return "info" if piece.place.role in BEGIN_AT_ZERO or _is_product(piece) else "warn"


def one_value(v: Seen, piece: Piece) -> Severity | None:
    """Every weight of a tensor that is neither a bias nor a norm."""
    varied = v.get("distinct") != 1 or v.number("zeros") == piece.params
    return None if varied or piece.place.kind in ("bias", "norm") or piece.params < 2 else "warn"


def dead_lines(v: Seen, piece: Piece) -> Severity | None:
    """Of a tensor that is not zero throughout; tokens, and padding at the end, are mostly meant."""
    if v.number("zeros") == piece.params or not v.number("dead_rows") + v.number("dead_cols"):
        return None
    inner = v.lines(Mark.INNER_DEAD_ROWS, Mark.INNER_DEAD_COLUMNS)
    return "warn" if inner and piece.place.kind != "embedding" else "info"


def constant_lines(v: Seen, piece: Piece) -> Severity | None:
    """Of a tensor that is not constant throughout; kernels of filters that average are."""
    found = v.number("constant_rows") + v.number("constant_cols")
    if not found or v.get("distinct") == 1 or _is_product(piece):
        return None
    return "info" if piece.place.kind == "conv" else "warn"


def duplicates(v: Seen, piece: Piece) -> Severity | None:
    """Tokens that share one vector are odd, hidden units that do are only wasteful."""
    if not v.number("duplicate_rows") or _is_product(piece):
        return None
    return "warn" if piece.place.role in ("embed", "head") else "info"


def twin(v: Seen, piece: Piece) -> Severity | None:
    """An earlier tensor has the same rows."""
    return "info" if v.get("duplicate_of") else None


def untrained(v: Seen, piece: Piece) -> Severity | None:
    """Three rows or more that are no duplicates: of those the other finding says what they are."""
    return "warn" if v.lines(Mark.UNTRAINED_ROWS) >= SET else None


def norms(v: Seen, piece: Piece) -> Severity | None:
    """Lines of four times the usual RMS; vectors have none."""
    loud = v.lines(Mark.LOUD_ROWS, Mark.LOUD_COLUMNS)
    return "info" if loud and not _is_product(piece) else None


def extreme(v: Seen, piece: Piece) -> Severity | None:
    """The furthest weight in units of what chance gives."""
    null = v.number("max_z_null")
    times = v.number("max_z") / null if null else 0.0
    if piece.place.kind in ("bias", "norm") or (_is_product(piece) and times <= EXTREME):
        return None  # vectors share no scale; products of Gaussians reach 20 sigma
    return "warn" if times > EXTREME else "info" if times > NOTABLE else None


def crowded(v: Seen, piece: Piece) -> Severity | None:
    """Gini coefficients far above chance, of enough weights to tell."""
    found = any(
        v.number(f"{side}_gini") > CROWDED + (1 - CROWDED) * v.number(f"{side}_gini_null")
        for side in ("row", "col")
    )
    enough = v.number("beyond_4") >= ENOUGH and not _is_product(piece)
    return "info" if enough and found else None


def lattice(v: Seen, piece: Piece) -> Severity | None:
    """Whatever the lattice."""
    return "info" if v.get("lattice") else None


def padding(v: Seen, piece: Piece) -> Severity | None:
    """Zero lines at the end."""
    return "info" if v.get("zero_block") else None


def sparse(v: Seen, piece: Piece) -> Severity | None:
    """Zeros in every group of neighbours."""
    return "info" if v.get("sparsity_pattern") else None


def one_sign(v: Seen, piece: Piece) -> Severity | None:
    """Lines that are all positive or all negative."""
    return "info" if v.number("one_sign_rows") + v.number("one_sign_cols") else None


def subnormal(v: Seen, piece: Piece) -> Severity | None:
    """More than one in a hundred."""
    return "info" if piece.params and v.number("subnormals") > SUBNORMAL * piece.params else None


def beyond_float16(v: Seen, piece: Piece) -> Severity | None:
    """A finite value that half precision has not."""
    return "info" if max(abs(v.number("min")), abs(v.number("max"))) > FLOAT16 else None


def surgery(v: Seen, piece: Piece) -> Severity | None:
    """A single tuned token changes one row too: only rows that were made equal are what triggers leave.

    These tell however few tokens there are, as long as most are untouched; other changes only where they are few.
    """
    changed, untouched = v.number("changed_rows"), v.number("untouched_rows")
    if not changed or piece.place.role not in ("embed", "head"):
        return None
    if v.lines(Mark.EQUAL_CHANGED_ROWS) and untouched > changed:
        return "error"
    return "warn" if changed <= SPARSE * (changed + untouched) else None
