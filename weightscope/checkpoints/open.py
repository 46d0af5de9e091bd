"""The one door to a source: what was typed or passed becomes a checkpoint, or a refusal that names the source.

Files are known by their bytes, folders by a documented order; nothing goes to the network. Tensors come out in the
natural order of their names, odd names noted, LoRA pairs and weight norms found.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from ..errors import PART, CheckpointError, UsageError
from ..escape import escaped
from ..notes import Note
from ..order import natural
from . import limits
from .checkpoint import Checkpoint
from .coded import with_codes
from .config import config_beside, config_flags, config_notes, configs_beside
from .entry import Stored
from .opening import Opening, Source
from .pairs import beside_factors, lora_pairs
from .parametrised import with_parametrised
from .readers import folder, memory, read_file
from .readers.sniff import sniff

DEMO = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "demo")
DEMOS = {"gpt": "gpt.safetensors", "gpt-start": "gpt-start.safetensors", "gpt-lora": "gpt-lora"}

_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_HUB = re.compile(r"[\w.-]+/[\w.-]+")


def open_checkpoint(source: Source, opening: Opening = Opening()) -> Checkpoint:
    """Open a file, a folder, `demo:NAME`, or a dict of tensors; only headers are read.

    Raises CheckpointError, UsageError.

    >>> import torch
    >>> [t.shape for t in open_checkpoint({"w": torch.zeros(2, 3)}).tensors]
    [(2, 3)]
    """
    if isinstance(source, Checkpoint):
        return source
    if isinstance(source, Mapping):
        return _finished(memory.read(source, opening.root))
    if not isinstance(source, (str, bytes, os.PathLike)):
        raise UsageError(
            "expected a path, an open checkpoint or a dict of tensors",
            f"found {type(source).__name__}",
            "of a torch module pass model.state_dict()",
        )
    typed = os.fsdecode(source)
    try:
        with uncollected():
            return _finished(
                _rooted(replace(_read(_path(typed), opening), source=typed), opening.root)
            )
    except CheckpointError as fault:
        raise CheckpointError(
            f"{escaped(typed)}: {fault.expected}", fault.found, fault.advice
        ) from None


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the cycle collector: a million fresh tuples make it half of the time of opening."""
    was = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was:
            gc.enable()


def inputs(source: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(files, folders) that opening a source reads, known before anything is read; of a folder all files may count.

    >>> inputs({"w": None})
    ((), ())
    """
    if isinstance(source, Checkpoint):
        files = tuple(path for path, _, _ in source.files)
        return files, (os.path.abspath(source.source),) if os.path.isdir(source.source) else ()
    if not isinstance(source, (str, bytes, os.PathLike)):
        return (), ()
    typed = os.fsdecode(source)
    demo = DEMOS.get(typed.removeprefix("demo:"), "") if typed.startswith("demo:") else ""
    path = (
        os.path.join(DEMO, demo) if demo else os.path.abspath(typed)
    )  # also after a change of folder
    if "\0" not in path and os.path.isdir(path):
        return (), (path,)
    configs = configs_beside(path)
    is_model = path.endswith(".index.json") or any(map(os.path.isfile, configs))
    return (path, *configs), (os.path.dirname(path),) if is_model else ()


def _path(typed: str) -> str:
    """The path that an argument means; raises CheckpointError for what lies elsewhere and for what is not there."""
    if typed.startswith("demo:"):
        name = typed.removeprefix("demo:")
        if name not in DEMOS:
            raise UsageError(
                f"expected one of {', '.join(f'demo:{d}' for d in DEMOS)}",
                f"found {escaped(typed)}",
                "demo:gpt is the trained model",
            )
        return os.path.join(DEMO, DEMOS[name])
    if _URL.match(typed):
        raise CheckpointError(
            "expected a local file or folder",
            "found an address: this version reads local files only",
            "download it first and name the file",
        )
    if "\0" not in typed and not os.path.lexists(typed) and _HUB.fullmatch(typed):
        raise CheckpointError(
            "expected an existing file or folder",
            "found none",
            f"a model of the Hub is written hf://{escaped(typed)}; download it first, this version reads "
            "local files only",
        )
    return typed


def _read(path: str, opening: Opening) -> Checkpoint:
    """A folder by its order, an index by its shards, any other file by its bytes."""
    if "\0" not in path and os.path.isdir(path):
        return folder.read(path, opening)
    if path.endswith(".index.json"):
        return folder.read_index(path, opening)
    checkpoint = read_file(path, opening)
    config, odd = config_beside(path)
    return replace(checkpoint, config=config, flags=(*checkpoint.flags, *odd))


def _rooted(checkpoint: Checkpoint, root: str | None) -> Checkpoint:
    """Said where --root chose nothing: a safetensors file holds one flat dict."""
    if root is None or sniff(checkpoint.files[0][0]) != "safetensors":
        return checkpoint
    said = f"--root {escaped(root)} chooses nothing here: safetensors have no dicts inside"
    return replace(checkpoint, notes=(*checkpoint.notes, said))


def _finished(checkpoint: Checkpoint) -> Checkpoint:
    """Natural order, odd names noted, codes marked, tensors that make one matrix, config.json against the tensors."""
    if not checkpoint.tensors:
        lost = f": {'; '.join(checkpoint.missing)}" if checkpoint.missing else ""
        raise CheckpointError(
            "expected a checkpoint with tensors", f"found no tensors{lost}", "name another file"
        )
    tensors = tuple(_noted(t) for t in sorted(checkpoint.tensors, key=lambda t: natural(t.name)))
    marked = with_parametrised(with_codes(replace(checkpoint, tensors=tensors)))
    beside = marked.siblings | beside_factors(marked.tensors)
    whole = replace(marked, pairs=lora_pairs(marked.tensors, marked.config), siblings=beside)
    notes, flags = (*whole.notes, *config_notes(whole)), (*whole.flags, *config_flags(whole))
    return replace(whole, notes=_few(notes, "notes"), flags=_few(flags, "flags"))


def _few(lines: tuple[str, ...], what: str) -> tuple[str, ...]:
    """As many lines as a person may read, each of a bounded length, and how many more there are."""
    more = len(lines) - limits.LINES
    cut = tuple(
        line if len(line) <= PART else line[:PART] + "..." for line in lines[: limits.LINES]
    )
    return (*cut, f"{more} more {what} of this kind are left out") if more > 0 else cut


def _noted(tensor: Stored) -> Stored:
    """The tensor, with a note where its name is odd."""
    odd = odd_name(tensor.name)
    return replace(tensor, notes=(*tensor.notes, Note("odd-name", odd))) if odd else tensor


def odd_name(name: str) -> str:
    r"""What makes a tensor's name suspicious; empty where nothing does.

    >>> odd_name("../../x"), odd_name("a.b")
    ('the name looks like a path', '')
    """
    if not name:
        return "empty name"
    if not name.isprintable():
        return "control or invisible characters in the name"
    if name.startswith(("/", "\\")) or (".." in name and ".." in re.split(r"[/\\]", name)):
        return "the name looks like a path"
    return ""
