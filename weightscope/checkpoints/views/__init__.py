"""Entries made of entries: transpose, part of a fused tensor, one expert of a stack, and others.

Ordinary convolutions need none: a stored tensor is a matrix already.
"""

from __future__ import annotations

from .drawn import Drawn
from .empty import Empty
from .expert import expert
from .outputs_first import OutputsFirst
from .part import Part
from .product import Product
from .transpose import Transpose
from .weight_norm import WeightNorm

__all__ = ["Drawn", "Empty", "OutputsFirst", "Part", "Product", "Transpose", "WeightNorm", "expert"]
