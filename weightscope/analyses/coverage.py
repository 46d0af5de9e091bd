"""The coverage line: how many tensors a command measured, and what it left out, by reason.

A tensor is measured if one of its pieces is: a part, an expert, a product. Both factors of a LoRA
pair and both parts of a weight norm share the state of their product. Every stored tensor of every
model is counted once, so that the numbers of a line add up; aliases are not stored.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import repeat
from typing import Any

from ..checkpoints import Checkpoint
from ..escape import escaped
from .analysis import Analysis
from .piece import Model, Piece
from .selection import Selection

MEASURED = ""  # the state of a measured tensor; every other state is a key of REASONS
CODED, OPTIMIZER, SELECTION = "coded", "optimizer", "selection"
# By reason, in the order of the line: the words after the number, singular and plural.
REASONS: Mapping[str, tuple[str, str]] = {
    "buffer": ("buffer", "buffers"),
    CODED: ("coded", "coded"),
    "vector": ("vector", "vectors"),
    "depthwise": ("depthwise kernel", "depthwise kernels"),
    "no-elements": ("empty", "empty"),
    OPTIMIZER: ("of training state or averages", "of training state or averages"),
    "no-layer": ("without a layer", "without a layer"),
    "no-pair": ("in no pair", "in no pair"),
    "no-partner": ("without a partner", "without a partner"),
    "no-delta": ("without two task vectors", "without two task vectors"),
    "type-not-decoded": ("not decoded", "not decoded"),
    "no-data": ("without data", "without data"),
    "not-strided": ("sparse or nested", "sparse or nested"),
    "memory": ("beyond --memory", "beyond --memory"),
    "no-result": ("without a result", "without a result"),
    "not-measurable": ("not measurable", "not measurable"),
    SELECTION: ("not selected", "not selected"),
}
DETAILS = 3  # layouts or types in parentheses


@dataclass(frozen=True)
class Run:
    """What a run did: its analysis, selection and options, tensors over the memory, failed ones."""

    analysis: Analysis
    selection: Selection
    options: Any = None
    refused: Collection[str] = ()
    failed: Collection[str] = ()


@dataclass(frozen=True, slots=True)
class State:
    """Whether a tensor was measured, or the reason why not, with a detail such as its layout."""

    reason: str
    detail: str = ""


_MEASURED = State(MEASURED)  # one object: a listing has a state of each of its tensors


def coverage(models: Sequence[Model], run: Run) -> str:
    """The line, such as `94 of 104 tensors measured; left out: 8 buffers, 2 coded (GPTQ)`."""
    states: list[State] = []
    for model in models:
        states.extend(_states(model, run))
    measured = sum(state.reason == MEASURED for state in states)
    verb = "measured" if run.analysis.measures else "listed"
    line = f"{measured} of {len(states)} tensors {verb}"
    left_out = list(_left_out(states))
    if left_out:
        line += f"; left out: {', '.join(left_out)}"
    return line


def _left_out(states: Sequence[State]) -> Iterator[str]:
    """The number of tensors of each reason, with the most frequent details."""
    counts = Counter(state.reason for state in states)
    details: dict[str, Counter[str]] = {}
    for state in states:
        if state.detail:
            details.setdefault(state.reason, Counter())[state.detail] += 1
    for reason, (singular, plural) in REASONS.items():
        count = counts[reason]
        if not count:
            continue
        text = f"{count} {singular if count == 1 else plural}"
        named = [escaped(detail) for detail, _ in details.get(reason, Counter()).most_common()]
        if len(named) > DETAILS:
            named[DETAILS:] = ["..."]
        if named:
            text += f" ({', '.join(named)})"
        yield text


def _states(model: Model, run: Run) -> Iterator[State]:
    """The state of every stored tensor of a model, and of A where a pair has two sides."""
    is_whole = len(model.pieces) == len(model.placed)
    if is_whole and not run.analysis.measures:  # a list of everything: no state for each name
        yield from repeat(_MEASURED, len(model.checkpoint.tensors))
        return
    chosen: set[int] = set()
    if not is_whole:
        chosen = {id(piece) for piece in model.pieces}
    lacks = run.analysis.answering.lacks(model, run.options)
    by_checkpoint: dict[int, dict[str, State]] = {}
    checkpoints = {id(model.checkpoint): model.checkpoint}
    for piece in model.placed:
        lack = lacks.get(id(piece), "")
        state = _state(piece, is_whole or id(piece) in chosen, run, lack)
        for checkpoint, name in piece.tensors(model):
            checkpoints[id(checkpoint)] = checkpoint
            states = by_checkpoint.setdefault(id(checkpoint), {})
            if name not in states or state.reason == MEASURED:
                states[name] = state
    for key, checkpoint in checkpoints.items():
        yield from _of_tensors(checkpoint, by_checkpoint.get(key, {}))


def _of_tensors(checkpoint: Checkpoint, states: Mapping[str, State]) -> Iterator[State]:
    """The states of the tensors of a checkpoint, of those without a piece too."""
    shared = {pair.b: pair.a for pair in checkpoint.pairs}
    shared |= {norm.g: norm.v for norm in checkpoint.norms}
    for tensor in checkpoint.tensors:
        name = shared.get(tensor.name, tensor.name)
        if name in states:
            yield states[name]
        elif name in checkpoint.optimizer:
            yield State(OPTIMIZER)
        else:  # a factor of an adapter, compared as a part of the base
            yield _MEASURED


def _state(piece: Piece, chosen: bool, run: Run, lack: str) -> State:
    """The state of a piece: the first reason that applies; `lack` depends on its model."""
    if not chosen and not (_is_buffer(piece) and run.selection.admits(piece)):
        return State(SELECTION)
    if not run.analysis.measures:
        return _MEASURED
    stored = piece.stored
    if stored.coded:
        return State(CODED, stored.coded)
    if piece.place.role == OPTIMIZER:
        return State(OPTIMIZER)
    reason = run.analysis.answering.lack(piece) or lack
    if not chosen:
        reason = "buffer"
    if reason:
        return State(reason)
    if not stored.params:
        return State("no-elements")
    if piece.entry is None:
        return _unread(piece)
    if piece.name in run.refused:
        return State("memory")
    if piece.name in run.failed:
        return State("no-result")
    return _MEASURED


def _unread(piece: Piece) -> State:
    """The state of a tensor that cannot be read, by its notes."""
    codes = [note.code for note in piece.notes if note.code in REASONS]
    if not codes:
        return State("not-measurable")
    if codes[0] == "type-not-decoded":
        return State(codes[0], piece.dtype)
    return State(codes[0])


def _is_buffer(piece: Piece) -> bool:
    return piece.place.kind == "buffer"
