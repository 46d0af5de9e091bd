"""The labels of the entries of a pair in a unit, and the measures that see two of them."""

from __future__ import annotations

from ...sketches.changes import Changes
from ...sketches.overlap import Overlap
from ...sketches.pair_moments import Pairwise
from ...sketches.row_sample import RowSample
from ..statistic import At

A, B, DELTA = "a", "b", "delta"
MOMENTS = At(B, Pairwise(A))
EQUALITY = At(B, Changes(A, counted=False))
CHANGES = At(B, Changes(A))
SAMPLE = At(B, RowSample(A))
OVERLAP = At(B, Overlap(A))
BESIDE = {B: (A,)}  # which tiles the measures of a label see
