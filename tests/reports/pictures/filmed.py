"""Panels of a series, and what its animation shows."""

from io import BytesIO

import numpy as np
from PIL import Image

from weightscope.columns import FRAMES, INDEX, Curve, Panel

X = np.linspace(-4.0, 4.0, 61)


def law(step, wide=1.0, words=""):
    """A Gaussian of this std at a step."""
    return Curve(f"{step}{words}", X * wide, np.exp(-X * X / 2) / 2.5066 / wide)


def laws(widths, title="attn.q", steps=None, note=""):
    """A panel of Gaussians by their std over the steps."""
    steps = steps or [f"step {100 * i}" for i in range(len(widths))]
    curves = tuple(law(step, wide) for step, wide in zip(steps, widths, strict=True))
    return Panel(title, FRAMES, "weight / sigma of the first step", "density", curves, note=note)


def spectra(tops, title="attn.q", count=64):
    """A panel of singular values that fall from these largest ones."""
    ranks = np.arange(1.0, count + 1)
    curves = tuple(
        Curve(f"step {100 * i}", ranks, 1.0 - (ranks - 1) / count + top / ranks**2)
        for i, top in enumerate(tops)
    )
    return Panel(title, FRAMES, INDEX, "singular value / largest of the first step", curves)


def read(data):
    """The frames of a GIF in colours (height, width, 3), and the milliseconds of each."""
    image = Image.open(BytesIO(data))
    frames, durations = [], []
    for i in range(image.n_frames):
        image.seek(i)
        frames.append(np.asarray(image.convert("RGB")).astype(int))
        durations.append(image.info["duration"])
    return frames, durations


def plain(colour):
    """Red, green and blue of a colour of the style."""
    return np.array([int(colour[at : at + 2], 16) for at in (1, 3, 5)])


def blocks(data):
    """The kinds of the blocks of a GIF after its palette, up to its last byte."""
    place = 13 + (3 << (data[10] & 7) + 1)
    kinds = []
    while data[place : place + 1] != b";":
        if data[place : place + 1] == b",":
            kinds.append("image")
            assert not data[place + 9]  # neither a palette of its own nor interlaced
            place += 11
        else:
            assert data[place] == 0x21
            kinds.append({0xF9: "control", 0xFF: "application"}[data[place + 1]])
            place += 2
        while data[place]:
            place += data[place] + 1
        place += 1
    assert place == len(data) - 1
    return kinds
