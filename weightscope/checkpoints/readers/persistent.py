"""Persistent ids: how a pickle of torch names the storages that its tensors are views of."""

from __future__ import annotations

from collections.abc import Callable

from ...escape import shown
from .torch_values import Kind, RefusedError, Storage


def storages(seen: dict[str, Storage]) -> Callable[[object], object]:
    """The persistent ids of torch, ("storage", type, key, location, numel[, view]), collected by key into `seen`."""

    def load(identity: object) -> Storage:
        match identity:
            case ("storage", Kind() as kind, str(key), str(), int(numel), *view) if (
                type(numel) is int and 0 <= numel < 1 << 63 and len(view) <= 1
            ):
                whole = Storage(key, kind, numel * kind.width)
            case _:
                raise RefusedError("a persistent id that is no storage")
        if (known := seen.setdefault(key, whole)) != whole:
            raise RefusedError(f"two sizes or types for the storage {shown(key)}")
        return _part(known, view[0] if view else None)

    return load


def _part(whole: Storage, view: object) -> Storage:
    """The view (key, offset, elements) that old files describe, in bytes of the storage that they belong to."""
    match view:
        case None:
            return whole
        case (str(), int(offset), int(numel)) if (
            min(offset, numel) >= 0 and (offset + numel) * whole.kind.width <= whole.nbytes
        ):
            width = whole.kind.width
            return Storage(whole.key, whole.kind, numel * width, whole.start + offset * width)
    raise RefusedError(f"a view outside the storage {shown(whole.key)}")
