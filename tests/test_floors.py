"""Imports only go down.

Each room imports the rooms that the table names, and heavy packages through lazy.py alone.
"""

import ast
import graphlib
from functools import cache
from pathlib import Path

import pytest

import weightscope

HOUSE = Path(weightscope.__file__).parent
GROUND = (
    "errors",
    "note_codes",
    "notes",
    "columns",
    "geometry",
    "lazy",
    "sending",
    "dtypes",
    "order",
    "escape",
    "sizes",
    "options",
    "running",
    "keywords",
    "conversions",
    "unfinished",
    "version",
    "factors",
    "sources",
    "out_of_memory",
)
BELOW = {
    **dict.fromkeys(GROUND, ()),
    "notes": ("note_codes",),
    "errors": ("notes",),
    "out_of_memory": ("errors",),
    "columns": ("notes",),
    "sending": ("lazy",),
    "dtypes": ("lazy", "sending"),
    "sizes": ("errors",),
    "running": ("options", "sizes"),
    "keywords": ("errors",),
    "conversions": ("errors", "options"),
    "checkpoints": GROUND,
    "naming": GROUND,
    "sketches": GROUND,
    "reports": GROUND,
    "engine": (*GROUND, "checkpoints", "sketches"),
    "statistics": (*GROUND, "sketches"),
    "analyses": (*GROUND, "checkpoints", "naming", "sketches", "statistics", "engine.unit"),
    "provenance": (*GROUND, "checkpoints", "engine"),
    "records": (*GROUND, "reports", "analyses"),
    "against": (*GROUND, "checkpoints", "reports", "analyses", "provenance", "records"),
    "input_files": (*GROUND, "checkpoints", "reports", "analyses", "records", "against"),
    "api": (
        *GROUND,
        "checkpoints",
        "naming",
        "sketches",
        "reports",
        "engine",
        "statistics",
        "analyses",
        "provenance",
        "records",
        "against",
        "input_files",
    ),
    "functions": (*GROUND, "checkpoints", "reports", "api"),
    "cli": (
        *GROUND,
        "analyses.ANALYSES",
        "analyses.Analysis",
        "analyses.Listing",
        "records",
        "input_files",
        "api",
        "reports",
    ),
    "demo": ("lazy",),
    "__main__": ("cli", "lazy"),
    "__init__": ("checkpoints", "errors", "functions", "version"),
}
HEAVY = ("torch", "numpy", "pandas", "scipy", "rich", "pyarrow", "matplotlib", "PIL")
TRAINED = (
    "demo",
)  # the script that makes the demo's files is run by itself, never imported by the package
MODULES = sorted(HOUSE.rglob("*.py"))


def parts(path):
    """A file's module path inside the package: analyses/fit.py -> ("analyses", "fit")."""
    return path.relative_to(HOUSE).with_suffix("").parts


@cache
def imports(source, module):
    """Every imported name as an absolute path, with whether it only serves type checking."""
    return tuple(_imports(source, module))


def _imports(source, module):
    tree = ast.parse(source)
    for node, typed in statements(tree.body):
        if isinstance(node, ast.Import):
            yield from ((tuple(a.name.split(".")), typed) for a in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = ("weightscope", *module)[: -node.level] if node.level else ()
            base += tuple((node.module or "").split(".")) if node.module else ()
            yield from (((*base, a.name), typed) for a in node.names)
    if "Lazy" in source:
        yield from lazy(tree)


def statements(body, typed=False):
    """All statements, inside of others too, with whether they only serve type checking."""
    for node in body:
        yield node, typed
        guarded = isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING"
        yield from statements(getattr(node, "body", ()), typed or guarded)
        for name in ("orelse", "finalbody", "handlers", "cases"):
            yield from statements(getattr(node, name, ()), typed)


def lazy(tree):
    """The names in `Lazy("torch")`."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and ast.unparse(node.func) == "Lazy":
            yield from (
                (tuple(a.value.split(".")), True) for a in node.args if isinstance(a, ast.Constant)
            )


def wrongs(source, module):
    """What a module imports that it may not."""
    room = module[0]
    for target, typed in imports(source, module):
        if target[0] == "weightscope":
            inside = target[1:]
            allowed = (room, *BELOW[room])
            if not inside or not any(
                inside[: len(a.split("."))] == tuple(a.split(".")) for a in allowed
            ):
                yield ".".join(target)
        elif target[0] in HEAVY and not typed and room != "lazy" and room not in TRAINED:
            yield ".".join(target)


def test_imports_only_go_down():
    """No module imports upwards or sideways, in functions neither.

    A heavy package is named nowhere but in lazy.py.
    """
    found = {}
    for path in MODULES:
        wrong = list(wrongs(path.read_text(encoding="utf-8"), parts(path)))
        if wrong:
            found[".".join(parts(path))] = wrong
    assert len(MODULES) > 200
    assert found == {}


@pytest.mark.parametrize(
    ("module", "source", "wrong"),
    [
        (
            ("sketches", "x"),
            "from ..statistics.lines.iid import a",
            "weightscope.statistics.lines.iid.a",
        ),
        (("naming", "x"), "def f():\n    from ..checkpoints import a", "weightscope.checkpoints.a"),
        (
            ("analyses", "fit"),
            "from ..engine.device import choose",
            "weightscope.engine.device.choose",
        ),
        (("checkpoints", "readers", "x"), "from ...api import fit", "weightscope.api.fit"),
        (("cli", "commands", "x"), "from ...analyses import FIT", "weightscope.analyses.FIT"),
        (("columns",), "import weightscope.api", "weightscope.api"),
        (("engine", "x"), "import torch", "torch"),
        (("naming", "x"), "x = Lazy('weightscope.engine.plan')", "weightscope.engine.plan"),
        (("reports", "x"), "def f():\n    import pandas.api", "pandas.api"),
    ],
)
def test_a_wrong_import_is_found(module, source, wrong):
    """The check sees imports upwards, sideways, inside functions, lazy and absolute ones.

    And heavy packages.
    """
    assert list(wrongs(source, module)) == [wrong]


def test_types_may_be_named():
    """Under TYPE_CHECKING a heavy package may be named: nothing is loaded there."""
    assert list(wrongs("if TYPE_CHECKING:\n    from torch import Tensor", ("engine", "x"))) == []


def test_every_room_stands_in_the_table():
    """A new room must say what it may import."""
    assert {parts(path)[0] for path in MODULES} == set(BELOW)


def graph(modules):
    """Each module of the package with those that it imports.

    Also inside functions and for type checking alone.
    """
    names = {
        ".".join(("weightscope", *parts(path))).removesuffix(".__init__"): path for path in modules
    }
    edges = {}
    for name, path in names.items():
        targets = {
            _module(target, names) for target, _ in imports(path.read_text("utf-8"), parts(path))
        }
        edges[name] = {t for t in targets if t and t != name and names[t].name != "__init__.py"}
    return edges


def _module(target, names):
    """The module that an imported name is in: itself, or the one that defines it."""
    dotted = ".".join(target)
    return (
        dotted
        if dotted in names
        else next((d for d in [dotted.rpartition(".")[0]] if d in names), "")
    )


def test_no_modules_import_each_other():
    """No circle of imports, `TYPE_CHECKING` included.

    A package's list of its members is not counted.
    """
    graphlib.TopologicalSorter(graph(MODULES)).prepare()


def test_a_circle_of_imports_is_found(tmp_path, monkeypatch):
    """Two modules, one of which names the other for its types alone."""
    (tmp_path / "a.py").write_text("from .b import x\n")
    (tmp_path / "b.py").write_text("if TYPE_CHECKING:\n    from .a import y\n")
    monkeypatch.setitem(globals(), "HOUSE", tmp_path)
    with pytest.raises(graphlib.CycleError):
        graphlib.TopologicalSorter(graph(sorted(tmp_path.glob("*.py")))).prepare()
