"""What a person is told of the notes below the table, and nobody else."""

from __future__ import annotations

import io
import sys
from statistics import NormalDist

import numpy as np
import pytest

from weightscope.cli.app import run
from weightscope.cli.exits import guarded


class Terminal(io.TextIOWrapper):
    """A stream that says it is a terminal."""

    def isatty(self):
        return True


@pytest.fixture
def on_terminal(monkeypatch):
    """`on_terminal("fit", path, width=80)`.

    What a terminal of that width shows, and what stderr has.
    """

    def call(*arguments, width=100):
        out, err = Terminal(io.BytesIO(), "utf-8"), io.StringIO()
        with monkeypatch.context() as patched:
            patched.setenv("COLUMNS", str(width))
            patched.setenv("NO_COLOR", "1")
            patched.setattr(sys, "stdout", out)
            patched.setattr(sys, "stderr", err)
            patched.setattr(sys, "argv", ["weightscope", *map(str, arguments)])
            guarded(run)
        return out.buffer.getvalue().decode("utf-8"), err.getvalue()

    return call


@pytest.fixture
def spoilt(store):
    """Matrices of uneven rows, one of them with a NaN, and a vector."""
    p = (np.arange(64 * 96) * 2741 % (64 * 96) + 0.5) / (64 * 96)
    w = (
        np.array([NormalDist(0, 0.02).inv_cdf(x) for x in p]).reshape(64, 96)
        * np.linspace(0.1, 2, 64)[:, None]
    )
    tensors = {f"layers.{i}.mlp.up_proj.weight": np.roll(w, i).astype(np.float32) for i in range(4)}
    tensors["layers.2.mlp.up_proj.weight"][3, 4] = np.nan
    return store(tensors | {"norm.weight": np.linspace(1, 2, 64, dtype=np.float32)})


UNEVEN = "row_spread is ... times its null and can cause spikes and depth: see --balance"
NAN = "layers.2.mlp.up_proj.weight: 1 NaN at row 3, column 4: statistics of the finite values"


@pytest.mark.parametrize("width", [60, 200])
def test_why_a_row_has_no_values_and_what_to_distrust(on_terminal, spoilt, width):
    """Whatever fits into the table."""
    _, said = on_terminal("spectrum", spoilt, width=width)
    lost, *rest = said.splitlines()[1:]
    assert lost == "layers.2.mlp.up_proj.weight: non-finite elements: no spectrum"
    assert f"3 rows: {UNEVEN}" in rest
    assert len(rest) <= 5
    assert on_terminal("fit", spoilt, width=width)[1].splitlines()[0] == NAN
    *lines, total, coverage = on_terminal("outliers", spoilt, width=width)[1].splitlines()
    assert NAN in lines
    assert coverage == "5 of 5 tensors measured"
    assert total.startswith("5 tensors: 1 error")


@pytest.fixture
def zoo(store):
    """One of everything that is no matrix, a matrix that cannot be measured, and a matrix."""
    w = np.random.default_rng(0).standard_normal((48, 32)).astype(np.float32)
    lack = {
        "a.head.weight": w[:, :1],
        "b.norm.weight": w[0],
        "c.proj.bias": w[0],
        "d.empty.weight": w[:0],
    }
    lack |= {
        "e.conv.weight": w[:, :9].reshape(48, 1, 3, 3),
        "f.attn.mask": w > 0,
        "g.rotary.inv_freq": w[0],
    }
    return store(lack | {"h.phase": w.astype(np.complex64), "i.proj.weight": w})


@pytest.mark.parametrize(
    "columns", [[], ["--columns", "tensor"], ["--columns", "tensor,m,rank"]], ids=" ".join
)
def test_what_is_no_matrix_is_counted_and_the_rest_is_listed(on_terminal, zoo, columns):
    """Two dimensions do not make one; a matrix that could not be measured is one.

    `--where` lists what it says.
    """
    table, said = on_terminal("spectrum", zoo, *columns)
    assert [line.split()[0] for line in table.splitlines()[2:]] == ["h.phase", "i.proj.weight"]
    hidden, *_ = said.splitlines()
    assert hidden == "7 rows of vectors, depthwise kernels, masks or buffers: not listed"
    table, said = on_terminal("spectrum", zoo, "--where", "isnull(m)", *columns)
    assert [line[0] for line in table.splitlines()[2:]] == [*"abcdefg"]
    assert "not listed" not in said


def test_groups_without_a_matrix_are_counted(on_terminal, zoo):
    """By role and kind."""
    table, said = on_terminal("spectrum", zoo, "--by", "role")
    assert {line.split()[1] for line in table.splitlines()[2:]} == {"matrix"}
    assert "rows of vectors, depthwise kernels, masks or buffers: not listed" in said


@pytest.mark.parametrize("more", [[], ["--per-head"]], ids=" ".join)
def test_nulls_need_the_room_of_shapes(on_terminal, zoo, more):
    """A narrow terminal has a reading beside them."""
    head = on_terminal("spectrum", zoo, "--null", "shuffle", *more, width=60)[0].split("\n")[0]
    assert head.split()[:4] == ["tensor", "stable_rank", "stable_rank_null", "rank"]


def test_what_was_asked_for_is_shown(on_terminal, zoo):
    """Beside what it is about."""
    head = lambda *more: on_terminal("spectrum", zoo, *more, width=80)[0].split("\n")[0]
    assert "alpha  alpha_low  alpha_high" in head("--alpha-ci")
    assert "alpha  alpha_null" in head("--null", "shuffle")


def test_of_groups_how_many_tensors_are_noted(on_terminal, spoilt):
    """Their note tells the rarest alone."""
    assert (
        "4 of 4 tensors noted: see the note column\n"
        in on_terminal("spectrum", spoilt, "--by", "role")[1]
    )


def test_balanced_twins_need_no_warning(on_terminal, spoilt):
    """They stand beside what scales make."""
    assert "see --balance" not in on_terminal("spectrum", spoilt, "--balance")[1]


def test_only_of_the_rows_shown(on_terminal, spoilt):
    """A filter hides the notes with the rows."""
    assert (
        on_terminal("spectrum", spoilt, "--where", "layer == 2", "--columns", "rank")[1].count("\n")
        == 2  # the note and the coverage line
    )


@pytest.mark.parametrize(
    "more", [["-q"], ["-f", "csv"], ["--columns", "tensor,note"], ["--columns", "all"]], ids=str
)
def test_nobody_is_told_who_is_quiet_or_sees_the_notes(on_terminal, spoilt, more):
    """Nothing of it on stderr."""
    assert "3 rows:" not in on_terminal("spectrum", spoilt, *more)[1]


def test_pipes_and_files_are_as_they_were(weightscope, on_terminal, spoilt, tmp_path):
    """Notes are a column there; stdout of a terminal has the table alone."""
    assert weightscope("spectrum", spoilt).err == ""
    assert on_terminal("spectrum", spoilt, "-o", tmp_path / "r.csv") == (
        "",
        "3 of 5 tensors measured; left out: 1 vector, 1 without a result\n",
    )
    assert "no spectrum" not in on_terminal("spectrum", spoilt)[0]
