"""Pictures with few panels, where many would only take time."""

import sys

import pytest

from weightscope.reports.pictures import page


@pytest.fixture
def most_are_two(monkeypatch):
    """Two panels are as many as a picture holds, instead of 64."""
    assert page.MOST == 64
    for name in ("change", "density", "depth", "outliers", "page", "spectrum"):
        monkeypatch.setattr(sys.modules[f"weightscope.reports.pictures.{name}"], "MOST", 2)
