"""The rows of `spectrum`: one per tensor or group, and the requested singular values and plots."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import TYPE_CHECKING, Any

from ...columns import Block, Column, Found, Panel, Row, titled
from ...engine.unit import Measurer
from ...lazy import numpy as np
from ...statistics.spectra.spectrum import Spectrum
from .. import pieces
from ..analysis import Answering
from ..gathering import gathered
from ..measuring import Answer, answers
from ..piece import Model, Piece
from ..rows import grouped, of_group, of_tensor, pooled, row_of, sourced
from .columns import columns, optional, own_columns
from .heads import per_head
from .matrices import lack, sides
from .null_samples import with_nulls
from .options import SpectrumOptions
from .picture import panel
from .request import SpectrumRequest, null_wanted, spectrum_of

if TYPE_CHECKING:
    from numpy.typing import NDArray

VALUES = (
    Column("tensor", "str", "name as stored"),
    Column("index", "int", "position in descending order, from 0"),
    Column("value", "float", "singular value", "weight"),
)


@dataclass(frozen=True)
class _Tensor:
    """The values of one piece, until its group is complete."""

    piece: Piece
    values: Mapping[str, object]
    unmeasured: bool


def rows(models: Sequence[Model], o: SpectrumOptions, measure: Measurer) -> Iterator[Found]:
    """One row per tensor or group, and the requested values and plots of its tensors."""
    if o.values:
        yield _values_of(np.zeros(0), {})  # the table exists also where nothing has values
    for model in models:
        source = sourced(o.several, model)
        tensors = []  # collected only for groups: rows of tensors are yielded as they come
        for answer in _answers(model, o, measure):
            piece, spectrum = answer.piece, spectrum_of(answer, o)
            values = {**sides(piece), **answer.values}
            unmeasured = spectrum is None and o.measure in answer.sketches
            if o.by == "tensor":
                names = (piece.name,) if unmeasured else ()
                yield row_of({**source, **of_tensor(piece), **values}, names)
            else:
                tensors.append(_Tensor(piece, values, unmeasured))
            yield from _blocks_and_panels(piece, spectrum, o, source)
        yield from _groups(tensors, o, source)


def _answers(model: Model, o: SpectrumOptions, measure: Measurer) -> Iterator[Answer]:
    """Every piece, or every head, with its values and sketches, in order."""
    pieces: Sequence[Piece] = model.pieces
    if o.per_head:
        pieces = list(per_head(pieces, model.checkpoint.config))
    measured = answers(pieces, SpectrumRequest(o), measure)
    if null_wanted(o):
        return with_nulls(list(measured), o, measure)
    return measured


def _blocks_and_panels(
    piece: Piece, spectrum: Spectrum | None, o: SpectrumOptions, source: Mapping[str, object]
) -> Iterator[Panel | Block]:
    """All singular values, and the plot or the reason for its absence."""
    tensor = {**source, "tensor": piece.name}
    if spectrum is not None and o.values:
        yield _values_of(spectrum.sigma, tensor)
    if o.panels:
        plot = panel(spectrum, o.alpha_cut, tensor)
        if o.by != "tensor":
            # shown with the row of its group; the title is still that of the tensor
            plot = replace(plot, of={**source, **_keys(piece, o)})
        reason = lack(piece)
        if reason:
            plot = replace(plot, note=reason.text)
        yield plot


def _values_of(sigma: NDArray[np.float64], of: Mapping[str, object]) -> Block:
    """Singular values as rows of the table of values."""
    columns = {"index": np.arange(len(sigma)), "value": sigma}
    return Block(columns, {"tensor": titled(of)}, "values", VALUES)


def _keys(piece: Piece, o: SpectrumOptions) -> dict[str, object]:
    return {**of_group(piece, o.by), "kind": piece.place.kind}


def _groups(
    tensors: Sequence[_Tensor], o: SpectrumOptions, source: Mapping[str, object]
) -> Iterator[Row]:
    """Median, least and greatest over the tensors of a group: singular values are never pooled."""
    # the columns of single tensors, from which `pooled` makes those of groups
    columns = own_columns(replace(o, by="tensor"))
    no_sketches: Mapping[Any, Any] = {}
    members = [(tensor.piece, tensor.values, no_sketches) for tensor in tensors]
    unmeasured = [tensor.piece for tensor in tensors if tensor.unmeasured]
    for group in grouped(members, o.by):
        names = tuple(piece.name for piece in unmeasured if _keys(piece, o) == group.keys)
        yield row_of({**source, **pooled(group, (), columns)}, names)


def _applies(piece: Piece) -> bool:
    return not lack(piece)


def _left_out(piece: Piece) -> str:
    """The code of the reason why a tensor has no spectrum."""
    reason = lack(piece)
    return reason.code if reason else ""


ANSWERING = Answering(
    columns,
    optional,
    rows,
    partial(gathered, pieces.everything),
    applies=_applies,
    lack=_left_out,
)
