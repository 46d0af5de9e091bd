"""The store of ollama: manifests name the blobs of a model, of which one is a GGUF file."""

from __future__ import annotations

import os
from collections.abc import Iterator

from ...errors import CheckpointError
from .. import files, strict_json
from .below import Folder, parts_listed, refusal, to_use
from .members import SUFFIXES

_MANIFESTS = 50  # manifests that are read
_SIZE = 1 << 20  # bytes of a manifest that is read
_MODEL = "application/vnd.ollama.image.model"
_DIGEST = "sha256:"
_HOST, _LIBRARY = "registry.ollama.ai", "library"  # what ollama itself omits in names


def ollama_store(folder: Folder) -> CheckpointError | None:
    """The refusal of the store, or of the folder that holds it, with the blobs of its models."""
    for below in ("", "models"):
        if _is_store(folder.inner(below)):
            return _of_store(folder, below)
    return None


def _is_store(home: Folder) -> bool:
    if "manifests" not in home.names or "blobs" not in home.names:
        return False
    return any(name.startswith("sha256-") for name in home.inner("blobs").names)


def _of_store(folder: Folder, below: str) -> CheckpointError:
    models = []
    blobs = []
    for name, blob in _models(folder.inner(below)):
        relative = os.path.join(below, "blobs", blob)
        models.append(f"{name} in {relative}")
        blobs.append(relative)
    if not blobs:
        return refusal("a store of ollama without a model", "name another folder")
    found = f"a store of ollama with GGUF files: {parts_listed(models)}"
    advice = to_use(folder, blobs)
    if ".gguf" not in SUFFIXES:
        advice += "; this version does not read GGUF: convert that file to safetensors"
    return refusal(found, advice)


def _models(home: Folder) -> Iterator[tuple[str, str]]:
    """(name:tag, file among the blobs) of each model."""
    manifests = home.inner("manifests")
    for manifest in _manifests(manifests):
        blob = _blob(os.path.join(manifests.path, *manifest))
        if blob:
            *path, tag = [part for part in manifest if part not in (_HOST, _LIBRARY)]
            yield f"{'/'.join(path)}:{tag}", blob


def _manifests(home: Folder) -> list[tuple[str, ...]]:
    """Paths host/library/name/tag of the first manifests."""
    level: list[tuple[str, ...]] = [()]
    for _ in range(3):
        deeper = []
        for parts in level:
            inner = home.inner(os.path.join("", *parts))
            deeper += [(*parts, name) for name in inner.folders]
        level = deeper[:_MANIFESTS]
    tags = []
    for parts in level:
        tags += [(*parts, tag) for tag in home.inner(os.path.join(*parts)).names]
    return tags[:_MANIFESTS]


def _blob(path: str) -> str:
    """The file of the model that a manifest names; "" where it names none."""
    try:
        size, _ = files.identity(path)
        if size > _SIZE:
            return ""
        manifest = strict_json.parse(files.read_bytes(path, 0, size), "manifest")
    except CheckpointError:
        return ""
    for layer in _layers(manifest):
        digest = layer.get("digest")
        is_model = layer.get("mediaType") == _MODEL
        if is_model and isinstance(digest, str) and digest.startswith(_DIGEST):
            code = digest.removeprefix(_DIGEST)
            return f"sha256-{code}" if code.isalnum() else ""
    return ""


def _layers(manifest: object) -> list[dict[str, object]]:
    if not isinstance(manifest, tuple):
        return []
    layers = dict(manifest).get("layers")
    if not isinstance(layers, list):
        return []
    return [dict(layer) for layer in layers if isinstance(layer, tuple)]
