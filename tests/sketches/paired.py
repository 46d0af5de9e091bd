"""Pairs of matrices of any two types for the tests of measures that see two entries."""

from __future__ import annotations

from itertools import product

import numpy as np
import torch

from weightscope.dtypes import DTYPES

HELD = [name for name, kind in DTYPES.items() if kind.kind != "none"]
WORDS = [name for name, kind in DTYPES.items() if kind.kind == "none"]
LAYOUTS = list(product((False, True), repeat=2))


def examples(lab):
    return [measure for several in lab.PAIRED_EXAMPLES.values() for measure in several]


def made(lab, of_a, of_b, shape, seed, flavour, stack=1):
    """A and B; `alike`: some elements equal, some NaN or Inf on one side or both."""
    if flavour != "alike":
        if flavour == "normal":
            x = np.random.default_rng(seed).normal(0.5, 1.0, (2, stack, *shape))
            return stored(lab, of_a, x[0]), of_a, stored(lab, of_b, x[1]), of_b
        a = lab.matrices(of_a, shape, seed, flavour, stack)
        b = lab.matrices(of_b, shape, seed + 1, flavour, stack)
        return a, of_a, b, of_b
    rng = np.random.default_rng(seed)
    x = rng.choice([0.0, -0.0, 1.0, -1.5, 2.0, np.nan, np.inf], (stack, *shape))
    y = np.where(rng.random(x.shape) < 0.8, x, rng.permutation(x.ravel()).reshape(x.shape))
    return stored(lab, of_a, x), of_a, stored(lab, of_b, y), of_b


def stored(lab, dtype, x):
    """Values in a type: of integers the finite ones, of codes their nearest pattern."""
    kind = DTYPES[dtype]
    if kind.kind == "float" or dtype in lab.FLOAT8:
        return lab.numbers(dtype, x)
    whole_numbers = np.abs(np.where(np.isfinite(x), x, 0)).astype(np.int64)
    return torch.from_numpy(whole_numbers).to(getattr(torch, kind.store))


def turned(pair, of_a: bool, of_b: bool):
    """The pair with A, B or both stored column-major."""
    a, type_a, b, type_b = pair
    if of_a:
        a = a.mT.contiguous().mT
    if of_b:
        b = b.mT.contiguous().mT
    return a, type_a, b, type_b


def differing(lab, pair):
    """Which elements differ: of one type by their words, else as values."""
    a, of_a, b, of_b = pair
    if of_a == of_b:
        width = a.element_size()
        words = [
            x.contiguous().numpy().view(f"u{width}")
            for x in (a.view(integers(a)), b.view(integers(b)))
        ]
        return (words[0] != words[1])[0]
    x, y = lab.values(of_a, a)[0], lab.values(of_b, b)[0]
    return (x != y) & ~(np.isnan(x) & np.isnan(y))


def integers(x):
    return getattr(torch, {1: "uint8", 2: "int16", 4: "int32", 8: "int64"}[x.element_size()])
