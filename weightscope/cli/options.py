"""Options that every command shares, declared once; `shared` adds them to a command's own and hands them over.

A command is a function of its own options and one `Shared`; typer sees all of them as parameters.
"""

from __future__ import annotations

import inspect
from collections.abc import Callable
from dataclasses import dataclass, fields
from functools import partial, wraps
from typing import Annotated, Any, get_type_hints

import typer

STDOUT = "-"
Text = str | None
Many = list[str] | None


def _option(*flags: str, help: str, metavar: str | None = None, **more: Any) -> Any:
    return typer.Option(*flags, help=help, metavar=metavar, show_default=False, **more)


@dataclass(frozen=True)
class Shared:
    """Every field is an option; those named in KEYWORDS go to the library, the rest concern the terminal and files."""

    include: Annotated[
        Many, _option("--include", "-i", metavar="GLOB", help="Only tensors whose name matches (repeatable).")
    ] = None
    exclude: Annotated[
        Many, _option("--exclude", "-x", metavar="GLOB", help="Not tensors whose name matches (repeatable).")
    ] = None
    role: Annotated[
        Many, _option("--role", metavar="GLOB", help="Only roles that match: mlp.down, 'attn.*' (repeatable).")
    ] = None
    layers: Annotated[Text, _option("--layers", metavar="RANGES", help="Only these layers: 0-3,10.")] = None
    min_params: Annotated[
        int, _option("--min-params", metavar="N", min=0, help="Only tensors of at least N elements.")
    ] = 0
    by: Annotated[
        str, _option("--by", metavar="WHAT", help="One row per tensor (default), role, layer or model; ls also dtype.")
    ] = "tensor"
    format: Annotated[
        Text,
        _option(
            "--format",
            "-f",
            metavar="FORMAT",
            help="table, csv, tsv, json, jsonl, parquet or markdown; a table on a terminal, CSV in a pipe.",
        ),
    ] = None
    output: Annotated[
        Many,
        _option(
            "--output",
            "-o",
            metavar="FILE",
            help="Write to FILE instead of stdout, format from its suffix; - is stdout (repeatable).",
        ),
    ] = None
    columns: Annotated[
        Text, _option("--columns", metavar="A,B,C", help="Only these columns, in this order, or all.")
    ] = None
    sort: Annotated[
        Text, _option("--sort", metavar="COLUMN", help="Sort by a column; --sort=-COLUMN downwards. Nulls come last.")
    ] = None
    limit: Annotated[int | None, _option("--limit", metavar="N", min=0, help="Only the first N rows.")] = None
    where: Annotated[Text, _option("--where", metavar="EXPR", help="Only rows for which the expression is true.")] = (
        None
    )
    plot: Annotated[
        Text, _option("--plot", metavar="FILE", help="Draw the rows shown: .png, .svg or .pdf (extra: plot).")
    ] = None
    provenance: Annotated[
        Text, _option("--provenance", metavar="FILE.json", help="Write where the numbers come from.")
    ] = None
    fail_if: Annotated[
        Many, _option("--fail-if", metavar="EXPR", help="Exit 1 if the expression is true for any row (repeatable).")
    ] = None
    root: Annotated[
        Text, _option("--root", metavar="KEY", help="Which dict of a nested training file is the model.")
    ] = None
    name_map: Annotated[
        Text, _option("--name-map", metavar="FILE.toml", help="Own rules for names, before the built-in ones.")
    ] = None
    no_split: Annotated[bool, _option("--no-split", help="Keep fused tensors (qkv, gate_up, experts) whole.")] = False
    salvage: Annotated[bool, _option("--salvage", help="Measure what is whole in a damaged file; still exits 3.")] = (
        False
    )
    follow_symlinks: Annotated[bool, _option("--follow-symlinks", help="Follow shard links that leave the folder.")] = (
        False
    )
    device: Annotated[str, _option("--device", metavar="DEVICE", help="auto (default), cpu, cuda or cuda:N.")] = "auto"
    memory: Annotated[
        Text,
        _option(
            "--memory", metavar="SIZE", help="Bound on our buffers, like 512MiB; default a quarter of what is free."
        ),
    ] = None
    threads: Annotated[int | None, _option("--threads", metavar="N", min=1, help="Workers; default one a core.")] = None
    seed: Annotated[int, _option("--seed", metavar="N", min=0, help="Seed of everything drawn; default 0.")] = 0
    strict: Annotated[bool, _option("--strict", help="A tensor that cannot be measured is an error (exit 4).")] = False
    quiet: Annotated[bool, _option("--quiet", "-q", help="No progress, notes or warnings.")] = False
    verbose: Annotated[bool, _option("--verbose", "-v", help="Say why each choice was made; tracebacks on faults.")] = (
        False
    )
    no_progress: Annotated[bool, _option("--no-progress", help="No progress bar.")] = False

    @property
    def files(self) -> tuple[str, ...]:
        """Files that take the report."""
        return tuple(path for path in self.output or () if path != STDOUT)

    @property
    def prints(self) -> bool:
        """Whether the report goes to stdout: where no --output is given, and with `-o -`."""
        return not self.output or STDOUT in self.output

    def keywords(self) -> dict[str, Any]:
        """What of it the library takes, in the library's words; defaults are left out."""
        named = (
            "include",
            "exclude",
            "role",
            "layers",
            "min_params",
            "by",
            "sort",
            "limit",
            "where",
            "fail_if",
            "root",
            "name_map",
            "salvage",
            "follow_symlinks",
            "device",
            "memory",
            "threads",
            "strict",
        )
        given = {k: v for k in named if (v := getattr(self, k)) != _DEFAULTS[k] and v is not None}
        if self.columns is not None:
            given["columns"] = tuple(c.strip() for c in self.columns.split(","))
        if self.no_split:
            given["split"] = False
        return given


_DEFAULTS = {f.name: f.default for f in fields(Shared)}


def shared(command: Callable[..., None]) -> Callable[..., Callable[[], None]]:
    """Gives a command the shared options as parameters; it receives them as its keyword `shared`.

    What typer calls returns the work instead of doing it: typer has its own ideas of an interrupt and a closed pipe.
    """
    hints = get_type_hints(Shared, include_extras=True)
    own = [p for p in inspect.signature(command, eval_str=True).parameters.values() if p.name != "shared"]
    extra = [
        inspect.Parameter(f.name, inspect.Parameter.KEYWORD_ONLY, default=f.default, annotation=hints[f.name])
        for f in fields(Shared)
    ]

    @wraps(command)
    def run(**values: Any) -> Callable[[], None]:
        record = Shared(**{f.name: values.pop(f.name) for f in fields(Shared)})
        return partial(command, **values, shared=record)

    parameters = [p.replace(kind=inspect.Parameter.KEYWORD_ONLY) for p in own] + extra
    run.__signature__ = inspect.Signature(parameters)  # type: ignore[attr-defined]  # what typer reads
    run.__annotations__ = {p.name: p.annotation for p in parameters}
    return run
