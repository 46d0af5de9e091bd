"""A film as an animated GIF: axes and references are drawn once, then the changes of each step.

All frames have one palette, that of their most frequent colours. A frame stores the pixels that
differ from those of the frame before it; the others are transparent. Equal films give equal bytes.

Pillow encodes each frame as an image, whose blocks are joined here: its own writer of animations
keeps all frames in memory, 480 MB for 154 pages of 24 panels against 190 MB.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from io import BytesIO
from typing import TYPE_CHECKING, Any, BinaryIO

from ...lazy import PillowImage, matplotlib_agg
from ...lazy import numpy as np
from .frames import Film

if TYPE_CHECKING:
    from numpy.typing import NDArray

TRANSPARENT = 255  # the entry of the palette for pixels that do not change
BITS = 5  # of each channel tell colours apart: edges have hundreds of shades
CELLS = 1 << 3 * BITS
SAMPLES = 8  # frames that the palette is made of
# milliseconds
SHORTEST, LONGEST = 500, 1000  # a step of many and of few
LOOP = 6000  # a loop of few steps
LAST = 2000
# parts of the format
SCREEN, LOOPS, END = 13, 19, b";"  # bytes of the version with the size, bytes of the loops


def write(film: Film, stream: BinaryIO) -> None:
    """Writes a frame per step; leaves the film at its last one."""
    count = len(film.steps)
    sampled = np.unique(np.linspace(0, count - 1, SAMPLES).round().astype(int))
    colours, entries = _palette(pixels(film, sampled))
    frames = _changes(entries[_cells(frame)] for frame in pixels(film, range(count)))
    for number, (frame, duration) in enumerate(zip(frames, durations(count), strict=True)):
        encoded = _encoded(frame, colours, duration)
        if number:
            encoded = encoded[_head(encoded) :]
        stream.write(encoded.removesuffix(END))
    stream.write(END)


def durations(count: int) -> list[int]:
    """Milliseconds of each of `count` steps: the last is held longer.

    >>> durations(3), durations(8)[-2:], durations(20)[-2:]
    ([1000, 1000, 2000], [750, 2000], [500, 2000])
    """
    usual = min(LONGEST, max(SHORTEST, LOOP // count))
    usual -= usual % 10  # the unit of the format
    return [usual] * (count - 1) + [LAST]


def pixels(film: Film, numbers: Iterable[int]) -> Iterator[NDArray[np.uint8]]:
    """The page at each of the steps with these numbers: (height, width, 3)."""
    canvas = matplotlib_agg.FigureCanvasAgg(film.figure)
    for artist in film.artists:
        artist.set_animated(True)  # the page is drawn without it
    canvas.draw()
    page = canvas.copy_from_bbox(film.figure.bbox)
    renderer = canvas.get_renderer()
    for number in numbers:
        film.show(int(number))
        canvas.restore_region(page)
        for artist in film.artists:
            artist.draw(renderer)
        yield np.asarray(canvas.buffer_rgba())[:, :, :3].copy()
    for artist in film.artists:
        artist.set_animated(False)


def _cells(frame: NDArray[np.uint8]) -> NDArray[np.uint16]:
    """The leading bits of the colour of each pixel as one number."""
    levels = frame >> np.uint8(8 - BITS)
    cells = np.zeros(frame.shape[:2], np.uint16)
    for channel in range(3):
        cells <<= np.uint16(BITS)
        cells |= levels[:, :, channel]
    return cells


def _palette(frames: Iterable[NDArray[np.uint8]]) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The colours of a palette (256, 3), and the entry of each cell."""
    counts = np.zeros(CELLS)
    sums = np.zeros((CELLS, 3))
    for frame in frames:
        cells = _cells(frame).ravel()
        counts += np.bincount(cells, minlength=CELLS)
        for i in range(3):
            sums[:, i] += np.bincount(cells, frame[:, :, i].ravel(), CELLS)
    order = np.argsort(-counts, kind="stable")[:TRANSPARENT]
    frequent = order[counts[order] > 0]
    colours = np.round(sums[frequent] / counts[frequent, None])
    palette = np.full((TRANSPARENT + 1, 3), 255, np.uint8)
    palette[: len(colours)] = colours
    return palette, _nearest(colours)


def _nearest(colours: NDArray[np.float64]) -> NDArray[np.uint8]:
    """The entry of the nearest of the colours for the middle of each cell."""
    cells = np.arange(CELLS)
    mask = (1 << BITS) - 1
    levels = [cells >> 2 * BITS, (cells >> BITS) & mask, cells & mask]
    middles = (np.stack(levels, axis=1) + 0.5) * (1 << 8 - BITS)
    # |a - b|^2 without |a|^2, which is the same for all colours: whole numbers, exact in float32
    sizes = (colours**2).sum(axis=1).astype(np.float32)
    distances = sizes - (2 * middles).astype(np.float32) @ colours.T.astype(np.float32)
    entries: NDArray[np.uint8] = distances.argmin(axis=1).astype(np.uint8)
    return entries


def _changes(frames: Iterable[NDArray[np.uint8]]) -> Iterator[NDArray[np.uint8]]:
    """The first frame, then the entries that differ from those of the frame before."""
    before: Any = None
    for frame in frames:
        if before is None:
            yield frame
        else:
            yield np.where(frame == before, np.uint8(TRANSPARENT), frame)
        before = frame


def _encoded(frame: NDArray[np.uint8], palette: NDArray[np.uint8], duration: int) -> bytes:
    """A frame as a GIF of one image: the head, its blocks and the end."""
    image = PillowImage.fromarray(frame)
    image.putpalette(palette.tobytes())
    file = BytesIO()
    image.save(
        file,
        format="GIF",
        loop=0,  # forever
        duration=duration,
        disposal=1,  # it is drawn upon the frame before it
        transparency=TRANSPARENT,
        optimize=False,
        interlace=False,
    )
    return file.getvalue()


def _head(encoded: bytes) -> int:
    """The length of the head of a GIF: size, palette and number of loops."""
    palette = 3 << (encoded[10] & 7) + 1
    return SCREEN + palette + LOOPS
