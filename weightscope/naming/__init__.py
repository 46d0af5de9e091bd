"""Names to places: layer, role, slot and part of a tensor, from names, shapes and config.json.

Families of architectures are data (families/*.toml). No tensor is read here. A name that no rule
matches has the role `unknown`; nothing is guessed.
"""

from __future__ import annotations

from .facts import heads_in
from .family import Family, Sample, families
from .names import places
from .place import Place
from .prefixes import bare, strip_prefixes
from .rotary import row_order
from .rule import Rule
from .slots import apart, are_apart, key_of

__all__ = [
    "Family",
    "Place",
    "Rule",
    "Sample",
    "apart",
    "are_apart",
    "bare",
    "families",
    "heads_in",
    "key_of",
    "places",
    "row_order",
    "strip_prefixes",
]
