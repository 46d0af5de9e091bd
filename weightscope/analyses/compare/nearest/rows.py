"""The rows of `compare TARGET CANDIDATE... --nearest`: one per candidate, the likeliest first.

Only elements are evidence: profiles of standard deviations over the layers correlate at 0.91
between unrelated models.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from math import inf

from ....columns import Column, Found, Message
from ....engine.unit import Measurer
from ....escape import escaped
from ....notes import Note, Notes
from ....sources import distinct
from ...analysis import Answering
from ...piece import Model
from ...rows import CODES, NOTE, SOURCE, row_of
from .. import columns as of_pair
from ..columns import RELATION
from ..comparison import Comparison
from ..facts import Facts
from ..many.opening import complete, models, sides_of
from ..many.together import compared
from ..options import CompareOptions
from ..relation import Relation
from ..request import UNCHANGED, CompareRequest
from ..verdict import summed

COLUMNS = (
    replace(SOURCE, meaning="the candidate, as given"),
    Column("rank", "int", "1 for the likeliest parent: relation, then median cosine", shown=True),
    Column(
        "cosine_median",
        "float",
        "median cosine of the matrices and convolutions of candidate and target",
        shown=True,
    ),
    Column(
        "same_share",
        "float",
        "share of the paired tensors that are equal, or equal after rounding to the other type",
        shown=True,
    ),
    Column("rotation", "float", "1 - cosine of all matrices and convolutions together", shown=True),
    Column("pairs", "int", "tensors of the target with a partner in the candidate", shown=True),
    replace(RELATION, shown=True),
    NOTE,
    CODES,
)
WANTED = frozenset({"cosine", "rotation", "status"})
LIKELIEST = ("related", "undecided", "unrelated")
APART = Note("no-pairs", "no tensor of the target has a partner in this candidate")
NO_MATRIX = Note("no-matrices", "no pair of matrices has a cosine: the relation is not known")


@dataclass(frozen=True, eq=False)
class Candidate:
    """A candidate with what is known of it."""

    source: str
    relation: Relation | None
    values: Mapping[str, object]
    notes: Notes = ()

    @property
    def likelihood(self) -> tuple[int, float, float]:
        """Ascending from the likeliest on."""
        if self.relation is None:
            pairs = self.values["pairs"]
            assert isinstance(pairs, int)
            return len(LIKELIEST), inf, -pairs
        rotation = self.values["rotation"]
        turned = rotation if isinstance(rotation, float) else inf
        return LIKELIEST.index(self.relation.name), -self.relation.cosine, turned


def columns(o: CompareOptions) -> tuple[Column, ...]:
    """Of the candidates."""
    return COLUMNS


def optional(o: CompareOptions) -> Mapping[str, str]:
    """Columns of a comparison of two, by how they are asked for."""
    without = replace(o, nearest=False, models=2)
    names = [column.name for column in of_pair.columns(without)]
    return dict.fromkeys((*names, *of_pair.optional(without)), "a run without --nearest")


def rows(models: Sequence[Model], o: CompareOptions, measure: Measurer) -> Iterator[Found]:
    """A sentence that names the likeliest parent, then the candidates."""
    (target,) = models
    request = CompareRequest(replace(o, wanted=WANTED, panels=False))
    pairs = complete(target, measure)
    sides = sides_of(o.mode, 1 + len(target.beside))
    comparisons = compared(pairs, request, sides, measure)
    found = [
        _candidate(model.source, comparison)
        for model, comparison in zip(target.beside, comparisons.values(), strict=True)
    ]
    found.sort(key=lambda candidate: candidate.likelihood)
    yield Message(_sentence(found), key="verdict")
    for rank, candidate in enumerate(found, 1):
        own = {"source": candidate.source, "rank": rank, "notes": candidate.notes}
        yield row_of({**own, **candidate.values})


def _candidate(source: str, comparison: Comparison) -> Candidate:
    """The numbers of a candidate."""
    facts = [of_pair for of_pair in comparison.facts if of_pair.pair.is_paired]
    relation = comparison.relation
    notes: Notes = ()
    if not facts:
        notes = (APART,)
    elif relation is None:
        notes = (NO_MATRIX,)
    values = {
        "cosine_median": relation.cosine if relation else None,
        "same_share": _same_share(facts),
        "rotation": summed(of_pair for of_pair in facts if of_pair.is_matrix).rotation,
        "pairs": len(facts),
        "relation": relation.name if relation else None,
    }
    return Candidate(source, relation, values, notes)


def _same_share(facts: Sequence[Facts]) -> float | None:
    """Of the pairs whose status is known."""
    known = [of_pair.status for of_pair in facts if of_pair.status is not None]
    if not known:
        return None
    return sum(status in UNCHANGED for status in known) / len(known)


def _sentence(found: Sequence[Candidate]) -> str:
    """The likeliest parent, or that there is none among the candidates."""
    names = distinct([candidate.source for candidate in found])
    short = dict(zip(found, names, strict=True))
    related = [candidate for candidate in found if _is(candidate, "related")]
    if related:
        cosine = related[0].relation.cosine if related[0].relation else 0.0
        more = f"; {len(related) - 1} more related" if len(related) > 1 else ""
        return f"nearest: {escaped(short[related[0]])}, related (median cosine {cosine:.3f}){more}"
    undecided = [candidate for candidate in found if _is(candidate, "undecided")]
    if undecided:
        return f"no candidate is related for certain; {escaped(short[undecided[0]])} is undecided"
    return "no candidate is related"


def _is(candidate: Candidate, name: str) -> bool:
    return candidate.relation is not None and candidate.relation.name == name


ANSWERING = Answering(columns, optional, rows, models)
