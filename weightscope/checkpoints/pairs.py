"""LoRA pairs: which two stored tensors are A and B of one low-rank update, and the scale that goes with them.

Pairs are found by name, in the spellings of PEFT, diffusers, kohya and `unet:N:down`, and hold only where the shapes
multiply. The rank is the tensor's; alpha comes from an `alpha` tensor or the adapter's config, and where neither has it
the update stays unscaled and says so. Left out, so that the factors are measured apart and say so: a third factor
between the two, factors of stacked experts, updates that are too large to go through, and half a pair.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from functools import cached_property
from math import isfinite, sqrt

from ..dtypes import DTYPES
from ..geometry import whole
from ..notes import Note, Notes
from . import limits
from .checkpoint import LoraPair
from .entry import Stored
from .files import read_into

SPELLINGS = (                                   # what follows the module in A's name, and in B's
    (".lora_A.", ".lora_B."), (".lora_embedding_A", ".lora_embedding_B"),       # PEFT
    (".lora.down.", ".lora.up."), ("_lora.down.", "_lora.up."),                 # diffusers
    (".lora_linear_layer.down.", ".lora_linear_layer.up."),
    (".lora_down.", ".lora_up."), (":down", ":up"),                             # kohya; unet:N:down
)
FORMATS = {"F64": "d", "F32": "f", "F16": "e", "I64": "q", "I32": "i", "I16": "h"}
SPECIAL = set("\\[](){}*+?|^$")                 # what makes a pattern more than a path
DORA = Note("dora", "a DoRA adapter: the update before its magnitudes")
NO_ALPHA = Note("unscaled-lora", "unscaled: neither an alpha tensor nor an adapter config")
ODD_ALPHA = Note("unscaled-lora", "unscaled: alpha is not a number that can be read")
PREFIX = "base_model.model."                    # PEFT's, which the patterns of its config leave out


def lora_pairs(tensors: Sequence[Stored], config: Mapping[str, object]) -> tuple[LoraPair, ...]:
    """Every pair of factors among `tensors`, in the order of A; `config["peft"]` is an adapter_config.json.

    >>> lora_pairs([Stored("q.lora_A.weight", (2, 8), "F32"), Stored("q.lora_B.weight", (6, 2), "F32")],
    ...            {"peft": {"lora_alpha": 4}})
    (LoraPair(module='q', a='q.lora_A.weight', b='q.lora_B.weight', scale=2.0, notes=()),)
    """
    named, adapter = {t.name: t for t in tensors}, _adapter(config)
    found = (_pair(a, named, adapter) for a in tensors)
    return tuple(pair for pair in found if pair)


def lone_factors(tensors: Sequence[Stored], config: Mapping[str, object]) -> dict[str, Note]:
    """Why a matrix that is a factor by its name is no half of a pair, by names; it is measured alone.

    >>> lone_factors([Stored("q.lora_A.weight", (2, 8), "F32")], {})["q.lora_A.weight"].text
    'lora A without its B: measured alone'
    """
    named, adapter = {t.name: t for t in tensors}, _adapter(config)
    found = {t.name: _lone(t, named, adapter) for t in tensors if len(t.dims) >= 2}
    return {name: Note("lone-factor", f"{why}: measured alone") for name, why in found.items() if why}


@dataclass(frozen=True)
class Adapter:
    """What an adapter_config.json says of scales, in the form in which a module finds its own without a search."""

    table: Mapping[str, object] = field(default_factory=dict)

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
    def _patterns(self) -> list[tuple[str, object]]:
        own = self.table.get("alpha_pattern")
        return [(str(key), alpha) for key, alpha in (own.items() if isinstance(own, Mapping) else ())]

    @cached_property
    def _unread(self) -> int:
        """The place of the first pattern that is a regular expression, which is never run."""
        return next((i for i, (key, _) in enumerate(self._patterns) if set(_literal(key)) & SPECIAL),
                    len(self._patterns))

    @cached_property
    def _places(self) -> tuple[Mapping[str, int], Mapping[str, int]]:
        """The first place of every whole path, and of every end of one."""
        paths: dict[str, int] = {}
        ends: dict[str, int] = {}
        for place, (key, _) in enumerate(self._patterns[:self._unread]):
            paths.setdefault(_literal(key), place)
            if not key.startswith("^"):
                ends.setdefault(_literal(key), place)
        return paths, ends

    @cached_property
    def _longest(self) -> int:
        return max(map(len, self._places[1]), default=0)

    def alpha(self, module: str) -> float | None:
        """The module's own alpha, or everybody's; None where only a regular expression can tell, or no number."""
        path = module.removeprefix(PREFIX)
        paths, ends = self._places
        found = [paths[path]] if path in paths else []
        found += [ends[end] for end in _ends(path, self._longest) if end in ends]
        place = min(found, default=self._unread)
        if place < self._unread:
            return _number(self._patterns[place][1])
        return _number(self.table.get("lora_alpha")) if self._unread == len(self._patterns) else None


def _literal(pattern: str) -> str:
    return pattern.removeprefix("^").removesuffix("$").replace("\\.", ".")


def _ends(path: str, longest: int) -> Iterator[str]:
    """What stands after each dot of a path, where it is not too long."""
    at = path.find(".", max(0, len(path) - longest - 1))
    while at >= 0:
        yield path[at + 1:]
        at = path.find(".", at + 1)


def _adapter(config: Mapping[str, object]) -> Adapter | None:
    peft = config.get("peft")
    return Adapter(peft) if isinstance(peft, Mapping) else None


def _pair(a: Stored, named: Mapping[str, Stored], adapter: Adapter | None) -> LoraPair | None:
    for down, up in SPELLINGS:
        module, seen, tail = a.name.rpartition(down)
        b = named.get(module + up + tail) if seen and module else None
        if b and not _apart(module, a, b, named, adapter):
            scale, notes = _scale(module, a.shape[0], named, adapter)
            if any(f"{module}.lora_magnitude_vector{end}" in named for end in ("", ".weight", "." + tail)):
                notes += (DORA,)
            return LoraPair(module, a.name, b.name, scale, notes)
    return None


def _lone(t: Stored, named: Mapping[str, Stored], adapter: Adapter | None) -> str:
    """What keeps a tensor from being half of a pair; "" for one that is, and for one that is no factor by its name."""
    for down, up in SPELLINGS:
        for own, other in ((down, up), (up, down)):
            module, seen, tail = t.name.rpartition(own)
            if seen and module and (own.endswith(".") or tail[:1] in ("", ".")):
                partner = named.get(module + other + tail)
                if partner is None:
                    return "lora A without its B" if own == down else "lora B without its A"
                return _apart(module, *((t, partner) if own == down else (partner, t)), named, adapter)
    return ""


def _apart(
    module: str, a: Stored, b: Stored, named: Mapping[str, Stored], adapter: Adapter | None,
) -> str:
    """Why two factors are no pair, "" where A is r x in and B is out x r, kernels flattened, of types with values."""
    if not all(len(t.dims) >= 2 and t.params and t.measurable and DTYPES[t.dtype].kind == "float" for t in (a, b)):
        return "lora A and B are not both matrices of floats"
    if a.shape[0] != b.shape[1]:
        return f"lora A of rank {a.shape[0]} and B of rank {b.shape[1]} do not multiply"
    if b.shape[0] * a.shape[1] > limits.PRODUCT:
        return f"lora A and B of an update too large to go through, {b.shape[0]}x{a.shape[1]}"
    if module + ".lora_mid.weight" in named:
        return "lora A and B with a third factor between"
    return "lora A and B of stacked experts" if _stacked(a, adapter) else ""


def _stacked(a: Stored, adapter: Adapter | None) -> bool:
    """Factors of all experts side by side: their product would add the experts' updates up."""
    return adapter is not None and adapter.stacks and a.shape[0] not in adapter.ranks


def _scale(
    module: str, rank: int, named: Mapping[str, Stored], adapter: Adapter | None,
) -> tuple[float, Notes]:
    """alpha / r, or alpha / sqrt(r) for rank-stabilised adapters; 1 and the reason where alpha is unknown."""
    stored = named.get(module + ".alpha")
    if stored is not None and stored.params == 1:
        alpha = _scalar(stored)
    elif adapter is not None:
        alpha = adapter.alpha(module)
    else:
        return 1.0, (NO_ALPHA,)
    if alpha is None:
        return 1.0, (ODD_ALPHA,)
    return alpha / (sqrt(rank) if adapter is not None and adapter.stable else rank), ()


def _scalar(stored: Stored) -> float | None:
    """The one element of a stored tensor."""
    if stored.tensor is not None:
        return _number(stored.tensor.item())
    offset, length = stored.needs(whole(stored.shape))[0].bytes
    raw = bytearray(length)
    read_into(stored.file, offset, memoryview(raw))
    order, sign = ">" if stored.swapped else "<", -1 if stored.negated else 1
    if stored.dtype == "BF16":                  # the upper half of a float32
        word = bytes(raw[::-1] if stored.swapped else raw)
        return _number(sign * struct.unpack("<f", b"\0\0" + word)[0])
    kind = FORMATS.get(stored.dtype)
    return _number(sign * struct.unpack(order + kind, raw)[0]) if kind else None


def _number(found: object) -> float | None:
    usable = isinstance(found, (int, float)) and not isinstance(found, bool) and abs(found) < 1e300 and isfinite(found)
    return float(found) if usable else None     # type: ignore[arg-type]  # a number, checked above
