"""The error of two models of which no piece has a partner: how each names its tensors."""

from __future__ import annotations

from collections import Counter

from ...errors import UsageError
from ..piece import Model

NAMES = 3  # of each model in the message
_EVERYWHERE = "shared"  # the rules that all families share


def nothing_paired(a: Model, b: Model) -> UsageError:
    """Expected is one pair at least; both naming families and some names of each side."""
    return UsageError(
        "expected two models with tensors in common",
        f"no tensor of A has a partner in B: {_named(a, 'A')}; {_named(b, 'B')}",
        "--rename OLD=NEW or --strip-prefix states how the names differ",
    )


def _named(model: Model, side: str) -> str:
    """`A has names of the family llama: x, y, z`."""
    names = [piece.name for piece in model.pieces[:NAMES]]
    if not names:
        return f"{side} has no tensors"
    quoted = ", ".join(repr(name) for name in names)
    return f"{side} has names of {_family(model)}: {quoted}"


def _family(model: Model) -> str:
    """`the family llama`: the most frequent; rules of all models where no other family matches."""
    families = Counter(piece.place.family for piece in model.pieces if piece.place.family)
    own = Counter({name: n for name, n in families.items() if name != _EVERYWHERE})
    found = own or families
    if not found:
        return "no known family"
    ((family, _),) = found.most_common(1)
    return f"the family {family}"
