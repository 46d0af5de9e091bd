"""The definitions of the columns, by command."""

from __future__ import annotations

from .definition import Definition
from .fits import FITS
from .histories import HISTORIES
from .largest import LARGEST
from .laws import LAWS
from .line_scores import GINI_SCORES, LINE_SCORES, SPREAD_SCORES
from .lines import LINES, SPREADS
from .moments import COUNTS, MOMENTS, SUBNORMALS
from .noise import BULK, WHOLE
from .outlying import LATTICES, MARKED, SINGLE
from .shapes import SHAPES
from .singular import EVENNESS, SIZES
from .spectral_scores import SPECTRAL_SCORES
from .tail import TAIL

DEFINITIONS: dict[str, tuple[Definition, ...]] = {
    "fit": (*MOMENTS, *COUNTS, *LAWS, *FITS, *SHAPES, *LINES, *LINE_SCORES),
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
        *LATTICES,
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
    "untrained_rows": "of embeddings alone: tests/statistics/lines/test_untrained.py",
}
# Columns whose definition changes next: wrong cells are counted and fail nothing.
PENDING: dict[str, str] = {}
