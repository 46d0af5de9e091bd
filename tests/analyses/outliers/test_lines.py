"""Rows and columns of findings: the planted ones, listed in the note of their tensor."""

from __future__ import annotations

import numpy as np
import pytest
import torch

import weightscope as ws
from weightscope.analyses.outliers.marks import Mark, named

EMBED = "model.embed_tokens.weight"
Q = "model.layers.0.self_attn.q_proj.weight"
ALL = slice(None)
FIVE = [7, 19, 111, 190, 191]


@pytest.fixture
def clean(draw):
    """Tokens and a matrix."""
    return {EMBED: draw(200, 64), Q: draw(96, 64)}


def put(rows, cols, value):
    """A function that sets a part of a copy, to a value or to a function of the part."""

    def plant(w):
        w = w.clone()
        w[rows, cols] = value(w[rows, cols]) if callable(value) else value
        return w

    return plant


def parallel(part):
    """Rows that were only updated along one direction."""
    noise = np.random.default_rng(5).standard_normal(part.shape)
    return torch.from_numpy(0.03 * np.resize([1, -1], part.shape[1]) + 0.003 * noise).float()


def notes(model, **options):
    """The notes of all tensors that have one."""
    return {
        row["tensor"]: row["note"]
        for row in ws.outliers(model, panels=False, **options).rows
        if row["note"]
    }


PLANTS = [
    (EMBED, put(slice(32, 65), ALL, parallel), "untrained rows 32:65"),
    (EMBED, put(FIVE, ALL, lambda part: part[0]), "duplicate rows 7, 19, 111, 190:192"),
    (Q, put([5, 6, 40], ALL, lambda part: part[0]), "duplicate rows 5:7, 40"),
    (Q, put([5, 6, 40], ALL, 0), "dead rows 5:7, 40"),
    (Q, put(ALL, 9, 0), "dead columns 9"),
    (Q, put(7, ALL, torch.abs), "one-sign rows 7"),
    (Q, put(ALL, slice(60, None), torch.abs), "one-sign columns 60:64"),
    (Q, put(7, ALL, lambda part: 5 * part), "outlier rows 7"),
    (Q, put(ALL, 8, lambda part: 5 * part), "outlier columns 8"),
]


def test_lines_are_named(clean, draw):
    """In the note of their tensor, also as the only column; ignored findings are not listed."""
    expected, model, finding = {}, dict(clean), set()
    for i, (tensor, plant, note) in enumerate(PLANTS):
        expected[f"net{i}.{tensor}"] = note
        model[f"net{i}.{tensor}"] = plant(draw(*clean[tensor].shape))
    rows = ws.outliers(model, panels=False).rows
    assert {row["tensor"]: row["note"] for row in rows if row["note"]} == expected
    assert notes(model, columns=["tensor", "note"]) == expected
    for row in rows:
        finding |= set(row["findings"].split(",")) if row["findings"] else set()
    assert notes(model, ignore=sorted(finding)) == {}


def test_lines_that_are_counted_without_a_finding_are_not_named(clean):
    """Rows of small norm, and rows of a tensor of zeros."""
    assert notes(clean | {Q: put(7, ALL, lambda part: part / 9)(clean[Q])}) == {}
    assert "dead" not in notes(clean | {Q: torch.zeros(96, 64)})[Q]


def test_rows_that_changed_since_the_base(clean):
    """Few changed rows are listed with their other marks, the gravest first; many are not."""
    changed = put(FIVE, ALL, lambda part: part[0] + 0.01)(clean[EMBED])
    assert notes(clean | {EMBED: changed}, base=clean) == {
        EMBED: "changed rows 7, 19, 111, 190:192; duplicate rows 7, 19, 111, 190:192"
    }
    one = put(7, ALL, lambda part: part + 0.01)(clean[EMBED])
    assert notes(clean | {EMBED: one}, base=clean) == {EMBED: "changed rows 7"}
    assert notes(clean | {EMBED: -clean[EMBED]}, base=clean) == {}


def test_equal_rows_among_untrained_ones_are_named_once(clean):
    """The count includes the whole set, each row has one finding."""
    w = put(slice(32, 65), ALL, parallel)(clean[EMBED])
    w[40:50] = w[40]
    (row,) = (r for r in ws.outliers(clean | {EMBED: w}, panels=False).rows if r["tensor"] == EMBED)
    assert (row["untrained_rows"], row["duplicate_rows"]) == (33, 10)
    assert row["note"] == "duplicate rows 40:50; untrained rows 32:40, 50:65"


def test_a_zero_row_of_a_base_is_no_vector_that_rows_share(clean):
    """Rows set to zero are dead; that they are equal is not a trace of triggers."""
    (row, _) = ws.outliers(
        clean | {EMBED: put([4, 5], ALL, 0)(clean[EMBED])}, base=clean, panels=False
    ).rows
    assert (row["severity"], row["note"]) == ("warn", "changed rows 4:6; dead rows 4:6")


def test_groups_tell_of_a_tensor_with_lines_behind_a_finding(clean):
    """As of any note."""
    model = clean | {Q: put(7, ALL, 0)(clean[Q])}
    found = {row["role"]: row["note"] for row in ws.outliers(model, by="role", panels=False).rows}
    assert found == {"embed": None, "attn.q": f"1 of 1 tensors noted: {Q}: dead rows 7"}


@pytest.mark.parametrize(
    ("at", "text"),
    [
        ([0], "0"),
        ([0, 1], "0:2"),
        (range(32, 65), "32:65"),
        ([5, 6, 7, 9, 11, 12], "5:8, 9, 11:13"),
        (range(0, 16, 2), "0, 2, 4, 6, 8, 10, 12, 14"),
        (range(0, 20000, 2), "0, 2, 4, 6, 8, 10, 12, 14 and 9992 more"),
        ([*range(0, 16, 2), 100, 101, 102], "0, 2, 4, 6, 8, 10, 12, 14 and 3 more"),
    ],
)
def test_lines_as_slices(at, text):
    """At most eight slices; the remaining rows are counted."""
    note = named(Mark.DEAD_ROWS, np.asarray(at))
    assert (note.text, note.rows, note.code) == (f"dead rows {text}", tuple(at), "rows")
    assert named(Mark.OUTLIER_COLUMNS, np.asarray(at)).code == "columns"
