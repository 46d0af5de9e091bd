"""Slots: words that distinguish equal roles of a layer, so that every place has one tensor.

A rule states the word, the same for the spellings of an architecture. Without such a rule it is the
path of the name inside its layer, which does not depend on other tensors of the file. Tensors that
still share a place are distinguished by the names of the file.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from sys import intern

from .location import Where
from .place import Place
from .prefixes import MODEL
from .rule import MODULE, PATH, Rule

_ENDING = re.compile(r"(?:^|\.)(?:weight|bias)$")
_BY_PATH = ("unknown", "bias", "buffer", "optimizer")
Key = tuple[str, int | None, str, str, str, str]


def path_of(name: str, where: Where, layer: int | None) -> str:
    """The name inside its layer, without `.weight` and `.bias` and the word for the whole model.

    >>> path_of("bert.embeddings.norm.weight", Where(), None)
    'embeddings.norm'
    >>> path_of("h.3.a.b", Where("h", "", 3, "a.b"), 3)
    'a.b'
    """
    if layer is not None:
        path = where.rest
    else:
        path = MODEL.sub("", name)
    return _ENDING.sub("", path)


def slot_of(
    rule: Rule, groups: Mapping[str, str | None], path: Callable[[], str], role: str
) -> str:
    """The word of a rule with its inner number; the path if the role is not specific."""
    word = rule.word(groups)
    if word is None:
        word = PATH if role in _BY_PATH else ""
    if word == PATH:
        return path()
    if word == MODULE:
        return path().rpartition(".")[0]
    inner = groups.get("inner") or "0"
    if inner == "0":
        return intern(word)
    return ".".join(w for w in (word, inner) if w)


def key_of(place: Place) -> Key:
    """The fields of a place that are unique in a checkpoint."""
    return place.stack, place.layer, place.role, place.slot, place.kind, place.part


def apart(
    placed: dict[str, tuple[Place, ...]], path: Callable[[str], str]
) -> dict[str, tuple[Place, ...]]:
    """Places of which each has one tensor.

    Of several tensors at one place that with the shortest path stays there, and the others get
    their paths as slots. A number behind the slot separates those that still share a place.

    >>> two = apart({"a.w": (Place("norm"),), "b.c.w": (Place("norm"),)}, lambda name: name[:-2])
    >>> [place.slot for places in two.values() for place in places]
    ['', 'b.c']
    """
    shared = _shared(placed)
    if not shared:
        return placed
    paths = {name: path(name) for sharing in shared.values() for name in sharing}
    owners = {
        key: min(sharing, key=lambda name: (len(paths[name]), name))
        for key, sharing in shared.items()
    }
    result = dict(placed)
    for name in paths:
        result[name] = tuple(
            place if owners.get(key_of(place), name) == name else replace(place, slot=paths[name])
            for place in placed[name]
        )
    if not _shared(result):  # the usual case: the guard would hold the key of every place
        return result
    guard = _Guard({key_of(place) for places in result.values() for place in places})
    for name in sorted(result):  # whatever order a file has
        result[name] = tuple(guard.own(result[name]))
    return result


def are_apart(places: Iterable[Place]) -> bool:
    """Whether no two places have one key.

    >>> are_apart([Place("norm"), Place("head")]), are_apart([Place("norm"), Place("norm")])
    (True, False)
    """
    count = 0
    keys = set()
    for place in places:
        count += 1
        keys.add(key_of(place))
    return len(keys) == count


def _shared(placed: Mapping[str, tuple[Place, ...]]) -> dict[Key, list[str]]:
    """The names at each key that several places have; a list for every key would take memory."""
    taken: set[int] = set()  # hashes take a third of the memory of keys
    repeated: set[int] = set()
    for places in placed.values():
        for place in places:
            hashed = hash(key_of(place))
            if hashed in taken:
                repeated.add(hashed)
            taken.add(hashed)
    del taken
    if not repeated:
        return {}
    names: dict[Key, list[str]] = {}
    for name, places in placed.items():
        for place in places:
            key = key_of(place)
            if hash(key) in repeated:
                names.setdefault(key, []).append(name)
    return {key: sharing for key, sharing in names.items() if len(sharing) > 1}


class _Guard:
    """Keys in use, with a counter for each: names may be forged to collide, so it is linear."""

    def __init__(self, taken: set[Key]) -> None:
        self.taken = taken
        self.given: set[Key] = set()
        self.number: Counter[Key] = Counter()

    def own(self, places: tuple[Place, ...]) -> Iterator[Place]:
        """The places under keys that no other has."""
        for place in places:
            key = key_of(place)
            if key in self.given:
                place = self._numbered(place, key)
            self.given.add(key_of(place))
            yield place

    def _numbered(self, place: Place, key: Key) -> Place:
        while True:
            self.number[key] += 1
            other = replace(place, slot=f"{place.slot}#{self.number[key] + 1}")
            if key_of(other) not in self.taken:
                self.taken.add(key_of(other))
                return other
