"""A declaration says all that flags, keywords and pages are made from."""

from dataclasses import dataclass, fields

import pytest

from weightscope.options import declared, derived, option


@dataclass(frozen=True)
class Colours:
    """A record with an option of each form."""

    hue: str = option("red", "Which one.", metavar="NAME", short="-u")
    many: tuple[str, ...] = option((), "Several.", commas=True)
    shade: bool = option(False, "Darker.")
    mixed: bool = option(True, "Keep them apart.")
    drawn: bool = option(True, "Drawn.", typed=False, follows="plot")
    wanted: frozenset[str] | None = derived(None)


OPTIONS = {each.name: each for each in declared(Colours)}


def test_a_record_is_a_record():
    """Defaults are values; what is derived is a field and no option."""
    assert Colours() == Colours("red", (), False, True, True, None)
    assert [field.name for field in fields(Colours)] == [*OPTIONS, "wanted"]


@pytest.mark.parametrize(
    ("name", "flag"),
    [("hue", "--hue"), ("many", "--many"), ("shade", "--shade"), ("mixed", "--no-mixed")],
)
def test_the_flag_follows_from_the_name(name, flag):
    """What is True by default is taken away by its flag."""
    assert OPTIONS[name].flag == flag
    assert OPTIONS[name].negated == (name == "mixed")


def test_the_form_follows_from_the_default():
    """A tuple takes several values, a bool is a switch; what follows a picture is not negated."""
    assert [name for name, each in OPTIONS.items() if each.several] == ["many"]
    assert [name for name, each in OPTIONS.items() if each.switch] == ["shade", "mixed", "drawn"]
    assert not OPTIONS["drawn"].negated


def test_the_type_is_kept_as_it_is_written():
    """Whether or not the module of the record evaluates its annotations."""
    assert [each.kind for each in OPTIONS.values()] == [
        "str",
        "tuple[str, ...]",
        "bool",
        "bool",
        "bool",
    ]


def test_what_is_declared_is_kept():
    """Type, default, help and the rest, as they were written."""
    hue = OPTIONS["hue"]
    assert (hue.kind, hue.default, hue.option.help, hue.option.metavar, hue.option.short) == (
        "str", "red", "Which one.", "NAME", "-u",
    )  # fmt: skip
