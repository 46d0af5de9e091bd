"""Sends values of the host to a GPU without waiting for it.

A copy from ordinary memory makes the host wait for all that the GPU has to do, one from pinned
memory is queued. torch frees pinned memory after the copy from it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from .lazy import torch

if TYPE_CHECKING:
    from torch import Tensor


def sent(x: Tensor, device: str | torch.device) -> Tensor:
    """A tensor of the host on a device, in the same layout; itself where it is there already.

    Pinned memory belongs to the current device of the thread.

    >>> sent(torch.tensor([1, 2]), "cpu")
    tensor([1, 2])
    """
    if str(device) == "cpu" or x.device.type != "cpu":
        return x
    there = torch.empty_like(x, device=device)
    if x.numel():
        pinned = torch.empty_strided(x.shape, there.stride(), dtype=x.dtype, pin_memory=True)
        there.copy_(pinned.copy_(x), non_blocking=True)
    return there
