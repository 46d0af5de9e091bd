"""LoRA pairs: which two stored tensors are A and B of one low-rank update, and its scale.

Pairs are found by name, in the spellings of factors.py, and only where the shapes multiply. In a
layer A is (r, in) and B (out, r); factors stored as (in, r) and (r, out) are recognised by their
shapes. Where both orders multiply the spelling decides; for bare parameters the config, else the
order with the smaller rank; with equal ranks the factors are no pair. The rank is that of the
tensors. Measured one by one, with a note, are: factors with a third one between them, factors of
stacked experts, factors of an update that is too large to compute, and a factor without partner.
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

# whether a spelling is one of embeddings; a bare parameter may be either
TABLES = {"layer": False, "numbered": False, "embedding": True}


@dataclass(frozen=True)
class Named:
    """The tensors of a checkpoint by their names, and its adapter_config.json."""

    tensors: Mapping[str, Stored]
    adapter: Adapter | None

    @property
    def of_mlx(self) -> bool:
        """Whether MLX wrote them."""
        adapter = self.adapter
        return adapter is not None and adapter.mlx is not None


@dataclass(frozen=True)
class Match:
    """How two factors multiply; `fault` is the reason why they do not."""

    turned: bool = False  # A is (in, r), B is (r, out)
    fault: str = ""


def lora_pairs(tensors: Sequence[Stored], config: Mapping[str, object]) -> tuple[LoraPair, ...]:
    """Every pair of factors, in the order of A; `config["peft"]` is an adapter_config.json.

    >>> a, b = Stored("q.lora_A.weight", (2, 8), "F32"), Stored("q.lora_B.weight", (6, 2), "F32")
    >>> lora_pairs([a, b], {"peft": {"lora_alpha": 4}})[0].scale
    2.0
    """
    named = Named({t.name: t for t in tensors}, adapter_of(config))
    pairs = []
    for a in tensors:
        pair = _pair(a, named)
        if pair:
            pairs.append(pair)
    return tuple(pairs)


def lone_factors(tensors: Sequence[Stored], config: Mapping[str, object]) -> dict[str, Note]:
    """The notes of tensors that are factors by their names and not part of a pair, by name.

    >>> lone_factors([Stored("q.lora_A.weight", (2, 8), "F32")], {})["q.lora_A.weight"].text
    'lora A without its B: measured alone'
    """
    named = Named({t.name: t for t in tensors}, adapter_of(config))
    notes = {}
    for tensor in tensors:
        note = _lone(tensor, named)
        if note:
            notes[tensor.name] = note
    return notes


def beside_factors(tensors: Iterable[Stored]) -> frozenset[str]:
    """The names of scalars of an adapter, its alpha and its rank, which are no weights.

    >>> a = Stored("to_q.lora_A.weight", (2, 8), "F32")
    >>> beside_factors([a, Stored("to_q.alpha", (), "F32"), Stored("snake.alpha", (), "F32")])
    frozenset({'to_q.alpha'})
    """
    scalars = {t.name for t in tensors if t.params == 1}
    if not scalars:
        return frozenset()
    modules = set()
    for tensor in tensors:
        part = factor(tensor.name) or other_factor(tensor.name)
        if part:
            modules.add(part.module)
    return frozenset(name for name in scalars if _module_of_scalar(name) in modules)


def _module_of_scalar(name: str) -> str:
    """The module of a scalar by its name, "" where it is none of an adapter's."""
    module, _, word = name.rpartition(".")
    if word in ("alpha", "ranknum"):
        return module
    outer, _, inner = module.rpartition(".")
    # AdaLoRA: the name of the adapter may follow
    if inner == "ranknum":
        return outer
    return ""


def _pair(a: Stored, named: Named) -> LoraPair | None:
    half = factor(a.name)
    if half is None or not half.is_a or half.partner not in named.tensors:
        return None
    b = named.tensors[half.partner]
    match = _match(half, a, b, named)
    if match.fault:
        return None
    if match.turned:
        rank = a.shape[1]
    else:
        rank = a.shape[0]
    alpha = named.tensors.get(f"{half.module}.alpha")
    scale, notes = scale_of(half.module, rank, alpha, named.adapter)
    magnitudes = _magnitudes(half, named)
    if magnitudes:
        notes += (DORA,)
    return LoraPair(
        half.module,
        a.name,
        b.name,
        scale,
        notes,
        match.turned,
        table=TABLES.get(half.spelling.form),
        adapter=half.adapter,
        magnitudes=magnitudes,
    )


def _magnitudes(half: Factor, named: Named) -> str:
    """The stored name of the module's magnitude vector of DoRA; "" without one."""
    words = [f"lora_magnitude_vector{end}" for end in ("", ".weight", half.tail)]
    words.append("dora_scale")
    if named.adapter is not None and named.adapter.dora:
        words.append("m")  # MLX
    names = (f"{half.module}.{word}" for word in words)
    return next((name for name in names if name in named.tensors), "")


def _lone(tensor: Stored, named: Named) -> Note | None:
    """Why a factor is not part of a pair; None for part of a pair and for any other tensor."""
    other = other_factor(tensor.name)
    if other:
        return other.note
    half = factor(tensor.name)
    if half is None or len(tensor.dims) < 2:
        return None
    partner = named.tensors.get(half.partner)
    if partner is None:
        fault = "lora A without its B" if half.is_a else "lora B without its A"
    elif half.is_a:
        fault = _match(half, tensor, partner, named).fault
    else:
        fault = _match(half, partner, tensor, named).fault
    if not fault:
        return None
    return Note("lone-factor", f"{fault}: measured alone")


def _match(half: Factor, a: Stored, b: Stored, named: Named) -> Match:
    """How two factors of one module multiply: kernels flattened, only floats."""
    if not (_is_float_matrix(a) and _is_float_matrix(b)):
        return Match(fault="lora A and B are not both matrices of floats")
    if _are_of_experts(a, b) or _is_stacked(a, named.adapter):
        return Match(fault="lora A and B of stacked experts")
    match = _order(half, a, b, named)
    if match.fault:
        return match
    rows, columns = b.shape[0], a.shape[1]
    if match.turned:
        rows, columns = b.shape[1], a.shape[0]
    if rows * columns > limits.PRODUCT:
        return Match(fault=f"lora A and B of an update too large to compute, {rows}x{columns}")
    # LyCORIS factors a convolution in three
    if f"{half.module}.lora_mid.weight" in named.tensors:
        return Match(fault="lora A and B with a third factor between")
    if any(f"{half.module}.lora_E{end}" in named.tensors for end in ("", half.tail)):
        return Match(fault="lora A and B of AdaLoRA, with a diagonal between")
    return match


def _is_float_matrix(tensor: Stored) -> bool:
    if not tensor.params or not tensor.measurable:
        return False
    return len(tensor.dims) >= 2 and DTYPES[tensor.dtype].kind == "float"


def _order(half: Factor, a: Stored, b: Stored, named: Named) -> Match:
    """In which of the two orders the shapes multiply."""
    usual = a.shape[0] == b.shape[1]
    turned = len(a.dims) == len(b.dims) == 2 and a.shape[1] == b.shape[0]
    bare = half.spelling.form == "bare"
    if usual and turned:
        return _order_of_both(a, bare, named.of_mlx)
    if usual:
        return Match()
    # layers are seldom stored turned: only where the shared side is a rank, below the others
    is_low_rank = turned and a.shape[1] <= min(a.shape[0], b.shape[1])
    if turned and (bare or is_low_rank):
        return Match(turned=True)
    return Match(fault=f"lora A of rank {a.shape[0]} and B of rank {b.shape[1]} do not multiply")


def _order_of_both(a: Stored, bare: bool, of_mlx: bool) -> Match:
    """The order where A is n x m and B is m x n: B A has the rank n at most, and A B the rank m."""
    if not bare:
        return Match()
    if of_mlx:
        return Match(turned=True)
    if a.shape[0] == a.shape[1]:
        return Match(
            fault="lora A and B multiply in both orders, and neither name nor config decides"
        )
    return Match(turned=a.shape[0] > a.shape[1])


def _are_of_experts(a: Stored, b: Stored) -> bool:
    """Factors of MLX's experts: (experts, r, in) and (experts, out, r)."""
    if len(a.dims) != 3 or len(b.dims) != 3:
        return False
    experts, rank, _ = a.dims
    return b.dims[0] == experts and b.dims[2] == rank


def _is_stacked(a: Stored, adapter: Adapter | None) -> bool:
    """Factors of all experts side by side: their product would add the experts' updates up."""
    if adapter is None or not adapter.stacks:
        return False
    return a.shape[0] not in adapter.ranks
