"""Lineage: the rule by which one model was made from another of other shapes or layers."""

from __future__ import annotations

from .added_channels import channels
from .assignment import MOST as TOO_MANY
from .assignment import Assignment, assignment, too_many
from .axis import Axis, axis_of, spaced
from .experts import ExpertRule, among_experts, from_dense
from .independence import Independence, combined_p, independence
from .index_maps import IndexMap, candidate_maps
from .layer_cosines import LayerCosines, layer_cosines
from .layer_map import LayerMap, layer_map, ranges
from .neuron_cosines import neuron_cosines
from .rotated import NEAR, NEAR_ZERO, spectrum_distance
from .slices import AHEAD, LEAST, NoSlice, Slice, SliceSample, find_slice
from .tied import spacing_bits, tied

__all__ = [
    "AHEAD",
    "LEAST",
    "NEAR",
    "NEAR_ZERO",
    "TOO_MANY",
    "Assignment",
    "Axis",
    "ExpertRule",
    "Independence",
    "IndexMap",
    "LayerCosines",
    "LayerMap",
    "NoSlice",
    "Slice",
    "SliceSample",
    "among_experts",
    "assignment",
    "axis_of",
    "candidate_maps",
    "channels",
    "combined_p",
    "find_slice",
    "from_dense",
    "independence",
    "layer_cosines",
    "layer_map",
    "neuron_cosines",
    "ranges",
    "spaced",
    "spacing_bits",
    "spectrum_distance",
    "tied",
    "too_many",
]
