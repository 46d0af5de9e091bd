"""Names to places: which layer, role and part a tensor has, from its name, the shapes around it and config.json.

Families are data (families/*.toml); nothing here sees a tensor, and what no rule knows is `unknown`, never guessed.
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
