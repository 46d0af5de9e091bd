"""Partners: which tensor of a base a name of an adapter means.

By the name without words of wrappers, by the same path with underscores for dots (kohya), else by
the place. The layers of networks in stages are counted over all stages, of which an adapter may
have a few only: there only names count. What has several candidates has no partner.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import TypeVar

from ...errors import UsageError
from ...escape import escaped
from ...naming import Place, places, strip_prefixes
from ...naming.location import locate
from ..name_options import NameOptions
from ..piece import Model, Piece
from ..pieces import listed

NAMED = 3  # names in a message
# what libraries put around a model or a part of a pipeline, at the beginning of a path
_AROUND = re.compile(
    r"^(?:(?:lora_unet|lora_te\d?|lora_transformer|unet|text_encoder(?:_\d)?|transformer|model|bert"
    r"|roberta|distilbert|gpt_neox|backbone|vit|language_model|base_model|diffusion_model)\.)+(?=.)"
)
# rows of q and k are in another order than in the spelling of transformers
_PERMUTED = frozenset({"meta", "gguf"})
_ROTATED = frozenset({"attn.q", "attn.k"})

Key = TypeVar("Key")


@dataclass(frozen=True, eq=False)
class Partner:
    """The pieces of one tensor of the base; of a fused one a single part where a name means it."""

    pieces: tuple[Piece, ...] = ()
    is_part: bool = False


NONE = Partner()
_Spot = tuple[str, int | None, str, str, str]


@dataclass(frozen=True, eq=False)
class Partners:
    """The tensors of a base by everything that identifies them."""

    names: Sequence[str]
    by_name: Mapping[str, Partner]  # without wrappers
    by_path: Mapping[str, Partner]  # without models around, underscores for dots
    by_spot: Mapping[_Spot, Partner]
    places: Mapping[str, Place]  # of the adapter's names

    def find(self, name: str) -> Partner:
        """What a name of the adapter means; NONE where that is unknown."""
        stripped = strip_prefixes(name)
        by_name = self.by_name.get(stripped) or self.by_path.get(_path(stripped))
        if by_name is not None:
            return by_name
        place = self.places[name]
        spot = _spot(name, place)
        if spot is None:
            return NONE
        partner = self.by_spot.get(spot, NONE)
        for piece in partner.pieces:
            _require_row_order(name, place, piece)
        return partner

    def module(self, name: str) -> Partner:
        """What a module of the adapter means: its weight, or a parameter of its own name."""
        weight = self.find(f"{name}.weight")
        return weight if weight.pieces else self.by_name.get(strip_prefixes(name), NONE)

    def nearest(self, name: str) -> str:
        """The names of the base with the most words at the end in common, for a message."""
        words = _path(strip_prefixes(name)).split("_")
        ranked = sorted(self.names, key=lambda other: -_common_end(words, other))
        return ", ".join(escaped(other) for other in ranked[:NAMED])


def partners(base: Model, shapes: Mapping[str, tuple[int, ...]], reading: NameOptions) -> Partners:
    """The partners of names with these shapes among the tensors of a base."""
    whole = {piece.name: piece.place for piece in listed(base.checkpoint, reading).pieces}
    tensors = _tensors(base, whole)
    found = places(shapes, base.checkpoint.config, split=False, name_map=reading.name_map)
    return Partners(
        tuple(tensors),
        _unambiguous((strip_prefixes(name), partner) for name, partner in tensors.items()),
        _unambiguous((_path(strip_prefixes(name)), partner) for name, partner in tensors.items()),
        _unambiguous(_spots(tensors, whole)),
        {name: place for name, (place, *_) in found.items()},
    )


def _tensors(base: Model, whole: Mapping[str, Place]) -> dict[str, Partner]:
    """The pieces of each stored tensor of the base; no updates, no products of a weight norm."""
    pieces: dict[str, list[Piece]] = {}
    for piece in base.pieces:
        name = piece.stored.name
        if name in whole and piece.name.startswith(name):
            pieces.setdefault(name, []).append(piece)
    return {name: Partner(tuple(parts)) for name, parts in pieces.items()}


def _spots(
    tensors: Mapping[str, Partner], whole: Mapping[str, Place]
) -> Iterator[tuple[_Spot, Partner]]:
    """Where each tensor stands, and each part of a fused one."""
    for name, partner in tensors.items():
        spot = _spot(name, whole[name])
        if spot is not None:
            yield spot, partner
        for piece in partner.pieces:
            spot = _spot(name, piece.place)
            if piece.place.piece and spot is not None:
                yield spot, Partner((piece,), is_part=True)


def _spot(name: str, place: Place) -> _Spot | None:
    """Stack, layer, role, slot and part, without the kind: an update is a matrix everywhere.

    None where the role is unknown, and where the layer is not the number in the name.
    """
    where = locate(strip_prefixes(name), None)
    if place.role == "unknown" or where.stage or place.layer != where.number:
        return None
    return place.stack, place.layer, place.role, place.slot, place.part


def _path(stripped: str) -> str:
    """The path as kohya's scripts write it."""
    return _AROUND.sub("", stripped).replace(".", "_")


def _unambiguous(found: Iterable[tuple[Key, Partner]]) -> dict[Key, Partner]:
    """The keys that one partner has."""
    listed_pairs = list(found)
    many = Counter(key for key, _ in listed_pairs)
    return {key: partner for key, partner in listed_pairs if many[key] == 1}


def _require_row_order(name: str, place: Place, piece: Piece) -> None:
    """UsageError where rows of q and k are in another order in the base than in the adapter."""
    is_rotated = place.role in _ROTATED
    families = {place.family, piece.place.family}
    if is_rotated and len(families) == 2 and families & _PERMUTED:
        raise UsageError(
            "expected an adapter in the spelling of its base",
            f"found {escaped(name)} for {escaped(piece.name)}, whose rows are in another order",
            "compare it with the base in the spelling of transformers",
        )


def _common_end(words: Sequence[str], other: str) -> int:
    """The number of words that two paths have in common at their ends."""
    common = 0
    for word, one in zip(reversed(words), reversed(re.split(r"[._]", other)), strict=False):
        if word != one:
            break
        common += 1
    return common
