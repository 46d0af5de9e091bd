"""Statistics of a series of values over the layers of a network: line, correlation, trend."""

from __future__ import annotations

from .direction import fitted_change, trend
from .rank_correlation import spearman
from .residuals import outlying
from .slopes import loglog, theil_sen

__all__ = ["fitted_change", "loglog", "outlying", "spearman", "theil_sen", "trend"]
