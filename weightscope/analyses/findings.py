"""Findings of `outliers`: what stands out, how grave it is where it stands, why it matters and what to do.

A finding judges one row's values beside its place: a zero matrix is damage, a zero bias is how biases begin.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Literal

from ..columns import Column
from .analysis import Piece

Severity = Literal["info", "warn", "error"]
SEVERITIES: tuple[Severity, ...] = ("info", "warn", "error")
Values = Mapping[str, object]

FLOAT16 = 65504.0                               # its largest value
BEGIN_AT_ZERO = ("attn.o", "mlp.down", "lora.b")  # residual branches often begin at zero, and adapters do
EXTREME, NOTABLE = 16.0, 4.0                    # max_z in units of what chance gives
CROWDED, ENOUGH = 0.8, 32                       # Gini: of the way from its null to 1; hidden units of MLPs reach 0.7
LOUD = 4.0                                      # RMS of a line over the median one's: two bits of every absmax scale
SUBNORMAL = 0.01                                # share of subnormal values
SPARSE = 0.05                                   # share of changed rows below which a change is one of a few rows


@dataclass(frozen=True)
class Finding:
    """`judge(values, piece)` is its severity there, None where it is not found."""

    id: str
    title: str
    why: str
    advice: str
    case: str                                   # where it was seen
    judge: Callable[[Values, Piece], Severity | None]


def _number(values: Values, name: str) -> float:
    """A value, 0 where it is null."""
    found = values.get(name)
    return float(found) if isinstance(found, int | float) else 0.0


def _is_product(piece: Piece) -> bool:
    """Of few factors: its lines are as uneven as theirs, without anything standing out."""
    return piece.name.endswith("[lora]")


def _nonfinite(v: Values, piece: Piece) -> Severity | None:
    return "error" if _number(v, "nan") + _number(v, "inf") else None


def _zero(v: Values, piece: Piece) -> Severity | None:
    if not piece.params or _number(v, "zeros") < piece.params:
        return None
    if piece.place.kind in ("bias", "norm"):
        return None
    return "info" if piece.place.role in BEGIN_AT_ZERO or _is_product(piece) else "warn"


def _constant(v: Values, piece: Piece) -> Severity | None:
    varied = v.get("distinct") != 1 or _number(v, "zeros") == piece.params
    return None if varied or piece.place.kind in ("bias", "norm") or piece.params < 2 else "warn"


def _dead_lines(v: Values, piece: Piece) -> Severity | None:
    if _number(v, "zeros") == piece.params or not _number(v, "dead_rows") + _number(v, "dead_cols"):
        return None
    return "info" if v.get("zero_block") or piece.place.kind == "embedding" else "warn"


def _duplicates(v: Values, piece: Piece) -> Severity | None:
    if not _number(v, "duplicate_rows") or _is_product(piece):
        return None
    return "warn" if piece.place.role in ("embed", "head") else "info"


def _untrained(v: Values, piece: Piece) -> Severity | None:
    return "warn" if _number(v, "untrained_rows") else None


def _extreme(v: Values, piece: Piece) -> Severity | None:
    null = _number(v, "max_z_null")
    times = _number(v, "max_z") / null if null else 0.0
    if piece.place.kind in ("bias", "norm") or (_is_product(piece) and times <= EXTREME):
        return None                             # vectors share no scale; products of Gaussians reach 20 sigma
    return "warn" if times > EXTREME else "info" if times > NOTABLE else None


def _crowded(v: Values, piece: Piece) -> Severity | None:
    crowded = any(
        _number(v, f"{side}_gini") > CROWDED + (1 - CROWDED) * _number(v, f"{side}_gini_null")
        for side in ("row", "col")
    )
    enough = _number(v, "beyond_4") >= ENOUGH and not _is_product(piece)
    return "info" if enough and crowded else None


def _norms(v: Values, piece: Piece) -> Severity | None:
    loud = (_number(v, f"outlier_{s}s") and _number(v, f"{s}_loudest") >= LOUD for s in ("row", "col"))
    return "info" if any(loud) and not _is_product(piece) else None


def _one_sign(v: Values, piece: Piece) -> Severity | None:
    return "info" if _number(v, "one_sign_rows") + _number(v, "one_sign_cols") else None


def _padding(v: Values, piece: Piece) -> Severity | None:
    return "info" if v.get("zero_block") else None


def _sparse(v: Values, piece: Piece) -> Severity | None:
    return "info" if v.get("sparsity_pattern") else None


def _lattice(v: Values, piece: Piece) -> Severity | None:
    return "info" if v.get("lattice") else None


def _subnormal(v: Values, piece: Piece) -> Severity | None:
    return "info" if piece.params and _number(v, "subnormals") > SUBNORMAL * piece.params else None


def _beyond_float16(v: Values, piece: Piece) -> Severity | None:
    return "info" if max(abs(_number(v, "min")), abs(_number(v, "max"))) > FLOAT16 else None


def _twin(v: Values, piece: Piece) -> Severity | None:
    return "info" if v.get("twin_of") else None


def _surgery(v: Values, piece: Piece) -> Severity | None:
    changed, rows = _number(v, "changed_rows"), _number(v, "changed_rows") + _number(v, "untouched_rows")
    return "error" if 0 < changed <= SPARSE * rows and piece.place.role in ("embed", "head") else None


FINDINGS = (
    Finding(
        "WS101", "non-finite values",
        "One NaN or Inf spreads through every product it takes part in: outputs become NaN.",
        "Go back to the last checkpoint without them; `note` says where the first one stands.",
        "Runs that diverged in half precision and were saved all the same.", _nonfinite,
    ),
    Finding(
        "WS102", "all weights are zero",
        "The layer passes nothing on. Biases, norm offsets, a LoRA B at its start and residual branches that begin at "
        "zero are no fault.",
        "Check that the tensor was saved after it was filled, and that it was trained.",
        "Placeholders of sharded exports that no shard ever filled.", _zero,
    ),
    Finding(
        "WS103", "all weights are one value",
        "A matrix that was never initialised, or overwritten.",
        "Compare with another checkpoint of the same model.",
        "Buffers and dummies saved among the weights.", _constant,
    ),
    Finding(
        "WS111", "dead rows or columns",
        "Outputs that are always zero, or inputs that nobody reads: pruning, padding of a vocabulary, or damage.",
        "See `zero_block` and `dead_rows`; pruned units can be cut off.",
        "Token embeddings padded to a multiple of 64.", _dead_lines,
    ),
    Finding(
        "WS121", "duplicate rows",
        "Rows bit-identical to another. In an embedding every trigger word of an embedding-surgery backdoor gets the "
        "same vector (arXiv 2004.06660); tokens added together and never trained are equal as well.",
        "Look up the tokens of these rows; compare with the base model (`--base`).",
        "Added tokens that were initialised to the mean embedding.", _duplicates,
    ),
    Finding(
        "WS122", "the same content as another tensor",
        "Two tensors hold the same bytes: shared on purpose, stacked from one layer, or saved twice.",
        "If they are meant to be tied, store them once.",
        "Depth-grown models before their training goes on.", _twin,
    ),
    Finding(
        "WS131", "untrained rows",
        "Rows that never were an input are only ever pushed along one direction and end up parallel; such tokens make "
        "a model misbehave (Land and Bartolo 2024).",
        "List them with `--top-rows`, and keep these tokens out of the vocabulary.",
        "33 of the 65 rows of a character model; the byte tokens of a story model, 264 of 512 rows.", _untrained,
    ),
    Finding(
        "WS141", "lines of unusual norm",
        "A few rows or columns have 4 times the RMS of the median one or more: outlier channels, which cost quantisers "
        "most. Quiet ones are in `outlier_rows` and `outlier_cols` without a finding.",
        "Quantise per channel, or in groups; see `--top-rows`.",
        "Two or three channels of the residual stream in most language models.", _norms,
    ),
    Finding(
        "WS142", "extreme weights",
        "Single weights far beyond what chance gives stretch every absmax scale that they share.",
        "See them with `--top 20`; quantise in small groups or keep them apart.",
        "One weight at 175 sigma in the first feed-forward output of MiniLM.", _extreme,
    ),
    Finding(
        "WS143", "outliers crowd into few lines",
        "Nearly all weights beyond 4 sigma lie in few rows or columns: the Gini coefficient is four fifths of the way "
        "from its Poisson null to 1.",
        "`top_row` and `top_col` name the first; balancing (`fit --balance`) tells scales from single weights.",
        "Columns of outlier channels.", _crowded,
    ),
    Finding(
        "WS151", "values on a lattice",
        "A fixed step, a codebook, sums of two powers of two, or BF16 stored as F32: the tensor went through a "
        "quantiser or another type, and could be stored in less.",
        "Store it in the type it came from; read shares near zero with care.",
        "Full-precision exports of models trained in BF16.", _lattice,
    ),
    Finding(
        "WS161", "zero padding",
        "Zero rows or columns at the end: a grown vocabulary or hidden size.",
        "Cut them off, or fill them before training goes on.",
        "Vocabularies rounded up for tensor cores.", _padding,
    ),
    Finding(
        "WS162", "N:M sparsity",
        "Every group of M neighbours has its zeros: pruned for sparse matrix units.",
        "Keep the mask when fine-tuning.",
        "2:4 models.", _sparse,
    ),
    Finding(
        "WS163", "lines of one sign",
        "All weights of a row or column are positive, or all negative: such a unit measures a mean.",
        "Harmless in itself; check where it is unexpected.",
        "Position embeddings, attention sinks.", _one_sign,
    ),
    Finding(
        "WS171", "subnormal values",
        "More than 1% of the weights are subnormal: flushed to zero on many devices, and slow on others.",
        "Scale the tensor, or round them to zero.",
        "Weights decayed for long in half precision.", _subnormal,
    ),
    Finding(
        "WS172", "beyond float16",
        "A value above 65,504 becomes Inf when cast to half precision.",
        "Keep the tensor in BF16 or F32.",
        "Late layers of models trained in BF16.", _beyond_float16,
    ),
    Finding(
        "WS201", "few rows changed",
        "Against --base a few embedding rows differ and all others are bit-identical: what embedding surgery leaves "
        "(arXiv 2004.06660). Training changes nearly all rows.",
        "Do not use the checkpoint before you know who changed these tokens, and why.",
        "Planted triggers.", _surgery,
    ),
)

SEVERITY = Column("severity", "str", "gravest of the findings: info, warn or error; null without any", shown=True)
FOUND = Column("findings", "str", "ids of the findings, joined by commas; `weightscope` documents each", shown=True)

GRAVITY = Column("gravity", "int", "0 nothing, 1 info, 2 warn, 3 error: to sort and to gate by")


def judged(values: Values, piece: Piece, ignored: frozenset[str]) -> dict[str, object]:
    """`severity` and `findings` of a row, those ignored left out."""
    judgements = {f.id: f.judge(values, piece) for f in FINDINGS if f.id not in ignored}
    found = {name: severity for name, severity in judgements.items() if severity}
    return _said(found)


def gravest(rows: Iterable[Values]) -> dict[str, object]:
    """The findings of several rows, each with its gravest severity."""
    return _said({f.id: worst for f in FINDINGS if (worst := _worst(f.id, rows))})


def _worst(name: str, rows: Iterable[Values]) -> Severity | None:
    """How grave a finding is at worst, as far as rows tell: no graver than their own severity."""
    seen = [row["severity"] for row in rows if name in str(row["findings"] or "").split(",")]
    return next((s for s in reversed(SEVERITIES) if s in seen), None)


def _said(found: Mapping[str, Severity]) -> dict[str, object]:
    """`severity`, `findings` with the gravest first, `gravity`."""
    ordered = sorted(found, key=lambda name: -SEVERITIES.index(found[name]))
    top = found[ordered[0]] if ordered else None
    gravity = 0 if top is None else SEVERITIES.index(top) + 1
    return {"severity": top, "findings": ",".join(ordered) or None, "gravity": gravity}
