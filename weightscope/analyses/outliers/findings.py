"""The list of findings: what each means, why it matters, what to do, and where it was observed."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from ..piece import Piece
from . import judgements as judge
from .judgements import RowValues, Severity
from .marks import Mark


@dataclass(frozen=True)
class Finding:
    """`judge(row, piece)` is its severity, None where it does not apply.

    Its notes list the rows and columns of `marks`.
    """

    id: str
    title: str
    why: str
    advice: str
    case: str  # where it was observed
    judge: Callable[[RowValues, Piece], Severity | None]
    marks: tuple[Mark, ...] = ()
    threshold: str = ""  # what decides, why its severity is what it is, and the measured rates
    buffers: bool = False  # whether it also applies to buffers


FINDINGS = (
    Finding(
        "WS101",
        "non-finite values",
        "One NaN or Inf spreads through every product that contains it: outputs become NaN.",
        "Return to the last checkpoint without them; `note` has the position of the first one.",
        "Runs that diverged in half precision and were saved nevertheless; running statistics of "
        "normalisation layers. -Inf is by design in a mask, which has no row.",
        judge.nonfinite,
        buffers=True,
    ),
    Finding(
        "WS102",
        "all weights are zero",
        "The output of the layer is zero; a norm whose weight is zero disables its layer. Biases "
        "of zeros are not reported. A LoRA B, a residual branch, its scale (LayerScale) and its "
        "modulation (adaLN) may be initialised to zero: `info`. So are factors of adapters, single "
        "tokens (mask, class) and zero convolutions. So are some norms (Gemma stores w "
        "- 1, some ResNets initialise the last norm of a branch to zero), but a trained norm is "
        "hardly ever zero.",
        "Check that the tensor was saved after it was filled, and that it was trained.",
        "Placeholders of sharded exports that no shard ever filled.",
        judge.zero,
    ),
    Finding(
        "WS103",
        "all weights are one value",
        "A matrix that was never initialised, or was overwritten. A factor of an adapter starts so "
        "(IA3, BOFT): `info`.",
        "Compare with another checkpoint of the same model; `min` is the value.",
        "Buffers and dummies saved among the weights.",
        judge.one_value,
    ),
    Finding(
        "WS111",
        "dead rows or columns",
        "Outputs that are always zero, or inputs without any effect: pruning, padding of a "
        "vocabulary, or damage. `info` in an embedding, in a matrix of unknown role whose name is "
        "that of an embedding or whose only zero row is 0 or 1, where padding tokens are, in "
        "updates and factors of adapters, and in constants of code.",
        "`note` lists them, `zero_block` those at the end; pruned units can be removed.",
        "Token embeddings padded to a multiple of 64.",
        judge.dead_lines,
        (Mark.DEAD_ROWS, Mark.DEAD_COLUMNS),
    ),
    Finding(
        "WS112",
        "constant rows or columns",
        "All weights of a row or column are one value other than zero: never initialised, or "
        "overwritten. Tokens with such vectors of the same value are identical. `info` in "
        "convolutions, factors of adapters and constants of code.",
        "`note` lists them; compare with another checkpoint of the same model (`--base`).",
        "Placeholder tokens filled with one number.",
        judge.constant_lines,
        (Mark.CONSTANT_ROWS, Mark.CONSTANT_COLUMNS),
    ),
    Finding(
        "WS121",
        "duplicate rows",
        "Rows that are bit-identical to another row. In an embedding, a backdoor by embedding "
        "surgery gives every trigger word the same vector (arXiv 2004.06660); tokens that were "
        "added together and never trained are equal as well.",
        "`note` lists them: look up their tokens, and compare with the base model (`--base`).",
        "Added tokens that were initialised to the mean embedding.",
        judge.duplicates,
        (Mark.DUPLICATE_ROWS,),
    ),
    Finding(
        "WS122",
        "duplicate tensors",
        "Two tensors hold the same values: shared on purpose, copied from one layer to another, or "
        "saved twice.",
        "`duplicate_of` names the other; if they are meant to be tied, store them once.",
        "Depth-grown models before their training continues.",
        judge.duplicate_tensor,
    ),
    Finding(
        "WS131",
        "untrained rows",
        "Rows of tokens that never were an input are updated along one common direction only and "
        "become parallel; such tokens cause unwanted behaviour (Land and Bartolo 2024). "
        "Bit-identical rows are reported by `WS121` instead. All rows of an update of rank 1 are "
        "parallel, so updates have no such finding.",
        "`note` lists them: look up their tokens, and remove these from the vocabulary.",
        "33 of the 65 rows of a character model; the byte tokens of a story model, 264 of 512 "
        "rows.",
        judge.untrained,
        (Mark.UNTRAINED_ROWS,),
    ),
    Finding(
        "WS141",
        "rows or columns of large norm",
        "A few rows or columns have at least 4 times the RMS of the median one: outlier channels, "
        "which increase the quantisation error most. Those of small norm are counted in "
        "`outlier_rows` and `outlier_cols` without a finding.",
        "`note` lists them; `--top-rows` lists rows with their RMS. Quantise per channel, or in "
        "groups.",
        "Two or three channels of the residual stream in most language models.",
        judge.norms,
        (Mark.OUTLIER_ROWS, Mark.OUTLIER_COLUMNS),
    ),
    Finding(
        "WS142",
        "extreme weights",
        "Single weights far beyond the largest expected for Gaussian weights increase every absmax "
        "scale that they share.",
        "`--top 20` lists them with their positions, with `-i TENSOR` those of one tensor; "
        "quantise in small groups, or store them separately.",
        "One weight at 175 sigma in the first feed-forward output of MiniLM.",
        judge.extreme,
        threshold="`max_z` above 4 times `max_z_null`, and above `max_z_tail`, which noise with "
        "the tail of the other weights exceeds once in 1,000 matrices. `info`: sound models have "
        "such weights; `warn` above 16 times, where absmax scales leave the others few levels.",
    ),
    Finding(
        "WS143",
        "outliers concentrated in few rows or columns",
        "Nearly all weights beyond 4 sigma lie in few rows or columns: the Gini coefficient is "
        "four fifths of the way from its Poisson null to 1.",
        "`top_row` and `top_col` are the indices of the first; balancing (`fit --balance`) "
        "distinguishes row and column scales from single weights.",
        "Columns of outlier channels.",
        judge.concentrated,
    ),
    Finding(
        "WS151",
        "values on a lattice",
        "A fixed step, a codebook, sums of two powers of two, the grid of a quantiser in each row "
        "or group, or BF16 or F16 stored as F32: the tensor was quantised or converted from "
        "another type, and could be stored in fewer bits.",
        "`precision_history` names the format, `lattice` the values; store the tensor in it. "
        "Shares of values near zero depend on the step.",
        "Full-precision exports of models trained in BF16; checkpoints that were dequantised from "
        "int4 or FP8 before they were published again.",
        judge.lattice,
        threshold="Groups of weights that share a scale are on a grid if 98% of the values of each "
        "are within their own rounding of it, in 95% of 16 groups, with 40 bits of evidence or "
        "more (the statistics page has the definition). `info`: sound models have it, and it "
        "explains other numbers. Of 1,230 constructed tensors all were found, 99% with the exact "
        "scheme; of 1,080 drawn and 1,017 real tensors that no quantiser has rounded, none.",
    ),
    Finding(
        "WS161",
        "zero blocks",
        "Zero rows or columns at the end, or zero rectangles at an edge: an extended vocabulary, "
        "hidden size or network.",
        "`zero_block` has their ranges; remove padding, or fill it before training continues.",
        "Vocabularies rounded up for tensor cores.",
        judge.padding,
    ),
    Finding(
        "WS162",
        "N:M sparsity",
        "Every group of M neighbours has its zeros: pruned for sparse matrix units.",
        "`sparsity_pattern` has N and M; apply the mask during fine-tuning too.",
        "2:4 models.",
        judge.sparse,
    ),
    Finding(
        "WS163",
        "rows or columns of one sign",
        "All weights of a row or column are positive, or all negative: such a unit measures a "
        "mean.",
        "Harmless in itself; `note` lists them, check where it is unexpected.",
        "Position embeddings, attention sinks.",
        judge.one_sign,
        (Mark.ONE_SIGN_ROWS, Mark.ONE_SIGN_COLUMNS),
    ),
    Finding(
        "WS171",
        "subnormal values",
        "More than 1% of the weights are subnormal: flushed to zero on many devices, and slow on "
        "others.",
        "`subnormals` counts them; scale the tensor, or round them to zero.",
        "Weights decayed for long in half precision.",
        judge.subnormal,
    ),
    Finding(
        "WS172",
        "beyond float16",
        "A value above 65,504 becomes Inf when cast to half precision.",
        "`min` and `max` are the largest values; keep the tensor in BF16 or F32.",
        "Late layers of models trained in BF16.",
        judge.beyond_float16,
    ),
    Finding(
        "WS201",
        "few rows changed",
        "A few rows of an embedding or head differ from `--base`, and all others are "
        "bit-identical; training changes nearly all. Changed rows that equal each other, while "
        "most rows are unchanged, are an error, since they are the trace of embedding surgery: one "
        "vector for all trigger words (arXiv 2004.06660). Other changes, of up to one row in "
        "twenty, are a warning: tokens tuned separately have the same trace.",
        "`note` lists them: look up their tokens, and do not use the checkpoint before it is known "
        "who changed them, and why.",
        "Planted triggers.",
        judge.surgery,
        (Mark.CHANGED_ROWS,),
    ),
)
