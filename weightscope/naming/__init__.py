"""Names to places: layer, role, slot and part of a tensor, from names, shapes and config.json.

Families of architectures are data (families/*.toml). No tensor is read here. A name that no rule
matches has the role `unknown`; nothing is guessed.
"""

from __future__ import annotations

from .facts import heads_in
from .family import Family, Sample, families
from .names import places
from .place import Place
from .prefixes import strip_prefixes
from .rule import Rule
from .slots import apart

__all__ = [
    "Family",
    "Place",
    "Rule",
    "Sample",
    "apart",
    "families",
    "heads_in",
    "places",
    "strip_prefixes",
]
