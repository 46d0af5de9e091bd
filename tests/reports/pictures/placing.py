"""Where the words of a figure stand, without the pixels of a drawing."""

from matplotlib.backends.backend_agg import RendererAgg

RENDERER = RendererAgg(8, 8, dpi=144)  # one for all figures: it remembers the sizes of words


def place(figure):
    """Give everything the place that a drawing would; returns the box of all, in inches."""
    assert figure.dpi == RENDERER.dpi
    everything = figure.get_tightbbox(RENDERER)
    with RENDERER._draw_disabled():
        for legend in figure.legends:
            legend.draw(RENDERER)
    return everything


def box_of(text):
    """The box of a text that has its place, in pixels."""
    return text.get_window_extent(RENDERER)
