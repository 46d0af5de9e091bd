"""One function for each parser: bytes of unknown origin in, a value or a WeightscopeError out.

Any other exception is a fault, and so is a call that takes longer than SLOWEST.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

from tests.checkpoints.corpus import zeros
from weightscope.api import BY_NAME
from weightscope.checkpoints import Opening, open_checkpoint, strict_json
from weightscope.checkpoints.readers.pickle_scan import wanted
from weightscope.conversions import converted
from weightscope.errors import WeightscopeError
from weightscope.naming.family import name_map
from weightscope.options import Declared, Option
from weightscope.records import filled
from weightscope.reports.expression import parse
from weightscope.reports.stored import stored_report
from weightscope.sizes import size_of

from . import seeds

SLOWEST = 5.0  # seconds of one call
FIT = BY_NAME["fit"]
COLUMNS = FIT.columns(filled(FIT, {})[FIT.options])
ROWS = "tensor,layer,shape,std,nan\na,1,2x3,0.5,0\nb,,4,inf,1\n"
JSON_ROWS = json.dumps([{"tensor": "a", "std": 0.5, "nan": 0}, {"tensor": "b", "std": None}])


@dataclass(frozen=True)
class Target:
    """A parser: its sound inputs, and the call that takes changed ones in a folder of its own."""

    seeds: tuple[bytes, ...]
    call: Callable[[bytes, Path], None]


def _file(name: str) -> Callable[[bytes, Path], None]:
    """Opens the bytes as a file of this name, with and without --salvage."""

    def call(data: bytes, folder: Path) -> None:
        path = folder / name
        path.write_bytes(data)
        for opening in (Opening(), Opening(salvage=True, strict=True)):
            with suppress(WeightscopeError):
                open_checkpoint(str(path), opening)

    return call


def _beside(name: str) -> Callable[[bytes, Path], None]:
    """Opens a sound model beside the bytes as a file of this name."""

    def call(data: bytes, folder: Path) -> None:
        model = folder / "model.safetensors"
        if not model.exists():
            model.write_bytes(zeros("a.weight", "b.weight"))
        (folder / name).write_bytes(data)
        open_checkpoint(str(folder))

    return call


def _index(data: bytes, folder: Path) -> None:
    (folder / "model-1.safetensors").write_bytes(zeros("a.weight"))
    _file("other.safetensors.index.json")(data, folder)


def _name_map(data: bytes, folder: Path) -> None:
    path = folder / "map.toml"
    path.write_bytes(data)
    name_map(path)


def _text(data: bytes) -> str:
    return data.decode("utf-8", "surrogateescape")


def _expression(data: bytes, folder: Path) -> None:
    expression = parse(_text(data), COLUMNS)
    expression({"tensor": "a", "std": 0.5, "layer": None, "nan": 0})


def _layers(data: bytes, folder: Path) -> None:
    option = Declared("layers", "str", "", Option("", numbers=True))
    filled(FIT, {"layers": converted(option, _text(data))})


def _stored(name: str) -> Callable[[bytes, Path], None]:
    def call(data: bytes, folder: Path) -> None:
        path = folder / name
        path.write_bytes(data)
        stored_report(str(path))

    return call


def _encoded(value: object) -> tuple[bytes, ...]:
    return (json.dumps(value).encode(),)


INDEX = {"metadata": {"total_size": 24}, "weight_map": {"a.weight": "model-1.safetensors"}}
TARGETS = {
    "safetensors": Target(seeds.headers(), _file("m.safetensors")),
    "torch": Target(seeds.torch_files(), _file("m.pt")),
    "other formats": Target(seeds.archives(), _file("m.bin")),
    "pickle scan": Target(seeds.torch_files(), lambda data, folder: wanted(data) and None),
    "json": Target(_encoded(INDEX), lambda data, folder: strict_json.parse(data, "x") and None),
    "index": Target(_encoded(INDEX), _index),
    "config": Target(_encoded(seeds.CONFIG), _beside("config.json")),
    "adapter config": Target(_encoded(seeds.ADAPTER), _beside("adapter_config.json")),
    "name map": Target((seeds.NAME_MAP,), _name_map),
    "expression": Target(seeds.EXPRESSIONS, _expression),
    "layers": Target((b"0-3,10",), _layers),
    "size": Target((b"1.5 GiB",), lambda data, folder: size_of(_text(data)) and None),
    "report as CSV": Target((ROWS.encode(),), _stored("r.csv")),
    "report as JSON": Target((JSON_ROWS.encode(),), _stored("r.json")),
}
