"""spectrum: singular values: ranks, power-law tail, noise bulk and spikes, effective depth."""

from __future__ import annotations

from .options import SpectrumOptions
from .rows import SPECTRUM

__all__ = ["SPECTRUM", "SpectrumOptions"]
