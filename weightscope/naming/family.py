"""Families: the rules and samples of one TOML file each, read and compiled on first use.

Rules are tried in the order of ORDER and the first match wins: special spellings come before
general ones, and the names of all families (embeddings, heads, norms, buffers) come last.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

from ..errors import UsageError
from ..escape import shown
from .checking import check
from .rule import Rule, parse_rule

FOLDER = Path(__file__).parent / "families"
ORDER = (
    "quantised",
    "lora",
    "gguf",
    "linear_attention",
    "mla",
    "moe",
    "torchtune",
    "llama",
    "gpt2",
    "neox",
    "bert",
    "t5",
    "opt",
    "phi",
    "mpt",
    "mamba",
    "rwkv",
    "meta",
    "clip",
    "vit",
    "convnext",
    "resnet",
    "swin",
    "audio",
    "flux",
    "diffusers",
    "detectors",
    "transformer_lens",
    "rnn",
    "shared",
)
SAMPLES = "\nsample = ["  # begins the last part of each file, more than half of its text
_GROUP = re.compile(r"\(\?P<\w+>")


@dataclass(frozen=True)
class Sample:
    """A name, with the shape and configuration it may need, and the places expected of it."""

    name: str
    shape: tuple[int, ...]
    config: Mapping[str, object]
    beside: Mapping[str, tuple[int, ...]]  # other names of the same file that decide
    expect: tuple[Mapping[str, Any], ...]  # fields of each place, in order


@dataclass(frozen=True)
class Family:
    """One file: an id, the architectures it covers, its rules in order, its samples."""

    id: str
    families: tuple[str, ...]
    rules: tuple[Rule, ...]
    file: Path | None = field(default=None, repr=False)

    @cached_property
    def samples(self) -> tuple[Sample, ...]:
        """The samples, which tests read alone: a run does without them."""
        if self.file is None:
            return ()
        return tuple(map(_sample, _load(self.file)["sample"]))

    @cached_property
    def gate(self) -> re.Pattern[str]:
        """Whether any rule may match: one pattern, so that most names need one call per family."""
        free = "|".join(
            f"(?:{_GROUP.sub('(?:', r.body)})" for r in self.rules if not r.regex.startswith("^")
        )
        tied = [
            f"(?:{_GROUP.sub('(?:', r.body.removeprefix('^'))})"
            for r in self.rules
            if r.regex.startswith("^")
        ]
        return re.compile("|".join([*tied, f"(?:.*\\.)?(?:{free})"] if free else tied))

    def candidates(self, name: str, dims: tuple[int, ...]) -> Iterator[Rule]:
        """The rules that fit name and shape, in order; other names of the file may exclude some."""
        if self.gate.fullmatch(name):
            yield from (r for r in self.rules if r.fits(dims) and r.pattern.fullmatch(name))


@cache
def family(identifier: str) -> Family:
    """The family of one file of the package."""
    return parse(FOLDER / f"{identifier}.toml")


def families() -> tuple[Family, ...]:
    """All families in the order of matching, with their rules and samples.

    >>> "llama" in [f.id for f in families()]
    True
    """
    return tuple(family(identifier) for identifier in ORDER)


def name_map(path: Path) -> Family:
    """The rules of a `--name-map` file, checked; tests check those of the package instead."""
    rules = _rules(_load(path), path)
    return Family(path.name, (), tuple(check(rule) for rule in rules))


def parse(path: Path) -> Family:
    """A family from a TOML file of the package."""
    table = _load(path, before=SAMPLES)
    return Family(table["id"], tuple(table["families"]), _rules(table, path), path)


def _rules(table: Mapping[str, Any], path: Path) -> tuple[Rule, ...]:
    rules = table.get("rule")
    if not isinstance(rules, list) or not rules:
        raise UsageError(
            "a name map has one [[rule]] table or more",
            f"found none in {path}",
            "write [[rule]] with `regex` and `role`",
        )
    name = path.name
    if "id" in table:
        name = shown(table["id"])
    return tuple(parse_rule(rule, name) for rule in rules)


def _load(path: Path, before: str | None = None) -> dict[str, Any]:
    """The tables of a file, or of its text before these words."""
    try:
        text = path.read_text(encoding="utf-8")
        if before is not None:
            text = text.partition(before)[0]
        return tomllib.loads(text)
    except OSError as fault:
        raise UsageError(
            "a name map is a readable TOML file",
            f"cannot read {path}: {fault.strerror}",
            "correct the path after --name-map",
        ) from fault
    # a ValueError that is no TOMLDecodeError: text that is not UTF-8, a number of too many digits
    except (ValueError, RecursionError) as fault:
        raise UsageError(
            "a name map is a TOML file", f"{path}: {fault}", "correct the file"
        ) from fault


def _sample(table: Mapping[str, Any]) -> Sample:
    own = {"name", "shape", "config", "beside", "places"}
    expect = table.get("places", [{k: v for k, v in table.items() if k not in own}])
    beside = {name: tuple(shape) for name, shape in table.get("beside", {}).items()}
    return Sample(
        table["name"],
        tuple(table.get("shape", (8, 8))),
        table.get("config", {}),
        beside,
        tuple(expect),
    )
