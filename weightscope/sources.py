"""Short names of models: their paths without what all of them have."""

from __future__ import annotations

from collections.abc import Sequence


def distinct(sources: Sequence[str]) -> list[str]:
    """Paths without the folders that all begin with, and without an ending of all.

    >>> distinct(["runs/1/model.pt", "runs/2/model.pt"])
    ['1/model', '2/model']
    """
    paths = [source.split("/") for source in sources]
    common = 0
    for parts in zip(*(path[:-1] for path in paths), strict=False):
        if len(set(parts)) > 1:
            break
        common += 1
    names = ["/".join(path[common:]) for path in paths]
    endings = {name.rpartition(".")[2] for name in names}
    if len(endings) > 1:
        return names
    ending = "." + endings.pop()
    # the 5 of a version 1.5 is no ending
    if not ending[1:].isalpha() or any(not name.removesuffix(ending) for name in names):
        return names
    return [name.removesuffix(ending) for name in names]
