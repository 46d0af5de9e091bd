"""Keys: what tensors of equal function share over the layers of A and of B."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace

from ...piece import Piece

DENSE = "mlp."
EXPERT = "moe.expert."


@dataclass(frozen=True)
class Key:
    """Stack of A, role, slot, part and kind; experts have their number as part."""

    stack: str
    role: str
    slot: str
    part: str
    kind: str

    @property
    def dense(self) -> Key | None:
        """Of an expert the key of the layer that it may be made from; None of anything else."""
        if not self.role.startswith(EXPERT):
            return None
        role = DENSE + self.role.removeprefix(EXPERT)
        return replace(self, role=role, slot="", part="")

    @property
    def name(self) -> str:
        """The role, behind the stack where there is one."""
        return f"{self.stack} {self.role}".strip()


def key_of_a(piece: Piece) -> Key:
    """The key of a tensor of A."""
    place = piece.place
    return Key(place.stack, place.role, place.slot, place.part, place.kind)


def key_of_b(piece: Piece, stacks: Mapping[str, str]) -> Key:
    """The key of a tensor of B, in the stack of A that its own corresponds to."""
    stack = piece.place.stack
    return replace(key_of_a(piece), stack=stacks.get(stack, stack))


def is_numbered_expert(piece: Piece) -> bool:
    """Whether it is a matrix or bias of one expert of a layer."""
    return piece.place.role.startswith(EXPERT) and piece.place.part.isdecimal()
