"""The scale of a LoRA update: from an `alpha` tensor beside the factors, or from
adapter_config.json.

PEFT: alpha / r, or alpha / sqrt(r) for rank-stabilised adapters, and a module's own alpha where a
pattern names it: the first key of `alpha_pattern` for which `re.match(rf"(.*\\.)?({key})$",
module)` holds (peft/utils/other.py). Paths are looked up, expressions go through an automaton of
our own (patterns.py); one that this cannot read leaves those modules unscaled that no earlier key
names. MLX: `scale` of `lora_parameters` as it is, or alpha / rank where there is no scale.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite, sqrt

from ..geometry import whole
from ..notes import Note, Notes
from .automaton import Unreadable
from .entry import Stored
from .files import read_into
from .patterns import Exhausted, Pattern, Steps

FORMATS = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "I16": "h"}
SPECIAL = set("\\[](){}*+?|^$")  # what makes a pattern more than a path
NO_ALPHA = Note("unscaled-lora", "unscaled: neither an alpha tensor nor an adapter config")
ODD_ALPHA = Note("unscaled-lora", "unscaled: alpha is not a number that can be read")
NO_PATTERN = Note(
    "unscaled-lora",
    "unscaled: an expression of alpha_pattern that cannot be read may name the module",
)
TWO_SCALES = Note(
    "unscaled-lora", "unscaled: versions of mlx-lm read alpha beside scale differently"
)
PREFIX = "base_model.model."  # PEFT's, which the patterns of its config leave out
STEPS = 20_000_000  # of all expressions on all modules: some seconds

Scale = tuple[float | None, Note | None]  # the scale, or why it is unknown


@dataclass(frozen=True)
class Adapter:
    """What an adapter_config.json says of scales; a module finds its own without a search."""

    table: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def mlx(self) -> Mapping[str, object] | None:
        """The parameters of an adapter of MLX; None for one of PEFT."""
        own = self.table.get("lora_parameters")
        return own if isinstance(own, Mapping) and "lora_alpha" not in self.table else None

    @cached_property
    def dora(self) -> bool:
        """Whether MLX trained magnitudes beside the factors."""
        return self.table.get("fine_tune_type") == "dora"

    @cached_property
    def stacks(self) -> bool:
        """Whether parameters that no module holds alone, stacks of experts, are adapted."""
        return bool(self.table.get("target_parameters"))

    @cached_property
    def ranks(self) -> frozenset[int]:
        """Every rank that it names."""
        own = self.table.get("rank_pattern")
        found = (self.table.get("r"), *(own.values() if isinstance(own, Mapping) else ()))
        return frozenset(rank for rank in found if type(rank) is int and 0 < rank < 1 << 63)

    @cached_property
    def stable(self) -> bool:
        """Whether alpha is divided by the root of the rank."""
        return self.table.get("use_rslora") is True

    @cached_property
    def _keys(self) -> list[tuple[str, object]]:
        own = self.table.get("alpha_pattern")
        return [
            (str(key), alpha) for key, alpha in (own.items() if isinstance(own, Mapping) else ())
        ]

    @cached_property
    def _expressions(self) -> Mapping[int, Pattern | None]:
        """The keys that are more than a path, by their place; None for one that cannot be read."""
        places = (place for place, (key, _) in enumerate(self._keys) if not _is_path(key))
        return {place: _pattern(self._keys[place][0]) for place in places}

    @cached_property
    def _steps(self) -> Steps:
        return Steps(STEPS)

    @cached_property
    def _places(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """The first place of every whole path, and of every end of one."""
        paths: dict[str, int] = {}
        ends: dict[str, int] = {}
        for place, (key, _) in enumerate(self._keys):
            if place in self._expressions:
                continue
            paths.setdefault(_literal(key), place)
            if not key.startswith("^"):
                ends.setdefault(_literal(key), place)
        return paths, ends

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._places[1]), default=0)

    def _place(self, path: str) -> int | None:
        """The place of the first key that names a path, the number of keys for none; or unknown."""
        paths, ends = self._places
        found = [paths[path]] if path in paths else []
        found += [ends[end] for end in _ends(path, self._longest) if end in ends]
        first = min(found, default=len(self._keys))
        for place, pattern in self._expressions.items():
            if place > first:
                break
            if pattern is None:
                return None
            try:
                if pattern.matches(path, self._steps):
                    return place
            except Exhausted:
                return None
        return first

    def scale(self, module: str, rank: int) -> Scale:
        """What the product of a module's factors is multiplied by."""
        if self.mlx is not None:
            return _of_mlx(self.mlx)
        place = self._place(module.removeprefix(PREFIX))
        if place is None:
            return None, NO_PATTERN
        named = place < len(self._keys)
        alpha = _number(self._keys[place][1] if named else self.table.get("lora_alpha"))
        return (None, ODD_ALPHA) if alpha is None else (self.over(alpha, rank), None)

    def over(self, alpha: float, rank: int) -> float:
        """alpha / r, or alpha / sqrt(r)."""
        return alpha / (sqrt(rank) if self.stable else rank)


def adapter_of(config: Mapping[str, object]) -> Adapter | None:
    """The adapter_config.json of a checkpoint's config, None without one."""
    peft = config.get("peft")
    return Adapter(peft) if isinstance(peft, Mapping) else None


def scale_of(
    module: str, rank: int, alpha: Stored | None, adapter: Adapter | None
) -> tuple[float, Notes]:
    """The scale of an update; 1 and the reason where it is unknown."""
    scale: float | None
    note: Note | None
    if alpha is not None and alpha.params == 1:
        value = _scalar(alpha)
        if value is None:
            return 1.0, (ODD_ALPHA,)
        return (adapter or Adapter()).over(value, rank), ()
    scale, note = (None, NO_ALPHA) if adapter is None else adapter.scale(module, rank)
    return (1.0 if scale is None else scale), (() if note is None else (note,))


def _of_mlx(own: Mapping[str, object]) -> Scale:
    """`scale` as it is; older versions multiplied it by alpha / rank, newer ones ignore alpha."""
    scale, alpha, rank = (_number(own.get(key)) for key in ("scale", "alpha", "rank"))
    if "scale" not in own:
        if alpha is None or rank is None or rank <= 0:
            return None, ODD_ALPHA
        return alpha / rank, None
    if scale is None:
        return None, ODD_ALPHA
    return (scale, None) if alpha is None or alpha == rank else (None, TWO_SCALES)


def _is_path(key: str) -> bool:
    """Whether a key only names a path: its dots are those of the path, all escaped or none."""
    path = _literal(key)
    mixed = "\\." in key and "." in key.replace("\\.", "")
    return not (mixed or set(path) & SPECIAL)


def _literal(key: str) -> str:
    return key.removeprefix("^").removesuffix("$").replace("\\.", ".")


def _pattern(key: str) -> Pattern | None:
    """What PEFT matches with, as an automaton."""
    try:
        return Pattern(rf"(.*\.)?({key})$")
    except Unreadable:
        return None


def _ends(path: str, longest: int) -> Iterator[str]:
    """What stands after each dot of a path, where it is not too long."""
    at = path.find(".", max(0, len(path) - longest - 1))
    while at >= 0:
        yield path[at + 1 :]
        at = path.find(".", at + 1)


def _scalar(stored: Stored) -> float | None:
    """The one element of a stored tensor."""
    if stored.tensor is not None:
        return _number(stored.tensor.item())
    offset, length = stored.needs(whole(stored.shape))[0].bytes
    raw = bytearray(length)
    read_into(stored.file, offset, memoryview(raw))
    order, sign = ">" if stored.swapped else "<", -1 if stored.negated else 1
    if stored.dtype == "BF16":  # the upper half of a float32
        word = bytes(raw[::-1] if stored.swapped else raw)
        return _number(sign * struct.unpack("<f", b"\0\0" + word)[0])
    kind = FORMATS.get(stored.dtype)
    return _number(sign * struct.unpack(order + kind, raw)[0]) if kind else None


def _number(found: object) -> float | None:
    usable = (
        isinstance(found, (int, float))
        and not isinstance(found, bool)
        and abs(found) < 1e300
        and isfinite(found)
    )
    return float(found) if usable else None  # type: ignore[arg-type]  # a number, checked above
