"""The scale of a LoRA update: from an `alpha` tensor or from adapter_config.json.

PEFT: alpha / r, or alpha / sqrt(r) for rank-stabilised adapters. The alpha of a module is that of
the first key of `alpha_pattern` for which `re.match(rf"(.*\\.)?({key})$", module)` holds
(peft/utils/other.py), else the common one. Paths are looked up, expressions are matched by an
automaton of our own (patterns.py); where it does not support one, modules that no earlier key
matches are unscaled. MLX: `scale` of `lora_parameters` as it is, or alpha / rank without a scale.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite, sqrt

from ..geometry import whole
from ..notes import Note, Notes, united
from .automaton import Unreadable
from .entry import Stored
from .files import read_into
from .patterns import Exhausted, Pattern, Steps

FORMATS = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "I16": "h"}
SPECIAL = set("\\[](){}*+?|^$")  # characters of an expression that is more than a path
NO_ALPHA = Note("unscaled-lora", "unscaled: neither an alpha tensor nor an adapter config")
ODD_ALPHA = Note("unscaled-lora", "unscaled: alpha is not a number that can be read")
NO_PATTERN = Note(
    "unscaled-lora",
    "unscaled: an expression of alpha_pattern that cannot be read may name the module",
)
TWO_SCALES = Note(
    "unscaled-lora", "unscaled: versions of mlx-lm read alpha beside scale differently"
)
PREFIX = "base_model.model."  # PEFT's, which the patterns of its config omit
STEPS = 20_000_000  # of all expressions on all modules: some seconds

Scale = tuple[float | None, Note | None]  # the scale, or why it is unknown


@dataclass(frozen=True)
class Adapter:
    """The settings of scales in adapter_config.json, indexed by the paths of modules."""

    table: Mapping[str, object] = field(default_factory=dict)

    @cached_property
    def mlx(self) -> Mapping[str, object] | None:
        """The parameters of an adapter of MLX; None for one of PEFT."""
        parameters = self.table.get("lora_parameters")
        if not isinstance(parameters, Mapping) or "lora_alpha" in self.table:
            return None
        return parameters

    @cached_property
    def dora(self) -> bool:
        """Whether MLX trained magnitudes beside the factors."""
        return self.table.get("fine_tune_type") == "dora"

    @cached_property
    def stacks(self) -> bool:
        """Whether stacks of experts are adapted, which are parameters of several modules."""
        return bool(self.table.get("target_parameters"))

    @cached_property
    def ranks(self) -> frozenset[int]:
        """Every rank in the config."""
        patterns = _mapping(self.table.get("rank_pattern"))
        ranks = set()
        for rank in (self.table.get("r"), *patterns.values()):
            if type(rank) is int and 0 < rank < 1 << 63:
                ranks.add(rank)
        return frozenset(ranks)

    @cached_property
    def stable(self) -> bool:
        """Whether alpha is divided by the root of the rank."""
        return self.table.get("use_rslora") is True

    @cached_property
    def _keys(self) -> list[tuple[str, object]]:
        """(key, alpha) of `alpha_pattern`, in order."""
        patterns = _mapping(self.table.get("alpha_pattern"))
        return [(str(key), alpha) for key, alpha in patterns.items()]

    @cached_property
    def _expressions(self) -> Mapping[int, Pattern | None]:
        """The keys that are more than a path, by index; None for one that is not supported."""
        expressions: dict[int, Pattern | None] = {}
        for index, (key, _) in enumerate(self._keys):
            if not _is_path(key):
                expressions[index] = _pattern(key)
        return expressions

    @cached_property
    def _steps(self) -> Steps:
        return Steps(STEPS)

    @cached_property
    def _path_indices(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """The first index of each key that is a path: for whole paths, and for ends of paths."""
        paths: dict[str, int] = {}
        ends: dict[str, int] = {}
        for index, (key, _) in enumerate(self._keys):
            if index in self._expressions:
                continue
            paths.setdefault(_literal(key), index)
            if not key.startswith("^"):
                ends.setdefault(_literal(key), index)
        return paths, ends

    @cached_property
    def _longest_end(self) -> int:
        _, ends = self._path_indices
        return max((len(end) for end in ends), default=0)

    def _first_path(self, path: str) -> int:
        """The index of the first key that is this path or an end of it, else the number of keys."""
        paths, ends = self._path_indices
        indices = [ends[end] for end in _ends(path, self._longest_end) if end in ends]
        if path in paths:
            indices.append(paths[path])
        return min(indices, default=len(self._keys))

    def _first_key(self, path: str) -> int | None:
        """The index of the first key that matches, the number of keys for none; None = unknown."""
        first = self._first_path(path)
        for index, pattern in self._expressions.items():
            if index > first:  # an earlier key is a path that matches
                break
            if pattern is None:
                return None
            try:
                if pattern.matches(path, self._steps):
                    return index
            except Exhausted:
                return None
        return first

    def scale(self, module: str, rank: int) -> Scale:
        """The factor of the product of a module's factors."""
        if self.mlx is not None:
            return _scale_of_mlx(self.mlx)
        index = self._first_key(module.removeprefix(PREFIX))
        if index is None:
            return None, NO_PATTERN
        value = self.table.get("lora_alpha")
        if index < len(self._keys):
            _, value = self._keys[index]
        alpha = _number(value)
        if alpha is None:
            return None, ODD_ALPHA
        return self.over(alpha, rank), None

    def over(self, alpha: float, rank: int) -> float:
        """alpha / r, or alpha / sqrt(r)."""
        if self.stable:
            return alpha / sqrt(rank)
        return alpha / rank


def adapter_of(config: Mapping[str, object]) -> Adapter | None:
    """The adapter_config.json of a checkpoint's config, None without one."""
    peft = config.get("peft")
    if not isinstance(peft, Mapping):
        return None
    return Adapter(peft)


def scale_of(
    module: str, rank: int, alpha: Stored | None, adapter: Adapter | None
) -> tuple[float, Notes]:
    """The scale of an update; 1 and a note where it is unknown."""
    if alpha is not None and alpha.params == 1:
        value = _scalar(alpha)
        if value is None:
            return 1.0, (ODD_ALPHA,)
        settings = adapter or Adapter()
        return settings.over(value, rank), ()
    if adapter is None:
        return 1.0, (NO_ALPHA,)
    scale, note = adapter.scale(module, rank)
    return 1.0 if scale is None else scale, united(note)


def _scale_of_mlx(parameters: Mapping[str, object]) -> Scale:
    """`scale` as it is; older versions multiplied it by alpha / rank, newer ones ignore alpha."""
    scale = _number(parameters.get("scale"))
    alpha = _number(parameters.get("alpha"))
    rank = _number(parameters.get("rank"))
    if "scale" not in parameters:
        if alpha is None or rank is None or rank <= 0:
            return None, ODD_ALPHA
        return alpha / rank, None
    if scale is None:
        return None, ODD_ALPHA
    if alpha is None or alpha == rank:
        return scale, None
    return None, TWO_SCALES


def _mapping(value: object) -> Mapping[object, object]:
    return value if isinstance(value, Mapping) else {}


def _is_path(key: str) -> bool:
    """Whether a key only names a path: its dots are those of the path, all escaped or none."""
    path = _literal(key)
    mixed = "\\." in key and "." in key.replace("\\.", "")
    return not (mixed or set(path) & SPECIAL)


def _literal(key: str) -> str:
    return key.removeprefix("^").removesuffix("$").replace("\\.", ".")


def _pattern(key: str) -> Pattern | None:
    """The expression of PEFT for a key, as an automaton; None where that does not support it."""
    try:
        return Pattern(rf"(.*\.)?({key})$")
    except Unreadable:
        return None


def _ends(path: str, longest: int) -> Iterator[str]:
    """The text after each dot of a path, where it has at most `longest` characters."""
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
    if stored.swapped:
        raw.reverse()
    if stored.dtype == "BF16":  # the upper half of a float32
        (value,) = struct.unpack("<f", b"\0\0" + raw)
    elif stored.dtype in FORMATS:
        (value,) = struct.unpack("<" + FORMATS[stored.dtype], raw)
    else:
        return None
    return _number(-value if stored.negated else value)


def _number(value: object) -> float | None:
    """A finite number as a float, None for any other value."""
    if isinstance(value, bool) or not isinstance(value, (int, float)):
        return None
    # the comparison is exact for integers of any size, which float() may not represent
    if abs(value) < 1e300 and isfinite(value):
        return float(value)
    return None
