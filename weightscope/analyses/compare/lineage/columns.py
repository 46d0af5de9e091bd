"""The columns of a search: the rule of a pair, and how well it matches."""

from __future__ import annotations

from collections.abc import Mapping

from ....columns import Column
from ..pair import Pair

RULE = Column(
    "rule",
    "str",
    "how B's elements follow from A's: `rows and columns by linspace 2/3`, `layers 0-3,2-5`, "
    "`permuted`, `rotated`; `first`: the common rows of two shapes; null where none was found",
)
INDEPENDENCE = Column(
    "independence_p",
    "float",
    "p of the rank correlation of two assignments of neurons, by gate and by up rows; of "
    "independent trainings about uniform; on rows of gate, up and down matrices",
    option="--lineage",
    source="Independence Tests for Language Models (ICML 2025)",
)
MATCHED = (
    Column(
        "matched_share",
        "float",
        "share of B's elements that the rule pairs; of neurons the estimated share of right pairs",
    ),
    Column(
        "matched_cosine",
        "float",
        "cosine of the elements that the rule pairs; of neurons the mean over matched pairs",
    ),
    Column(
        "matched_cosine_null",
        "float",
        "cosine of the next rule where it differs; of neurons the mean of unrelated ones after "
        "matching",
    ),
)
NAMES = tuple(column.name for column in (*MATCHED, INDEPENDENCE))


def of_rule(pair: Pair, values: Mapping[str, object], matches: bool) -> dict[str, object]:
    """The columns of a measured pair; null where its elements do not match."""
    found: dict[str, object] = dict.fromkeys(NAMES)
    if not matches:
        return {RULE.name: None, **found}
    if pair.least is not None:
        found["matched_cosine"] = values.get("cosine")
    return {RULE.name: pair.rule or None, **found, **pair.found}
