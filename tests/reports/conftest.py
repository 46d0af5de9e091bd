"""A small table with every hard value: shared by the tests of the reports."""

import math

import pytest

from weightscope.columns import Column
from weightscope.notes import Note
from weightscope.reports.report import Report

COLUMNS = (
    Column("tensor", "str", "name as stored", shown=True),
    Column("role", "str", "what it does", shown=True),
    Column("params", "int", "elements", shown=True),
    Column("std", "float", "standard deviation", shown=True),
    Column("iid", "bool", "whether it is"),
    Column("note", "str", "why not"),
)
HOSTILE = 'a,"b"\n\x1b[31m[bold]|\u202e\ud800=1\t'
ROWS = (
    {
        "tensor": "h.2.w",
        "role": "attn.q",
        "params": 12,
        "std": 0.1 + 0.2,
        "iid": True,
        "note": None,
    },
    {
        "tensor": "h.10.w",
        "role": "attn.q",
        "params": 2**53 + 1,
        "std": math.nan,
        "iid": False,
        "note": "",
    },
    {"tensor": HOSTILE, "role": None, "params": 0, "std": math.inf, "iid": None, "note": "x"},
    {"tensor": "h.1.w", "role": "mlp.up", "params": None, "std": None, "iid": None, "note": None},
    {"tensor": "é漢", "role": "mlp.up", "params": 7, "std": -1e-300, "iid": True, "note": "NA"},
)
NOTES = tuple((Note("constant", row["note"]),) if row["note"] else () for row in ROWS)


@pytest.fixture
def report():
    provenance = {"version": "0", "options": {"x": math.inf}}
    return Report("fit", ROWS, COLUMNS, provenance=provenance, row_notes=NOTES)


@pytest.fixture
def empty():
    return Report("fit", (), COLUMNS)


@pytest.fixture
def rows():
    return ROWS


@pytest.fixture
def columns():
    return COLUMNS
