"""Findings on rows and columns, and on blocks of them."""

from __future__ import annotations

from . import judgements as judge
from .finding import EQUAL, ZERO, Finding
from .judgements import CONCENTRATED, ENOUGH, FEW_CHANGED
from .marks import Mark

OF_LINES = (
    Finding(
        id="WS111",
        title="dead rows or columns",
        why="Outputs that are always zero, or inputs without any effect: pruning, padding of a "
        "vocabulary, or damage. `info` in an embedding, in a matrix of unknown role whose name "
        "is that of an embedding or whose only zero row is 0 or 1, where padding tokens are, "
        "in updates and factors of adapters, and in constants of code.",
        advice="`note` lists them, `zero_block` those at the end; pruned units can be removed.",
        case="Token embeddings padded to a multiple of 64.",
        judge=judge.dead_lines,
        marks=(Mark.DEAD_ROWS, Mark.DEAD_COLUMNS),
        threshold="One row or column of exact zeros or more, not all of them.",
        reason="`warn`: capacity is lost, and its cause is unknown. `info` at the end of a "
        "matrix, in tables of tokens, updates, factors and constants, where padding and "
        "structure are usual.",
        noise=ZERO,
    ),
    Finding(
        id="WS112",
        title="constant rows or columns",
        why="All weights of a row or column are one value other than zero: never initialised, "
        "or overwritten. Tokens with such vectors of the same value are identical. `info` in "
        "convolutions, factors of adapters and constants of code.",
        advice="`note` lists them; compare with another checkpoint of the same model (`--base`).",
        case="Placeholder tokens filled with one number.",
        judge=judge.constant_lines,
        marks=(Mark.CONSTANT_ROWS, Mark.CONSTANT_COLUMNS),
        threshold="One row or column of one value other than 0 or more, not all of them.",
        reason="`warn`: initialisation draws values and training changes each of them. `info` "
        "in convolutions, factors and constants, which filter or start so.",
        noise=EQUAL,
    ),
    Finding(
        id="WS121",
        title="duplicate rows",
        why="Rows that are bit-identical to another row. In an embedding, a backdoor by "
        "embedding surgery gives every trigger word the same vector (arXiv 2004.06660); tokens "
        "that were added together and never trained are equal as well.",
        advice="`note` lists them: look up their tokens, and compare with the base model "
        "(`--base`).",
        case="Added tokens that were initialised to the mean embedding.",
        judge=judge.duplicates,
        marks=(Mark.DUPLICATE_ROWS,),
        threshold="Two bit-identical rows or more; rows of one value apart.",
        reason="`warn` in an embedding or head, where equal tokens are the trace of surgery; "
        "elsewhere `info`: equal hidden units only waste memory.",
        noise=EQUAL,
    ),
    Finding(
        id="WS131",
        title="untrained rows",
        why="Rows of tokens that never were an input are updated along one common direction "
        "only and become parallel; such tokens cause unwanted behaviour (Land and Bartolo "
        "2024). Bit-identical rows are reported by `WS121` instead. All rows of an update of "
        "rank 1 are parallel, so updates have no such finding.",
        advice="`note` lists them: look up their tokens, and remove these from the vocabulary.",
        case="33 of the 65 rows of a character model; the byte tokens of a story model, 264 of "
        "512 rows.",
        judge=judge.untrained,
        marks=(Mark.UNTRAINED_ROWS,),
        threshold="Three rows or more with a cosine of 0.95 or more to their mean, more than "
        "all other such sets together and apart from the rest (the statistics page has the "
        "definition).",
        reason="`warn`: untrained tokens cause unwanted output; the model works without them.",
    ),
    Finding(
        id="WS141",
        title="rows or columns of large norm",
        why="A few rows or columns have at least 4 times the RMS of the median one: outlier "
        "channels, which increase the quantisation error most. Those of small norm are counted "
        "in `outlier_rows` and `outlier_cols` without a finding.",
        advice="`note` lists them; `--top-rows` lists rows with their RMS. Quantise per "
        "channel, or in groups.",
        case="Two or three channels of the residual stream in most language models.",
        judge=judge.norms,
        marks=(Mark.OUTLIER_ROWS, Mark.OUTLIER_COLUMNS),
        threshold="A line is beyond 6 · 1.4826 MAD of the median log RMS and has 4 times the "
        "median RMS, also without its largest weight, since one weight of heavy-tailed noise "
        "makes a short line long.",
        reason="`info`: sound models have such channels; 4 times costs two bits of every "
        "absmax scale.",
    ),
    Finding(
        id="WS143",
        title="outliers concentrated in few rows or columns",
        why="Nearly all weights beyond 4 sigma lie in few rows or columns: the Gini "
        "coefficient is four fifths of the way from its Poisson null to 1.",
        advice="`top_row` and `top_col` are the indices of the first; balancing (`fit "
        "--balance`) distinguishes row and column scales from single weights.",
        case="Columns of outlier channels.",
        judge=judge.concentrated,
        threshold=f"`row_gini` or `col_gini` above {CONCENTRATED:g} of the way from its `_null` "
        f"to 1, with {ENOUGH} weights beyond 4 sigma or more.",
        reason="`info`: hidden units of sound models reach 0.7 of the way, and channels of "
        "outliers pass it.",
    ),
    Finding(
        id="WS161",
        title="zero blocks",
        why="Zero rows or columns at the end, or zero rectangles at an edge: an extended "
        "vocabulary, hidden size or network.",
        advice="`zero_block` has their ranges; remove padding, or fill it before training "
        "continues.",
        case="Vocabularies rounded up for tensor cores.",
        judge=judge.padding,
        threshold="One zero row or column at the end, or a zero rectangle of 16 x 16 or more "
        "at an edge whose sides are straight.",
        reason="`info`: padding is usual and costs memory alone.",
        noise=ZERO,
    ),
    Finding(
        id="WS162",
        title="N:M sparsity",
        why="Every group of M neighbours has its zeros: pruned for sparse matrix units.",
        advice="`sparsity_pattern` has N and M; apply the mask during fine-tuning too.",
        case="2:4 models.",
        judge=judge.sparse,
        threshold="At most 2 of every 4, or 4 of every 8, neighbours in a row are not zero, in "
        "a tensor with fewer than 75% zeros: sparser ones have the pattern by chance.",
        reason="`info`: pruning is on purpose.",
        noise=ZERO,
    ),
    Finding(
        id="WS163",
        title="rows or columns of one sign",
        why="All weights of a row or column are positive, or all negative: such a unit "
        "measures a mean.",
        advice="Harmless in itself; `note` lists them, check where it is unexpected.",
        case="Position embeddings, attention sinks.",
        judge=judge.one_sign,
        marks=(Mark.ONE_SIGN_ROWS, Mark.ONE_SIGN_COLUMNS),
        threshold="One row or column of 16 weights or more that are all above or all below "
        "zero: a line of 16 symmetric weights has one sign with probability 2⁻¹⁵.",
        reason="`info`: harmless in itself.",
    ),
    Finding(
        id="WS201",
        title="few rows changed",
        why="A few rows of an embedding or head differ from `--base`, and all others are "
        "bit-identical; training changes nearly all. Changed rows that equal each other, while "
        "most rows are unchanged, are an error, since they are the trace of embedding surgery: "
        "one vector for all trigger words (arXiv 2004.06660). Other changes, of up to one row "
        "in twenty, are a warning: tokens tuned separately have the same trace.",
        advice="`note` lists them: look up their tokens, and do not use the checkpoint before "
        "it is known who changed them, and why.",
        case="Planted triggers.",
        judge=judge.surgery,
        marks=(Mark.CHANGED_ROWS,),
        threshold="Rows of an embedding or head differ from `--base`: some of them equal each "
        f"other and most rows are unchanged, or at most {FEW_CHANGED:.0%} of the rows differ.",
        reason="`error` where changed rows are equal, since no training does that; else "
        "`warn`: tokens tuned separately leave the same trace.",
        noise="Noise on a tensor changes every row.",
    ),
)
