"""The cosine of every two layers of a role, on a sample of rows; equal layers are named."""

from __future__ import annotations

from .columns import columns, optional
from .rows import rows

__all__ = ["columns", "optional", "rows"]
