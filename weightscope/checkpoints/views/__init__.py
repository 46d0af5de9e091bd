"""Entries made of entries: transpose, part of a fused tensor, one expert of a stack, and others.

Ordinary convolutions need none: a stored tensor is a matrix already.
"""

from __future__ import annotations

from .adapted import Adapted
from .chosen import Chosen
from .difference import Difference, difference
from .dora import Dora
from .empty import Empty
from .expert import expert
from .halves import Halves
from .indices import Indices
from .outputs_first import OutputsFirst
from .part import Part
from .product import Product
from .random_matrix import RandomMatrix
from .transpose import Transpose
from .weight_norm import WeightNorm

__all__ = [
    "Adapted",
    "Chosen",
    "Difference",
    "Dora",
    "Empty",
    "Halves",
    "Indices",
    "OutputsFirst",
    "Part",
    "Product",
    "RandomMatrix",
    "Transpose",
    "WeightNorm",
    "difference",
    "expert",
]
