"""How fused tensors come apart: one function per scheme, from the number of fused lines to index sets.

A scheme is named in a rule with the parts it yields (`equal q k v`). It answers its parts, or a sentence that says
why the tensor stays whole; nothing is guessed. Lines are rows of the matrix as (out, in), for `columns` its columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from ..geometry import Index
from .facts import Facts


@dataclass(frozen=True)
class Fused:
    """A fused tensor: its lines, its other side, its module, the parts wanted of it."""

    lines: int
    across: int                                 # columns of the (out, in) matrix; of a bias, those of its matrix
    module: str
    parts: tuple[str, ...]
    facts: Facts


Parts = tuple[tuple[str, Index], ...]
Scheme = Callable[[Fused], "Parts | str"]


def equal(fused: Fused) -> Parts | str:
    """Equal blocks, one after the other: GPT-2's c_attn, timm's qkv, gate and up halves."""
    size, left = divmod(fused.lines, len(fused.parts))
    if left or not size:
        return f"{fused.lines} lines are not {len(fused.parts)} equal parts"
    return _blocks(fused.parts, [size] * len(fused.parts))


def interleaved(fused: Fused) -> Parts | str:
    """Lines in turn: even lines are gate, odd lines up in gpt-oss."""
    n = len(fused.parts)
    if fused.lines % n or not fused.lines:
        return f"{fused.lines} lines are not {n} interleaved parts"
    return tuple((p, Index(i, 1, fused.lines // n, n)) for i, p in enumerate(fused.parts))


def concat(fused: Fused) -> Parts | str:
    """q, then k, then v, the last two narrower where heads share them: Phi-3, MPT, InternLM, ChatGLM."""
    heads, kv = fused.facts.number("heads"), fused.facts.number("kv_heads")
    if heads and fused.lines % (heads + 2 * (kv or heads)) == 0:
        head = fused.lines // (heads + 2 * (kv or heads))
        stated = fused.facts.number("head_dim")
        if stated in (0, head):
            return _blocks(fused.parts, [heads * head, (kv or heads) * head, (kv or heads) * head])
    q = fused.facts.written_from(fused.module)
    if 0 < q < fused.lines <= 3 * q and (fused.lines - q) % 2 == 0:
        return _blocks(fused.parts, [q, (fused.lines - q) // 2, (fused.lines - q) // 2])
    return "needs the output projection beside it, or num_attention_heads and num_key_value_heads of config.json"


def per_head(fused: Fused) -> Parts | str:
    """View (heads, 3, d), q = [:, 0]: GPT-NeoX, BLOOM, Falcon-RW."""
    heads = fused.facts.number("heads")
    if not heads:
        return "needs num_attention_heads of config.json"
    head, left = divmod(fused.lines, 3 * heads)
    if left or not head:
        return f"{fused.lines} lines are not 3 parts of {heads} heads"
    return tuple((p, Index(i * head, head, heads, 3 * head)) for i, p in enumerate(fused.parts))


def falcon(fused: Fused) -> Parts | str:
    """Falcon's three layouts, told apart by new_decoder_architecture and multi_query."""
    heads = fused.facts.number("heads")
    if not heads:
        return "needs num_attention_heads, multi_query and new_decoder_architecture of config.json"
    if fused.facts.value("new_decoder_architecture") or fused.facts.model_type == "RefinedWeb":
        return _grouped(fused, heads, fused.facts.number("kv_heads") or heads)
    if fused.facts.value("multi_query") is False:
        return per_head(fused)
    head, left = divmod(fused.lines, heads + 2)
    return "rows do not fit heads + 2" if left else _blocks(fused.parts, [heads * head, head, head])


def _grouped(fused: Fused, heads: int, kv: int) -> Parts | str:
    share = heads // kv                         # view (n_kv, n_h / n_kv + 2, d)
    head, left = divmod(fused.lines, kv * (share + 2))
    if left or heads % kv:
        return "rows do not fit num_kv_heads"
    period, starts = (share + 2) * head, (0, share * head, (share + 1) * head)
    lengths = (share * head, head, head)
    return tuple((p, Index(s, n, kv, period)) for p, s, n in zip(fused.parts, starts, lengths, strict=True))


def bigcode(fused: Fused) -> Parts | str:
    """GPT-BigCode: E, kv, kv concatenated when multi_query, else view (heads, 3 d)."""
    if fused.across and fused.lines != 3 * fused.across and fused.facts.value("multi_query") is not False:
        kv, left = divmod(fused.lines - fused.across, 2)
        good = kv > 0 and not left
        return _blocks(fused.parts, [fused.across, kv, kv]) if good else "rows do not fit one shared key and value"
    if fused.facts.model_type == "gpt_bigcode":
        return per_head(fused)
    return equal(fused)


def sizes(fused: Fused) -> Parts | str:
    """Blocks whose sizes config.json names: `sizes latent=kv_lora_rank rope`; the last takes the rest."""
    names, widths = _named(fused)
    rest = fused.lines - sum(widths)
    if 0 in widths:
        return "needs " + ", ".join(n for _, n in names[:-1]) + " of config.json"
    if rest <= 0:
        return f"{fused.lines} lines are too few for {sum(widths)} and a rest"
    return _blocks(tuple(p for p, _ in names), [*widths, rest])


def heads_of(fused: Fused) -> Parts | str:
    """Blocks inside each head, sizes as in `sizes`: DeepSeek's kv_b is (n_h, d_nope + d_v)."""
    heads, (names, widths) = fused.facts.number("heads"), _named(fused)
    period = fused.lines // heads if heads else 0
    if 0 in widths or not heads:
        return "needs num_attention_heads, " + ", ".join(n for _, n in names[:-1]) + " of config.json"
    if fused.lines % heads or period <= sum(widths):
        return f"{fused.lines} lines are not {heads} heads of {sum(widths)} and a rest"
    blocks = _blocks(tuple(p for p, _ in names), [*widths, period - sum(widths)])
    return tuple((p, Index(i.start, i.length, heads, period)) for p, i in blocks)


def _named(fused: Fused) -> tuple[list[tuple[str, str]], list[int]]:
    pairs = [(p.partition("=")[0], p.partition("=")[2]) for p in fused.parts]
    return pairs, [fused.facts.number(key) for _, key in pairs[:-1]]


def linear_attention(fused: Fused) -> Parts | str:
    """Qwen3-Next, grouped per key head: q k v z is (d_k, d_k, r d_v, r d_v) and b a is (r, r), r = n_v / n_k."""
    kh, vh = fused.facts.number("linear_num_key_heads"), fused.facts.number("linear_num_value_heads")
    dk, dv = fused.facts.number("linear_key_head_dim"), fused.facts.number("linear_value_head_dim")
    if not (kh and vh and dk and dv) or vh % kh:
        return "needs linear_num_key_heads, linear_num_value_heads and their head_dim of config.json"
    widths = [dk, dk, vh // kh * dv, vh // kh * dv] if len(fused.parts) == 4 else [vh // kh, vh // kh]
    if sum(widths) * kh != fused.lines:
        return "rows do not fit the linear attention heads of config.json"
    blocks = _blocks(fused.parts, widths)
    return tuple((p, Index(i.start, i.length, kh, sum(widths))) for p, i in blocks)


def gated(fused: Fused) -> Parts | str:
    """Halves when the matrix that reads them (`^.Wo`: beside it; `^^.2`: one up) is half as wide; else not fused."""
    ups, parts = fused.parts[0].count("^"), fused.parts[1:]
    parent = ".".join(fused.module.split(".")[:-ups])
    reader = fused.facts.columns(parent + fused.parts[0].lstrip("^") + ".weight")
    return _blocks(parts, [reader, reader]) if reader and fused.lines == 2 * reader else ""


def after_attention(fused: Fused) -> Parts | str:
    """q, k, v of the width of the input, then the MLP: Flux's linear1."""
    rest = fused.lines - 3 * fused.across
    if not fused.across or rest <= 0:
        return "needs its weight beside it"
    return _blocks(fused.parts, [fused.across] * 3 + [rest])


def columns(fused: Fused) -> Parts | str:
    """Columns: as many as there are rows read the attention, the others the MLP: Flux's linear2 and proj_out."""
    rows, cols = fused.across, fused.lines      # the sides change places: lines are columns here
    return _blocks(fused.parts, [rows, cols - rows]) if cols > rows else "no MLP columns"


def undecided(fused: Fused) -> Parts | str:
    """One name for several layouts: only model_type tells BLOOM from Falcon."""
    return "needs model_type of config.json"


def _blocks(parts: tuple[str, ...], widths: list[int]) -> Parts:
    starts = [sum(widths[:i]) for i in range(len(widths))]
    return tuple((p, Index(s, w)) for p, s, w in zip(parts, starts, widths, strict=True))


SCHEMES: Mapping[str, Scheme] = {
    "equal": equal, "interleaved": interleaved, "concat": concat, "per_head": per_head, "falcon": falcon,
    "bigcode": bigcode, "sizes": sizes, "heads_of": heads_of, "linear_attention": linear_attention,
    "gated": gated, "after_attention": after_attention, "columns": columns, "undecided": undecided,
}


def split(scheme: str, lines: int, across: int, module: str, facts: Facts) -> Parts | str:
    """The parts of a fused tensor, or why it stays whole ("" where it is not fused).

    >>> split("equal gate up", 8, 4, "", Facts({}, {}))
    (('gate', Index(start=0, length=4, groups=1, period=0)), ('up', Index(start=4, length=4, groups=1, period=0)))
    """
    name, *parts = scheme.split()
    return SCHEMES[name](Fused(lines, across, module, tuple(parts), facts))
