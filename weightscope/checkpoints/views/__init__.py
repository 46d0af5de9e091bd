"""Entries made of entries: transpose, part of a fused tensor, one expert of a stack, low-rank product.

Convolutions need none: a stored tensor is a matrix already.
"""

from __future__ import annotations

from .expert import expert
from .part import Part
from .product import Product
from .transpose import Transpose

__all__ = ["Part", "Product", "Transpose", "expert"]
