"""What a person sees.

The compact table on a real pseudo-terminal, as whole text at a fixed width.
"""

import fcntl
import io
import os
import pty
import re
import struct
import subprocess
import sys
import termios
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import partial
from statistics import NormalDist
from unittest.mock import patch

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.forked import forked
from weightscope.api import Meter
from weightscope.cli import terminal
from weightscope.cli.app import run
from weightscope.cli.exits import guarded

FIT_120 = """\
tensor                      histogram          std  best      beta  ks_normal  pattern   row_spread  row_spread_null
────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
lm_head.weight              ▁▁▁▂▄██▄▂▁▁▁    0.1413  laplace  1.001      0.062  linear       0.05303          0.07255
m.l.0.mlp.down_proj.weight  ▁▁▁▃▆██▆▃▁▁▁      0.02  normal   2.002  0.0001073  gaussian     0.02197          0.07255
m.l.1.mlp.down_proj.weight  ▁▁▁▃▆██▆▃▁▁▁  0.009999  normal   2.002  0.0001073  gaussian     0.02197          0.07255
model.norm.weight           ·                    0  ·            ·          ·  ·                  ·                ·
"""  # noqa: E501 - the whole table
FIT_60 = """\
tensor                histogram          std  best      beta
────────────────────────────────────────────────────────────
lm_head.weight        ▁▁▁▂▄██▄▂▁▁▁    0.1413  laplace  1.001
m.l.0.m.do…oj.weight  ▁▁▁▃▆██▆▃▁▁▁      0.02  normal   2.002
m.l.1.m.do…oj.weight  ▁▁▁▃▆██▆▃▁▁▁  0.009999  normal   2.002
model.norm.weight     ·                    0  ·            ·
"""
BALANCE_120 = """\
tensor                               histogram          std   beta  ks_normal  balanced_beta  balanced_beta_null
────────────────────────────────────────────────────────────────────────────────────────────────────────────────
lm_head.weight                       ▁▁▁▂▄██▄▂▁▁▁    0.1413  1.001      0.062          1.006               1.064
model.layers.0.mlp.down_proj.weight  ▁▁▁▃▆██▆▃▁▁▁      0.02  2.002  0.0001073          2.019               2.146
model.layers.1.mlp.down_proj.weight  ▁▁▁▃▆██▆▃▁▁▁  0.009999  2.002  0.0001073          2.019               2.146
model.norm.weight                    ·                    0      ·          ·              ·                   ·
"""  # noqa: E501 - the whole table
ROLES_120 = """\
role      kind    tensors  histogram         std  best             beta  beta_median  ks_normal  pattern
────────────────────────────────────────────────────────────────────────────────────────────────────────
head      matrix        1  ▁▁▁▂▄██▄▂▁▁▁   0.1413  laplace         1.001        1.001      0.062  linear
mlp.down  matrix        2  ▁▁▁▂▅██▅▂▁▁▁  0.01581  normal_mixture  1.384        2.002    0.03005  heavy
norm      norm          1  ·                   0  ·                   ·            ·          ·  ·
"""  # noqa: E501 - the whole table
SPECTRUM_120 = """\
tensor                           shape  stable_rank  rank  alpha  spikes  row_spread  row_spread_null  effective_depth
──────────────────────────────────────────────────────────────────────────────────────────────────────────────────────
lm_head.weight                   64x96        6.619    64  1.932       9     0.05303          0.07255            1.889
m.layers.0.mlp.down_proj.weight  64x96        4.379    64  1.819      12     0.02197          0.07255            3.132
m.layers.1.mlp.down_proj.weight  64x96        4.379    64  1.819      12     0.02197          0.07255            3.132
"""  # noqa: E501 - the whole table
SPECTRUM_60 = """\
tensor                      shape  stable_rank  rank  alpha
───────────────────────────────────────────────────────────
lm_head.weight              64x96        6.619    64  1.932
m.l.0.mlp.down_proj.weight  64x96        4.379    64  1.819
m.l.1.mlp.down_proj.weight  64x96        4.379    64  1.819
"""
SPECTRUM_ROLES_60 = """\
role      kind    tensors  stable_rank_median  rank_median
──────────────────────────────────────────────────────────
head      matrix        1               6.619           64
mlp.down  matrix        2               4.379           64
"""
LS_120 = """\
tensor                                   role      shape  dtype  bytes
──────────────────────────────────────────────────────────────────────
lm_head.weight                           head      64x96  F32    24576
model.layers.{0-1}.mlp.down_proj.weight  mlp.down  64x96  F32    49152
model.norm.weight                        norm      64     F32      256
"""
LS_60 = """\
tensor                        role      shape  dtype  bytes
───────────────────────────────────────────────────────────
lm_head.weight                head      64x96  F32    24576
m.l.{0-1}.m.down_proj.weight  mlp.down  64x96  F32    49152
model.norm.weight             norm      64     F32      256
"""
PLAIN = {"NO_COLOR": "1"}


@contextmanager
def screen(width):
    """The program's end of a pseudo-terminal.

    And in a future what is written to it until the `with` ends.
    """
    ours, theirs = pty.openpty()
    fcntl.ioctl(theirs, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
    with ThreadPoolExecutor(1) as reader:
        try:
            yield theirs, reader.submit(all_of, ours)
        finally:
            os.close(theirs)
    os.close(ours)


def all_of(ours):
    """What is written until the other end of a pseudo-terminal is closed."""
    written = b""
    with suppress(OSError):  # how a closed end is told
        while more := os.read(ours, 65536):
            written += more
    return written.decode().replace("\r\n", "\n")


def on_terminal(arguments, width, environment=None, stderr=subprocess.DEVNULL, encoding="utf-8"):
    """Code and text of the program in this process, its stdout a pseudo-terminal of some width.

    Stderr too if told.
    """
    environment = {"COLUMNS": "", "NO_COLOR": "", "TERM": "xterm"} | (environment or {})
    with (
        screen(width) as (theirs, written),
        open(theirs, "w", encoding=encoding, closefd=False) as out,
    ):
        err = out if stderr is subprocess.STDOUT else io.StringIO()
        argv = ["weightscope", *arguments]
        with (
            patch.multiple(sys, stdout=out, stderr=err, argv=argv),
            patch.dict(os.environ, environment),
        ):
            code = guarded(run)
    return code, written.result()


def of_a_shell():
    """Few variables: those of the tests may have the width of another terminal."""
    return PLAIN | {
        "OMP_NUM_THREADS": "1",
        "PATH": os.environ["PATH"],
        "TERM": "xterm",
        "LANG": "C.UTF-8",
    }


def in_a_copy(call, width):
    """What a function returns in a copy of this process, and what it writes.

    Its streams are a pseudo-terminal of some width.
    """
    with screen(width) as (theirs, written):
        code, text = forked(partial(typed, call, theirs))
    assert code == 0, text
    return text, written.result()


def typed(call, terminal):
    """What a function returns, as text, where a shell starts it at a terminal."""
    for descriptor in (0, 1, 2):
        os.dup2(terminal, descriptor)
    environment = of_a_shell()
    os.environ.clear()
    os.environ |= environment
    with open(1, "w", encoding="utf-8") as out, open(2, "w", encoding="utf-8") as err:
        sys.stdout = sys.__stdout__ = out
        sys.stderr = sys.__stderr__ = err
        return str(call())


def program(*arguments):
    """The exit code of the program."""
    sys.argv = ["weightscope", *arguments]
    return guarded(run)


@pytest.fixture(scope="module")
def exact(tmp_path_factory):
    """Gaussian and Laplace quantiles in a fixed order, and a constant vector.

    The same table on every machine.
    """
    p = (np.arange(64 * 96) + 0.5) / (64 * 96)
    order = (np.arange(len(p)) * 2741) % len(p)
    shape = lambda values, scale: (scale * values[order]).reshape(64, 96).astype(np.float32)
    gauss = np.array([NormalDist().inv_cdf(x) for x in p])
    tensors = {
        f"model.layers.{i}.mlp.down_proj.weight": shape(gauss, 0.02 / (1 + i)) for i in range(2)
    }
    tensors["lm_head.weight"] = shape(np.sign(p - 0.5) * np.log(2 * np.minimum(p, 1 - p)), 0.1)
    tensors["model.norm.weight"] = np.full(64, 0.5, np.float32)
    path = tmp_path_factory.mktemp("exact") / "model.safetensors"
    save_file(tensors, path)
    return str(path)


@pytest.mark.parametrize(
    ("command", "width", "expected"),
    [
        (["fit"], 120, FIT_120),
        (["fit"], 60, FIT_60),
        (["fit", "--balance"], 120, BALANCE_120),
        (["fit", "--by", "role"], 120, ROLES_120),
        (["spectrum"], 120, SPECTRUM_120),
        (["spectrum"], 60, SPECTRUM_60),
        (["spectrum", "--by", "role"], 60, SPECTRUM_ROLES_60),
        (["ls"], 120, LS_120),
        (["ls"], 60, LS_60),
    ],
    ids=lambda x: " ".join(x) if isinstance(x, list) else x if isinstance(x, int) else "",
)
def test_the_table(exact, command, width, expected):
    """Name, small histogram and the readings that matter, as many as fit, four digits."""
    assert on_terminal([*command, exact], width, PLAIN) == (0, expected)


@pytest.mark.parametrize("width", [40, 60, 120])
def test_what_is_said_is_broken_between_words(width):
    """Totals fill the lines of the terminal, none more; in a pipe they stay whole."""
    text = on_terminal(["ls", "demo:gpt", "--limit", "0"], width, PLAIN, stderr=subprocess.STDOUT)[
        1
    ]
    assert max(map(len, text.splitlines())) <= width
    said = " ".join(text.replace("\n  ", " ").split())
    roles = "mlp.down 4, mlp.gate 4, mlp.up 4, attn.k 4, attn.o 4, attn.q 4, attn.v 4"
    assert f"by role: norm 9, {roles}, head 1" in said


def test_columns_wins_over_the_terminal(exact):
    """COLUMNS says how wide the reader wants it."""
    assert on_terminal(["fit", exact], 60, PLAIN | {"COLUMNS": "120"}) == (0, FIT_120)


def test_colour(exact):
    """A bold header and dim nulls; none with NO_COLOR or TERM=dumb; never anywhere else."""
    coloured = on_terminal(["fit", exact], 120)[1]
    assert coloured.startswith("\x1b[1mtensor")
    assert coloured.replace("\x1b[1m", "").replace("\x1b[2m", "").replace("\x1b[0m", "") == FIT_120
    assert on_terminal(["fit", exact], 120, {"TERM": "dumb"}) == (0, FIT_120)


def test_an_ascii_terminal(exact):
    """Where the encoding has no blocks they are drawn with what there is."""
    code, text = on_terminal(["ls", exact, "--flat"], 120, PLAIN, encoding="ascii")
    assert code == 0
    assert text.isascii()


def test_flat(exact):
    """--flat undoes the collapsing of layers."""
    assert "model.layers.1.mlp" in on_terminal(["ls", "--flat", exact], 120, PLAIN)[1]


def test_named_columns_are_never_dropped(exact):
    """What a person asks for stands there, wider than the terminal if it must.

    `all` is everything.
    """
    text = on_terminal(["fit", exact, "--columns", "all", "-i", "lm*"], 60, PLAIN)[1]
    assert {"tensor", "kind", "lag_col_null", "col_spread_iid", "note", "histogram"} <= set(
        text.splitlines()[0].split()
    )


def test_a_file_gets_no_table(exact, tmp_path):
    """With -o the terminal stays empty, and the file has every column at full precision.

    Without drawings.
    """
    path = tmp_path / "r.csv"
    assert on_terminal(["fit", exact, "-o", str(path)], 120) == (0, "")
    head = path.read_text().splitlines()[0].split(",")
    assert "row_spread_iid" in head
    assert "histogram" not in head


def test_parquet_to_a_terminal_is_2(exact):
    """Bytes would only spoil it; nothing is measured."""
    assert on_terminal(["fit", exact, "-f", "parquet"], 120) == (2, "")


def test_hostile_names(tmp_path):
    """No escape of a tensor's name reaches the terminal, in tables and in messages."""
    path = tmp_path / "m.safetensors"
    save_file({"\x1b]0;owned\x07\x1b[31mred[bold]\n": np.full((2, 2), np.nan, np.float32)}, path)
    everything = ["fit", str(path), "--columns", "tensor,note", "--fail-if", "nan > 0", "--verbose"]
    code, text = on_terminal([*everything, "--no-progress"], 120, PLAIN, stderr=subprocess.STDOUT)
    assert code == 1
    assert "\x1b" not in text
    assert "\x07" not in text
    assert "\\x1b[31mred[bold]\\n" in text


def test_progress_stays_on_stderr_and_goes(exact):
    """Shown while it runs on a terminal and wiped.

    Absent with --no-progress, --quiet and in a pipe.
    """
    code, shown = in_a_copy(partial(program, "fit", exact), 120)
    assert code == "0"
    assert "4 tensors" in shown
    coverage = "4 of 4 tensors measured\n"
    assert shown.rpartition("\x1b[2K")[2] == FIT_120 + coverage
    for silent, after in (("--no-progress", coverage), ("--quiet", "")):
        assert on_terminal(["fit", exact, silent], 120, PLAIN, stderr=subprocess.STDOUT) == (
            0,
            FIT_120 + after,
        )


def watched():
    """Progress on a terminal that becomes wider."""
    terminal.TICK = 0.02
    for width in PARTS:
        fcntl.ioctl(2, termios.TIOCSWINSZ, struct.pack("HHHH", 24, width, 0, 0))
        meter = Meter(5_000_000, 66)
        with terminal.progress(meter, 1290, 230_000_000_000):
            time.sleep(0.1)
            meter.bytes_read, meter.tensors = 70_005_000_000, 466
            time.sleep(0.3)
        print("next", end="", flush=True)


PARTS = {
    10: "",
    20: "400/1290 tensors",
    40: r"400/1290 tensors \S+ (\?|\S+ [GT]B/s)",
    60: r"400/1290 tensors \S+ 65.2/214.2 GiB (\?|\S+ [GT]B/s)",
    120: r"400/1290 tensors \S+ 65.2/214.2 GiB (\?|\S+ [GT]B/s) [━╸╺]+",
}


def test_progress_is_one_line_of_any_width():
    """Parts that do not fit are left out.

    The line never breaks, is wiped at the end, and counts from its beginning.
    """
    _, text = in_a_copy(watched, 120)
    *lines, nothing = re.sub(r"\x1b\[[0-9;?]*[mlh]", "", text).split("next")
    assert nothing == ""
    for line, (width, parts) in zip(lines, PARTS.items(), strict=True):
        *frames, last = line.split("\x1b[2K")
        frames = [frame.partition("\r")[0].partition("\n")[0].rstrip() for frame in frames]
        assert (last, line.count("\n")) == ("", 1)
        assert max(map(len, frames)) <= width
        assert [frame for frame in frames if re.fullmatch(parts, frame)]


def test_a_person_sees_what_has_a_spectrum_and_gates_see_all(exact):
    """Vectors are counted on stderr; `--where` shows what it says; in a pipe every row is there."""
    text = on_terminal(["spectrum", exact], 100, PLAIN, subprocess.STDOUT)[1]
    assert "1 row of vectors, depthwise kernels, masks or buffers: not listed" in text
    assert "norm" not in text.split("not listed")[1]
    assert (
        "model.norm.weight"
        in on_terminal(["spectrum", exact, "--where", "isnull(m)"], 100, PLAIN)[1]
    )
    code, gated = on_terminal(
        ["spectrum", exact, "--fail-if", "isnull(m)"], 100, PLAIN, subprocess.STDOUT
    )
    assert code == 1
    assert "1 of 4 rows match" in gated


@pytest.fixture
def marked(tmp_path):
    """Tensors: clean, with a dead row and an Inf, with a dead row, with a row of one sign."""
    p = (np.arange(64 * 96) * 2741 % (64 * 96) + 0.5) / (64 * 96)
    w = np.array([NormalDist(0, 0.02).inv_cdf(x) for x in p]).reshape(64, 96)
    tensors = {f"layers.{i}.mlp.up_proj.weight": np.roll(w, i).astype(np.float32) for i in range(4)}
    tensors["layers.2.mlp.up_proj.weight"][7] = 0
    tensors["layers.3.mlp.up_proj.weight"][7] = 0
    tensors["layers.3.mlp.up_proj.weight"][9, 9] = np.inf
    tensors["layers.1.mlp.up_proj.weight"][7] = np.abs(tensors["layers.1.mlp.up_proj.weight"][7])
    path = tmp_path / "marked.safetensors"
    save_file(tensors, path)
    return str(path)


def test_a_person_sees_what_stands_out_worst_first(marked):
    """And then the total, on stderr; with a filter or an order of their own, that.

    A pipe shows all in their order.
    """
    both = lambda *more: on_terminal(
        ["outliers", "--no-progress", *more], 160, PLAIN, stderr=subprocess.STDOUT
    )
    code, text = both(marked)
    hidden, _, _, *lines = text.splitlines()
    lines, total, coverage = lines[:3], lines[-2], lines[-1]
    assert (code, hidden) == (0, "1 row without findings: not listed")
    assert [line.split()[:3] for line in lines] == [
        ["layers.3.mlp.up_proj.weight", "error", "WS101,WS111"],
        ["layers.2.mlp.up_proj.weight", "warn", "WS111"],
        ["layers.1.mlp.up_proj.weight", "info", "WS163"],
    ]
    assert total == "4 tensors: 1 error, 1 warning"
    assert coverage == "4 of 4 tensors measured"
    assert total not in on_terminal(["outliers", marked], 160, PLAIN)[1]
    assert [x.split()[0][:8] for x in both(marked, "--sort", "tensor")[1].splitlines()[2:6]] == [
        "layers.0", "layers.1", "layers.2", "layers.3",
    ]  # fmt: skip
    _, text = both(marked, "--where", "nan == 0", "--fail-if", "severity_rank == 0")
    assert "layers.0" in text


def test_a_list_on_a_terminal_is_whole(marked):
    """No rows are hidden, none is sorted again, and there is no total."""
    code, text = on_terminal(
        ["outliers", "--no-progress", "--top", "3", marked], 120, PLAIN, stderr=subprocess.STDOUT
    )
    assert code == 0
    assert len(text.splitlines()) == 6
    assert text.splitlines()[-1] == "4 of 4 tensors measured"
    assert "tensors:" not in text
