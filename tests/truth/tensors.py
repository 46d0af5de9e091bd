"""Constructed tensors: laws, structures, shapes and stored types that definitions differ on."""

from __future__ import annotations

from collections.abc import Callable, Iterator

import numpy as np
import torch
from numpy.typing import NDArray

from .storing import TYPES

Array = NDArray[np.float64]
Draw = Callable[[np.random.Generator, tuple[int, int]], Array]
SIGMA = 0.03
SHAPES = ((64, 64), (40, 96), (130, 48))
TINY = ((1, 1), (1, 7), (2, 2), (3, 5), (5, 3), (2, 40), (17, 1))
VECTORS = (1, 2, 5, 64, 1500)
WIDE = (260, 300)  # more than 65,536 elements: float32 is counted in wide cells


def _gaussian(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return SIGMA * rng.standard_normal(shape)


def _student(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return SIGMA * rng.standard_t(3, shape)


def _generalised(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    signs = rng.choice([-1.0, 1.0], shape)
    return SIGMA * signs * rng.gamma(1 / 0.6, size=shape) ** (1 / 0.6)


def _mixture(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    wide = rng.random(shape) < 0.05
    return np.where(wide, 8 * SIGMA, SIGMA) * rng.standard_normal(shape)


def _lattice(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return 0.0078125 * rng.integers(-20, 21, shape)


def _codebook(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return rng.choice(np.array([-0.11, -0.03, 0.02, 0.07, 0.13]), shape)


def _dead_lines(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = _gaussian(rng, shape)
    values[:: max(2, shape[0] // 3)] = 0
    values[:, -1] = 0
    return values


def _duplicates(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = _gaussian(rng, shape)
    values[2] = values[0]
    values[-1] = values[0]
    values[3] = 0.25
    return values


def _uneven_rows(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return _gaussian(rng, shape) * np.exp(0.6 * rng.standard_normal((shape[0], 1)))


def _low_rank(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return SIGMA * rng.standard_normal((shape[0], 4)) @ rng.standard_normal((4, shape[1]))


def _spiked(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    direction = np.outer(rng.standard_normal(shape[0]), rng.standard_normal(shape[1]))
    return _gaussian(rng, shape) + 0.5 * SIGMA * direction


def _far_weight(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = _gaussian(rng, shape)
    values[1, 2] = 70 * SIGMA
    return values


def _far_rows(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = _gaussian(rng, shape)
    values[4] *= 9
    values[:, 5] *= 0.1
    return values


def _sparse(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return np.where(rng.random(shape) < 0.4, 0.0, _gaussian(rng, shape))


def _two_of_four(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = _gaussian(rng, shape)
    values[:, 0::4] = 0
    values[:, 3::4] = 0
    return values


def _one_sign(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = _gaussian(rng, shape)
    values[0] = np.abs(values[0]) + 1e-3
    values[1] = -np.abs(values[1]) - 1e-3
    return values


def _nonfinite(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = _gaussian(rng, shape)
    values[0, 1] = np.nan
    values[2, 2] = np.inf
    values[2, 3] = -np.inf
    return values


def _padded(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    values = _gaussian(rng, shape)
    values[-8:] = 0
    return values


def _identity(rng: np.random.Generator, shape: tuple[int, int]) -> Array:
    return np.eye(*shape) + 0.01 * rng.standard_normal(shape)


LAWS: dict[str, Draw] = {
    "gaussian": _gaussian,
    "laplace": lambda rng, shape: rng.laplace(0, SIGMA, shape),
    "uniform": lambda rng, shape: rng.uniform(-SIGMA, SIGMA, shape),
    "logistic": lambda rng, shape: rng.logistic(0, SIGMA, shape),
    "student": _student,
    "generalised": _generalised,
    "mixture": _mixture,
    "skewed": lambda rng, shape: SIGMA * rng.gamma(2, size=shape),
    "shifted": lambda rng, shape: 1 + _gaussian(rng, shape),
    "small": lambda rng, shape: 1e-4 * _gaussian(rng, shape),
    "lattice": _lattice,
    "codebook": _codebook,
    "dead lines": _dead_lines,
    "duplicates": _duplicates,
    "uneven rows": _uneven_rows,
    "low rank": _low_rank,
    "spiked": _spiked,
    "far weight": _far_weight,
    "far rows": _far_rows,
    "sparse": _sparse,
    "2:4": _two_of_four,
    "one sign": _one_sign,
    "nonfinite": _nonfinite,
    "padded": _padded,
    "identity": _identity,
    "constant": lambda rng, shape: np.full(shape, 0.5),
    "zero": lambda rng, shape: np.zeros(shape),
}
NF4 = (-1, -0.6961928, -0.52507305, -0.39491749, -0.28444138, -0.18477343, -0.09105004, 0)
NF4 += (0.0795803, 0.1609302, 0.2461123, 0.33791524, 0.44070983, 0.562617, 0.72295684, 1)
QUANTISED = ((48, 256), (40, 512))


def _integers(values: Array, most: int) -> Array:
    scale = np.abs(values).max(-1, keepdims=True) / most
    return np.rint(values / scale) * scale


def _nf4(values: Array) -> Array:
    peak = np.abs(values).max(-1, keepdims=True)
    nearest = np.abs((values / peak)[..., None] - np.array(NF4)).argmin(-1)
    return np.asarray(np.array(NF4)[nearest] * peak)


def _narrowed(kind: str) -> Callable[[Array], Array]:
    return lambda values: torch.from_numpy(values).to(TYPES[kind]).to(torch.float64).numpy()


# What rounds a Gaussian before it is stored, and how many weights of a row share a scale.
ROUNDED: dict[str, tuple[Callable[[Array], Array], int | None]] = {
    "int8 per row": (lambda values: _integers(values, 127), None),
    "int4 per row": (lambda values: _integers(values, 7), None),
    "int4 g64": (lambda values: _integers(values, 7), 64),
    "int8 g128": (lambda values: _integers(values, 127), 128),
    "nf4 g64": (_nf4, 64),
    "BF16": (_narrowed("BF16"), None),
    "F16": (_narrowed("F16"), None),
    "none": (lambda values: values, None),
}
WIDE_LAWS = ("gaussian", "laplace", "student", "shifted", "sparse", "nonfinite")


def constructed() -> Iterator[tuple[str, torch.Tensor]]:
    """Names and tensors, the same in every run: each law in two shapes and all types."""
    number = 0
    for law in LAWS:
        for kind in TYPES:
            shape = SHAPES[number % len(SHAPES)]
            yield f"{number}", _tensor(law, shape, kind, number)
            number += 1
    for shape in TINY:
        for kind in ("F32", "BF16"):
            yield f"{number}", _tensor("gaussian", shape, kind, number)
            number += 1
    for length in VECTORS:
        for kind in ("F32", "F16", "BF16"):
            yield f"{number}", _tensor("shifted", (1, length), kind, number)[0]
            number += 1
    for law in WIDE_LAWS:
        yield f"{number}", _tensor(law, WIDE, "F32", number)
        number += 1
    yield from _rounded(number)


def _rounded(number: int) -> Iterator[tuple[str, torch.Tensor]]:
    """Each quantiser in two stored types, the second of them twice."""
    for law in ROUNDED:
        for kind, shape in zip(("F32", "F16"), QUANTISED, strict=True):
            values, (rounding, length) = (
                _gaussian(np.random.default_rng(number), shape),
                ROUNDED[law],
            )
            groups = values.reshape(shape[0], -1, length or shape[1])
            tensor = torch.from_numpy(rounding(groups).reshape(shape)).to(TYPES[kind])
            yield f"{number}", tensor
            number += 1
        yield f"{number}", tensor.clone()
        number += 1


def _tensor(law: str, shape: tuple[int, int], kind: str, seed: int) -> torch.Tensor:
    values = LAWS[law](np.random.default_rng(seed), shape)
    if kind.startswith("F8") and law not in ("constant", "zero", "nonfinite"):
        values = values * 8  # above the subnormals of the type
    return torch.from_numpy(values).to(TYPES[kind])
