"""What of a model makes no pair: the error of a model without one, and tensors left out."""

from __future__ import annotations

from ....errors import UsageError
from ....escape import escaped
from ...piece import Model
from .heads import HEADS, KV_HEADS
from .request import CANCELLED, UNKNOWN, paired, with_lacks
from .vectors import lines, name_of

FEW = 8  # roles in the error
NO_PAIR = "no-pair"  # a key of coverage.REASONS


def no_pair(model: Model) -> UsageError | None:
    """The error of a model without a pair: the roles that it has in layers."""
    if _has_pair(model):
        return None
    pieces = [piece for piece in model.pieces if piece.place.layer is not None]
    roles = [escaped(name) for name in dict.fromkeys(name_of(piece) for piece in pieces)]
    found = ", ".join(roles[:FEW])
    if len(roles) > FEW:
        found += f" and {len(roles) - FEW} more"
    return UsageError(
        f"{escaped(model.source)}: expected two vectors on one index set of a block, such as rows "
        "of mlp.up and columns of mlp.down",
        f"found the roles {found}",
        "select more roles, or describe the names with --name-map",
    )


def in_no_pair(model: Model) -> dict[int, str]:
    """The tensors that are not read, by the id of their piece.

    They have no vector on an index set, no known orientation, or no effect.
    """
    found = {}
    for piece, reason in with_lacks(model, model.placed or model.pieces):
        if not lines(piece) or reason in (UNKNOWN, CANCELLED):
            found[id(piece)] = NO_PAIR
    return found


def _has_pair(model: Model) -> bool:
    """Whether two vectors of one block are on one index set, by the names of the tensors."""
    first: dict[tuple[object, ...], str] = {}
    for piece in paired(model):
        for line in lines(piece):
            # kv heads and query heads become one set
            index_set = HEADS if line.index_set == KV_HEADS else line.index_set
            place = piece.place
            key = (place.stack, place.layer, index_set, line.inside)
            if first.setdefault(key, line.label) != line.label:
                return True
    return False
