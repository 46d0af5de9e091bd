"""Which pieces a command looks at: globs on names and roles, a range of layers, a least size."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase

from ..errors import UsageError
from ..options import option
from .piece import Model, Piece

_LAYERS = "--layers takes numbers and ranges such as 0-3,10"


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
    layers: str = option("", "Only these layers: 0-3,10.", group="Select", metavar="RANGES")
    min_params: int = option(
        0, "Only tensors of at least N elements.", group="Select", metavar="N", minimum=0
    )

    def __post_init__(self) -> None:
        layers_of(self.layers)

    def admits(self, piece: Piece) -> bool:
        """Whether a piece passes every condition."""
        return (
            self.named(piece.name, piece.stored.name)
            and (not self.role or _any((piece.place.role,), self.role))
            and (not self.layers or self._in_layers(piece.place.layer))
            and piece.params >= self.min_params
        )

    def named(self, *names: str) -> bool:
        """Whether what has these names passes by them."""
        return (not self.include or _any(names, self.include)) and not _any(names, self.exclude)

    def _in_layers(self, layer: int | None) -> bool:
        """A range looks for what is no integer by going through all it holds: never ask it for None."""
        return layer is not None and any(layer in r for r in layers_of(self.layers))


def layers_of(text: str) -> tuple[range, ...]:
    """Ranges of layers, both ends included.

    >>> layers_of("0-3,10")
    (range(0, 4), range(10, 11))
    """
    try:
        pairs = [part.split("-") for part in text.split(",")] if text else []
        found = tuple(
            range(int(pair[0]), int(pair[-1]) + 1)
            for pair in pairs
            if len(pair) <= 2 or _fail(text)
        )
    except ValueError:
        raise UsageError(_LAYERS, f"found {text!r}", "leave out blanks") from None
    for first, last in ((r.start, r.stop - 1) for r in found if not r):
        raise UsageError(
            _LAYERS, f"found {first}-{last}, which runs backwards", f"write {last}-{first}"
        )
    return found


def selected(models: Sequence[Model], selection: Selection) -> tuple[Model, ...]:
    """The models with the pieces that pass; a selection that leaves nothing anywhere is a mistake."""
    chosen = tuple(
        Model(m.source, m.checkpoint, tuple(p for p in m.pieces if selection.admits(p)))
        for m in models
    )
    if not any(m.pieces for m in chosen):
        raise _nothing(models, selection)
    return chosen


def _nothing(models: Sequence[Model], selection: Selection) -> UsageError:
    """What the selection leaves out, and what there is instead."""
    pieces = [p for m in models for p in m.pieces]
    others = [name for m in models for name in _aside(m)]
    if not pieces:
        found = (
            f"found {len(others)} tensors, all of them buffers, optimizer state or beside the model"
        )
        return UsageError("expected a weight to measure", found, "`weightscope ls` lists them")
    passing = sum(map(selection.named, others))
    beside = f", and {passing} that do are no weights: buffers, optimizer state" if passing else ""
    return UsageError(
        "expected the selection to match a tensor",
        f"none of {len(pieces)} passes {_said(selection)}{beside}",
        f"roles here: {', '.join(sorted({p.place.role for p in pieces}))}; `weightscope ls` shows the names",
    )


def _aside(model: Model) -> set[str]:
    """Stored tensors that are no weights: not among the pieces, and no factor of one."""
    pairs = {name for pair in model.checkpoint.pairs for name in (pair.a, pair.b)}
    pairs |= {pair.g for pair in model.checkpoint.norms}
    return (
        {t.name for t in model.checkpoint.tensors} - {p.stored.name for p in model.pieces} - pairs
    )


def _any(names: Sequence[str], globs: Sequence[str]) -> bool:
    return any(fnmatchcase(name, glob) for name in names for glob in globs)


def _fail(text: str) -> bool:
    raise ValueError(text)


def _said(selection: Selection) -> str:
    return ", ".join(f"{k} {v!r}" for k, v in vars(selection).items() if v)
