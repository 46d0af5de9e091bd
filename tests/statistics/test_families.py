"""Families of statistics: unique file names, imports from earlier families alone, no cycles."""

from __future__ import annotations

import ast
from collections import Counter
from functools import cache
from pathlib import Path

import pytest

from weightscope import statistics

FOLDER = Path(statistics.__file__).parent
FAMILIES = ("elements", "laws", "lines", "spectra")
MODULES = {
    path.relative_to(FOLDER).with_suffix("").parts: path for path in sorted(FOLDER.rglob("*.py"))
}


@cache
def imported(module):
    """Modules of this package that a module imports, also inside functions and TYPE_CHECKING."""
    return tuple(_imported(module))


def _imported(module):
    for node in ast.walk(ast.parse(MODULES[module].read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and 0 < node.level <= len(module):
            package = (*module[: -node.level], *(node.module or "").split("."))
            named = [tuple(part for part in (*package, alias.name) if part) for alias in node.names]
            yield from (resolved(name) for name in named)


def resolved(name):
    """The module of an imported name: the name itself, its parent, or either as a package."""
    return next(
        m for m in (name, name[:-1], (*name, "__init__"), (*name[:-1], "__init__")) if m in MODULES
    )


def test_no_file_name_exists_twice():
    """A file name in a traceback or a search is one file."""
    names = Counter(path.name for path in MODULES.values() if path.name != "__init__.py")
    assert [name for name, times in names.items() if times > 1] == []


@pytest.mark.parametrize("module", [m for m in MODULES if m[0] in FAMILIES], ids=".".join)
def test_a_family_imports_earlier_families_alone(module):
    """In the order elements, laws, lines, spectra."""
    later = FAMILIES[FAMILIES.index(module[0]) + 1 :]
    assert [m for m in imported(module) if m[0] in later] == []


def test_no_module_imports_itself_through_others():
    """Modules are removed once all their imports are; only cycles remain."""
    imports = {m: set(imported(m)) for m in MODULES}
    while ready := [m for m in imports if not imports[m] & imports.keys()]:
        for m in ready:
            del imports[m]
    assert imports == {}
