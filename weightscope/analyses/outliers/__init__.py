"""outliers: extreme, dead, duplicate, untrained and non-finite weights, and quantisation errors."""

from __future__ import annotations

from .options import OutliersOptions
from .rows import OUTLIERS

__all__ = ["OUTLIERS", "OutliersOptions"]
