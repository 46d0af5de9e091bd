"""Schemes by which fused tensors are split: from the number of fused lines to index sets.

A rule names a scheme with its parts (`equal q k v`). A scheme returns the parts, or the missing
facts, or None if the tensor is not fused. Lines are rows of the matrix as (out, in), for
`columns` its columns.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping

from ..geometry import Index
from .facts import Facts
from .fused import EXPERTS, Answer, Fused, blocks, in_each, lack, needs, too_many

BESIDE = "the output projection beside it, or num_attention_heads and num_key_value_heads"
Scheme = Callable[[Fused], Answer]


def equal(fused: Fused) -> Answer:
    """Equal blocks, one after the other: GPT-2's c_attn, timm's qkv, gate and up halves."""
    size, left = divmod(fused.lines, len(fused.parts))
    if left or not size:
        return lack(
            "{lines} lines are not {parts} equal parts", lines=fused.lines, parts=len(fused.parts)
        )
    return blocks(fused.parts, [size] * len(fused.parts))


def interleaved(fused: Fused) -> Answer:
    """Lines in turn: even lines are gate, odd lines up in gpt-oss."""
    n = len(fused.parts)
    if fused.lines % n or not fused.lines:
        return lack("{lines} lines are not {parts} interleaved parts", lines=fused.lines, parts=n)
    return tuple((p, Index(i, 1, fused.lines // n, n)) for i, p in enumerate(fused.parts))


def concat(fused: Fused) -> Answer:
    """q, then k, then v, which are narrower if heads share them: Phi-3, MPT, InternLM, ChatGLM."""
    heads = fused.facts.number("heads")
    kv_heads = fused.facts.number("kv_heads") or heads
    if heads and fused.lines % (heads + 2 * kv_heads) == 0:
        head = fused.lines // (heads + 2 * kv_heads)
        if fused.facts.number("head_dim") in (0, head):
            shared = kv_heads * head
            return blocks(fused.parts, [heads * head, shared, shared])
    q = fused.facts.written_from(fused.module)
    rest = fused.lines - q
    if 0 < q < fused.lines <= 3 * q and rest % 2 == 0:
        return blocks(fused.parts, [q, rest // 2, rest // 2])
    return needs(BESIDE)


def per_head(fused: Fused) -> Answer:
    """View (heads, 3, d), q = [:, 0]: GPT-NeoX, BLOOM, Falcon-RW."""
    heads = fused.facts.number("heads")
    if not heads:
        return needs("num_attention_heads")
    head, left = divmod(fused.lines, 3 * heads)
    if left or not head:
        template = "{lines} lines are not 3 parts of {heads} heads"
        return lack(template, lines=fused.lines, heads=heads)
    return in_each(blocks(fused.parts, [head] * 3), heads, 3 * head)


def falcon(fused: Fused) -> Answer:
    """Falcon's three layouts, distinguished by new_decoder_architecture and multi_query."""
    heads = fused.facts.number("heads")
    if not heads:
        return needs("num_attention_heads, multi_query and new_decoder_architecture")
    if fused.facts.value("new_decoder_architecture") or fused.facts.model_type == "RefinedWeb":
        return _grouped(fused, heads, fused.facts.number("kv_heads") or heads)
    if fused.facts.value("multi_query") is False:
        return per_head(fused)
    head, left = divmod(fused.lines, heads + 2)
    if left:
        return lack("rows do not fit heads + 2")
    return blocks(fused.parts, [heads * head, head, head])


def _grouped(fused: Fused, heads: int, kv: int) -> Answer:
    """View (n_kv, n_h / n_kv + 2, d): the queries of a group, its key, its value."""
    share = heads // kv
    head, left = divmod(fused.lines, kv * (share + 2))
    if left or heads % kv:
        return lack("rows do not fit num_kv_heads")
    first = blocks(fused.parts, [share * head, head, head])
    return in_each(first, kv, (share + 2) * head)


def bigcode(fused: Fused) -> Answer:
    """GPT-BigCode: E, kv, kv concatenated when multi_query, else view (heads, 3 d)."""
    if (
        fused.across
        and fused.lines != 3 * fused.across
        and fused.facts.value("multi_query") is not False
    ):
        kv, left = divmod(fused.lines - fused.across, 2)
        if kv <= 0 or left:
            return lack("rows do not fit one shared key and value")
        return blocks(fused.parts, [fused.across, kv, kv])
    if fused.facts.model_type == "gpt_bigcode":
        return per_head(fused)
    return equal(fused)


def sizes(fused: Fused) -> Answer:
    """Blocks whose sizes config.json states: `sizes latent=kv_lora_rank rope`.

    The last block is the rest.
    """
    pairs, widths = _named(fused)
    if 0 in widths:
        return needs(", ".join(key for _, key in pairs[:-1]))
    width = sum(widths)
    rest = fused.lines - width
    if rest <= 0:
        template = "{lines} lines are too few for {width} and a rest"
        return lack(template, lines=fused.lines, width=width)
    return blocks(tuple(name for name, _ in pairs), [*widths, rest])


def heads_of(fused: Fused) -> Answer:
    """Blocks inside each head, sizes as in `sizes`: DeepSeek's kv_b is (n_h, d_nope + d_v)."""
    heads = fused.facts.number("heads")
    pairs, widths = _named(fused)
    if 0 in widths or not heads:
        keys = ", ".join(key for _, key in pairs[:-1])
        return needs(f"num_attention_heads, {keys}")
    period = fused.lines // heads
    width = sum(widths)
    if fused.lines % heads or period <= width:
        template = "{lines} lines are not {heads} heads of {width} and a rest"
        return lack(template, lines=fused.lines, heads=heads, width=width)
    names = tuple(name for name, _ in pairs)
    first = blocks(names, [*widths, period - width])
    return in_each(first, heads, period)


def _named(fused: Fused) -> tuple[list[tuple[str, str]], list[int]]:
    """Parts with the keys of their sizes (`latent=kv_lora_rank`); sizes of all but the last."""
    pairs = []
    for part in fused.parts:
        name, _, key = part.partition("=")
        pairs.append((name, key))
    widths = [fused.facts.number(key) for _, key in pairs[:-1]]
    return pairs, widths


def linear_attention(fused: Fused) -> Answer:
    """Qwen3-Next, grouped per key head, with r = n_v / n_k.

    q k v z is (d_k, d_k, r d_v, r d_v), and b a is (r, r).
    """
    number = fused.facts.number
    key_heads, value_heads = number("linear_num_key_heads"), number("linear_num_value_heads")
    d_k, d_v = number("linear_key_head_dim"), number("linear_value_head_dim")
    if not (key_heads and value_heads and d_k and d_v) or value_heads % key_heads:
        return needs("linear_num_key_heads, linear_num_value_heads and their head_dim")
    r = value_heads // key_heads
    if len(fused.parts) == 4:
        widths = [d_k, d_k, r * d_v, r * d_v]
    else:
        widths = [r, r]
    period = sum(widths)
    if period * key_heads != fused.lines:
        return lack("rows do not fit the linear attention heads of config.json")
    return in_each(blocks(fused.parts, widths), key_heads, period)


def gated(fused: Fused) -> Answer:
    """Halves where the matrix that reads them is half as wide; else the tensor is not fused.

    The first part names the reader: `^.Wo` beside the tensor, `^^.2` one module up.
    """
    path, *parts = fused.parts
    ups = path.count("^")
    parent = ".".join(fused.module.split(".")[:-ups])
    reader = parent + path.lstrip("^") + ".weight"
    width = fused.facts.columns(reader)
    if width == 0 or fused.lines != 2 * width:
        return None
    return blocks(tuple(parts), [width, width])


def after_attention(fused: Fused) -> Answer:
    """q, k, v of the width of the input, then the MLP: Flux's linear1."""
    rest = fused.lines - 3 * fused.across
    if not fused.across or rest <= 0:
        return lack("needs its weight beside it")
    return blocks(fused.parts, [fused.across] * 3 + [rest])


def columns(fused: Fused) -> Answer:
    """Columns: as many as there are rows read the attention, the others the MLP.

    Flux's linear2 and proj_out.
    """
    rows, cols = fused.across, fused.lines  # the sides change places: lines are columns here
    if cols <= rows:
        return lack("no MLP columns")
    return blocks(fused.parts, [rows, cols - rows])


def gated_stack(fused: Fused) -> Answer:
    """`gated` for stacks of experts (experts, out, in): the stack beside it reads the halves."""
    parent = fused.module.rpartition(".")[0]
    reader = fused.facts.shapes.get(f"{parent}.{fused.parts[0]}.weight", ())
    if len(reader) != 3 or fused.lines != 2 * reader[2]:
        return None
    return blocks(fused.parts[1:], [reader[2], reader[2]])


def flat_experts(fused: Fused) -> Answer:
    """Experts below each other in one matrix: DBRX."""
    experts, width = fused.facts.number("moe_num_experts"), fused.facts.number("ffn_hidden_size")
    if not experts or not width:
        return needs("moe_num_experts and ffn_hidden_size")
    if experts > EXPERTS:
        return too_many(experts)
    if experts * width != fused.lines:
        template = "{lines} lines are not {experts} experts of {width}"
        return lack(template, lines=fused.lines, experts=experts, width=width)
    return tuple((str(e), Index(e * width, width)) for e in range(experts))


def experts(fused: Fused) -> Answer:
    """A stack (experts, out, in) or (experts, in, out), which parts.py takes apart."""
    return None


def undecided(fused: Fused) -> Answer:
    """One name for several layouts: only model_type distinguishes BLOOM from Falcon."""
    if model_type := fused.facts.model_type:
        return lack("no layout is known for the model_type {model_type}", model_type=model_type)
    return needs("model_type")


def unordered(fused: Fused) -> Answer:
    """One name for several orders of the parts, which no model_type distinguishes."""
    return lack("programs differ in the order of the parts under this name")


SCHEMES: Mapping[str, Scheme] = {
    "equal": equal,
    "interleaved": interleaved,
    "concat": concat,
    "per_head": per_head,
    "falcon": falcon,
    "bigcode": bigcode,
    "sizes": sizes,
    "heads_of": heads_of,
    "linear_attention": linear_attention,
    "gated": gated,
    "after_attention": after_attention,
    "columns": columns,
    "undecided": undecided,
    "gated_stack": gated_stack,
    "unordered": unordered,
    "flat_experts": flat_experts,
    "columns_experts": flat_experts,
    "experts": experts,
}


def split(scheme: str, lines: int, across: int, module: str, facts: Facts) -> Answer:
    """The parts of a fused tensor, or why it stays whole; None where it is not fused.

    >>> parts = split("equal gate up", 8, 4, "", Facts({}, {}))
    >>> [(part, index.start, index.length) for part, index in parts]
    [('gate', 0, 4), ('up', 4, 4)]
    """
    name, *parts = scheme.split()
    return SCHEMES[name](Fused(lines, across, module, tuple(parts), facts))
