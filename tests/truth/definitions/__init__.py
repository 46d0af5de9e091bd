"""The definitions of the columns, by command."""

from __future__ import annotations

from .balance import BALANCE, CODING
from .definition import Definition
from .fits import FITS
from .histories import HISTORIES
from .largest import LARGEST
from .laws import LAWS
from .line_scores import GINI_SCORES, LINE_SCORES, SPREAD_SCORES
from .lines import LINES, SPREADS
from .moments import COUNTS, MOMENTS, SUBNORMALS
from .noise import BULK, WHOLE
from .outlying import MARKED, SINGLE
from .shapes import SHAPES
from .singular import EVENNESS, SIZES
from .spectral_scores import SPECTRAL_SCORES
from .tail import TAIL

DEFINITIONS: dict[str, tuple[Definition, ...]] = {
    "fit": (*MOMENTS, *COUNTS, *LAWS, *FITS, *SHAPES, *LINES, *LINE_SCORES, *BALANCE, *CODING),
    "spectrum": (
        *SIZES,
        *TAIL,
        *BULK,
        *SPREADS,
        *SPREAD_SCORES,
        *WHOLE,
        *EVENNESS,
        *SPECTRAL_SCORES,
    ),
    "outliers": (
        *COUNTS,
        SUBNORMALS,
        *SINGLE,
        *LARGEST,
        *HISTORIES,
        *MARKED,
        *GINI_SCORES,
    ),
}
# Columns without a second definition, and where they are tested instead.
WITHOUT = {
    "severity": "a judgement: rates are on the page of findings",
    "severity_rank": "a judgement: rates are on the page of findings",
    "findings": "a judgement: rates are on the page of findings",
    "effective_depth": "from a simulated table: tests/statistics/spectra/test_effective_depth.py",
    "effective_depth_distance": "as `effective_depth`",
    "tail_excess_score": "a probability: simulated in tests/statistics/spectra/test_edge_law.py",
    "signal_ratio_score": "as `tail_excess_score`",
    "zero_block": "a text: tests/statistics/lines/test_zero_blocks.py",
    "balanced_beta": "as `beta`, of the balanced matrix: tests/statistics/lines/test_balancing.py",
    "balanced_beta_null": "of a seeded shuffle",
    "balanced_kurtosis_null": "of a seeded shuffle",
    "row_scale_spread_score": "beside a seeded shuffle: rates are on the page of scores",
    "col_scale_spread_score": "as `row_scale_spread_score`",
    "golomb_bits": "a search over orders: tests/statistics/elements/test_coding.py",
    "golomb_order": "as `golomb_bits`",
    "rf8_rmse": "tests/statistics/elements/test_coding.py",
    "untrained_rows": "of embeddings alone: tests/statistics/lines/test_untrained.py",
}
# Columns whose definition changes next: wrong cells are counted and fail nothing.
PENDING: dict[str, str] = {}
