"""Values of keywords from Python: converted to the types of the records, or refused by name."""

from pathlib import Path

import numpy as np
import pytest

import weightscope as ws

LAYERS = [
    (1, {1}),
    (0, {0}),
    ([0, 1], {0, 1}),
    ((0, 1), {0, 1}),
    (range(1, 3), {1, 2}),
    (np.arange(2), {0, 1}),
    (np.int64(3), {3}),
    ([0, "2-3"], {0, 2, 3}),
    ("0-1", {0, 1}),
]


@pytest.mark.parametrize(("layers", "chosen"), LAYERS, ids=repr)
def test_layers_are_numbers_or_text(layers, chosen):
    """A whole number, several of any sequence, or the text of the command line."""
    report = ws.ls("demo:gpt", layers=layers)
    assert {row["layer"] for row in report.rows} == chosen
    assert len(report.rows) == 9 * len(chosen)
    assert isinstance(report.provenance["options"]["layers"], str)


@pytest.mark.parametrize(
    ("option", "value", "rows"),
    [
        ("min_params", None, 39),
        ("layers", None, 39),
        ("min_params", np.int64(10**9), 0),
        ("split", np.True_, 39),
        ("memory", 2.0**30, 39),
        ("include", (name for name in ["model.norm*"]), 1),
        ("role", np.array(["norm"]), 9),
    ],
    ids=lambda x: "" if isinstance(x, int) else str(x)[:20],
)
def test_values_of_other_types_that_mean_the_same(option, value, rows):
    """None is the default; numpy scalars, arrays and generators are converted."""
    if not rows:
        with pytest.raises(ws.UsageError, match="the largest has 65024"):
            ws.fit("demo:gpt", **{option: value})
        return
    report = ws.fit("demo:gpt", panels=False, columns="tensor", **{option: value})
    assert len(report.rows) == rows


REFUSED = [
    ("layers", 1.5, r"layers takes a text such as '0-3,10', or whole numbers; found float 1\.5"),
    ("layers", True, "found bool True; write layers=3 or"),
    ("layers", -1, "found '-1'; separate layers by commas"),
    ("layers", [0, 1.5], r"found list \[0, 1\.5\]"),
    ("layers", {0: 1}, "found dict"),
    ("where", 1, "where takes a text; found int 1"),
    ("sort", 3, "sort takes a text; found int 3"),
    ("device", 0, "device takes a text; found int 0"),
    ("by", ["role"], r"by takes a text; found list \['role'\]"),
    ("root", b"model", "root takes a text; found bytes"),
    ("limit", "2", "limit takes a whole number; found str '2'"),
    ("limit", 2.5, r"limit takes a whole number; found float 2\.5"),
    ("min_params", "x", "min_params takes a whole number; found str 'x'"),
    ("columns", 1, "columns takes a text or a list of texts; found int 1"),
    ("columns", [1], r"found list \[1\]"),
    ("columns", {"std": 1}, "found dict"),
    ("fail_if", 3, "fail_if takes a text or a list of texts; found int 3"),
    ("include", b"w", "include takes a text or a list of texts; found bytes"),
    ("memory", [1], r"memory takes a size such as '4GiB'; found list \[1\]"),
    ("split", "no", "split takes True or False; found str 'no'"),
    ("strict", np.zeros(3), "strict takes True or False; found ndarray"),
    ("name_map", 3, "name_map takes a path; found int 3"),
    ("where", ["x" * 100], r"found list \['x{58}\.\.\.; write"),
]


@pytest.mark.parametrize(("option", "value", "message"), REFUSED, ids=lambda x: str(x)[:30])
def test_values_of_another_type_are_refused(option, value, message):
    """By the name of the keyword, with the type and the value, before anything is opened."""
    with pytest.raises(ws.UsageError, match=message):
        ws.fit(Path("missing.safetensors"), **{option: value})


def test_an_alpha_cut_is_a_number():
    """A whole number and one of numpy count as they are; a text does not."""
    cut = ws.spectrum("demo:gpt", layers=0, alpha_cut=np.float32(0.5), role="attn.q")
    assert cut.provenance["options"]["alpha_cut"] == 0.5
    with pytest.raises(ws.UsageError, match="alpha_cut takes a number; found str"):
        ws.spectrum("demo:gpt", alpha_cut="0.5")
