"""A checkpoint against a stored report: the stored command again, and what changed in each row.

`old.parquet` has the command, the options and the columns; only the new checkpoint is measured.
Output options stored with the report are ignored.
"""

from __future__ import annotations

from .answering import answered
from .question import Question, applies, question

__all__ = ["Question", "answered", "applies", "question"]
