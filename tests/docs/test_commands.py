"""Every command and call on the pages runs, and the outputs on the pages are the real ones."""

import re
import shlex
from pathlib import Path

import pytest

from tests.docs.conftest import LINEAGE
from weightscope.naming.family import name_map
from weightscope.reports import report
from weightscope.reports.pictures import animate, blank

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
ENDS = {"|", ">", ">>", "&&", "||", ";"}


def blocks(kind):
    """Every fenced block of that kind, with an id such as `tutorial-3`."""
    parameters = []
    for page in PAGES:
        for name, text in FENCE.findall(page.read_text("utf-8")):
            if name == kind:
                parameters.append(pytest.param(text, id=f"{page.stem}-{len(parameters)}"))
    return parameters


def plain_commands():
    """Every distinct `weightscope` line of the shell blocks, with the id of its first block."""
    by_line = {}
    for block in blocks("sh"):
        for i, line in enumerate(block.values[0].splitlines()):
            if line.startswith("weightscope "):
                by_line.setdefault(line, f"{block.id}-{i}-{line.split()[1]}")
    return [pytest.param(line, id=short) for line, short in by_line.items()]


def sessions():
    """Every `$ weightscope` of the console blocks: its output, and the code below `$ echo $?`."""
    for block in blocks("console"):
        parts = re.split(r"^\$ (?=weightscope)", block.values[0], flags=re.M)[1:]
        for i, part in enumerate(parts):
            line, _, shown = part.partition("\n")
            shown, _, code = shown.partition("$ echo $?\n")
            short = f"{block.id}-{i}-{line.split()[1]}"
            yield pytest.param(line, shown, int(code or 0), id=short)


def python_blocks():
    """The Python blocks that run alone; those of the page on lineage make the folder's models."""
    return [block for block in blocks("python") if not block.id.startswith(f"{LINEAGE.stem}-")]


@pytest.mark.parametrize("line", plain_commands())
def test_commands_run(weightscope, line, monkeypatch):
    """A command of a shell block, up to its first pipe, exits with 0 or the code in its comment.

    Pictures are blank: drawing them takes most of the time, and tests/reports draws every kind.
    """
    monkeypatch.setattr(report, "figure_of", lambda panels: blank())
    monkeypatch.setattr(report, "animate", lambda panels, path: animate((), path))
    words = shlex.split(line, comments=True)
    wanted = re.search(r"# exit (\d)$", line)
    end = next((i for i, word in enumerate(words) if word in ENDS), len(words))
    code, output = weightscope(shlex.join(words[:end]), terminal=False)
    assert code == int(wanted[1] if wanted else 0), f"{line}\n{output}"


@pytest.mark.parametrize(("line", "shown", "code"), list(sessions()))
def test_output_is_current(weightscope, line, shown, code):
    """The lines below a command are its real output, without a gap except at …"""
    actual_code, output = weightscope(line)
    assert actual_code == code, f"{line}\n{output}"
    pattern = "".join(
        ".*" if part == "…\n" else re.escape(part) for part in shown.splitlines(keepends=True)
    )
    # a bool: pytest would print pattern and output in full behind the message
    is_current = re.fullmatch(pattern, output, re.S) is not None
    assert is_current, f"{line}\n{output}"


@pytest.mark.parametrize("text", python_blocks())
def test_python_runs(weightscope, text, capsys):
    """A Python block runs from top to bottom."""
    exec(compile(text, "a block of the documents", "exec"), {"__name__": "page"})


@pytest.mark.parametrize("text", blocks("toml"))
def test_name_maps_are_understood(tmp_path, text):
    """A TOML block is a name map whose rules pass the check."""
    (tmp_path / "map.toml").write_text(text, "utf-8")
    assert name_map(tmp_path / "map.toml").rules
