"""Pages of every picture with long names, each laid out once a process."""

from functools import cache

import numpy as np

from tests.reports.pictures.placing import place
from weightscope.columns import Curve, Panel
from weightscope.reports.pictures import figure_of

LONG = (
    "base_model.model.model.language_model.layers.{}.self_attn.q_proj.base_layer.weight"
    " of the model in memory, part"
)
DENSITY = ("weight / σ", "density")
SPECTRUM = ("singular value / noise edge", "relative density")
OUTLIERS = ("|w - mean| / std", "share ≥ x")


def density(title="attn.q", far=5.0, top=0.4):
    """Weights to `far` sigma, the Gaussian, the best law, and a mark."""
    x = np.linspace(-far, far, 41)
    y = top * np.maximum(np.exp(-x * x / 2), 1e-9)
    weights = Curve("weights: 50.0% zeros left out", x, y, "steps")
    return Panel(
        title,
        "density",
        *DENSITY,
        (weights, Curve("Gaussian", x, y), Curve("student_t ν = 4", x, y)),
        {"3 σ": 3.0},
    )


def spectrum(title="attn.q", far=6.0, least=0.01):
    """Bars to the edge and one at `far`, a law, spikes, and squares with shares from `least`."""
    bars = np.array([0, 0.5, 1, far, far * 1.2]), np.array([1, 0.6, 0, 0.1, 0])
    law, shares = np.linspace(0, 1, 20), np.geomspace(least, 1, 30)
    squares = far**2 * (shares / least) ** -1.5
    curves = (
        Curve("singular values: 90 of 128 are not zero", *bars, "steps"),
        Curve("Marchenko-Pastur law: no clean bulk", law, np.sqrt(1 - law**2)),
        Curve(f"spikes: 350 spikes, to {far:.3g}", np.array([far, 1.5]), np.zeros(2), "points"),
        Curve("squares", squares, shares, "points"),
        Curve("power law: alpha 1.67, not a power law", squares[:9], shares[:9]),
    )
    return Panel(title, "spectrum", *SPECTRUM, curves)


def outliers(title="attn.q", far=6.0, least=1e-5, shape=None, z=(175.0, 40.0, 6.0)):
    """A tail from 0.5 to `far` std, its law, and with a `shape` a map of three places."""
    share = np.geomspace(1, least, 40)
    law = np.linspace(0.5, 4.5, 20)
    curves = [
        Curve(f"weights: to {far:.3g} std", np.geomspace(0.5, far, 40), share, "points"),
        Curve("Gaussian: to 4.5 expected", law, np.exp(-law * law / 2)),
    ]
    if shape:
        at = np.arange(len(z))
        curves += [
            Curve("matrix", np.array((0, shape[1] - 1)), np.array((0, shape[0] - 1))),
            Curve("largest weights", at, at, "points"),
            Curve("their |z|", at, np.array(z), "points"),
            Curve(
                "beyond 4 robust std by column", np.arange(shape[1]), np.arange(shape[1]), "steps"
            ),
            Curve("beyond 4 robust std by row", np.arange(shape[0]), np.arange(shape[0]), "steps"),
        ]
    return Panel(title, "outliers", *OUTLIERS, tuple(curves))


def mapped(title="attn.q"):
    """With a map beside the tail."""
    return outliers(title, shape=(30_522, 384))


def change(title="attn.q", std=3.0, layer=None, delta=0.5):
    """A, a B of some std, their difference, and a bar in the layer that the title names."""
    x = np.linspace(-4.0, 4.0, 41)
    y = np.exp(-x * x / 2) / 2.5066
    curves = (
        Curve("A", x, y),
        Curve(f"B: std {std}", x * std, y / std),
        Curve("B - A: relative 0.000123", x / 2, y * 2),
    )
    numbers = [word for word in title.split(".") if word.isdigit()]
    values = {
        "stack": "encoder",
        "layer": int(numbers[0]) if numbers else layer,
        "role": "moe.expert.gate_up",
        "norm_a": 1.0,
        "delta_fro": delta,
    }
    return Panel(title, "change", "weight / sigma of A", "density", curves, values=values)


def depth(title="attn.q", layers=6):
    """Two series over the layers with long names, one of them with an outlier layer."""
    x, values, curves = np.arange(float(layers)), {}, []
    for source, role, group in (("a", "attn.q", "reader"), ("b", "mlp.down", "writer")):
        label = f"{source} {role}"
        curves.append(Curve(label, x, 0.05 + 0.01 * x))
        values[label] = {"source": LONG + source, "name": role, "group": group}
    curves.append(Curve(label, x[2:3], 0.05 + 0.01 * x[2:3], "points"))
    return Panel(title, "depth", "layer", "weight", tuple(curves), values=values)


def coupling(title="scales"):
    """Three vectors with long names on two index sets, one pair of them above its family point."""
    rho = np.array([[np.nan, 0.9, np.nan], [0.9, np.nan, np.nan], [np.nan, np.nan, np.nan]])
    values = {
        "names": ("mlp.up.rows", "mlp.down.cols", "cross.attn.key_projection.bias"),
        "sets": ("mlp_hidden", "mlp_hidden", "kv_heads"),
        "max_rho": rho,
        "family": np.where(np.isnan(rho), np.nan, 0.4),
    }
    return Panel(title, "coupling", values=values)


def layer_map(title="attn.q", layers=6):
    """Cosines of a role, two of whose layers are equal."""
    x = np.arange(float(layers))
    curves = []
    for layer in range(layers):
        heights = 0.01 * np.cos(x + layer)
        heights[layer] = np.nan
        curves.append(Curve(str(layer), x, heights))
    curves.append(Curve("0", x[1:2], np.ones(1), "points"))
    return Panel(title, "layer_map", "layer", "layer", tuple(curves), {"null": 0.001})


MAKERS = {
    "coupling": coupling,
    "density": density,
    "depth": depth,
    "layer_map": layer_map,
    "spectrum": spectrum,
    "outliers": outliers,
    "maps": mapped,
    "change": change,
}


def placed(panels):
    """The figure of some panels with everything at its place, and the box of all."""
    figure = figure_of(panels)
    return figure, place(figure)


@cache
def page_of(kind, count):
    """The page of some panels of one kind with long names, and the box of all on it.

    Several tests look at it, none changes it.
    """
    return placed([MAKERS[kind](LONG.format(i)) for i in range(count)])
