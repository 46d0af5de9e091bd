"""Every command and every call that the pages show runs, and what they show as its output is what comes out."""

import re
import shlex
from pathlib import Path

import pytest

from weightscope.naming.family import name_map

ROOT = Path(__file__).parents[2]
PAGES = [ROOT / "README.md", ROOT / "CONTRIBUTING.md", *sorted((ROOT / "docs").rglob("*.md"))]
FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.M | re.S)
ENDS = {"|", ">", ">>", "&&", "||", ";"}


def blocks(kind):
    """(page, text) of every fenced block of that kind."""
    found = [
        (p, text)
        for p in PAGES
        for name, text in FENCE.findall(p.read_text("utf-8"))
        if name == kind
    ]
    return [pytest.param(text, id=f"{p.stem}-{i}") for i, (p, text) in enumerate(found)]


def plain_commands():
    """Every distinct `weightscope` line of the shell blocks, up to its first pipe, with the code a comment names."""
    lines = dict.fromkeys(line for block in blocks("sh") for line in block.values[0].splitlines())
    return [line for line in lines if line.startswith("weightscope ")]


def sessions():
    """Every `$ weightscope` of the console blocks, the output shown below it, and the code that `$ echo $?` shows."""
    for block in blocks("console"):
        for part in re.split(r"^\$ (?=weightscope)", block.values[0], flags=re.M)[1:]:
            line, _, shown = part.partition("\n")
            shown, _, code = shown.partition("$ echo $?\n")
            yield pytest.param(line, shown, int(code or 0), id=f"{block.id}: {line}")


@pytest.mark.parametrize("line", plain_commands(), ids=str)
def test_commands_run(weightscope, line):
    """A command of a shell block ends with 0, or with the code that its comment names."""
    words = shlex.split(line, comments=True)
    wanted = re.search(r"# exit (\d)$", line)
    end = next((i for i, w in enumerate(words) if w in ENDS), len(words))
    code, seen = weightscope(shlex.join(words[:end]), terminal=False)
    assert code == int(wanted[1] if wanted else 0), seen


@pytest.mark.parametrize(("line", "shown", "code"), list(sessions()))
def test_output_is_current(weightscope, line, shown, code):
    """The lines under a command stand in its real output, in order and without a gap except at …"""
    ended, seen = weightscope(line)
    assert ended == code, seen
    pattern = "".join(
        ".*" if part == "…\n" else re.escape(part) for part in shown.splitlines(keepends=True)
    )
    assert re.fullmatch(pattern, seen, re.S), seen


@pytest.mark.parametrize("text", blocks("python"))
def test_python_runs(weightscope, text, capsys):
    """A Python block runs from top to bottom."""
    exec(compile(text, "a block of the documents", "exec"), {"__name__": "page"})


@pytest.mark.parametrize("text", blocks("toml"))
def test_name_maps_are_understood(tmp_path, text):
    """A TOML block is a name map whose rules pass the check."""
    (tmp_path / "map.toml").write_text(text, "utf-8")
    assert name_map(tmp_path / "map.toml").rules
