"""How often noise has each finding: the sentence of a finding, and the table of all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

TEXT = """\
Matrices of independent elements, as token embeddings in float32, with each finding that noise can
have. `python -m tests.rates.findings` counts them."""


def sentence(finding: str, records: Sequence[Mapping[str, Any]]) -> str:
    """The greatest rate of all laws and shapes, and where it was."""
    draws = sum(record["draws"] for record in records)
    total = sum(record["found"][finding] for record in records)
    if not total:
        return f"None of {draws:,} matrices of the four laws and shapes [below](#rates-on-noise)."
    worst = max(records, key=lambda record: float(record["found"][finding] / record["draws"]))
    rate = worst["found"][finding] / worst["draws"]
    return (
        f"{total} of {draws:,} matrices of the four laws and shapes [below](#rates-on-noise), at "
        f"most {rate:.1%} ({worst['law']}, {worst['shape']})."
    )


def heads(records: Sequence[Mapping[str, Any]]) -> tuple[str, ...]:
    """Law, shape, draws, and each finding."""
    return ("law", "shape", "draws", *records[0]["found"])


def row(record: Mapping[str, Any]) -> tuple[str, ...]:
    """The counts of one law and shape."""
    counts = map(str, record["found"].values())
    return (record["law"], record["shape"], f"{record['draws']:,}", *counts)
