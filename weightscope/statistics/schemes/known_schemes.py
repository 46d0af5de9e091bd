"""The schemes that are named, in the order in which names are joined; a new one is one line below.

A small std for the matrices that write to the residual stream keeps its variance from growing with
the number of layers.
"""

from __future__ import annotations

from math import pi, sqrt

from .scheme import UNIFORM, Scheme, Setting

GPT2 = 0.02


def linear(s: Setting) -> float:
    """1/sqrt(fan_in): keeps the variance of a linear layer (LeCun et al. 1998)."""
    return 1 / sqrt(s.fan_in)


def xavier(s: Setting) -> float:
    """sqrt(2/(fan_in + fan_out)) (Glorot and Bengio 2010), torch.nn.init.xavier_normal_."""
    return sqrt(2 / (s.fan_in + s.fan_out))


def he(s: Setting) -> float:
    """sqrt(2/fan_in): keeps the variance before a ReLU (He et al. 2015), kaiming_normal_."""
    return sqrt(2 / s.fan_in)


def he_out(s: Setting) -> float:
    """sqrt(2/fan_out): the same of gradients, kaiming_normal_ with mode="fan_out"."""
    return sqrt(2 / s.fan_out)


def pytorch(s: Setting) -> float:
    """1/sqrt(3 fan_in): torch.nn.Linear and Conv2d, uniform between -+1/sqrt(fan_in)."""
    return 1 / sqrt(3 * s.fan_in)


def gpt2(s: Setting) -> float:
    """0.02, in matrices that write to the residual stream 0.02/sqrt(2L) (Radford et al. 2019)."""
    if s.writes:
        return GPT2 / sqrt(2 * s.layers)
    return GPT2


def small(s: Setting) -> float | None:
    """sqrt(2/(5d)), writers 2/(L sqrt d) (Nguyen and Salazar 2019; GPT-NeoX); None without d.

    >>> small(Setting(768, 3072, 768, 12, 0, writes=False)) == sqrt(2 / 5 / 768)
    True
    """
    if s.width is None:
        return None
    if s.writes:
        return 2 / (s.layers * sqrt(s.width))
    return sqrt(2 / (5 * s.width))


def lir(s: Setting) -> float:
    """target/sqrt(layer + 1): layer index rescaling (arXiv 2503.17500).

    >>> lir(Setting(64, 64, 64, 12, 3, writes=False))
    0.01
    """
    return s.target / sqrt(s.layer + 1)


def ibp(s: Setting) -> float:
    """sqrt(2 pi)/fan_in: keeps the width of interval bounds (Shi et al. 2021, arXiv 2103.17268)."""
    return sqrt(2 * pi) / s.fan_in


def orthogonal(s: Setting) -> float:
    """1/sqrt(max(m, n)): orthogonal rows or columns of gain 1 (Saxe et al. 2014), orthogonal_."""
    return 1 / sqrt(max(s.fan_in, s.fan_out))


def zero(s: Setting) -> float:
    """0: the last layer of a block that begins as the identity."""
    return 0.0


SCHEMES = (
    Scheme("linear", "1/sqrt(fan_in)", linear),
    Scheme("xavier", "sqrt(2/(fan_in + fan_out))", xavier),
    Scheme("he", "sqrt(2/fan_in)", he),
    Scheme("he_out", "sqrt(2/fan_out)", he_out),
    Scheme("pytorch", "1/sqrt(3 fan_in), uniform", pytorch, (UNIFORM,)),
    Scheme("gpt2", "0.02, writers 0.02/sqrt(2L)", gpt2),
    Scheme("small", "sqrt(2/(5d)), writers 2/(L sqrt d)", small),
    Scheme("lir", "target/sqrt(layer + 1)", lir, by_layer=True),
    Scheme("ibp", "sqrt(2 pi)/fan_in", ibp),
    Scheme("orthogonal", "orthogonal rows or columns", orthogonal, ()),
    Scheme("zero", "all elements 0", zero, ()),
)
BY_NAME = {scheme.name: scheme for scheme in SCHEMES}
