"""Generated pages are current, links resolve, and the README has the real file tree."""

import difflib
import importlib
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
DOCS = ROOT / "docs"
PAGES = [
    ROOT / "README.md",
    ROOT / "CONTRIBUTING.md",
    ROOT / "CHANGELOG.md",
    *sorted(DOCS.rglob("*.md")),
]
FENCES = re.compile(r"^```.*?^```$", re.M | re.S)
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")


def generated():
    """The text of every generated file by its path."""
    sys.path.insert(0, str(ROOT))
    try:
        return importlib.import_module("docs.generate").files()
    finally:
        sys.path.remove(str(ROOT))


FILES = generated()


@pytest.mark.parametrize("path", FILES)
def test_generated_file_is_current(path):
    """A generated file is what `make docs` writes; only lines that differ are printed."""
    current = (ROOT / path).read_text("utf-8").splitlines(keepends=True)
    expected = FILES[path].splitlines(keepends=True)
    differences = list(difflib.unified_diff(current, expected, n=0))
    assert not differences, "run make docs:\n" + "".join(differences[:20])


def slugs(page):
    """The anchors of a page's headings, as the site makes them."""
    heads = re.findall(r"^#+ (.+)$", FENCES.sub("", page.read_text("utf-8")), re.M)
    return {re.sub(r"[\s-]+", "-", re.sub(r"[^\w\s-]", "", head).strip().lower()) for head in heads}


@pytest.mark.parametrize("page", PAGES, ids=lambda p: str(p.relative_to(ROOT)))
def test_links_resolve(page):
    """A link inside the repository leads to a file that exists, and to one of its headings."""
    text = FENCES.sub("", page.read_text("utf-8"))
    for link in LINK.findall(text):
        if "://" in link:
            continue
        path, _, anchor = link.partition("#")
        target = (page.parent / path).resolve() if path else page
        assert target.exists(), f"{page.name}: {link}"
        if anchor:
            assert anchor in slugs(target), f"{page.name}: {link}"


def test_paths_of_the_recipes_exist():
    """A recipe names files that exist, and files to write as `<...>`."""
    text = (ROOT / "CONTRIBUTING.md").read_text("utf-8")
    paths = set()
    for quoted in re.findall(r"`([^`\n]+)`", FENCES.sub("", text)):
        for word in quoted.split():
            if word.startswith(("tests/", "weightscope/", "docs/")) and "<" not in word:
                paths.add(word)
    assert len(paths) > 20
    assert [path for path in sorted(paths) if not (ROOT / path).exists()] == []


def test_navigation_names_every_page():
    """The site's navigation has each page once, and no page that is not there."""
    nav = tomllib.loads((ROOT / "zensical.toml").read_text("utf-8"))["project"]["nav"]

    def leaves(node):
        if isinstance(node, str):
            return [node]
        return [
            x for part in (node.values() if isinstance(node, dict) else node) for x in leaves(part)
        ]

    assert sorted(leaves(nav)) == sorted(p.relative_to(DOCS).as_posix() for p in DOCS.rglob("*.md"))


def test_readme_tree_is_the_tree():
    """The file tree of the README names every folder and file of the package's first floor.

    And nothing else.
    """
    text = (ROOT / "README.md").read_text("utf-8")
    tree = re.search(r"^```text\n(.*?)^```$", text, re.M | re.S)[1]
    at, named = {}, []
    for line in tree.splitlines():
        level, name = (len(line) - len(line.lstrip())) // 4, line.split()[0].rstrip("/")
        at[level] = name
        named.append("/".join(at[i] for i in range(level + 1)))
    assert not [n for n in named if not (ROOT / n).exists()]
    there = {p.name for p in (ROOT / "weightscope").iterdir()} - {"__pycache__"}
    assert {f"weightscope/{name}" for name in there} <= set(named)
