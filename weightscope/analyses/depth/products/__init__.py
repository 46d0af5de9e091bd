"""Products of consecutive matrices: o after v per head, down after up; and the norm of each."""

from __future__ import annotations

from .column import PRODUCT
from .norm import NormRequest
from .partners import ROLES, Composed, composed
from .request import ProductRequest

__all__ = ["PRODUCT", "ROLES", "Composed", "NormRequest", "ProductRequest", "composed"]
