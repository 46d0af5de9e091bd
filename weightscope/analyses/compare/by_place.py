"""Keys of places by which pieces meet whose names differ, and stacks that have different names.

A slot that is a path identifies a tensor only together with its shape. Numbers that keep tensors of
one file apart mean nothing in another file: tensors that differ in them share a key.
"""

from __future__ import annotations

import re
from collections.abc import Hashable, Iterator
from dataclasses import replace

from ...naming import key_of
from ..piece import Piece
from .matching import Key, Matching

_BY_PATH = ("unknown", "bias", "buffer", "lora")
_NUMBER = re.compile(r"#[0-9]+\Z")
Links = dict[str, set[str]]  # stacks of the other model


def place_key(piece: Piece) -> tuple[Hashable, ...] | None:
    """Stack, layer, role, slot, kind and part; None where they do not identify a tensor."""
    place = replace(piece.place, slot=_NUMBER.sub("", piece.place.slot))
    if place.family and place.role not in _BY_PATH:
        return key_of(place)
    if not place.slot:
        return None
    return (*key_of(place), piece.stored.dims)


def pair_stacks(matching: Matching) -> None:
    """Pairs what stands at equal places of two stacks that only each other can be.

    A stack has another name, or none, where a model has other towers: `language_model` and "".
    """
    links_a, links_b = _links(matching)
    several: set[str] = set()
    only: dict[str, str] = {}
    for stack, partners in links_a.items():
        partner = next(iter(partners))
        if len(partners) == 1 and len(links_b[partner]) == 1:
            only[stack] = partner
        else:
            several.add(stack)
    for stack, partner in only.items():
        matching.step(_in_stacks({stack}), _in_stacks({partner}))
    unsure = {partner for stack in several for partner in links_a[stack]}
    for mine, others in matching.common(_in_stacks(several), _in_stacks(unsure)):
        matching.refuse(mine, others)


def _links(matching: Matching) -> tuple[Links, Links]:
    """The stacks of B that each stack of A may be, and the other way round: by layers in common."""
    links_a: Links = {}
    links_b: Links = {}
    met_a, met_b = _met(matching)
    stacks_a, stacks_b = _stacks(matching.a), _stacks(matching.b)
    for key in stacks_a.keys() & stacks_b.keys():
        for a, b in _candidates(stacks_a[key], stacks_b[key], met_a, met_b):
            links_a.setdefault(a, set()).add(b)
            links_b.setdefault(b, set()).add(a)
    return links_a, links_b


def _candidates(
    of_a: set[str], of_b: set[str], met_a: Links, met_b: Links
) -> Iterator[tuple[str, str]]:
    """Stacks that have met each other alone, and those that have met none.

    Of the latter each has two candidates at most, which is as good as all: the number of pairs
    would be quadratic.
    """
    for a in of_a:
        partners = met_a.get(a, set())
        if len(partners) == 1:
            (b,) = partners
            if b in of_b and met_b[b] == {a}:
                yield a, b
    free_a = sorted(a for a in of_a if a not in met_a)
    free_b = sorted(b for b in of_b if b not in met_b)
    for a in free_a:
        for b in free_b[:2]:
            yield a, b
    for b in free_b:
        for a in free_a[:2]:
            yield a, b


def _met(matching: Matching) -> tuple[Links, Links]:
    """The stacks that layers of each stack were paired with."""
    met_a: Links = {}
    met_b: Links = {}
    for a, b in matching.pairs:
        if a.place.layer is not None and b.place.layer is not None:
            met_a.setdefault(a.place.stack, set()).add(b.place.stack)
            met_b.setdefault(b.place.stack, set()).add(a.place.stack)
    return met_a, met_b


def _stacks(pieces: dict[Piece, None]) -> dict[Hashable, set[str]]:
    """The stacks that have each place of a layer."""
    stacks: dict[Hashable, set[str]] = {}
    for piece in pieces:
        key = _without_stack(piece)
        if key is not None and piece.place.layer is not None:
            stacks.setdefault(key, set()).add(piece.place.stack)
    return stacks


def _in_stacks(stacks: set[str]) -> Key:
    """The key of a place without its stack, for pieces of these stacks."""

    def key(piece: Piece) -> Hashable | None:
        return _without_stack(piece) if piece.place.stack in stacks else None

    return key


def _without_stack(piece: Piece) -> Hashable | None:
    key = place_key(piece)
    return None if key is None else key[1:]
