"""Correlations of vectors over the blocks of a network, and the largest of independent ones."""

from __future__ import annotations

from .correlations import pearson, spearman, standardised
from .largest import expected_largest, largest_point

__all__ = ["expected_largest", "largest_point", "pearson", "spearman", "standardised"]
