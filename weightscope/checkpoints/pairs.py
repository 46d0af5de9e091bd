"""LoRA pairs: which two stored tensors are A and B of one low-rank update, and the scale that goes
with them.

Pairs are found by name, in the spellings of factors.py, and hold only where the shapes multiply.
As a layer A is (r, in) and B (out, r); stored (in, r) and (r, out) they are recognised by their
shapes. Where both readings multiply the spelling decides, of bare parameters the config, else the
reading whose rank is below its sides; where that is equal too the factors stay apart. The rank is
the tensor's. Left out, so that the factors are measured apart and say so: a third factor between
the two, factors of stacked experts, updates that are too large to go through, and half a pair.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass

from ..dtypes import DTYPES
from ..factors import Factor, factor
from ..notes import Note
from . import limits
from .adapters import other_factor
from .checkpoint import LoraPair
from .entry import Stored
from .scales import Adapter, adapter_of, scale_of

DORA = Note("dora", "a DoRA adapter: the update before its magnitudes")

# whether a spelling is of embeddings; a bare parameter may be either
TABLES = {"layer": False, "numbered": False, "embedding": True}


@dataclass(frozen=True)
class Named:
    """The tensors of a checkpoint by their names, and its adapter_config.json."""

    tensors: Mapping[str, Stored]
    adapter: Adapter | None

    @property
    def of_mlx(self) -> bool:
        """Whether MLX wrote them."""
        return self.adapter is not None and self.adapter.mlx is not None


@dataclass(frozen=True)
class Match:
    """How two factors multiply; `why` is the reason why they do not."""

    turned: bool = False  # A is (in, r), B is (r, out)
    why: str = ""


def lora_pairs(tensors: Sequence[Stored], config: Mapping[str, object]) -> tuple[LoraPair, ...]:
    """Every pair of factors, in the order of A; `config["peft"]` is an adapter_config.json.

    >>> a, b = Stored("q.lora_A.weight", (2, 8), "F32"), Stored("q.lora_B.weight", (6, 2), "F32")
    >>> lora_pairs([a, b], {"peft": {"lora_alpha": 4}})[0].scale
    2.0
    """
    named = Named({t.name: t for t in tensors}, adapter_of(config))
    found = (_pair(a, named) for a in tensors)
    return tuple(pair for pair in found if pair)


def lone_factors(tensors: Sequence[Stored], config: Mapping[str, object]) -> dict[str, Note]:
    """Why what is a factor by its name is no half of a pair, by names; it is measured alone.

    >>> lone_factors([Stored("q.lora_A.weight", (2, 8), "F32")], {})["q.lora_A.weight"].text
    'lora A without its B: measured alone'
    """
    named = Named({t.name: t for t in tensors}, adapter_of(config))
    found = {t.name: _lone(t, named) for t in tensors}
    return {name: note for name, note in found.items() if note}


def beside_factors(tensors: Iterable[Stored]) -> frozenset[str]:
    """The names of scalars that belong to an adapter and are no weights: its alpha, its rank.

    >>> a = Stored("to_q.lora_A.weight", (2, 8), "F32")
    >>> beside_factors([a, Stored("to_q.alpha", (), "F32"), Stored("snake.alpha", (), "F32")])
    frozenset({'to_q.alpha'})
    """
    scalars = {t.name for t in tensors if t.params == 1}
    if not scalars:
        return frozenset()
    modules = {found.module for t in tensors if (found := factor(t.name) or other_factor(t.name))}
    return frozenset(name for name in scalars if _module_of_scalar(name) in modules)


def _module_of_scalar(name: str) -> str:
    """The module that a scalar belongs to by its name, "" where it is none of an adapter's."""
    module, _, word = name.rpartition(".")
    if word == "alpha":
        return module
    above, _, inner = module.rpartition(
        "."
    )  # ranknum of AdaLoRA, alone or by the name of the adapter
    if word == "ranknum":
        return module
    return above if inner == "ranknum" else ""


def _pair(a: Stored, named: Named) -> LoraPair | None:
    found = factor(a.name)
    if found is None or not found.is_a or found.partner not in named.tensors:
        return None
    b = named.tensors[found.partner]
    match = _match(found, a, b, named)
    if match.why:
        return None
    rank = a.shape[1] if match.turned else a.shape[0]
    scale, notes = scale_of(
        found.module, rank, named.tensors.get(f"{found.module}.alpha"), named.adapter
    )
    if _has_magnitudes(found, named):
        notes += (DORA,)
    table = TABLES.get(found.spelling.form)
    return LoraPair(found.module, a.name, b.name, scale, notes, match.turned, table, found.adapter)


def _has_magnitudes(found: Factor, named: Named) -> bool:
    """Whether a vector of DoRA stands beside the factors."""
    words = [f"lora_magnitude_vector{end}" for end in ("", ".weight", found.tail)] + ["dora_scale"]
    if named.adapter is not None and named.adapter.dora:
        words.append("m")  # MLX
    return any(f"{found.module}.{word}" in named.tensors for word in words)


def _lone(tensor: Stored, named: Named) -> Note | None:
    """What keeps a tensor from being half of a pair; None for one that is, and for no factor."""
    other = other_factor(tensor.name)
    if other:
        return other.note
    found = factor(tensor.name) if len(tensor.dims) >= 2 else None
    if found is None:
        return None
    partner = named.tensors.get(found.partner)
    if partner is None:
        why = "lora A without its B" if found.is_a else "lora B without its A"
    else:
        a, b = (tensor, partner) if found.is_a else (partner, tensor)
        why = _match(found, a, b, named).why
    return Note("lone-factor", f"{why}: measured alone") if why else None


def _match(found: Factor, a: Stored, b: Stored, named: Named) -> Match:
    """How two factors of one module multiply: kernels flattened, floats alone."""
    if not all(
        len(t.dims) >= 2 and t.params and t.measurable and DTYPES[t.dtype].kind == "float"
        for t in (a, b)
    ):
        return Match(why="lora A and B are not both matrices of floats")
    if _of_experts(a, b) or _stacked(a, named.adapter):
        return Match(why="lora A and B of stacked experts")
    match = _reading(found, a, b, named)
    if match.why:
        return match
    rows, columns = (b.shape[1], a.shape[0]) if match.turned else (b.shape[0], a.shape[1])
    if rows * columns > limits.PRODUCT:
        return Match(why=f"lora A and B of an update too large to go through, {rows}x{columns}")
    if f"{found.module}.lora_mid.weight" in named.tensors:
        return Match(why="lora A and B with a third factor between")
    if any(f"{found.module}.lora_E{end}" in named.tensors for end in ("", found.tail)):
        return Match(why="lora A and B of AdaLoRA, with a diagonal between")
    return match


def _reading(found: Factor, a: Stored, b: Stored, named: Named) -> Match:
    """Which of the two ways the shapes multiply."""
    usual = a.shape[0] == b.shape[1]
    turned = len(a.dims) == len(b.dims) == 2 and a.shape[1] == b.shape[0]
    bare = found.spelling.form == "bare"
    if usual and turned:
        return _of_both(a, bare, named.of_mlx)
    if usual:
        return Match()
    # a layer is seldom stored so: its rank has to be one
    low = turned and a.shape[1] <= min(a.shape[0], b.shape[1])
    if turned and (bare or low):
        return Match(turned=True)
    return Match(why=f"lora A of rank {a.shape[0]} and B of rank {b.shape[1]} do not multiply")


def _of_both(a: Stored, bare: bool, of_mlx: bool) -> Match:
    """Where A is n x m and B is m x n: B A has the rank n at most, and A B the rank m."""
    if not bare:
        return Match()
    if of_mlx:
        return Match(turned=True)
    if a.shape[0] == a.shape[1]:
        return Match(why="lora A and B multiply both ways, and neither name nor config tells which")
    return Match(turned=a.shape[0] > a.shape[1])


def _of_experts(a: Stored, b: Stored) -> bool:
    """Factors of MLX's experts: (experts, r, in) and (experts, out, r)."""
    return len(a.dims) == len(b.dims) == 3 and a.dims[0] == b.dims[0] and a.dims[1] == b.dims[2]


def _stacked(a: Stored, adapter: Adapter | None) -> bool:
    """Factors of all experts side by side: their product would add the experts' updates up."""
    return adapter is not None and adapter.stacks and a.shape[0] not in adapter.ranks
