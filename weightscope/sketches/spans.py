"""float64 thresholds as intervals of another float type, with the same results of comparisons.

So the elements of a tile are compared in their own type, without a conversion to float64.
"""

from __future__ import annotations

from math import copysign

from ..lazy import numpy as np

Edge = tuple[float, float]  # centre and reach: beyond means |w - centre| > reach
Span = tuple[float, float]  # the smallest and the largest number that are not beyond an edge


def span(edge: Edge, float_type: type[np.floating]) -> Span:
    """The smallest and the largest number of a float type that are not beyond an edge.

    Found by bisection of their words, whose order is that of the numbers.

    >>> span((0.0, 0.1), np.float32)  # not 0.1: the nearest float32 is beyond
    (-0.09999999403953552, 0.09999999403953552)
    """
    centre, reach = edge
    word: type[np.integer] = np.int32
    if float_type is np.float64:
        word = np.int64

    def word_of(x: float) -> int:
        return int(np.array(x, float_type).view(word))

    def number(key: int) -> float:
        magnitude = np.array(abs(key), word).view(float_type)
        return copysign(float(magnitude), key)

    def last_inside(inside: int, outside: int) -> float:
        while abs(outside - inside) > 1:
            key = (inside + outside) // 2
            if abs(number(key) - centre) <= reach:
                inside = key
            else:
                outside = key
        return number(inside)

    # A key is the word of the magnitude with the sign of the number.
    start, infinite = word_of(abs(centre)), word_of(float(np.finfo(float_type).max)) + 1
    if centre < 0:
        start = -start
    return last_inside(start, -infinite), last_inside(start, infinite)
