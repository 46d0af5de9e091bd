"""Findings on the weights of a tensor, wherever they are."""

from __future__ import annotations

from . import judgements as judge
from .finding import EQUAL, ZERO, Finding
from .judgements import EXTREME, FLOAT16, NOTABLE, SUBNORMAL

OF_WEIGHTS = (
    Finding(
        id="WS101",
        title="non-finite values",
        why="One NaN or Inf spreads through every product that contains it: outputs become NaN.",
        advice="Return to the last checkpoint without them; `note` has the position of the "
        "first one.",
        case="Runs that diverged in half precision and were saved nevertheless; running "
        "statistics of normalisation layers. -Inf is by design in a mask, which has no row.",
        judge=judge.nonfinite,
        buffers=True,
        threshold="One NaN or Inf; -Inf in a mask of zeros and -Inf is no finding.",
        reason="`error`: one such value is enough to make every output NaN, and no sound "
        "checkpoint has one.",
        noise="Values drawn from a law are finite.",
    ),
    Finding(
        id="WS102",
        title="all weights are zero",
        why="The output of the layer is zero; a norm whose weight is zero disables its layer. "
        "Biases of zeros are not reported. A LoRA B, a residual branch, its scale (LayerScale) "
        "and its modulation (adaLN) may be initialised to zero: `info`. So are factors of "
        "adapters, single tokens (mask, class) and zero convolutions. So are some norms (Gemma "
        "stores w - 1, some ResNets initialise the last norm of a branch to zero), but a "
        "trained norm is hardly ever zero.",
        advice="Check that the tensor was saved after it was filled, and that it was trained.",
        case="Placeholders of sharded exports that no shard ever filled.",
        judge=judge.zero,
        threshold="Every weight is exactly 0, biases apart.",
        reason="`warn`: the layer has no effect and no gradient. `info` where zeros are a "
        "usual initialisation.",
        noise=ZERO,
    ),
    Finding(
        id="WS103",
        title="all weights are one value",
        why="A matrix that was never initialised, or was overwritten. A factor of an adapter "
        "starts so (IA3, BOFT): `info`.",
        advice="Compare with another checkpoint of the same model; `min` is the value.",
        case="Buffers and dummies saved among the weights.",
        judge=judge.one_value,
        threshold="One distinct value other than 0, in a matrix of two weights or more.",
        reason="`warn`: such a matrix has rank 1 and its units stay equal in training. `info` "
        "in factors of adapters.",
        noise=EQUAL,
    ),
    Finding(
        id="WS122",
        title="duplicate tensors",
        why="Two tensors hold the same values: shared on purpose, copied from one layer to "
        "another, or saved twice.",
        advice="`duplicate_of` names the other; if they are meant to be tied, store them once.",
        case="Depth-grown models before their training continues.",
        judge=judge.duplicate_tensor,
        threshold="The same words in every row as an earlier tensor of that type and shape.",
        reason="`info`: shared weights are by design in many models.",
        noise=EQUAL,
    ),
    Finding(
        id="WS142",
        title="extreme weights",
        why="Single weights far beyond the largest expected for Gaussian weights increase "
        "every absmax scale that they share.",
        advice="`--top 20` lists them with their positions, with `-i TENSOR` those of one "
        "tensor; quantise in small groups, or store them separately.",
        case="One weight at 175 sigma in the first feed-forward output of MiniLM.",
        judge=judge.extreme,
        threshold=f"`max_z` above {NOTABLE:g} times `max_z_null`, and above `max_z_tail`, which "
        "noise with the tail of the other weights exceeds once in 1,000 matrices.",
        reason=f"`info`: sound models have such weights; `warn` above {EXTREME:g} times, where "
        "absmax scales leave the others few levels.",
    ),
    Finding(
        id="WS151",
        title="values on a lattice",
        why="A fixed step, a codebook, sums of two powers of two, the grid of a quantiser in "
        "each row or group, or BF16 or F16 stored as F32: the tensor was quantised or "
        "converted from another type, and could be stored in fewer bits.",
        advice="`precision_history` names the format, `lattice` the values; store the tensor "
        "in it. Shares of values near zero depend on the step.",
        case="Full-precision exports of models trained in BF16; checkpoints that were "
        "dequantised from int4 or FP8 before they were published again.",
        judge=judge.lattice,
        threshold="Groups of weights that share a scale are on a grid if 98% of the values of "
        "each are within their own rounding of it, in 95% of 16 groups, with 40 bits of "
        "evidence or more (the statistics page has the definition). Of 1,230 constructed "
        "tensors all were found, 99% with the exact scheme; of 1,080 drawn and 1,017 real "
        "tensors that no quantiser has rounded, none.",
        reason="`info`: sound models have it, and it explains other numbers.",
    ),
    Finding(
        id="WS171",
        title="subnormal values",
        why="More than 1% of the weights are subnormal: flushed to zero on many devices, and "
        "slow on others.",
        advice="`subnormals` counts them; scale the tensor, or round them to zero.",
        case="Weights decayed for long in half precision.",
        judge=judge.subnormal,
        threshold=f"More than {SUBNORMAL:.0%} of the weights are below the least normal "
        "magnitude of their type.",
        reason="`info`: results change on devices that flush them, but hardly by much.",
        noise="Chance does not decide, but the scale: a Gaussian of a std of 0.005 in F16 has 1% "
        "below 6.1 · 10⁻⁵, in BF16 and F32 none.",
    ),
    Finding(
        id="WS172",
        title="beyond float16",
        why="A value above 65,504 becomes Inf when cast to half precision.",
        advice="`min` and `max` are the largest values; keep the tensor in BF16 or F32.",
        case="Late layers of models trained in BF16.",
        judge=judge.beyond_float16,
        threshold=f"One finite value above {FLOAT16:,.0f}, the largest of float16.",
        reason="`info`: the tensor is sound in its own type.",
        noise="Chance does not decide, but the scale: a std of weights leads to no such value.",
    ),
)
