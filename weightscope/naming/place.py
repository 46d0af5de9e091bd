"""A place is the position of a tensor, or of one part of a fused tensor, in the network."""

from __future__ import annotations

from dataclasses import dataclass

from ..geometry import Index
from ..notes import Note
from .rule import ByType


@dataclass(frozen=True, slots=True)
class Place:
    """Stack, layer, role, slot, kind and part, which no other tensor of the checkpoint has.

    Beside these: which rows and columns of the stored tensor, and the index sets that they live on.
    """

    role: str = "unknown"  # closed list of names.md; a bias has its matrix's role with `.bias`
    kind: str = "matrix"  # matrix | conv | embedding | norm | bias | router | buffer
    layer: int | None = None
    stack: str = ""  # tower prefix where there is more than one (`encoder`, `vision_model`)
    part: str = ""  # a part without a role of its own: `3` (an expert), `z`, `latent`
    transpose: bool = False  # stored (in, out): transpose to (out, in)
    orientation: str = "out_in"  # out_in | in_out | unknown
    groups: int = 1  # of a transposed convolution: stored (in, out / groups, k...)
    expert: int | None = None  # index into the first of three stored dimensions
    rows: Index | None = (
        None  # of the oriented matrix (out, in): the outputs of this place; None = all
    )
    cols: Index | None = None
    out_set: str = ""  # residual | mlp_hidden | heads | kv_heads | vocab | experts; "" = none
    in_set: str = ""
    slot: str = ""  # distinguishes equal roles of a layer: `attn`, `mlp`, `cross`, `2`
    piece: str = ""  # the part that is cut from the tensor: q, gate, `3.gate`; "" = the whole
    family: str = ""  # file that matched, "" where nothing did
    why: str = ""  # for people: family and rule, or the reason why nothing matched or was split
    rotary: ByType = ""  # of q and k: the order of the rows of a head, as rotary.py resolves it
    unsplit: Note | None = None  # why a fused tensor is not split

    @property
    def shown(self) -> str:
        """The value of the column `part`: the part that is cut, else the number of an expert."""
        return self.piece or self.part
