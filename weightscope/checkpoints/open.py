"""Opens a source: an argument becomes a checkpoint, or a refusal that names the source.

The format of a file follows from its bytes, the model of a folder from a documented order; nothing
is downloaded. Tensors are in the natural order of their names; odd names have notes, LoRA pairs and
weight norms are detected.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace

from ..errors import PART, CheckpointError, NotChosen, UsageError
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
from .readers.index import read_index
from .readers.sniff import sniff

FLAT = re.compile(r"(?:.*\.)?_?flat_param(?:_\d+)?")
FLAT_NOTE = Note(
    "flat-parameter",
    "a flat parameter of FSDP: all weights of a module in one vector, or the part of one rank; "
    "save the model with StateDictType.FULL_STATE_DICT",
)
DEMO = os.path.join(os.path.dirname(os.path.dirname(os.path.abspath(__file__))), "demo")
DEMOS = {"gpt": "gpt.safetensors", "gpt-start": "gpt-start.safetensors", "gpt-lora": "gpt-lora"}

_DEMO = "demo:"
_INDEX = ".index.json"
_URL = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://")
_ON_HUB = re.compile(
    r"(?:hf://|https://(?:huggingface\.co|hf\.co)/)(?P<owner>\w[\w.-]*)/(?P<name>\w[\w.-]*)"
    r"(?:@(?P<revision>\w[\w.-]*))?(?:/.*)?",
    re.ASCII,
)
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
            checkpoint = replace(_read(_path(typed), opening), source=typed)
            return _finished(_with_root_note(checkpoint, opening.root))
    except (CheckpointError, NotChosen) as fault:
        raise type(fault)(
            f"{escaped(typed)}: {fault.expected}", fault.found, fault.advice
        ) from None


@contextmanager
def uncollected() -> Iterator[None]:
    """Pause the cycle collector: with a million new tuples it takes half of the opening time."""
    was_enabled = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if was_enabled:
            gc.enable()


def inputs(source: object) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """(files, folders) that opening a source may read, without reading; of a folder any file.

    >>> inputs({"w": None})
    ((), ())
    """
    if isinstance(source, Checkpoint):
        files = tuple(path for path, _, _ in source.files)
        if os.path.isdir(source.source):
            return files, (os.path.abspath(source.source),)
        return files, ()
    if not isinstance(source, (str, bytes, os.PathLike)):
        return (), ()
    path = _input_path(os.fsdecode(source))
    if _is_folder(path):
        return (), (path,)
    configs = configs_beside(path)
    in_model_folder = path.endswith(_INDEX) or any(os.path.isfile(config) for config in configs)
    if in_model_folder:
        return (path, *configs), (os.path.dirname(path),)
    return (path, *configs), ()


def _input_path(typed: str) -> str:
    """The path of an argument: absolute, so that it holds after a change of the working folder."""
    name = typed.removeprefix(_DEMO)
    if typed.startswith(_DEMO) and name in DEMOS:
        return os.path.join(DEMO, DEMOS[name])
    return os.path.abspath(typed)


def _is_folder(path: str) -> bool:
    return "\0" not in path and os.path.isdir(path)


def _path(typed: str) -> str:
    """The path of an argument; raises CheckpointError for addresses and names of the Hub."""
    if typed.startswith(_DEMO):
        name = typed.removeprefix(_DEMO)
        if name not in DEMOS:
            demos = ", ".join(_DEMO + demo for demo in DEMOS)
            raise UsageError(
                f"expected one of {demos}",
                f"found {escaped(typed)}",
                "demo:gpt is the trained model",
            )
        return os.path.join(DEMO, DEMOS[name])
    if _URL.match(typed):
        raise CheckpointError(
            "expected a local file or folder",
            "found an address: this version reads local files only",
            f"download it first{_download(typed)} and name the file",
        )
    # an existing folder may be named like a model of the Hub
    is_missing = "\0" not in typed and not os.path.lexists(typed)
    if is_missing and _HUB.fullmatch(typed):
        raise CheckpointError(
            "expected an existing file or folder",
            "found none",
            f"a model of the Hub is written hf://{escaped(typed)}; download it first"
            f"{_download('hf://' + typed)}, this version reads local files only",
        )
    return typed


def _download(address: str) -> str:
    """The command that downloads a model of the Hub, in front of it a colon; "" for others.

    >>> _download("hf://org/name@main"), _download("s3://bucket/name")
    (': `hf download org/name --revision main --local-dir name`', '')
    """
    match = _ON_HUB.fullmatch(address)
    if not match:
        return ""
    revision = f" --revision {match['revision']}" if match["revision"] else ""
    model = f"{match['owner']}/{match['name']}"
    return f": `hf download {model}{revision} --local-dir {match['name']}`"


def _read(path: str, opening: Opening) -> Checkpoint:
    """A folder by its order, an index by its shards, any other file by its bytes."""
    if _is_folder(path):
        return folder.read(path, opening)
    if path.endswith(_INDEX):
        return read_index(path, opening)
    checkpoint = read_file(path, opening)
    config, flags = config_beside(path, opening.follow_symlinks)
    return replace(checkpoint, config=config, flags=(*checkpoint.flags, *flags))


def _with_root_note(checkpoint: Checkpoint, root: str | None) -> Checkpoint:
    """A note where --root has no effect, since files of the format hold one flat dict."""
    if root is None:
        return checkpoint
    first_file, _, _ = checkpoint.files[0]
    reader = sniff(first_file)
    if reader.nested:
        return checkpoint
    note = f"--root {escaped(root)} has no effect: {reader.name} files have no nested dicts"
    return replace(checkpoint, notes=(*checkpoint.notes, note))


def _finished(checkpoint: Checkpoint) -> Checkpoint:
    """The checkpoint in natural order with its notes, flags, codes, pairs and norms."""
    if not checkpoint.tensors:
        found = "found no tensors"
        if checkpoint.missing:
            found += f": {'; '.join(checkpoint.missing)}"
        raise CheckpointError("expected a checkpoint with tensors", found, "name another file")
    ordered = sorted(checkpoint.tensors, key=lambda tensor: natural(tensor.name))
    tensors = tuple(_with_name_note(tensor) for tensor in ordered)
    # codes first: the halves of a weight norm must not be codes
    checkpoint = with_codes(replace(checkpoint, tensors=tensors))
    checkpoint = with_parametrised(checkpoint)
    siblings = checkpoint.siblings | beside_factors(checkpoint.tensors)
    pairs = lora_pairs(checkpoint.tensors, checkpoint.config)
    checkpoint = replace(checkpoint, pairs=pairs, siblings=siblings)
    notes = (*checkpoint.notes, *config_notes(checkpoint))
    flags = (*checkpoint.flags, *config_flags(checkpoint))
    return replace(
        checkpoint,
        notes=_shortened(notes, "notes"),
        flags=_shortened(flags, "flags"),
        missing=_shortened(checkpoint.missing, "missing parts"),
    )


def _shortened(sentences: tuple[str, ...], noun: str) -> tuple[str, ...]:
    """The first sentences, each of a bounded length, and the number of those omitted."""
    short = []
    for sentence in sentences[: limits.LINES]:
        is_long = len(sentence) > PART
        short.append(sentence[:PART] + "..." if is_long else sentence)
    more = len(sentences) - limits.LINES
    if more > 0:
        short.append(f"{more} more {noun} of this kind are left out")
    return tuple(short)


def _with_name_note(tensor: Stored) -> Stored:
    """The tensor, with a note where its name is odd or that of a flat parameter."""
    notes = tensor.notes
    reason = odd_name(tensor.name)
    if reason:
        notes = (*notes, Note("odd-name", reason))
    if FLAT.fullmatch(tensor.name):
        notes = (*notes, FLAT_NOTE)
    if notes == tensor.notes:
        return tensor
    return replace(tensor, notes=notes)


def odd_name(name: str) -> str:
    r"""Why a tensor's name is suspicious, "" for an ordinary name.

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
