"""Very small models in memory, steps of a training from them, and their comparisons."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import torch

from weightscope import api
from weightscope.reports.report import Report

Tensors = dict[str, torch.Tensor]
Q, UP = "model.layers.0.self_attn.q_proj.weight", "model.layers.1.mlp.up_proj.weight"
NORM, EMBED = "model.norm.weight", "model.embed_tokens.weight"
SHAPES = {EMBED: (40, 16), Q: (24, 16), UP: (32, 16), NORM: (16,)}
NUMBERS = ("tensor", "relative", "cosine", "status", "relation", "change")


def drawn(seed: int, size: float = 1.0, shapes: Mapping[str, tuple[int, ...]] = SHAPES) -> Tensors:
    """Gaussian tensors of this standard deviation."""
    generator = torch.Generator().manual_seed(seed)
    return {name: size * torch.randn(shape, generator=generator) for name, shape in shapes.items()}


BASE = drawn(0)


def plus(tensors: Tensors, *changes: Tensors) -> Tensors:
    """The sums of tensors of one name."""
    found = dict(tensors)
    for change in changes:
        found = {name: tensor + change[name] for name, tensor in found.items()}
    return found


def tuned(seed: int, size: float = 0.1) -> Tensors:
    """The base with noise of this size."""
    return plus(BASE, drawn(seed, size))


def typed(tensors: Tensors, dtype: torch.dtype) -> Tensors:
    """The tensors rounded to a type."""
    return {name: tensor.to(dtype) for name, tensor in tensors.items()}


def walk(count: int, size: float = 0.1) -> list[Tensors]:
    """Steps that each add noise to the one before."""
    steps = [BASE]
    while len(steps) < count:
        steps.append(plus(steps[-1], drawn(100 + len(steps), size)))
    return steps


def ask(sources: Sequence[Any], **keywords: Any) -> Report:
    """The report without a picture."""
    return api.ask("compare", list(sources), {"panels": False, **keywords})


def said(report: Report) -> str:
    """The sentences above the table, a line each."""
    return "\n".join(report.provenance.get("verdict", []))


STEP = ("source", "step", "against")
NAMES = ("tensor", "tensor_b")


def equal_to_pairs(
    sources: Sequence[Any], ignore: Sequence[str] = (), key: Sequence[str] = ("tensor",), **options
) -> Report:
    """Asserts that each row of a series is that of `compare` of the two alone; returns the report.

    `key` are the columns that name a row, `ignore` columns that name the models.
    """
    report = ask(sources, **options)
    expected = []
    for b in range(1, len(sources)):
        for against, a in (("first", 0), ("previous", b - 1)):
            if b == 1 and against == "previous":
                continue
            expected += [(b, against, row) for row in ask([sources[a], sources[b]], **options).rows]
    found = {(row["step"], row["against"], *(row[k] for k in key)): row for row in report.rows}
    assert len(found) == len(report.rows) == len(expected)
    for b, against, alone in expected:
        row = dict(found[b, against, *(alone[k] for k in key)])
        for name in STEP:
            del row[name]
        dropped = dict.fromkeys(ignore)
        assert {**row, **dropped} == {**alone, **dropped}
    return report
