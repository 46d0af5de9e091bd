"""Pictures do not depend on settings of the current folder, the environment or the process."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import matplotlib
import pytest

from weightscope.columns import Curve, Panel
from weightscope.reports.pictures import blank, figure_of, save_picture, settings

ODD = {
    "font.size": 40,
    "lines.linewidth": 30,
    "axes.facecolor": "red",
    "savefig.dpi": 30,
    "savefig.bbox": "tight",
    "svg.fonttype": "none",
}
PANEL = Panel("t", "density", curves=(Curve("weights", [-1, 0, 1], [0.1, 0.4, 0.1]),))


@pytest.mark.parametrize("panels", [(PANEL,), ()], ids=["drawn", "blank"])
def test_settings_of_the_process_are_not_obeyed(tmp_path: Path, panels: tuple[Panel, ...]) -> None:
    """Equal panels are equal bytes under any settings, which are the same afterwards."""

    def drawn(name: str) -> bytes:
        figure = figure_of(panels) if panels else blank()
        save_picture(figure, tmp_path / name)
        return (tmp_path / name).read_bytes()

    usual = drawn("usual.svg")
    with matplotlib.rc_context(ODD):
        assert drawn("odd.svg") == usual
        assert {name: matplotlib.rcParams[name] for name in ODD} == ODD


class Loading:
    """In place of matplotlib: what its import would see."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, str | None]] = []

    def __getattr__(self, name: str) -> None:
        self.seen.append((os.getcwd(), os.environ.get("MPLBACKEND")))


def test_import_sees_neither_folder_nor_backend(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """matplotlib is imported away from the current folder, and both are as before afterwards."""
    loading = Loading()
    monkeypatch.setattr(settings, "matplotlib", loading)
    monkeypatch.delitem(sys.modules, "matplotlib")
    monkeypatch.setenv("MPLBACKEND", "nonsense")
    monkeypatch.chdir(tmp_path)
    settings.load()
    assert loading.seen == [(os.path.dirname(settings.__file__), None)]
    assert not os.path.exists(os.path.join(os.path.dirname(settings.__file__), "matplotlibrc"))
    assert (os.getcwd(), os.environ["MPLBACKEND"]) == (str(tmp_path), "nonsense")


def test_import_from_a_removed_folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A current folder that no longer exists is no obstacle."""
    loading = Loading()
    monkeypatch.setattr(settings, "matplotlib", loading)
    monkeypatch.delitem(sys.modules, "matplotlib")
    monkeypatch.setattr(loading, "seen", [])
    gone = tmp_path / "gone"
    gone.mkdir()
    monkeypatch.chdir(gone)
    gone.rmdir()
    monkeypatch.setattr(Loading, "__getattr__", lambda self, name: self.seen.append("loaded"))
    settings.load()
    assert loading.seen == ["loaded"]


def test_loaded_before(monkeypatch: pytest.MonkeyPatch) -> None:
    """Where matplotlib is loaded already nothing happens."""
    loading = Loading()
    monkeypatch.setattr(settings, "matplotlib", loading)
    settings.load()
    assert loading.seen == []
