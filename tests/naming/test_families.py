"""Each sample of each family file resolves to its declared place; each rule is well formed."""

from __future__ import annotations

import tomllib

import pytest

from weightscope.geometry import Index
from weightscope.naming import Family, Sample, families, places
from weightscope.naming.checking import check
from weightscope.naming.family import FOLDER, ORDER, SAMPLES


@pytest.mark.parametrize("family", families(), ids=lambda family: family.id)
def test_samples(family: Family) -> None:
    """Each sample name has the stated number of places, each with the stated fields."""
    wrong = {sample.name: found for sample in family.samples if (found := differences(sample))}
    assert wrong == {}


def differences(sample: Sample) -> list[object]:
    """Fields that differ from a sample, with their places; all places if their number differs."""
    made = places({sample.name: sample.shape, **sample.beside}, sample.config)[sample.name]
    if len(made) != len(sample.expect):
        return [made]
    found: list[object] = []
    for place, expect in zip(made, sample.expect, strict=True):
        for field, value in expect.items():
            wanted = Index(*value) if field in ("rows", "cols") else value
            shown = place.shown if field == "part" else getattr(place, field)
            if shown != wanted:
                found.append((field, shown, wanted, place))
    return found


def test_every_file_is_in_the_order() -> None:
    """Each TOML file of the folder is listed once, and each listed file exists."""
    assert sorted(ORDER) == sorted(p.stem for p in FOLDER.glob("*.toml"))


def test_ids_are_file_names_and_samples_exist() -> None:
    """A family has the name of its file, architectures, and samples that declare something."""
    for identifier, family in zip(ORDER, families(), strict=True):
        assert family.id == identifier
        assert family.families
        assert family.samples
        assert all(e for s in family.samples for e in s.expect)


def test_samples_are_the_last_part_of_each_file() -> None:
    """A run reads the text before them, which has everything else."""
    for identifier in ORDER:
        text = (FOLDER / f"{identifier}.toml").read_text(encoding="utf-8")
        before, samples, _ = text.partition(SAMPLES)
        assert samples
        assert tomllib.loads(before).keys() == tomllib.loads(text).keys() - {"sample"}


def test_rules_pass_the_check_of_name_maps() -> None:
    """What a user's rule must satisfy, every rule of the package satisfies."""
    for family in families():
        for rule in family.rules:
            check(rule)


def test_no_rule_names_a_number_above_nine() -> None:
    """Spellings that differ in numbers above nine are matched once: no rule distinguishes them."""
    for family in families():
        for rule in family.rules:
            digits = [
                c
                for c in rule.regex.replace("{1,6}", "").replace("{1,2}", "").split("\\.")
                if c.isdigit()
            ]
            assert all(len(d) == 1 for d in digits), rule.regex


def test_slots_by_group_name_every_alternative() -> None:
    """A slot table has an entry for each alternative of its group `slot`, else of `key`."""
    for family in families():
        for rule in family.rules:
            if rule.slot is None or isinstance(rule.slot, str) or "" in rule.slot:
                continue
            group = "(?P<slot>" if "(?P<slot>" in rule.body else "(?P<key>"
            inside = rule.body.partition(group)[2].partition(")")[0]
            assert {a.replace("\\", "") for a in inside.split("|")} == set(rule.slot), rule.regex


def test_roles_by_key_name_every_alternative() -> None:
    """A role table has an entry for every alternative of its group `key`."""
    for family in families():
        for rule in family.rules:
            if not isinstance(rule.role, str):
                inside = rule.body.partition("(?P<key>")[2].partition(")")[0]
                assert {a.replace("\\", "") for a in inside.split("|")} == set(rule.role), (
                    rule.regex
                )
