"""Channels: a first convolution that got more input channels, A's before them."""

from __future__ import annotations

from .slices import Slice


def channels(found: Slice, a: tuple[int, ...], b: tuple[int, ...]) -> str:
    """The name of the rule where B is a convolution with more input channels, A's first; else "".

    `a` and `b` are the dimensions (out, in, k...). `found` is the result of find_slice with the
    elements of a kernel as `block`. The scale is that of `found`: 3 / in where the channels of a
    colour image were repeated.

    >>> found = Slice("all", "first 3/4", 1.0, 0.0, 1.0, 0.0)
    >>> channels(found, (64, 3, 7, 7), (64, 4, 7, 7))
    'channels 3/4'
    """
    if len(a) < 3 or a[0] != b[0] or a[2:] != b[2:] or a[1] >= b[1]:
        return ""
    rule, _, share = found.columns.partition(" ")
    if found.rows != "all" or rule != "first":
        return ""
    return f"channels {share}"
