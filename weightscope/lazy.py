"""Heavy packages as names that load on first use, so that importing weightscope is light.

Measured in CPU seconds: torch 1.5, pandas 0.5, scipy.special 0.2, numpy 0.1, rich 0.1. Everything of ours
imports these names from here; a test proves that `import weightscope` and `--help` load none of them.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any


class Lazy:
    """A module's stand-in: the first use of an attribute loads the module and keeps the attribute."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, item: str) -> Any:
        value = getattr(import_module(self._name), item)
        setattr(self, item, value)
        return value


def on_demand(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package whose public names load their module when they are first used.

    `homes`: by module of the package the names that it defines.
    """
    home = {name: module for module, names in homes.items() for name in names}

    def load(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    return load


if TYPE_CHECKING:
    import matplotlib
    import matplotlib.figure as matplotlib_figure
    import numpy
    import pandas
    import pyarrow
    import pyarrow.parquet as parquet
    import rich.cells as rich_cells
    import rich.console as rich_console
    import rich.progress as rich_progress
    import scipy.linalg.cython_lapack as cython_lapack
    import scipy.optimize as optimize
    import scipy.special as special
    import torch
else:
    numpy, torch, pandas, pyarrow = Lazy("numpy"), Lazy("torch"), Lazy("pandas"), Lazy("pyarrow")
    parquet, special, optimize = (
        Lazy("pyarrow.parquet"),
        Lazy("scipy.special"),
        Lazy("scipy.optimize"),
    )
    cython_lapack = Lazy("scipy.linalg.cython_lapack")
    matplotlib, matplotlib_figure = Lazy("matplotlib"), Lazy("matplotlib.figure")
    rich_cells, rich_console, rich_progress = (
        Lazy("rich.cells"),
        Lazy("rich.console"),
        Lazy("rich.progress"),
    )

__all__ = [
    "cython_lapack",
    "matplotlib",
    "matplotlib_figure",
    "numpy",
    "optimize",
    "pandas",
    "parquet",
    "pyarrow",
    "rich_cells",
    "rich_console",
    "rich_progress",
    "special",
    "torch",
]
