"""Where the words of a figure stand, without the pixels of a drawing."""

from functools import cache

from matplotlib.backends.backend_agg import RendererAgg


@cache
def renderer(dpi):
    """One for all figures: it remembers the sizes of words."""
    return RendererAgg(8, 8, dpi)


def place(figure):
    """Give everything the place that a drawing would; returns the box of all, in inches."""
    everything = box_of_all(figure)
    measuring = renderer(figure.dpi)
    with measuring._draw_disabled():
        for legend in figure.legends:
            legend.draw(measuring)
    return everything


def box_of_all(figure):
    """The box of everything, in inches."""
    return figure.get_tightbbox(renderer(figure.dpi))


def box_of(text):
    """The box of a text that has its place, in pixels."""
    return text.get_window_extent(renderer(text.figure.dpi))
