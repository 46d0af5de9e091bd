"""JSON and JSON Lines, read back by Python's strict reader."""

import json
import math

import pytest


def refuse(constant):
    raise AssertionError(f"{constant} is not JSON")


def expected(rows, columns):
    def value(v):
        return None if isinstance(v, float) and not math.isfinite(v) else v

    return [{c.name: value(row[c.name]) for c in columns} for row in rows]


def test_json_is_an_array_of_records(written, report, rows, columns):
    """Every value comes back, lone surrogates included; NaN and Inf are null."""
    assert json.loads(written(report, "json"), parse_constant=refuse) == expected(rows, columns)


def test_jsonl_is_one_record_a_line(written, report, rows, columns):
    """Line by line the same records."""
    lines = written(report, "jsonl").decode("ascii").splitlines()
    assert [json.loads(line, parse_constant=refuse) for line in lines] == expected(rows, columns)


@pytest.mark.parametrize(("name", "text"), [("json", b"[]\n"), ("jsonl", b"")])
def test_empty(written, empty, name, text):
    """No rows: an empty array, no lines."""
    assert written(empty, name) == text


def test_nothing_in_it_can_act_on_a_terminal(written, report):
    """ASCII escapes all the way."""
    assert written(report, "json").decode("ascii").replace("\n", "").isprintable()
