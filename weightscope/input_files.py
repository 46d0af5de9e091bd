"""The files and folders that a call reads, known before any of them is opened."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from . import against
from .analyses import ANALYSES
from .checkpoints import inputs
from .records import filled, options_of
from .reports.inputs import Inputs

BY_NAME = {analysis.name: analysis for analysis in ANALYSES}


def inputs_of(name: str, sources: Sequence[Any], keywords: Mapping[str, Any]) -> Inputs:
    """Files and folders that a call reads: its sources, and the files and models in its options."""
    analysis = BY_NAME[name]
    if against.applies(analysis, sources, keywords):
        asked = against.question(analysis, sources, keywords, BY_NAME)
        return inputs_against(asked, sources[1])
    options = filled(analysis, keywords, len(sources))[analysis.options]
    models = list(sources)
    option_files = []
    for option in options_of(analysis).values():
        value = keywords.get(option.name)
        if value is None:
            continue
        if option.option.reads == "model":
            models.append(value)
        elif option.option.reads == "file":
            option_files.append(value)
    files: list[str] = []
    folders: list[str] = []
    for model in models:
        model_files, model_folders = inputs(model)
        files.extend(model_files)
        folders.extend(model_folders)
    columns = frozenset(column.name for column in analysis.columns(options))
    return Inputs((*files, *option_files), tuple(folders), columns)


def inputs_against(asked: against.Question, model: Any) -> Inputs:
    """Files that a comparison with a stored report reads: the report and what its command reads."""
    repeated = inputs_of(asked.command.name, [model], asked.options)
    names = frozenset(column.name for column in asked.columns)
    return Inputs((*asked.stored.files, *repeated.files), repeated.folders, names)
