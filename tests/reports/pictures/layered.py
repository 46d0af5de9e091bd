"""Panels over the layers, and what a figure of them shows."""

from dataclasses import replace

import numpy as np

from weightscope.columns import Curve, Panel

READERS = ("attn.q", "attn.k", "attn.v", "mlp.gate", "mlp.up")
WRITERS = ("attn.o", "mlp.down")
# excess kurtosis of MLP down and of others
MINILM = (1582.0, 136.0, 523.0, 71.0, 13.0, 16.0, 0.22, 0.3, 0.24, 0.7, 1.0, 1.2)


def group(role):
    """Whether a role reads the residual stream, writes to it, or neither."""
    if role in READERS:
        return "reader"
    return "writer" if role in WRITERS else "other"


def panel(series, title="std", unit="weight", outliers=(), x=None, source=""):
    """A panel of values by role; `outliers` are places in every series."""
    curves, values = [], {}
    for role, y in series.items():
        label = f"{source}: {role}"
        y = np.array(y, float)
        at = np.arange(len(y)) if x is None else x
        at = np.array(at, float)
        curves.append(Curve(label, at, y))
        if outliers:
            curves.append(Curve(label, at[list(outliers)], y[list(outliers)], "points"))
        values[label] = {"source": source, "name": role, "group": group(role)}
    return Panel(title, "depth", "layer", unit, tuple(curves), values=values)


def roles(names, layers=6, **options):
    """A panel of series that rise at different heights."""
    return panel(
        {name: i + 1 + np.arange(layers) / layers for i, name in enumerate(names)}, **options
    )


def joined(*panels):
    """One panel with the series of all."""
    values = {label: value for each in panels for label, value in each.values.items()}
    curves = tuple(curve for each in panels for curve in each.curves)
    return replace(panels[0], curves=curves, values=values)


def lines(ax):
    """The lines of a panel that have numbers, by label: not its rings, and not its zero."""
    return {line.get_label(): line for line in series_of(ax) if line.get_linestyle() != "None"}


def rings(ax):
    """The rings of a panel, by label."""
    return {line.get_label(): line for line in series_of(ax) if line.get_linestyle() == "None"}


def series_of(ax):
    """Lines and rings: what is drawn above the line of zero."""
    return [line for line in ax.lines if line.get_zorder() > 2]


def points(line):
    """The numbers of a line, without its gaps."""
    x, y = np.array(line.get_xdata()), np.array(line.get_ydata())
    return list(zip(x[np.isfinite(x)], y[np.isfinite(x)], strict=True))


def marked(line):
    """The layers of a line that have a mark."""
    return line.get_xdata()[line.get_markevery()].tolist()


def numbers(axis):
    """The numbers at an axis."""
    return [text.get_text() for text in axis.get_ticklabels()]


def legend(figure):
    """The lines of the legend: heading, then entries."""
    (drawn,) = figure.legends
    texts = [text.get_text() for text in drawn.get_texts()]
    down = len(texts) // drawn._ncols
    table = [texts[row::down] for row in range(down)]
    return [[words for words in line if words] for line in table]
