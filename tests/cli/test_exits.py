"""Every exit code of the contract, and that stdout carries the report and nothing else."""

import os
import signal
import subprocess
import sys
import threading
import time
from functools import partial
from pathlib import Path

import numpy as np
import pytest
from safetensors.numpy import save_file

from tests.forked import forked
from weightscope.api import Meter
from weightscope.cli import ending, exits
from weightscope.cli.app import run

WAIT = 60


def test_done_is_0(weightscope, model):
    """A report on stdout, nothing on stderr."""
    done = weightscope("fit", model)
    assert (done.code, done.err) == (0, "")
    assert done.out.count("\n") == 5
    assert done.out.startswith("tensor,layer,role,")


def test_a_matching_gate_is_1(weightscope, model):
    """The report is still written; the verdict goes to stderr with the rows that match."""
    done = weightscope("fit", model, "--fail-if", "std > 0", "--fail-if", "nan > 0")
    assert done.code == 1
    assert done.out.count("\n") == 5
    assert "std > 0" in done.err
    assert "model.layers.2.mlp.down_proj.weight" in done.err
    assert "nan > 0" not in done.err


def test_a_gate_that_does_not_match_is_0(weightscope, model):
    """No verdict, no code."""
    done = weightscope("fit", model, "--fail-if", "nan + inf > 0")
    assert (done.code, done.err) == (0, "")


def test_gates_see_every_measured_row(weightscope, model):
    """Before --where, --limit and --columns."""
    gated = (
        "--fail-if",
        "tensor == 'lm_head.weight'",
        "--limit",
        "0",
        "--where",
        "layer == 2",
        "--columns",
        "std",
    )
    done = weightscope("fit", model, *gated)
    assert (done.code, done.out) == (1, "std\n")


def test_a_gate_that_is_null_everywhere_warns(weightscope, model):
    """0 with a warning, silent with --quiet, 4 under --strict."""
    null = ("fit", model, "-i", "model.norm*", "--fail-if", "row_spread > 1")
    warned = weightscope(*null)
    assert warned.code == 0
    assert "null" in warned.err
    assert weightscope(*null, "-q").err == ""
    assert weightscope(*null, "--strict").code == 4


WRONG = [
    (["fit", "MODEL", "--columns", "stdd"], "did you mean 'std'"),
    (["fit", "MODEL", "--columns", "balanced_beta"], "needs --balance"),
    (["fit", "MODEL", "--where", "entropy_bits > 1"], "needs --coding"),
    (["fit", "MODEL", "--sort", "source"], "several MODELs"),
    (["fit", "MODEL", "--sort=-law"], "needs --long"),
    (
        ["fit", "MODEL", "--columns", "std", "--by", "role", "--where", "tensor == 'x'"],
        "needs --by tensor",
    ),
    (["fit", "MODEL", "--fail-if", "stdd > 1"], "did you mean 'std'"),
    (["fit", "MODEL", "--fail-if", "__import__('os')"], "__import__"),
    (["fit", "MODEL", "--where", ""], "expected an expression over columns"),
    (["fit", "MODEL", "--fail-if", ""], "expected an expression over columns"),
    (["fit", "MODEL", "--sort", ""], "expected a column; found ''"),
    (["fit", "MODEL", "--columns", ""], "expected a column; found ''"),
    (["fit", "MODEL", "--by", "rôle"], "tensor, role, layer, model"),
    (["ls", "MODEL", "--by", "colour"], "dtype"),
    (["fit", "MODEL", "-f", "xls"], "csv"),
    (["fit", "MODEL", "-o", "report.xls"], "xls"),
    (["fit", "MODEL", "-o", "/nowhere/at/all.csv"], "create it first"),
    (["fit", "MODEL", "-o", "/proc/x.csv"], "'/proc' accepts no such file"),
    (["fit", "MODEL", "--counts", "/proc/x.csv"], "'/proc' accepts no such file"),
    (["fit", "MODEL", "--plot", "/proc/x.png"], "'/proc' accepts no such file"),
    (["fit", "MODEL", "--provenance", "/proc/x.json"], "'/proc' accepts no such file"),
    (["fit", "MODEL", "-o", "x" * 300 + ".csv"], "File name too long"),
    (["fit", "MODEL", "--plot", "picture.bmp"], "bmp"),
    (["fit", "MODEL", "--plot", "picture.gif"], "a series of at least three checkpoints"),
    (["compare", "MODEL", "none.pt", "--plot", "p.gif"], "a series of at least three checkpoints"),
    (["ls", "MODEL", "--plot", "picture.png"], "No such option: --plot"),
    (["fit", "MODEL", "--counts", "cells.xls"], "xls"),
    (["fit", "MODEL", "--provenance", "/nowhere/at/all.json"], "create it first"),
    (["fit", "MODEL", "--memory", "lots"], "512MiB"),
    (["fit", "MODEL", "--memory", "-1GiB"], "512MiB"),
    (["fit", "MODEL", "--threads", "0"], "--threads"),
    (["fit", "MODEL", "--limit", "x"], "--limit"),
    (["fit", "MODEL", "--layers", "one"], "0-3,10"),
    (["fit", "MODEL", "--device", "tpu"], "cuda:N"),
    (["fit", "MODEL", "--role", "attn.*"], "roles here: head, mlp.down, norm"),
    (["fit", "MODEL", "--colums", "std"], "--columns"),
    (["fit"], "MODEL"),
    (["fitt", "MODEL"], "No such command"),
    (["fit", "demo:gtp"], "demo:gpt"),
]


@pytest.mark.parametrize(
    ("arguments", "said"), WRONG, ids=lambda x: " ".join(x)[:60] if isinstance(x, list) else ""
)
def test_wrong_usage_is_2(weightscope, model, arguments, said, monkeypatch):
    """One line on stderr says what was expected, nothing on stdout, nothing opened or written."""
    monkeypatch.chdir(os.path.dirname(model))
    done = weightscope(*(model if a == "MODEL" else a for a in arguments))
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1
    assert os.listdir() == ["model.safetensors"]


COMPLETION = [
    (["--show-completion", "bash"], {}, 0, "complete_bash"),
    (["--install-completion", "bash"], {}, 0, "bash completion installed in"),
    ([], {"_WEIGHTSCOPE_COMPLETE": "source_bash"}, 0, "complete_bash"),
    (
        [],
        {
            "_WEIGHTSCOPE_COMPLETE": "complete_bash",
            "COMP_WORDS": "weightscope f",
            "COMP_CWORD": "1",
        },
        0,
        "fit",
    ),
    (["--show-completion", "nosuch"], {}, 2, "is not one of"),
]


@pytest.mark.parametrize(
    ("arguments", "environment", "code", "printed"), COMPLETION, ids=range(len(COMPLETION))
)
def test_completion_ends_with_its_own_code(copied, tmp_path, arguments, environment, code, printed):
    """0 for a script, an installation and a list of candidates; 2 for an unknown shell.

    No file outside HOME.
    """
    env = {"HOME": str(tmp_path), **environment}
    run = copied(*arguments, env=env, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    out, err = run.communicate()
    assert run.returncode == code
    assert printed in out + err


@pytest.mark.parametrize(
    "arguments", [["--help"], ["fit", "--help"], ["--version"], ["--show-completion", "bash"]]
)
def test_help_into_a_closed_pipe_is_141(copied, arguments, tmp_path):
    """The parser prints these itself and turns the closed pipe into an exit of its own."""
    read, write = os.pipe()
    os.close(read)
    env = {"HOME": str(tmp_path)}
    run = copied(*arguments, env=env, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    _, err = run.communicate()
    assert (run.returncode, err) == (141, "")


def test_no_arguments_is_the_help(weightscope):
    """Help, on stderr: a command was expected."""
    done = weightscope()
    assert (done.code, done.out) == (2, "")
    assert done.err.startswith("Usage: ")


def test_a_source_that_is_not_there_is_3(weightscope, tmp_path):
    """A missing file, a folder without a model, an address of the Hub."""
    for source, said in [
        (tmp_path / "none.safetensors", "none.safetensors"),
        (tmp_path, str(tmp_path)),
        ("org/name", "hf://org/name"),
        ("s3://bucket/model", "local"),
    ]:
        done = weightscope("fit", source)
        assert (done.code, done.out) == (3, "")
        assert said in done.err
        assert done.err.count("\n") == 1


def test_a_damaged_source_is_3(weightscope, model, tmp_path):
    """Refused whole: no row, and no file of the report."""
    broken, report = tmp_path / "broken.safetensors", tmp_path / "r.csv"
    with open(model, "rb") as whole:
        broken.write_bytes(whole.read()[:-5])
    done = weightscope("fit", broken, "-o", report)
    assert (done.code, done.out) == (3, "")
    assert "broken.safetensors" in done.err
    assert not report.exists()


def test_salvage_measures_what_is_whole_and_is_3(weightscope, tmp_path):
    """The rows that could be read are printed, what is missing is said.

    And the code stays 3, before 1 and 4.
    """
    whole, broken = tmp_path / "whole.safetensors", tmp_path / "broken.safetensors"
    save_file({f"h.{i}.w": np.ones((8, 8), np.float32) * (i + 1) for i in range(3)}, whole)
    broken.write_bytes(whole.read_bytes()[:-5])
    done = weightscope(
        "fit", broken, "--salvage", "--columns", "tensor,max", "--fail-if", "max > 0"
    )
    assert done.code == 3
    assert done.out == "tensor,max\nh.0.w,1.0\nh.1.w,2.0\n"
    assert "h.2.w" in done.err


def test_strict_is_4(weightscope, odd):
    """A tensor that cannot be measured is a row with a note, and an error under --strict."""
    done = weightscope("fit", odd, "--columns", "tensor,std,note", "-i", "z.*")
    assert done.code == 0
    assert done.out.splitlines()[1].startswith("z.phase,,")
    assert "C64" in done.out
    strict = weightscope("fit", odd, "-i", "z.*", "--strict")
    assert strict.code == 4
    assert "z.phase" in strict.err


def test_of_several_codes_the_gravest(weightscope, odd):
    """4 before 1."""
    assert weightscope("fit", odd, "--strict", "--fail-if", "nan > 0").code == 4


def test_a_fault_is_70(weightscope, model, monkeypatch):
    """A line on how to report it; the traceback only with --verbose."""

    def broken(*arguments):
        raise ZeroDivisionError("ouch")

    monkeypatch.setattr(ending, "ask", broken)
    done = weightscope("fit", model)
    assert (done.code, done.out) == (70, "")
    assert done.err == f"weightscope: ZeroDivisionError: ouch; {exits.REPORT}\n"
    assert "Traceback" in weightscope("fit", model, "--verbose").err


def test_out_of_memory_is_70(weightscope, model, monkeypatch):
    """What to lower is said."""

    def full(*arguments):
        raise MemoryError("1 TiB")

    monkeypatch.setattr(ending, "ask", full)
    done = weightscope("fit", model)
    assert done.code == 70
    assert "lower --memory" in done.err


def test_a_full_disk_is_3(copied, model):
    """What fails while writing is not wrong usage, and nothing more is tried at the end."""
    with open("/dev/full", "w", encoding="utf-8") as full:
        done = copied("ls", model, "-q", stdout=full, stderr=subprocess.PIPE)
        err = done.communicate()[1]
    assert done.returncode == 3
    assert err.count("\n") == 1
    assert "No space left" in err


@pytest.mark.parametrize("arguments", [["--help"], ["ls", "demo:gpt", "-q"]], ids=" ".join)
def test_a_closed_pipe_is_141(copied, arguments):
    """Whoever reads our output may stop at any time: no word, no traceback."""
    read, write = os.pipe()
    os.close(read)
    done = copied(*arguments, stdout=write, stderr=subprocess.PIPE)
    os.close(write)
    assert done.communicate()[1] == ""
    assert done.returncode == 141


def test_closed_streams_are_the_null_device(model, tmp_path):
    """With stdout closed nothing lands on stderr instead, and the other way round."""
    command = f"'{sys.executable}' -m weightscope ls '{model}'"
    both = subprocess.run(
        f"{command} >&-", shell=True, capture_output=True, text=True, timeout=WAIT, check=False
    )
    assert (both.returncode, both.stdout) == (0, "")
    assert "lm_head" not in both.stderr
    code, ended = forked(partial(_without_stderr, model, tmp_path / "out"))
    assert (code, ended) == (0, "0")
    assert (tmp_path / "out").read_text().count("\n") == 5


def _without_stderr(model, out):
    """The exit code of `2>&-`: Python has no stream where a descriptor is closed."""
    with open(out, "w", encoding="utf-8") as file:
        os.dup2(file.fileno(), 1)
    os.close(2)
    sys.stderr = sys.__stderr__ = None
    sys.argv = ["weightscope", "ls", model]
    with open(1, "w", encoding="utf-8") as file:
        sys.stdout = sys.__stdout__ = file
        return str(exits.guarded(run))


INTERRUPTED = "interrupted: nothing more was written, finished files are complete\n"


@pytest.fixture
def listening():
    """Ctrl-C is heard, by child processes too: what a shell starts in the background ignores it."""
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    yield
    signal.signal(signal.SIGINT, before)


@pytest.mark.usefixtures("listening")
@pytest.mark.parametrize(("number", "code"), [(signal.SIGINT, 130), (signal.SIGTERM, 143)])
def test_interrupted(weightscope, sparse, tmp_path, monkeypatch, number, code):
    """In the middle of a large file.

    A word on what is lost, no report, no half-written file, and no worker left.
    """
    looks, check = [], Meter.check

    def tenth(meter, read):
        looks.append(read)
        if len(looks) == 10:
            os.kill(os.getpid(), number)
        check(meter, read)

    monkeypatch.setattr(Meter, "check", tenth)
    done = weightscope("fit", sparse, "-o", tmp_path / "report.csv", "--verbose")
    assert (done.code, done.out, done.err) == (code, "", INTERRUPTED)
    assert os.listdir(tmp_path) == ["sparse.safetensors"]
    assert not [t for t in threading.enumerate() if t.name.startswith("weightscope")]
    assert sum(looks) < os.path.getsize(sparse) / 2


@pytest.mark.usefixtures("listening")
def test_an_interrupted_process_ends(fresh, sparse, tmp_path):
    """Promptly, and by itself."""
    run = fresh(
        "fit", sparse, "-o", tmp_path / "report.csv", stdout=subprocess.PIPE, stderr=subprocess.PIPE
    )
    while not _reading(run.pid):
        time.sleep(0.02)
    run.send_signal(signal.SIGINT)
    assert run.communicate(timeout=WAIT) == ("", INTERRUPTED)
    assert run.returncode == 130
    assert os.listdir(tmp_path) == ["sparse.safetensors"]


def _reading(pid):
    """Whether a process has read more than its own libraries."""
    with open(f"/proc/{pid}/io", encoding="ascii") as io:
        return int(io.readline().split()[1]) > 60_000_000  # those are 27 MB


def test_an_interrupt_at_any_time_is_130():
    """Before the work begins too."""

    def interrupted():
        raise KeyboardInterrupt

    assert exits.guarded(interrupted) == 130


def test_damage_comes_before_what_could_not_be_measured(weightscope, odd, tmp_path):
    """3 before 4: a truncated file under --salvage, with a tensor that --strict minds."""
    cut = tmp_path / "cut.safetensors"
    cut.write_bytes(Path(odd).read_bytes()[:-1])
    done = weightscope("fit", str(cut), "--salvage", "--strict")
    assert "z.phase" in done.err
    assert done.code == 3


def test_a_closed_pipe_loses_no_file(unread, model, tmp_path):
    """Files are written before stdout, so `| head` has them too."""
    files = [tmp_path / name for name in ("p.png", "c.parquet", "x.json")]
    options = zip(("--plot", "--counts", "--provenance"), map(str, files), strict=True)
    done = unread("fit", model, *(word for pair in options for word in pair))
    assert (done.code, done.err) == (141, "")
    assert all(f.stat().st_size for f in files)
