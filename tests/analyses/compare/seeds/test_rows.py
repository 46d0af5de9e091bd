"""Means over seeds and their intervals: those of numpy from the comparisons of each seed."""

from __future__ import annotations

import numpy as np
import pytest

from tests.analyses.compare.many.small import BASE, EMBED, Q, ask, drawn, said, tuned
from weightscope import UsageError
from weightscope.analyses.compare.options import CompareOptions
from weightscope.analyses.compare.seeds.columns import columns

SEEDS = [tuned(i, 0.05 * i) for i in range(1, 5)]
COLUMNS = ("tensor", "relative", "relative_low", "relative_high", "cosine", "delta_absmax")
NUMBERS = ("relative", "cosine", "delta_absmax", "rotation", "delta_std")


def interval(values, draws, seed):
    """(mean, 2.5% and 97.5% points of the means of resamples), by numpy."""
    chosen = np.random.default_rng(seed).integers(len(values), size=(draws, len(values)))
    means = np.asarray(values)[chosen].mean(1)
    return np.mean(values), *np.percentile(means, (2.5, 97.5))


@pytest.mark.parametrize(("by", "key"), [("tensor", "tensor"), ("role", "role"), ("model", "kind")])
def test_means_and_intervals_equal_numpy(by, key) -> None:
    """Of every number, in the rows of tensors and of groups."""
    wanted = {"columns": (key, *NUMBERS), "by": by}
    alone = [{row[key]: row for row in ask([BASE, seed], **wanted).rows} for seed in SEEDS]
    rows = ask([BASE, *SEEDS], bootstrap=200, seed=7, **wanted).rows
    assert [row[key] for row in rows] == list(alone[0])
    for row in rows:
        for name in NUMBERS:
            values = [of_seed[row[key]][name] for of_seed in alone]
            found = (row[name], row[f"{name}_low"], row[f"{name}_high"])
            assert found == pytest.approx(interval(values, 200, 7)), name


def test_the_seed_decides_the_resamples() -> None:
    """Equal seeds give equal intervals, others differ; means stay."""

    def of(seed):
        return ask([BASE, *SEEDS], bootstrap=50, seed=seed, columns=COLUMNS).rows

    one, again, other = of(1), of(1), of(2)
    assert one == again
    assert [row["relative"] for row in one] == [row["relative"] for row in other]
    assert [row["relative_low"] for row in one] != [row["relative_low"] for row in other]


def test_each_number_has_an_interval() -> None:
    """Identities, texts and standard facts of A have none."""
    names = [column.name for column in ask([BASE, *SEEDS], bootstrap=1, columns=COLUMNS).columns]
    assert names[names.index("relative") :][:3] == ["relative", "relative_low", "relative_high"]
    assert not {"params_low", "layer_low", "tensor_low", "status_low"} & set(names)


def test_a_number_that_a_seed_lacks_is_null() -> None:
    """A tensor that a seed lacks, or has in another shape: no mean of the others."""
    short = {name: tensor for name, tensor in SEEDS[0].items() if name != Q}
    other = {**SEEDS[1], EMBED: drawn(5, shapes={EMBED: (40, 8)})[EMBED]}
    report = ask([BASE, short, other, SEEDS[2]], bootstrap=20, columns=COLUMNS)
    rows = {row["tensor"]: row for row in report.rows}
    assert len(report.rows) == 4
    for name in (Q, EMBED):
        assert rows[name]["relative"] is rows[name]["relative_low"] is None
        assert rows[name]["status"] is None


def test_a_tensor_that_only_seeds_have_is_one_row() -> None:
    """`added`, without numbers."""
    base = {name: tensor for name, tensor in BASE.items() if name != Q}
    rows = ask([base, *SEEDS], bootstrap=20, columns=("tensor", "status", "relative")).rows
    assert [(r["status"], r["relative"]) for r in rows if r["tensor"] == Q] == [("added", None)]


def test_the_sentence_counts_relations() -> None:
    """With the range of the rotations of the matrices."""
    text = said(ask([BASE, *SEEDS], bootstrap=5, columns=("relation",)))
    assert text.startswith("4 seeds: 4 related; rotation of the matrices 0.00")


def test_three_seeds_at_least() -> None:
    """Two are refused with the number that is missing."""
    with pytest.raises(UsageError, match="A and 3 seeds at least; found 3 MODELs; name at least 4"):
        ask([BASE, *SEEDS[:2]], bootstrap=5)


def test_a_terminal_shows_intervals() -> None:
    """Of the change and the cosine; files have those of every number."""
    shown = [
        column.name for column in columns(CompareOptions(bootstrap=5, models=4)) if column.shown
    ]
    assert [name for name in shown if name.endswith(("_low", "_high"))] == [
        "relative_low",
        "relative_high",
        "cosine_low",
        "cosine_high",
    ]
