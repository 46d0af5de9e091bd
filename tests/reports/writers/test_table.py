"""The table for people, as whole text at a fixed width without colour."""

import dataclasses

import pytest

from weightscope.analyses.rows import SOURCE
from weightscope.columns import Column
from weightscope.reports.report import Report
from weightscope.reports.screen import FILE, Screen
from weightscope.reports.view import View
from weightscope.reports.writers.table import shortened, text

NAME = "model.layers.10.self_attn.q_proj.weight"
COLUMNS = (
    Column("tensor", "str", "", shown=True),
    Column("params", "int", "", shown=True),
    Column("beta", "float", "", shown=True),
    Column("note", "str", ""),
    Column("histogram", "str", "", shown=True),
)
ROWS = (
    {
        "tensor": NAME.replace("10", "9"),
        "params": 4096 * 4096,
        "beta": 1.23456789,
        "histogram": "▁▄█▄▁",
    },
    {"tensor": NAME, "params": 4096 * 4096, "beta": None, "histogram": "▁▄█▄▁"},
)
LAYERS = Report("fit", ROWS, COLUMNS)
PIPE = r"""tensor                                  role              params                  std    iid  note
──────────────────────────────────────────────────────────────────────────────────────────────────
h.2.w                                   attn.q                12  0.30000000000000004   true  ·
h.10.w                                  attn.q  9007199254740993                  nan  false
a,"b"\n\x1b[31m[bold]|\u202e\ud800=1\t  ·                      0                  inf      ·  x
h.1.w                                   mlp.up                 ·                    ·      ·  ·
é漢                                     mlp.up                 7              -1e-300   true  NA
"""  # noqa: E501 - the whole table


def test_pipe_has_every_column_at_full_width(report):
    """Nothing is cut and nothing is rounded."""
    assert text(report.arranged(), FILE) == PIPE


def test_terminal_is_compact():
    """The columns that matter, four digits, the drawing whole."""
    assert (
        text(LAYERS.arranged(), Screen(True, 80))
        == """\
tensor                                     params   beta  histogram
───────────────────────────────────────────────────────────────────
model.layers.9.self_attn.q_proj.weight   16777216  1.235  ▁▄█▄▁
model.layers.10.self_attn.q_proj.weight  16777216      ·  ▁▄█▄▁
"""
    )


def test_models_stay_distinct_on_a_narrow_terminal():
    """Paths that begin and end alike lose the folders and the ending that all have."""
    columns = (SOURCE, Column("beta", "float", "", shown=True))
    paths = [f"/data/runs/gpt_seed0_step{step}00.safetensors" for step in ("000", "016")]
    report = Report("depth", tuple({"source": path, "beta": 2.0} for path in paths), columns)
    assert (
        text(report.arranged(), Screen(True, 40))
        == """\
source               beta
─────────────────────────
gpt_seed0_step00000     2
gpt_seed0_step01600     2
"""
    )


def test_narrow_terminal_shortens_names_then_drops_columns():
    """Leading parts of names become initials, then names are cut, then columns are left out."""
    assert (
        text(LAYERS.arranged(), Screen(True, 60))
        == """\
tensor                            params   beta  histogram
──────────────────────────────────────────────────────────
m.l.9.self_attn.q_proj.weight   16777216  1.235  ▁▄█▄▁
m.l.10.self_attn.q_proj.weight  16777216      ·  ▁▄█▄▁
"""
    )
    assert (
        text(LAYERS.arranged(), Screen(True, 40))
        == """\
tensor                    params   beta
───────────────────────────────────────
m.l.9.s.q_proj.weight   16777216  1.235
m.l.10.s.q_proj.weight  16777216      ·
"""
    )
    for width in (60, 50, 40, 33, 20, 10):
        lines = text(LAYERS.arranged(), Screen(True, width)).splitlines()
        assert max(map(len, lines)) <= width
        assert len(lines) == 4


def test_columns_named_by_a_person_are_never_dropped():
    """Asked for, they stand there, wider than the terminal if they must."""
    asked = dataclasses.replace(LAYERS, view=View(("tensor", "params", "beta", "note")))
    assert text(asked.arranged(), Screen(True, 30)).splitlines()[0].split() == [
        "tensor",
        "params",
        "beta",
        "note",
    ]


READING = Column("spread", "float", "", shown=True)
PAIR = Report(
    "fit",
    ({"tensor": "h.1.w", "n": 12, "spread": 0.5, "spread_null": 0.25, "beta": 2.0, "lag": 0.1},),
    (
        COLUMNS[0],
        Column("n", "int", ""),
        READING,
        READING.suffixed("_null", ""),
        Column("lag", "float", ""),
        Column("lag_null", "float", ""),
        COLUMNS[2],
    ),
)


def test_a_reading_brings_its_null_or_goes_with_it():
    """A terminal shows both or neither, whether or not the null is marked.

    Other columns stay away as before.
    """
    assert (
        text(PAIR.arranged(), Screen(True, 40))
        == """\
tensor  spread  spread_null  beta
─────────────────────────────────
h.1.w      0.5         0.25     2
"""
    )
    heads = {
        width: text(PAIR.arranged(), Screen(True, width)).split("\n")[0] for width in range(1, 40)
    }
    assert all(("spread " in head) == ("spread_null" in head) for head in heads.values())
    assert (heads[26], heads[27]) == ("tensor", "tensor  spread  spread_null")
    asked = dataclasses.replace(PAIR, view=View(("spread",)))
    assert text(asked.arranged(), Screen(True, 40)).split()[0::2] == ["spread", "0.5"]


def test_ascii_terminals_get_ascii():
    """Where the encoding has no block characters, tables are drawn without.

    The rule and the null too.
    """
    rendered = text(LAYERS.arranged(), Screen(True, 80, encoding="ascii"))
    assert rendered.isascii()
    assert "._" not in rendered
    assert rendered.splitlines()[2].endswith(".=#=.")


@pytest.mark.parametrize("color", [True, False])
def test_hostile_names_are_text(report, color):
    """No name is markup, and no control character but our own colours reaches a terminal."""
    rendered = text(report.arranged(), Screen(True, 200, color))
    assert r"[31m[bold]|\u202e\ud800=1\t" in rendered
    assert ("\x1b[1m" in rendered) is color
    assert "\x1b[31m" not in rendered


def test_empty(empty, written):
    """The header alone."""
    assert text(empty.arranged(), Screen(True, 80)).splitlines()[0].split() == [
        "tensor",
        "role",
        "params",
        "std",
    ]
    assert len(written(empty, "table").splitlines()) == 2


def test_wide_characters_count_twice():
    """A Chinese name is cut by the cells it takes."""
    assert shortened("漢" * 20, 11) == "漢漢…漢漢"
    assert shortened("short", 11) == "short"
