"""Gates: what they find and how they say it."""

from weightscope.columns import Column
from weightscope.reports.expression import parse
from weightscope.reports.gate import gate

COLUMNS = [Column("tensor", "str", ""), Column("nan", "int", ""), Column("max_z", "float", "")]


def test_a_gate_finds_the_rows_that_match():
    """Matches, the number of rows seen, and that something was decided."""
    rows = [
        {"tensor": "a", "nan": 1, "max_z": None},
        {"tensor": "b", "nan": 0, "max_z": 41.0},
        {"tensor": "c", "nan": 0},
    ]
    found = gate(parse("nan > 0 or max_z > 40", COLUMNS), rows)
    assert (found.expression, found.columns) == ("nan > 0 or max_z > 40", ("nan", "max_z"))
    assert (found.rows, found.count, found.seen, found.undecided) == (tuple(rows[:2]), 2, 3, False)
    assert str(found) == (
        "gate 'nan > 0 or max_z > 40': 2 of 3 rows match\n"
        "  a  nan=1  max_z=null\n  b  nan=0  max_z=41"
    )


def test_only_the_first_twenty_rows_are_listed():
    """The rest is counted."""
    text = str(gate(parse("nan > 0", COLUMNS), [{"tensor": f"t{i}", "nan": 1} for i in range(23)]))
    assert text.splitlines()[0] == "gate 'nan > 0': 23 of 23 rows match, 3 not listed"
    assert len(text.splitlines()) == 21


def test_null_on_every_row_is_told():
    """A gate that decided nothing is not a gate that passed."""
    found = gate(parse("max_z > 40", COLUMNS), [{"tensor": "a"}, {"tensor": "b"}])
    assert found.undecided
    assert str(found) == "gate 'max_z > 40': null on every one of 2 rows, so it decided nothing"
    assert not gate(parse("max_z > 40", COLUMNS), []).undecided


def test_hostile_names_and_grouped_rows():
    """A name cannot speak to the terminal; a grouped row is named by what it has."""
    found = gate(
        parse("nan > 0", COLUMNS),
        [
            {"tensor": "\x1b[2J\n", "source": "m", "nan": 1},
            {"role": "attn.q", "kind": "matrix", "nan": 2},
            {"role": "norm", "kind": "norm", "nan": 1},
            {"nan": 3},
        ],
    )
    assert str(found).splitlines()[1:] == [
        r"  m \x1b[2J\n  nan=1",
        "  attn.q matrix  nan=2",
        "  norm  nan=1",
        "  model  nan=3",
    ]


def test_a_series_is_named_with_its_statistic():
    """A row of `depth` is named by stack, role, part, slot, layer and statistic."""
    series = {"stack": "enc", "role": "ssm.in_proj", "part": "z", "slot": "fwd", "kind": "matrix"}
    found = gate(
        parse("nan > 0", COLUMNS),
        [
            {**series, "source": "m", "layer": 3, "statistic": "std", "nan": 1},
            {"role": "\x1b[2J", "slot": "\n", "kind": "conv", "statistic": "beta", "nan": 2},
        ],
    )
    assert str(found).splitlines()[1:] == [
        "  m enc ssm.in_proj.z[fwd] layer 3 std  nan=1",
        r"  \x1b[2J[\n] beta  nan=2",
    ]
