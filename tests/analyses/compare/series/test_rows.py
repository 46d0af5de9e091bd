"""The rows of a series are those of `compare` of each two steps, in a fixed order."""

from __future__ import annotations

import pytest
import torch

from tests.analyses.compare.many.small import (
    BASE,
    EMBED,
    NUMBERS,
    UP,
    Q,
    ask,
    drawn,
    equal_to_pairs,
    tuned,
    typed,
    walk,
)

MIXED = [
    BASE,
    typed(tuned(1), torch.bfloat16),
    typed(tuned(2), torch.float16),
    typed(tuned(3), torch.float64),
]
MEASURED = (*NUMBERS, "ks", "w1", "sqnr_db", "delta_kurtosis", "delta_row_spread", "note")


def test_every_column_is_that_of_two() -> None:
    """Steps of three types: numbers, laws, kinds of change, notes, bit for bit."""
    equal_to_pairs(MIXED[:3], columns=MEASURED)


def test_every_column_of_the_spectrum_is_that_of_two() -> None:
    """The difference is decomposed for each pair."""
    steps = [{Q: step[Q], UP: step[UP]} for step in MIXED[:3]]
    columns = ("tensor", "overlap", "overlap_null", "delta_rank_90", "delta_stable_rank", "change")
    equal_to_pairs(steps, spectrum=True, columns=columns)


@pytest.mark.parametrize(
    ("by", "key"),
    [("role", ("role", "kind")), ("layer", ("stack", "layer", "kind")), ("model", ("kind",))],
)
def test_groups_are_those_of_two(by, key) -> None:
    """Pooled numbers, spreads and counts of statuses."""
    columns = (*key, "relative", "relative_median", "cosine", "changed", "same", "added", "ks")
    equal_to_pairs(MIXED, by=by, key=key, columns=columns)


def test_order_is_step_then_tensor_then_first_before_previous() -> None:
    """The second source has one row a tensor; layers 2 and 10 are in natural order."""
    names = [f"model.layers.{i}.mlp.up_proj.weight" for i in (10, 2)]
    steps = [drawn(i, shapes=dict.fromkeys(names, (8, 8))) for i in range(3)]
    rows = ask(steps, columns=("tensor", "status")).rows
    two, ten = sorted(names, key=len)
    expected = [(1, two, "first"), (1, ten, "first")]
    for name in (two, ten):
        expected += [(2, name, "first"), (2, name, "previous")]
    assert [(row["step"], row["tensor"], row["against"]) for row in rows] == expected


def without(tensors, *names):
    """A step that lacks these."""
    return {name: tensor for name, tensor in tensors.items() if name not in names}


def statuses(steps, name):
    """(step, against, status) of a tensor."""
    rows = ask(steps, columns=("tensor", "status")).rows
    return [(r["step"], r["against"], r["status"]) for r in rows if r["tensor"] == name]


def test_a_step_without_a_tensor_has_removed_rows() -> None:
    """It is `added` to the previous step where it returns, and `changed` against the first."""
    steps = walk(4)
    steps[1] = without(steps[1], Q)
    assert statuses(steps, Q) == [
        (1, "first", "removed"),
        (2, "first", "changed"),
        (2, "previous", "added"),
        (3, "first", "changed"),
        (3, "previous", "changed"),
    ]
    equal_to_pairs(steps, columns=NUMBERS)


def test_a_tensor_that_is_gone_has_rows_against_the_first_alone() -> None:
    """The previous step lacks it too from the second step without it."""
    steps = walk(4)
    steps[2], steps[3] = without(steps[2], Q), without(steps[3], Q)
    assert statuses(steps, Q)[1:] == [
        (2, "first", "removed"),
        (2, "previous", "removed"),
        (3, "first", "removed"),
    ]


def test_a_tensor_that_comes_late_is_added() -> None:
    """At its step to both, later to the first only; its rows are in the order of names."""
    steps = [without(step, EMBED) if i < 2 else step for i, step in enumerate(walk(4))]
    assert statuses(steps, EMBED) == [
        (2, "first", "added"),
        (2, "previous", "added"),
        (3, "first", "added"),
        (3, "previous", "changed"),
    ]
    rows = ask(steps, columns=("tensor",)).rows
    last = [row["tensor"] for row in rows if row["step"] == 3 and row["against"] == "first"]
    assert last == sorted(BASE)
    equal_to_pairs(steps, columns=NUMBERS)


def test_an_extended_vocabulary_is_reshaped() -> None:
    """The common rows are compared, with the first and with the previous step."""
    steps = walk(3)
    steps[1] = {**steps[0], EMBED: torch.cat([steps[0][EMBED], drawn(7)[EMBED][:5]])}
    report = equal_to_pairs(steps, columns=(*NUMBERS, "rule", "note"))
    (row,) = [r for r in report.rows if r["tensor"] == EMBED and r["step"] == 1]
    assert (row["status"], row["rule"]) == ("reshaped", "first")


def spelled(tensors, old, new):
    """The tensors under other names."""
    return {name.replace(old, new): tensor for name, tensor in tensors.items()}


@pytest.mark.parametrize("at", [1, 2])
def test_wrapped_names_of_one_step_meet(at) -> None:
    """The row has the name in the first step, `tensor_b` that of the step."""
    steps = walk(3)
    plain = ask(steps, columns=NUMBERS).rows
    steps[at] = {f"module.{name}": tensor for name, tensor in steps[at].items()}
    rows = ask(steps, columns=NUMBERS).rows
    other = {row["step"] for row in rows if row["tensor_b"] == f"module.{row['tensor']}"}
    assert other == {at}
    assert [{**row, "tensor_b": None} for row in rows] == list(plain)


@pytest.mark.parametrize("new", [(1, 2, 3), (1, 3), (2, 3), (2,)])
def test_renamed_names_may_be_old_or_new_in_later_steps(new) -> None:
    """--rename goes for every step that spells a tensor as the first does."""
    steps = walk(4)
    plain = [(r["relative"], r["against"]) for r in ask(steps, columns=NUMBERS).rows]
    for at in new:
        steps[at] = spelled(steps[at], "layers.0.self_attn.q_proj", "own.query")
    rename = (r"model.layers.0.self_attn.q_proj.weight=model.own.query.weight",)
    rows = ask(steps, columns=NUMBERS, rename=rename).rows
    assert [(row["relative"], row["against"]) for row in rows] == plain


def test_names_that_change_places_are_those_of_the_first_step() -> None:
    """Two names exchanged by --rename are exchanged in the first step alone."""
    one = drawn(1, shapes={"one": (8, 8), "two": (8, 8)})
    turned = {"one": one["two"], "two": one["one"]}
    report = ask([one, turned, turned], columns=NUMBERS, rename=("one=two", "two=one"))
    assert {row["status"] for row in report.rows} == {"same"}


def test_one_model_named_twice() -> None:
    """Its rows are `same`; other steps are as without it."""
    steps = walk(3)
    rows = ask([steps[0], steps[0], steps[2]], columns=NUMBERS).rows
    assert {row["status"] for row in rows if row["step"] == 1} == {"same"}
    assert {row["status"] for row in rows if row["step"] == 2} == {"changed"}


def test_buffers_have_a_status() -> None:
    """And nothing more, at each step."""
    name = "h.0.attn.masked_bias"
    steps = [{**step, name: torch.full((1,), float(i // 2))} for i, step in enumerate(walk(3))]
    report = equal_to_pairs(steps, columns=NUMBERS)
    found = [(r["status"], r["relative"]) for r in report.rows if r["tensor"] == name]
    assert found == [("same", None), ("changed", None), ("changed", None)]


def test_nan_leaves_other_pairs_alone() -> None:
    """NaN in one step is counted out of the pairs of that step."""
    steps = walk(4)
    steps[1][Q] = steps[1][Q].clone()
    steps[1][Q][0, 0] = float("nan")
    equal_to_pairs(steps, columns=(*NUMBERS, "note"))


@pytest.mark.usefixtures("measured_anew")
def test_one_thread_and_two_give_equal_rows() -> None:
    """And the order of the rows is the same."""
    one, two = (ask(MIXED, columns=NUMBERS, threads=threads).rows for threads in (1, 2))
    assert one == two


def test_other_options_apply_to_the_rows() -> None:
    """--where, --sort and --limit choose among the rows of all steps."""
    options = {"where": "against == 'previous'", "sort": "-relative", "limit": 2}
    shown = ask(walk(4), columns=("against", "relative"), **options).table
    assert list(shown["against"]) == ["previous", "previous"]
    assert list(shown["relative"]) == sorted(shown["relative"], reverse=True)
