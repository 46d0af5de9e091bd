"""depth: how statistics of the weights change with the layer index."""

from __future__ import annotations

from ...lazy import Lazy
from ..analysis import Analysis
from ..uses import MEASURING
from .options import DepthOptions, listed
from .stats import LAWS, STATS

DEPTH = Analysis(
    "depth",
    DepthOptions,
    Lazy("weightscope.analyses.depth.answering"),
    summary=(
        "How do statistics of the weights change with depth? Slope, trend and unusual layers of "
        "each role."
    ),
    example="weightscope depth demo:gpt --stat std,kurtosis --plot depth.png",
    call=('depth("demo:gpt", stat="std", role="mlp.up").rows[0]["layers"]', "4"),
    runs={
        "One row a role and statistic": {},
        "`--per-layer`: one row a layer": {"per_layer": True},
        "`--coupling`: one row a pair of vectors": {"coupling": True},
        "`--layer-map`: one row a pair of layers": {"layer_map": True},
    },
    uses=MEASURING,
    listed=listed,
    baseline=False,
    remarks=(
        "`trend` is up or down only beyond noise: the 95% interval of the slope leaves out 0, and "
        "the fitted change, slope x (last - first layer), is at least 5% of the median of |values| "
        "and 3 standard errors of one value. It needs 5 layers and a statistic with a standard "
        "error: std, gain, kurtosis, beta, filtered_beta, max_z or alpha.",
        "`outlier_layers` are far from the line of the series. Noise alone is far from a straight "
        "line in 23% of series of 8 layers, 17% of 12, 12% of 24, 11% of 32; the closer of two "
        "lines counts, and more than 15% of the layers count as none: then 17, 13, 14 and 12% of "
        "such series have outlier layers. The largest of Gaussian weights is skewed: of max_z 21, "
        "20, 32 and 36%.",
        "`law`, on rows of std, is the initialisation that elements, rows and columns of a role "
        "still follow; all that the shapes cannot tell apart, null where none is established. "
        f"--law NAME makes law_distance that of a known one: {', '.join(LAWS)}.",
        *(f"Statistics of {command}: {', '.join(names)}." for command, names in STATS.items()),
    ),
)

__all__ = ["DEPTH", "DepthOptions"]
