"""The words of a split, checked without a tensor: a known scheme and the parts that it needs.

A scheme applies only where a name matches, so a mistake in its parts would remain unnoticed in one
checkpoint and stop the run in another.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from .splits import SCHEMES

MOST = 64  # parts of one tensor


@dataclass(frozen=True)
class Words:
    """What follows the name of a scheme."""

    counts: Sequence[int]  # how many words may follow
    example: str
    keyed: bool = False  # each part but the last has the key of its size
    path: bool = False  # the first word is the path of the matrix that reads the parts


_MANY = Words(range(2, MOST + 1), "q k v")
_QKV = Words((3,), "q k v")
_KEYED = Words(range(2, MOST + 1), "latent=kv_lora_rank rope", keyed=True)
_NONE = Words((0,), "")
_UNUSED = Words(range(MOST + 1), "")
WORDS = {
    "equal": _MANY,
    "interleaved": _MANY,
    "concat": _QKV,
    "per_head": _QKV,
    "falcon": _QKV,
    "bigcode": _QKV,
    "sizes": _KEYED,
    "heads_of": _KEYED,
    "linear_attention": Words((2, 4), "q k v z"),
    "gated": Words((3,), "^.Wo gate up", path=True),
    "after_attention": Words((4,), "q k v mlp"),
    "columns": Words((2,), "attn mlp"),
    "undecided": _UNUSED,
    "unordered": _UNUSED,
    "gated_stack": Words((3,), "output_linear gate up"),
    "flat_experts": _NONE,
    "columns_experts": _NONE,
    "experts": _NONE,
}


def expected(text: str) -> str:
    """What a split should be, "" for one that is right.

    >>> expected("equal gate up"), expected("")
    ('', '')
    >>> expected("equal")
    '`equal` with different parts, as in `equal q k v`'
    """
    if not text:
        return ""
    scheme, *parts = text.split() or [""]
    if scheme not in WORDS:
        return "a scheme of " + ", ".join(sorted(SCHEMES))
    words = WORDS[scheme]
    if _fits(words, parts):
        return ""
    if not words.example:
        return f"`{scheme}` without parts"
    return f"`{scheme}` with different parts, as in `{scheme} {words.example}`"


def _fits(words: Words, parts: Sequence[str]) -> bool:
    """Whether the words that follow a scheme are those that it reads."""
    if len(parts) not in words.counts:
        return False
    if words.path and not parts[0].startswith("^"):
        return False
    names = []
    keys = []
    for part in parts:
        name, _, key = part.partition("=")
        names.append(name)
        keys.append(key)
    if words.keyed:
        return all(keys[:-1]) and all(names) and len(set(names)) == len(names)
    return not any("=" in part for part in parts) and len(set(names)) == len(names)
