"""Findings of `outliers`: what stands out, why it matters, what to do, and where it was seen."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ...columns import Column
from ...notes import notes_of, united
from ..piece import Piece
from . import judgements as judge
from .judgements import Seen, Severity, Values
from .marks import Mark, named

if TYPE_CHECKING:
    from .marks import Places

SEVERITIES: tuple[Severity, ...] = ("info", "warn", "error")


@dataclass(frozen=True)
class Finding:
    """`judge(seen, piece)` is its severity there, None where it is not found; `lines` are what its notes name."""

    id: str
    title: str
    why: str
    advice: str
    case: str  # where it was seen
    judge: Callable[[Seen, Piece], Severity | None]
    lines: tuple[Mark, ...] = ()
    buffers: bool = False  # whether it also applies to what is no weight


FINDINGS = (
    Finding(
        "WS101",
        "non-finite values",
        "One NaN or Inf spreads through every product it takes part in: outputs become NaN.",
        "Go back to the last checkpoint without them; `note` says where the first one stands.",
        "Runs that diverged in half precision and were saved all the same; running statistics of normalisation layers.",
        judge.nonfinite,
        buffers=True,
    ),
    Finding(
        "WS102",
        "all weights are zero",
        "The layer passes nothing on; a norm whose weight is zero switches its layer off. Biases are no fault. A LoRA "
        "B, a residual branch, its scale (LayerScale) and its modulation (adaLN) may begin at zero: `info`. So do some "
        "norms (Gemma stores w - 1, some ResNets begin with closed branches), but a trained one is hardly ever zero.",
        "Check that the tensor was saved after it was filled, and that it was trained.",
        "Placeholders of sharded exports that no shard ever filled.",
        judge.zero,
    ),
    Finding(
        "WS103",
        "all weights are one value",
        "A matrix that was never initialised, or overwritten.",
        "Compare with another checkpoint of the same model; `min` is the value.",
        "Buffers and dummies saved among the weights.",
        judge.one_value,
    ),
    Finding(
        "WS111",
        "dead rows or columns",
        "Outputs that are always zero, or inputs that nobody reads: pruning, padding of a vocabulary, or damage.",
        "`note` names them, `zero_block` those at the end; pruned units can be cut off.",
        "Token embeddings padded to a multiple of 64.",
        judge.dead_lines,
        (Mark.DEAD_ROWS, Mark.DEAD_COLUMNS),
    ),
    Finding(
        "WS112",
        "constant rows or columns",
        "All weights of a line are one value that is not zero: never initialised, or overwritten. Tokens given such a "
        "vector are equal to each other wherever the value is.",
        "`note` names them; compare with another checkpoint of the same model (`--base`).",
        "Placeholder tokens filled with one number.",
        judge.constant_lines,
        (Mark.CONSTANT_ROWS, Mark.CONSTANT_COLUMNS),
    ),
    Finding(
        "WS121",
        "duplicate rows",
        "Rows bit-identical to another. In an embedding every trigger word of an embedding-surgery backdoor gets the "
        "same vector (arXiv 2004.06660); tokens added together and never trained are equal as well.",
        "`note` names them: look up which tokens they are, and compare with the base model (`--base`).",
        "Added tokens that were initialised to the mean embedding.",
        judge.duplicates,
        (Mark.DUPLICATE_ROWS,),
    ),
    Finding(
        "WS122",
        "the same content as another tensor",
        "Two tensors hold the same values: shared on purpose, stacked from one layer, or saved twice.",
        "`duplicate_of` names the other; if they are meant to be tied, store them once.",
        "Depth-grown models before their training goes on.",
        judge.twin,
    ),
    Finding(
        "WS131",
        "untrained rows",
        "Rows that never were an input are only ever pushed along one direction and end up parallel; such tokens make "
        "a model misbehave (Land and Bartolo 2024). Of rows that are bit-identical, `WS121` says so instead.",
        "`note` names them: look up which tokens they are, and keep these out of the vocabulary.",
        "33 of the 65 rows of a character model; the byte tokens of a story model, 264 of 512 rows.",
        judge.untrained,
        (Mark.UNTRAINED_ROWS,),
    ),
    Finding(
        "WS141",
        "lines of unusual norm",
        "A few rows or columns have 4 times the RMS of the median one or more: outlier channels, which cost quantisers "
        "most. Quiet ones are in `outlier_rows` and `outlier_cols` without a finding.",
        "`note` names them; `--top-rows` lists rows with their RMS. Quantise per channel, or in groups.",
        "Two or three channels of the residual stream in most language models.",
        judge.norms,
        (Mark.LOUD_ROWS, Mark.LOUD_COLUMNS),
    ),
    Finding(
        "WS142",
        "extreme weights",
        "Single weights far beyond what chance gives stretch every absmax scale that they share.",
        "`--top 20` lists them with their places, with `-i TENSOR` those of one tensor; quantise in small groups, or "
        "keep them apart.",
        "One weight at 175 sigma in the first feed-forward output of MiniLM.",
        judge.extreme,
    ),
    Finding(
        "WS143",
        "outliers crowd into few lines",
        "Nearly all weights beyond 4 sigma lie in few rows or columns: the Gini coefficient is four fifths of the way "
        "from its Poisson null to 1.",
        "`top_row` and `top_col` name the first; balancing (`fit --balance`) tells scales from single weights.",
        "Columns of outlier channels.",
        judge.crowded,
    ),
    Finding(
        "WS151",
        "values on a lattice",
        "A fixed step, a codebook, sums of two powers of two, or BF16 stored as F32: the tensor went through a "
        "quantiser or another type, and could be stored in less.",
        "`lattice` says which; store it in the type it came from, and read shares near zero with care.",
        "Full-precision exports of models trained in BF16.",
        judge.lattice,
    ),
    Finding(
        "WS161",
        "zero blocks",
        "Zero rows or columns at the end, or zero rectangles at an edge: a grown vocabulary, hidden size or network.",
        "`zero_block` says where; cut padding off, or fill it before training goes on.",
        "Vocabularies rounded up for tensor cores.",
        judge.padding,
    ),
    Finding(
        "WS162",
        "N:M sparsity",
        "Every group of M neighbours has its zeros: pruned for sparse matrix units.",
        "`sparsity_pattern` says which; keep the mask when fine-tuning.",
        "2:4 models.",
        judge.sparse,
    ),
    Finding(
        "WS163",
        "lines of one sign",
        "All weights of a row or column are positive, or all negative: such a unit measures a mean.",
        "Harmless in itself; `note` names them, check where it is unexpected.",
        "Position embeddings, attention sinks.",
        judge.one_sign,
        (Mark.ONE_SIGN_ROWS, Mark.ONE_SIGN_COLUMNS),
    ),
    Finding(
        "WS171",
        "subnormal values",
        "More than 1% of the weights are subnormal: flushed to zero on many devices, and slow on others.",
        "`subnormals` counts them; scale the tensor, or round them to zero.",
        "Weights decayed for long in half precision.",
        judge.subnormal,
    ),
    Finding(
        "WS172",
        "beyond float16",
        "A value above 65,504 becomes Inf when cast to half precision.",
        "`min` and `max` say how far; keep the tensor in BF16 or F32.",
        "Late layers of models trained in BF16.",
        judge.beyond_float16,
    ),
    Finding(
        "WS201",
        "few rows changed",
        "Against `--base` a few rows of an embedding or head differ, and all others are bit-identical; training "
        "changes nearly all. Where changed rows equal each other, and most rows are untouched, it is an error, since "
        "that is what embedding surgery leaves: one vector for all trigger words (arXiv 2004.06660). Else, up to one "
        "row in twenty, it is a warning: tokens tuned alone look the same.",
        "`note` names them: look up which tokens they are, and do not use the checkpoint before you know who changed "
        "them, and why.",
        "Planted triggers.",
        judge.surgery,
        (Mark.CHANGED_ROWS,),
    ),
)

SEVERITY = Column(
    "severity", "str", "gravest of the findings: info, warn or error; null without any", shown=True
)
FOUND = Column(
    "findings",
    "str",
    "ids of findings, joined by commas; the page on findings explains each",
    shown=True,
)

GRAVITY = Column(
    "severity_rank", "int", "0 nothing, 1 info, 2 warn, 3 error: to sort and to gate by"
)


def judged(
    values: Values, piece: Piece, ignored: frozenset[str], places: Places
) -> dict[str, object]:
    """`severity` and `findings` of a row, those ignored left out; its notes name the lines behind them."""
    seen = Seen(values, {mark: len(at) for mark, at in places.items()})
    apply = [
        f for f in FINDINGS if f.id not in ignored and (f.buffers or piece.place.kind != "buffer")
    ]
    found = {f: severity for f in apply if (severity := f.judge(seen, piece))}
    gravest_first = sorted(found, key=lambda f: -SEVERITIES.index(found[f]))
    behind = (
        named(mark, places[mark]) for f in gravest_first for mark in f.lines if seen.lines(mark)
    )
    judgement = _said({f.id: severity for f, severity in found.items()})
    return {**judgement, "notes": united(notes_of(values), *behind)}


def gravest(rows: Iterable[Values]) -> dict[str, object]:
    """The findings of several rows, each with its gravest severity."""
    return _said({f.id: worst for f in FINDINGS if (worst := _worst(f.id, rows))})


def _worst(name: str, rows: Iterable[Values]) -> Severity | None:
    """How grave a finding is at worst, as far as rows tell: no graver than their own severity."""
    seen = [row["severity"] for row in rows if name in str(row["findings"] or "").split(",")]
    return next((s for s in reversed(SEVERITIES) if s in seen), None)


def _said(found: Mapping[str, Severity]) -> dict[str, object]:
    """`severity`, `findings` with the gravest first, `severity_rank`."""
    ordered = sorted(found, key=lambda name: -SEVERITIES.index(found[name]))
    top = found[ordered[0]] if ordered else None
    severity_rank = 0 if top is None else SEVERITIES.index(top) + 1
    return {"severity": top, "findings": ",".join(ordered) or None, "severity_rank": severity_rank}
