"""Candidate parents of a model: ranks, relation, and what is equal."""

from __future__ import annotations

import pytest
import torch

from tests.analyses.compare.many.small import BASE, EMBED, NORM, Q, ask, drawn, said, tuned

SHAPES = dict.fromkeys((Q, Q.replace("q_", "k_")), (40, 40))
TARGET = drawn(0, shapes=SHAPES)


def near(seed, cosine):
    """A candidate at about this cosine."""
    other = drawn(seed, shapes=SHAPES)
    return {n: cosine * TARGET[n] + (1 - cosine**2) ** 0.5 * other[n] for n in TARGET}


def ranked(*candidates, target=TARGET, **options):
    """The rows, and the sentence."""
    report = ask([target, *candidates], nearest=True, **options)
    return report.rows, said(report)


def test_ranks_by_relation_and_cosine() -> None:
    """Related before undecided before unrelated, in any order of the sources."""
    rows, text = ranked(near(1, 0.0), near(2, 0.9), near(3, 0.06), near(4, 0.5))
    assert [row["rank"] for row in rows] == [1, 2, 3, 4]
    found = [row["relation"] for row in rows]
    assert found == ["related", "related", "undecided", "unrelated"]
    assert [row["cosine_median"] for row in rows] == pytest.approx([0.9, 0.5, 0.06, 0], abs=0.05)
    assert [row["rotation"] for row in rows] == pytest.approx([0.1, 0.5, 0.94, 1], abs=0.05)
    assert text.startswith("nearest: memory, related (median cosine 0.9")
    assert text.endswith("; 1 more related")


def test_no_candidate_is_related() -> None:
    """And one that is undecided is named."""
    assert ranked(near(1, 0.0))[1] == "no candidate is related"
    text = ranked(near(1, 0.0), near(2, 0.06))[1]
    assert text == "no candidate is related for certain; memory is undecided"


def test_frozen_tensors_count_as_equal() -> None:
    """Equal after rounding to another type too."""
    frozen = {**tuned(1), Q: BASE[Q], EMBED: BASE[EMBED].bfloat16()}
    ((row,), _) = ranked(frozen, target=BASE)
    assert (row["same_share"], row["pairs"]) == (0.5, 4)


def test_candidates_without_a_cosine() -> None:
    """They are last: those with more pairs first, and the note denies no pair."""
    alien = {"conv1.weight": torch.ones(3, 4, 3, 3)}
    empty = {name: torch.zeros_like(tensor) for name, tensor in TARGET.items()}
    rows, text = ranked(alien, empty)
    assert [row["pairs"] for row in rows] == [2, 0]
    assert rows[0]["note"] == "no pair of matrices has a cosine: the relation is not known"
    assert text == "no candidate is related"


def test_another_architecture_is_last() -> None:
    """Without a partner: no pairs, a note, no relation."""
    alien = {"conv1.weight": torch.ones(3, 4, 3, 3)}
    rows, _ = ranked(alien, near(1, 0.0))
    assert [row["pairs"] for row in rows] == [2, 0]
    assert rows[1]["relation"] is rows[1]["cosine_median"] is rows[1]["same_share"] is None
    assert "has a partner" in rows[1]["note"]


def test_norms_prove_nothing() -> None:
    """A candidate with vectors in common has no relation, and is behind an unrelated one."""
    norm = {NORM: BASE[NORM]}
    rows, _ = ranked(norm, near(1, 0.0), target=TARGET | norm)
    assert [row["relation"] for row in rows] == ["unrelated", None]
    assert "no pair of matrices" in rows[1]["note"]


def test_equal_candidates_keep_their_order() -> None:
    """The target among the candidates is first, with cosine 1 and every tensor equal."""
    rows, _ = ranked(near(1, 0.5), TARGET, near(1, 0.5))
    assert next(row["cosine_median"] for row in rows) == 1.0
    assert rows[0]["same_share"] == 1.0
    assert rows[0]["rotation"] == 0.0
    assert rows[1]["cosine_median"] == rows[2]["cosine_median"]


def test_an_adapter_is_a_candidate() -> None:
    """As the adapted target: everything else is equal."""
    change = drawn(3, 0.3, {"A": (4, 16), "B": (24, 4)})
    stem = Q.removesuffix(".weight")
    adapter = {f"{stem}.lora_A.weight": change["A"], f"{stem}.lora_B.weight": change["B"]}
    ((row,), _) = ranked(adapter, target=BASE)
    assert (row["relation"], row["same_share"]) == ("related", 0.75)


def test_only_what_ranks_is_measured() -> None:
    """Columns of laws are none of these rows; a gate sees every candidate."""
    rows, _ = ranked(near(1, 0.9), near(2, 0.0), fail_if=("relation == 'unrelated'",))
    assert "ks" not in rows[0]
    report = ask([TARGET, near(1, 0.0)], nearest=True, fail_if=("rank > 0",))
    assert report.gates[0].count == 1
