"""Codes of quantised layouts at the command line: a note in every mode, exit 4 under --strict."""

import csv
import io

import numpy as np
import pytest

NAME = "model.layers.0.mlp.up_proj"
NOTE = "codes of GPTQ: not decoded, no statistics"


@pytest.fixture
def quantised(store):
    """A GPTQ matrix and a norm."""
    rng = np.random.default_rng(0)
    return store(
        {
            f"{NAME}.qweight": rng.integers(-(2**31), 2**31 - 1, (32, 256)).astype(np.int32),
            f"{NAME}.qzeros": np.full((2, 32), 0x77777777, np.int32),
            f"{NAME}.scales": np.full((2, 256), 0.01, np.float16),
            f"{NAME}.g_idx": (np.arange(256) // 128).astype(np.int32),
            "model.norm.weight": np.ones(256, np.float32),
        }
    )


def read(text):
    """Rows of a report by their tensor."""
    return {row["tensor"]: row for row in csv.DictReader(io.StringIO(text))}


@pytest.mark.parametrize("command", ["fit", "outliers", "spectrum"])
def test_codes_are_noted(weightscope, quantised, command):
    """Exit 0 and a note; 4 under --strict, which names the codes and nothing else."""
    done = weightscope(command, quantised)
    assert done.code == 0
    row = read(done.out)[f"{NAME}.qweight"]
    assert (row["role"], row["quantised"], row["note"]) == ("mlp.up", "true", NOTE)
    strict = weightscope(command, quantised, "--strict")
    assert strict.code == 4
    assert f"--strict: 1 tensor could not be measured: {NAME}.qweight" in strict.err


def test_ls_measures_nothing(weightscope, quantised):
    """A listing shows the layout, and --strict has nothing against it."""
    done = weightscope("ls", quantised, "--strict")
    assert done.code == 0
    rows = read(done.out)
    assert {t for t, row in rows.items() if row["quantised"] == "true"} == {f"{NAME}.qweight"}
    assert rows[f"{NAME}.qweight"]["note"] == NOTE
    assert {
        row["kind"] for t, row in rows.items() if t not in (f"{NAME}.qweight", "model.norm.weight")
    } == {"buffer"}


def test_no_finding_on_codes(weightscope, quantised):
    """What was not measured has no finding, and no gate on values matches it."""
    done = weightscope(
        "outliers",
        quantised,
        "--fail-if",
        "abs(std) > 1 or nan > 0 or severity_rank > 1",
        "-i",
        "*qweight",
    )
    assert done.code == 2  # outliers has no std
    done = weightscope(
        "outliers",
        quantised,
        "--fail-if",
        "max_z > 0 or nan > 0 or severity_rank > 0",
        "-i",
        "*qweight",
    )
    row = read(done.out)[f"{NAME}.qweight"]
    assert (row["severity"], row["findings"], row["severity_rank"]) == ("", "", "0")


def test_groups_note_codes(weightscope, quantised):
    """A grouped row counts the codes among the tensors with notes and pools nothing of them."""
    done = weightscope("fit", quantised, "--by", "role", "--role", "mlp.up")
    row = next(csv.DictReader(io.StringIO(done.out)))
    assert (row["tensors"], row["std"], row["std_median"]) == ("1", "", "")
    assert row["note"] == f"1 of 1 tensors noted: {NAME}.qweight: {NOTE}"
