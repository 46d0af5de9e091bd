"""Sketches as plain values, so that == means bit for bit, of any NaN."""

from __future__ import annotations

from dataclasses import fields, is_dataclass

import numpy as np


def plain(sketch) -> object:
    """A sketch as nested tuples of bytes and numbers."""
    if isinstance(sketch, np.ndarray):
        if sketch.dtype.kind == "f":  # which bits a NaN has follows from the order of registers
            sketch = np.where(np.isnan(sketch), np.nan, sketch)
        return sketch.dtype.str, sketch.shape, sketch.tobytes()
    if is_dataclass(sketch):
        return tuple((f.name, plain(getattr(sketch, f.name))) for f in fields(sketch))
    if isinstance(sketch, dict):
        return tuple(sorted((str(k), plain(v)) for k, v in sketch.items()))
    if isinstance(sketch, (tuple, list)):
        return tuple(plain(v) for v in sketch)
    return float(sketch).hex() if isinstance(sketch, float) else sketch
