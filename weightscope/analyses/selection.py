"""Which pieces a command selects: globs on names and roles, ranges of layers, a least size.

A glob that matches no weight names the buffers that it matches: `--role buffer`, `-i *_mean`.
These are measured as weights are.

Help needs the options alone, so this module imports no piece.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from ..errors import UsageError
from ..escape import escaped
from ..options import option
from .collapse import ranges

if TYPE_CHECKING:
    from .piece import Model, Piece

LAYERS = "--layers takes numbers and ranges such as 0-3,10"
WILD = re.compile(r"[*?\[]")  # in a glob


@dataclass(frozen=True)
class Selection:
    """`include`, `exclude` match names, `role` whole roles, `layers` is like `0-3,10`."""

    include: tuple[str, ...] = option(
        (),
        "Only tensors whose name matches.",
        group="Select",
        metavar="GLOB",
        short="-i",
        repeatable=True,
    )
    exclude: tuple[str, ...] = option(
        (),
        "Not tensors whose name matches.",
        group="Select",
        metavar="GLOB",
        short="-x",
        repeatable=True,
    )
    role: tuple[str, ...] = option(
        (),
        "Only roles that match: mlp.down, 'attn.*'.",
        group="Select",
        metavar="GLOB",
        repeatable=True,
    )
    layers: str = option(
        "", "Only these layers: 0-3,10.", group="Select", metavar="RANGES", numbers=True
    )
    min_params: int = option(
        0, "Only tensors of at least N elements.", group="Select", metavar="N", minimum=0
    )

    def __post_init__(self) -> None:
        layers_of(self.layers)  # refused before anything is opened

    def admits(self, piece: Piece) -> bool:
        """Whether a piece satisfies every condition."""
        names = (piece.name, piece.stored.name)
        return self.covers(names, piece.place.role, piece.place.layer, piece.params)

    def covers(self, names: Sequence[str], role: str, layer: int | None, params: int) -> bool:
        """Whether a tensor with these names, role, layer and size satisfies every condition."""
        if not self.named(*names):
            return False
        if self.role and not _matches((role,), self.role):
            return False
        if self.layers and not self._in_layers(layer):
            return False
        return params >= self.min_params

    def named(self, *names: str) -> bool:
        """Whether a tensor with these names satisfies the conditions on names."""
        if self.include and not _matches(names, self.include):
            return False
        return not _matches(names, self.exclude)

    def _in_layers(self, layer: int | None) -> bool:
        # `None in range(n)` compares None with each of the n numbers.
        if layer is None:
            return False
        return any(layer in layers for layers in layers_of(self.layers))


def layers_of(text: str) -> tuple[range, ...]:
    """Ranges of layers, both ends included.

    >>> layers_of("0-3,10")
    (range(0, 4), range(10, 11))
    """
    if not text:
        return ()
    chosen = tuple(_range(part, text) for part in text.split(","))
    for layers in chosen:
        if not layers:
            first, last = layers.start, layers.stop - 1
            raise UsageError(
                LAYERS, f"found {first}-{last}, which runs backwards", f"write {last}-{first}"
            )
    return chosen


def _range(part: str, text: str) -> range:
    """A layer or a range; `text` is the whole option, for the error."""
    refusal = UsageError(
        LAYERS,
        f"found {text!r}",
        "separate layers by commas; `weightscope ls --by layer` lists them",
    )
    try:
        ends = [int(number) for number in part.split("-")]
    except ValueError:
        raise refusal from None
    if len(ends) > 2:
        raise refusal
    return range(ends[0], ends[-1] + 1)


def selected(models: Sequence[Model], selection: Selection) -> tuple[Model, ...]:
    """The models with the selected pieces; UsageError where none of the models has any."""
    chosen = tuple(models)
    if selection != Selection():
        every = [piece for model in models for piece in model.pieces]
        weights = [piece for piece in every if piece.place.kind != "buffer"]
        numbers = [piece for piece in weights if piece.dtype != "BOOL"]
        names = _Names(_without_match(weights, selection), _without_match(numbers, selection))
        chosen = tuple(_narrowed(model, selection, names) for model in models)
    if not any(model.pieces for model in chosen):
        raise _nothing(models, selection)
    return chosen


@dataclass(frozen=True)
class _Names:
    """The globs that name tensors which are no weights: those that match no weight."""

    buffers: Selection
    masks: Selection  # of true and false: weights of `fit`, none of `spectrum`

    def mean(self, piece: Piece) -> bool:
        """Whether a glob means a piece that is no weight; optimizer state is never meant."""
        if piece.place.role == "buffer":
            return _matches_any(self.buffers, piece)
        return piece.dtype == "BOOL" and _matches_any(self.masks, piece)


def _without_match(pieces: Sequence[Piece], selection: Selection) -> Selection:
    """The globs on names and roles that match none of the pieces."""
    names = {name for piece in pieces for name in (piece.name, piece.stored.name)}
    roles = {piece.place.role for piece in pieces}
    return Selection(
        include=tuple(glob for glob in selection.include if not _matches(names, (glob,))),
        role=tuple(glob for glob in selection.role if not _matches(roles, (glob,))),
    )


def _matches_any(globs: Selection, piece: Piece) -> bool:
    """Whether a glob matches the role or a name of a piece."""
    names = (piece.name, piece.stored.name)
    return _matches((piece.place.role,), globs.role) or _matches(names, globs.include)


def _narrowed(model: Model, selection: Selection, names: _Names) -> Model:
    """The model with its selected weights, and the buffers that a glob names, in order."""
    usual = {id(piece) for piece in model.pieces}
    pieces = []
    placed = []
    for piece in model.placed or model.pieces:
        is_chosen = selection.admits(piece)
        if is_chosen and names.mean(piece):
            piece = replace(piece, named=True)
        elif id(piece) not in usual:
            is_chosen = False
        placed.append(piece)
        if is_chosen:
            pieces.append(piece)
    aliases = tuple(alias for alias in model.aliases if selection.admits(alias))
    return replace(model, pieces=tuple(pieces), aliases=aliases, placed=tuple(placed))


def _nothing(models: Sequence[Model], selection: Selection) -> UsageError:
    """The error of an empty selection: its conditions, and what the models have."""
    pieces = [piece for model in models for piece in model.pieces]
    others = [name for model in models for name in _not_weights(model)]
    if not pieces:
        return UsageError(
            "expected a weight to measure",
            f"found {len(others)} tensors: buffers, optimizer state or not part of the model",
            "`weightscope ls` lists them, --role buffer measures buffers",
        )
    reason = f"no tensor has {' and '.join(_conditions(selection))}"
    if selection.include:
        matches = sum(selection.named(name) for name in others)
        if matches:
            reason += f", except {matches} buffers or tensors of the optimizer"
    wider = _wider(pieces, selection)
    advice = "; ".join([*wider, *_available(pieces, selection)])
    return UsageError("expected the selection to match a tensor", reason, advice)


def _wider(pieces: Sequence[Piece], selection: Selection) -> list[str]:
    """The flags with globs that match a part of a name or role, where these select a tensor."""
    include = _parts(selection.include, "*{}*")
    role = _parts(selection.role, "{}.*")
    wider = replace(selection, include=include, role=role)
    if wider == selection or not any(wider.admits(piece) for piece in pieces):
        return []
    flags = []
    if include != selection.include:
        flags += [f"-i {shlex.quote(escaped(glob))}" for glob in include]
    if role != selection.role:
        flags += [f"--role {shlex.quote(escaped(glob))}" for glob in role]
    return [f"globs match whole names: write {' '.join(flags)}"]


def _parts(globs: Sequence[str], form: str) -> tuple[str, ...]:
    """Globs without a wildcard in the form that matches more."""
    return tuple(glob if WILD.search(glob) else form.format(glob) for glob in globs)


def _conditions(selection: Selection) -> list[str]:
    """The conditions as objects of `no tensor has`."""
    conditions = []
    if selection.role:
        conditions.append(f"role {_quoted(selection.role)}")
    if selection.include:
        conditions.append(f"a name that matches {_quoted(selection.include)}")
    if selection.exclude:
        conditions.append(f"a name that does not match {_quoted(selection.exclude)}")
    if selection.layers:
        conditions.append(f"layer {selection.layers}")
    if selection.min_params:
        conditions.append(f"{selection.min_params} elements or more")
    return conditions


def _available(pieces: Sequence[Piece], selection: Selection) -> list[str]:
    """What the pieces have, for each condition."""
    available = []
    if selection.role:
        roles = sorted({piece.place.role for piece in pieces})
        available.append(f"roles here: {', '.join(roles)}")
    if selection.layers:
        layers = {piece.place.layer for piece in pieces if piece.place.layer is not None}
        available.append(f"layers here: {ranges(sorted(layers)) or 'none'}")
    if selection.min_params:
        available.append(f"the largest has {max(piece.params for piece in pieces)}")
    if selection.include or selection.exclude:
        available.append("`weightscope ls` lists the names")
    return available


def _quoted(globs: Sequence[str]) -> str:
    return " or ".join(repr(glob) for glob in globs)


def _not_weights(model: Model) -> set[str]:
    """Stored tensors that are not weights: not among the pieces, and not a factor of one."""
    factors = {name for pair in model.checkpoint.pairs for name in (pair.a, pair.b)}
    factors |= {norm.g for norm in model.checkpoint.norms}
    stored = {tensor.name for tensor in model.checkpoint.tensors}
    measured = {piece.stored.name for piece in model.pieces}
    return stored - measured - factors


def _matches(names: Iterable[str], globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in names for glob in globs)
