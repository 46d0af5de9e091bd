"""The closed list of roles, with the kind, the index sets and the roles of the parts of each.

A rule may name only these roles; groups such as `ssm.*` are open below their first word. A bias has
the role of its matrix with `.bias`; the bias of a matrix of unknown role is `bias`.
"""

from __future__ import annotations

ROLES = frozenset(
    (
        "embed",
        "position",
        "head",
        "norm",
        "bias",
        "attn.q",
        "attn.k",
        "attn.v",
        "attn.qkv",
        "attn.o",
        "mlp.gate",
        "mlp.up",
        "mlp.down",
        "mlp.gate_up",
        "moe.router",
        "moe.expert.gate",
        "moe.expert.up",
        "moe.expert.down",
        "moe.expert.gate_up",
        "conv",
        "conv.depthwise",
        "conv.shortcut",
        "linear",
        "rnn.input",
        "rnn.hidden",
        "modulation",
        "lora",
        "lora.a",
        "lora.b",
        "buffer",
        "optimizer",
        "unknown",
    )
)
OPEN = ("attn.mla.", "linattn.", "ssm.", "rwkv.")
KINDS = frozenset(("matrix", "conv", "embedding", "norm", "bias", "router", "buffer"))

_KINDS = {
    "embed": "embedding",
    "position": "embedding",
    "norm": "norm",
    "bias": "bias",
    "moe.router": "router",
    "buffer": "buffer",
    "optimizer": "buffer",
    "conv": "conv",
    "conv.depthwise": "conv",
    "conv.shortcut": "conv",
}
_SETS = {  # (rows, columns) of the matrix as (out, in)
    "embed": ("vocab", "residual"),
    "head": ("vocab", "residual"),
    "norm": ("", "residual"),
    "position": ("", "residual"),
    "attn.q": ("heads", "residual"),
    "attn.k": ("kv_heads", "residual"),
    "attn.v": ("kv_heads", "residual"),
    "attn.qkv": ("", "residual"),
    "attn.o": ("residual", "heads"),
    "mlp.gate": ("mlp_hidden", "residual"),
    "mlp.up": ("mlp_hidden", "residual"),
    "mlp.down": ("residual", "mlp_hidden"),
    "mlp.gate_up": ("", "residual"),
    "moe.router": ("experts", "residual"),
    "moe.expert.gate": ("mlp_hidden", "residual"),
    "moe.expert.up": ("mlp_hidden", "residual"),
    "moe.expert.down": ("residual", "mlp_hidden"),
    "moe.expert.gate_up": ("", "residual"),
}
_PARTS = {
    "attn.qkv": {"q": "attn.q", "k": "attn.k", "v": "attn.v", "mlp": "mlp.up"},
    "attn.o": {"attn": "attn.o", "mlp": "mlp.down"},
    "mlp.gate_up": {"gate": "mlp.gate", "up": "mlp.up"},
    "mlp.up": {"gate": "mlp.gate", "up": "mlp.up"},
    "moe.expert.gate_up": {"gate": "moe.expert.gate", "up": "moe.expert.up"},
    "moe.expert.up": {"gate": "moe.expert.gate", "up": "moe.expert.up"},
}


def is_role(text: str) -> bool:
    """Whether a rule may name it.

    >>> is_role("attn.q"), is_role("ssm.in_proj"), is_role("attention")
    (True, True, False)
    """
    if text in ROLES:
        return True
    return any(text.startswith(group) and text != group for group in OPEN)


def kind_of(role: str) -> str:
    """The kind that follows from a role without its `.bias`."""
    return _KINDS.get(role, "matrix")


def sets_of(role: str) -> tuple[str, str]:
    """Index sets of rows and columns; "" where the role does not determine them."""
    return _SETS.get(role, ("", ""))


def part_role(role: str, part: str) -> str:
    """Role of one part, "" without one of its own.

    >>> part_role("attn.qkv", "q"), part_role("mlp.up", "up"), part_role("ssm.in_proj", "z")
    ('attn.q', 'mlp.up', '')
    """
    return _PARTS.get(role, {}).get(part, "")
