"""A small language model, and copies of it with one kind of change planted in each."""

from __future__ import annotations

import torch

from weightscope import api

LAYERS, WIDTH, TOKENS = 4, 32, 200
ROLES = ("attn.q", "attn.k", "attn.v", "attn.o", "mlp.up", "mlp.down", "norm", "embed", "head")


def model(seed: int = 0, layers: int = LAYERS, width: int = WIDTH) -> dict[str, torch.Tensor]:
    """A small language model of Gaussian weights, with untied tables."""
    generator = torch.Generator().manual_seed(seed)

    def draw(*shape):
        return 0.02 * torch.randn(*shape, generator=generator)

    tensors = {"model.embed_tokens.weight": draw(TOKENS, width)}
    for layer in range(layers):
        prefix = f"model.layers.{layer}."
        for part in "qkvo":
            tensors[f"{prefix}self_attn.{part}_proj.weight"] = draw(width, width)
        tensors[f"{prefix}mlp.up_proj.weight"] = draw(2 * width, width)
        tensors[f"{prefix}mlp.down_proj.weight"] = draw(width, 2 * width)
        tensors[f"{prefix}input_layernorm.weight"] = 1 + draw(width)
    tensors["model.norm.weight"] = 1 + draw(width)
    tensors["lm_head.weight"] = draw(TOKENS, width)
    return tensors


A = model()
MATRICES = LAYERS * 6 + 1


def changed(where, by) -> dict[str, torch.Tensor]:
    """The model with `by(tensor)` added where the name has one of the texts."""
    generator = torch.Generator().manual_seed(99)
    tensors = {}
    for name, tensor in A.items():
        is_changed = any(text in name for text in where)
        tensors[name] = tensor + by(tensor, generator) if is_changed else tensor.clone()
    return tensors


def noise(size: float):
    """A full-rank change of this standard deviation."""
    return lambda tensor, generator: size * torch.randn(tensor.shape, generator=generator)


def adapter(rank: int):
    """A change of low rank."""

    def by(tensor, generator):
        up = torch.randn(len(tensor), rank, generator=generator)
        return 2e-3 * up @ torch.randn(rank, tensor.shape[1], generator=generator)

    return by


def rows_changed(count: int) -> dict[str, torch.Tensor]:
    """The model with some new rows in its table of tokens."""
    tensors = dict(A)
    table = tensors["model.embed_tokens.weight"].clone()
    table[-count:] = 0.02 * torch.randn(count, WIDTH, generator=torch.Generator().manual_seed(5))
    return tensors | {"model.embed_tokens.weight": table}


def leaning(cosine: float) -> dict[str, torch.Tensor]:
    """Tensors at about this cosine to those of A."""
    other = model(1)
    return {name: cosine * A[name] + (1 - cosine**2) ** 0.5 * other[name] for name in A}


def compare(a, b, **keywords):
    """The report of two dicts of tensors."""
    return api.ask("compare", [a, b], {"panels": False, **keywords})


KIND = ("tensor", "role", "status", "relation", "change")


def kinds(report) -> dict[str, str]:
    """The kind of change of each role."""
    by_role = {row["role"]: set() for row in report.rows}
    for row in report.rows:
        by_role[row["role"]].add(row["change"])
    assert all(len(names) == 1 for names in by_role.values())
    return {role: names.pop() for role, names in by_role.items()}


LOW = ("q_proj", "v_proj")
PLANTED = {
    "identical": ({k: v.clone() for k, v in A.items()}, "all 31 tensors are equal", {}),
    "retyped": (
        {k: v.bfloat16() for k, v in A.items()},
        "31 of 31 tensors equal after rounding",
        dict.fromkeys(ROLES, "retyped"),
    ),
    "low_rank": (
        changed(LOW, adapter(4)),
        "the changes of 8 of 8 tensors have a low rank",
        {"attn.q": "low_rank", "attn.v": "low_rank"},
    ),
    "few_rows": (rows_changed(10), "10 of 200 rows of tables changed", {"embed": "few_rows"}),
    "targeted": (
        changed(("down_proj",), noise(1e-3)),
        "1 of 9 roles changed: mlp.down",
        {"mlp.down": "broad"},
    ),
    "targeted in layers": (
        changed((".layers.1.", ".layers.2."), noise(1e-3)),
        "2 of 4 layers changed: 1-2",
        dict.fromkeys(("attn.q", "attn.k", "attn.v", "attn.o", "mlp.up", "mlp.down"), "targeted")
        | {"norm": "targeted"},
    ),
    "targeted by a table": (
        rows_changed(11),
        "1 of 9 roles changed: embed",
        {"embed": "broad"},
    ),
    "broad": (
        changed(("",), noise(1e-3)),
        "31 of 31 tensors changed (100%)",
        dict.fromkeys(ROLES, "broad"),
    ),
    "retrained": (model(1), "median cosine", dict.fromkeys(ROLES, "retrained")),
    "undecided": (leaning(0.06), "median cosine 0.0", {}),
    "other_architecture": (
        model(0, layers=1),
        "54% of the parameters of A have no partner",
        {},
    ),
}
