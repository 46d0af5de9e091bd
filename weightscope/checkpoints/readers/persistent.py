"""Persistent ids: how a pickle of torch names the storages that its tensors are views of."""

from __future__ import annotations

from collections.abc import Callable

from ...escape import shown
from .torch_values import Kind, Reference, RefusedError, Storage


def collector(storages: dict[str, Storage]) -> Callable[[object], object]:
    """A function from ("storage", type, key, location, numel[, view]) to an item of `storages`.

    Old files name the class of a pickled module in the same way.
    """

    def load(identity: object) -> Storage | Reference:
        match identity:
            case ("storage", Kind() as kind, str(key), str(), int(numel), *view) if (
                type(numel) is int and 0 <= numel < 1 << 63 and len(view) <= 1
            ):
                whole = Storage(key, kind, numel * kind.width)
            case ("module", Reference() as cls, _, _):  # the class of a module, with its source
                return cls
            case _:
                raise RefusedError("a persistent id that is not a storage")
        # many tensors may be views of one storage, which they must describe alike
        storage = storages.setdefault(key, whole)
        if storage != whole:
            raise RefusedError(f"two sizes or types for the storage {shown(key)}")
        if view:
            return _part(storage, view[0])
        return storage

    return load


def _part(whole: Storage, view: object) -> Storage:
    """The view (key, offset, elements) of old files as a part of its storage; None is all of it."""
    width = whole.kind.width
    match view:
        case None:
            return whole
        case (str(), int(offset), int(numel)) if (
            min(offset, numel) >= 0 and (offset + numel) * width <= whole.nbytes
        ):
            return Storage(whole.key, whole.kind, numel * width, whole.start + offset * width)
    raise RefusedError(f"a view outside the storage {shown(whole.key)}")
