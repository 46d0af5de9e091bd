"""Writing a report with one writer, to a file or to a screen."""

import io

import pytest

from weightscope.reports.screen import FILE
from weightscope.reports.writers import WRITERS


@pytest.fixture
def written():
    def write(report, name, screen=FILE):
        stream = io.BytesIO()
        WRITERS[name].write(report.arranged(), stream, screen)
        return stream.getvalue()

    return write
