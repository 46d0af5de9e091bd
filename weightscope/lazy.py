"""Heavy packages as names that load on first use, so that importing weightscope is fast.

Measured in CPU seconds: torch 1.5, pandas 0.5, scipy.special 0.2, numpy 0.1, rich 0.1. All modules
import these names from here; a test checks that `import weightscope` and `--help` load none.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from importlib import import_module
from typing import TYPE_CHECKING, Any


class Lazy:
    """Represents a module: the first use of an attribute loads the module and caches it."""

    def __init__(self, name: str) -> None:
        self._name = name

    def __getattr__(self, item: str) -> Any:
        value = getattr(import_module(self._name), item)
        setattr(self, item, value)
        return value


def on_demand(package: str, homes: Mapping[str, Sequence[str]]) -> Callable[[str], Any]:
    """The `__getattr__` of a package whose public names load their module when they are first used.

    `homes`: the names that each module of the package defines.
    """
    home: dict[str, str] = {}
    for module, names in homes.items():
        home.update(dict.fromkeys(names, module))

    def load(name: str) -> Any:
        if name not in home:
            raise AttributeError(f"module {package!r} has no attribute {name!r}")
        return getattr(import_module(f"{package}.{home[name]}"), name)

    return load


if TYPE_CHECKING:
    import matplotlib
    import matplotlib.backends.backend_agg as matplotlib_agg
    import matplotlib.colors as matplotlib_colors
    import matplotlib.figure as matplotlib_figure
    import matplotlib.lines as matplotlib_lines
    import numpy
    import pandas
    import PIL.Image as PillowImage
    import pyarrow
    import pyarrow.parquet as parquet
    import rich.cells as rich_cells
    import rich.console as rich_console
    import rich.progress as rich_progress
    import scipy.fft as fft
    import scipy.linalg as linalg
    import scipy.linalg.cython_lapack as cython_lapack
    import scipy.optimize as optimize
    import scipy.sparse.linalg as sparse_linalg
    import scipy.special as special
    import torch
else:
    cython_lapack = Lazy("scipy.linalg.cython_lapack")
    fft = Lazy("scipy.fft")
    linalg = Lazy("scipy.linalg")
    matplotlib = Lazy("matplotlib")
    matplotlib_agg = Lazy("matplotlib.backends.backend_agg")
    matplotlib_colors = Lazy("matplotlib.colors")
    matplotlib_figure = Lazy("matplotlib.figure")
    matplotlib_lines = Lazy("matplotlib.lines")
    numpy = Lazy("numpy")
    optimize = Lazy("scipy.optimize")
    pandas = Lazy("pandas")
    parquet = Lazy("pyarrow.parquet")
    PillowImage = Lazy("PIL.Image")
    pyarrow = Lazy("pyarrow")
    rich_cells = Lazy("rich.cells")
    rich_console = Lazy("rich.console")
    rich_progress = Lazy("rich.progress")
    sparse_linalg = Lazy("scipy.sparse.linalg")
    special = Lazy("scipy.special")
    torch = Lazy("torch")

__all__ = [
    "PillowImage",
    "cython_lapack",
    "fft",
    "linalg",
    "matplotlib",
    "matplotlib_agg",
    "matplotlib_colors",
    "matplotlib_figure",
    "matplotlib_lines",
    "numpy",
    "optimize",
    "pandas",
    "parquet",
    "pyarrow",
    "rich_cells",
    "rich_console",
    "rich_progress",
    "sparse_linalg",
    "special",
    "torch",
]
