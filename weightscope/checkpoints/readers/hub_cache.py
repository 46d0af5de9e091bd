"""The cache of the Hugging Face Hub: `models--ORG--NAME/snapshots/COMMIT` holds the files.

The folder of a model with one snapshot stands for that snapshot. Of several, and of a cache of
several models, the paths to use are named.
"""

from __future__ import annotations

import os
from collections.abc import Sequence

from ...errors import CheckpointError
from .below import Folder, parts_listed, refusal, to_use

_MODEL = "models--"
_OTHERS = ("datasets--", "spaces--")


def only_snapshot(folder: Folder) -> str | None:
    """The relative path of the one snapshot of a model's folder; None for any other folder."""
    snapshots = _snapshots(folder)
    if len(snapshots) == 1:
        return snapshots[0]
    return None


def hub_cache(folder: Folder) -> CheckpointError | None:
    """The refusal of a cache of several models, or of a model with several snapshots or none."""
    if _is_model(folder):
        return _of_model(folder)
    kind = os.path.basename(os.path.abspath(folder.path)).partition("--")[0]
    if _is_repository(folder.names) and f"{kind}--" in _OTHERS:
        return refusal(f"a repository of {kind} from the Hub", "name the folder of a model")
    for below in ("", "hub"):  # the cache itself, or the folder HF_HOME
        home = folder.inner(below)
        models = [name for name in home.names if name.startswith(_MODEL)]
        if models:
            relative = [os.path.join(below, name) for name in models]
            noun = "model" if len(models) == 1 else "models"
            found = f"a cache of the Hub with {len(models)} {noun}: {parts_listed(relative)}"
            return refusal(found, to_use(folder, relative))
    return None


def _is_repository(names: Sequence[str]) -> bool:
    return "snapshots" in names and ("blobs" in names or "refs" in names)


def _is_model(folder: Folder) -> bool:
    """Whether a folder is that of one model; it may have been renamed."""
    name = os.path.basename(os.path.abspath(folder.path))
    if name.startswith(_MODEL):
        return bool({"snapshots", "blobs", "refs"} & set(folder.names))
    return _is_repository(folder.names) and not name.startswith(_OTHERS)


def _snapshots(folder: Folder) -> list[str]:
    """The relative paths of the snapshots of a model's folder."""
    if not _is_model(folder):
        return []
    commits = folder.inner("snapshots").folders
    return [os.path.join("snapshots", commit) for commit in commits]


def _of_model(folder: Folder) -> CheckpointError | None:
    snapshots = _snapshots(folder)
    if not snapshots:
        return refusal(
            "a model of the Hub without a snapshot",
            "the download is not complete: download it again",
        )
    if len(snapshots) == 1:
        return None
    commit = folder.line(os.path.join("refs", "main"))
    found = f"a model of the Hub with {len(snapshots)} snapshots: {parts_listed(snapshots)}"
    main = os.path.join("snapshots", commit)
    if main in snapshots:
        found += f" (main is {commit})"
        snapshots = [main, *(snapshot for snapshot in snapshots if snapshot != main)]
    return refusal(found, to_use(folder, snapshots))
