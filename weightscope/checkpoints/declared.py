"""What config.json and the metadata of a file declare about quantisation: a method, and layers by name.

A declaration says how weights are stored, not which: modules left as they were are floats, which no declaration can
turn into codes. Plain 8-bit floats without scales are declared by some writers as well; that is no quantised layout.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from ..errors import CheckpointError
from . import limits, strict_json
from .config import as_dict

TABLES = (
    "quantization_config",
    "quantization",
    "compression_config",
    "quantize_config",
    "quant_config",
)
METHODS = ("quant_method", "quant_algo", "quant_type", "method", "quant_library", "format")
FLAGS = {
    "load_in_4bit": "bitsandbytes",
    "load_in_8bit": "bitsandbytes",
    "_load_in_4bit": "bitsandbytes",
    "is_marlin_format": "marlin",
}
LAYERS = "_quantization_metadata"  # ComfyUI: {"layers": {"a.b": {"format": "nvfp4"}}}
TEXTS = (
    *TABLES,
    "quant_method",
    "quantization_method",
    "quant_type",
    "quantization_format",
    "quant_format",
)
KNOWN = frozenset(
    (  # as values of a key that says other things too: `format`
        "gptq",
        "awq",
        "nf4",
        "fp4",
        "nvfp4",
        "mxfp4",
        "mxfp8",
        "int4",
        "int8",
        "fp8_scaled",
        "scaled_fp8",
        "hqq",
        "aqlm",
        "vptq",
        "quanto",
        "torchao",
        "exl2",
        "exl3",
        "svdquant",
        "bitsandbytes",
        "bnb",
        "compressed-tensors",
        "marlin",
    )
)
CAST = re.compile(
    r"(?:torch\.)?(?:fp8|float8|f8)?[_-]?(?:e\dm\d(?:fn)?(?:uz)?)?|none|null|false|no|off|fp16|float16"
    r"|bf16|bfloat16|fp32|float32|[{}\[\]]*",
    re.IGNORECASE,
)
UNNAMED = "a quantised layout"
SHOWN = 40  # characters of a stranger's word in a note


@dataclass(frozen=True)
class Declared:
    """The method for all weights, "" where none is declared, and methods by the name of a layer or tensor."""

    method: str = ""
    layers: Mapping[str, str] | None = None

    @property
    def any(self) -> bool:
        """Whether anything is declared."""
        return bool(self.method or self.layers)

    def of(self, name: str) -> str:
        """The method for one tensor.

        >>> Declared(layers={"a.b": "nvfp4"}).of("a.b.weight"), Declared("awq").of("lm_head.weight")
        ('nvfp4', 'awq')
        """
        module = name.rpartition(".")[0]
        layers = self.layers or {}
        return layers.get(name) or layers.get(module) or self.method


def declared(config: Mapping[str, object], metadata: Mapping[str, str]) -> Declared:
    """What both say, the config first.

    >>> declared({"quantization_config": {"quant_method": "gptq", "bits": 4}}, {}).method
    'gptq'
    >>> declared({}, {"quantization": "fp8_e4m3fn"}).method
    ''
    """
    method = _configured(config) or _written(metadata)
    return Declared(method, dict(_layers(metadata)))


def _configured(config: Mapping[str, object]) -> str:
    """The method of a config, or of the tower that it describes apart (`text_config`)."""
    towers = [
        part
        for key, part in config.items()
        if key.endswith("_config") and isinstance(part, Mapping)
    ]
    for part in (config, *towers):
        for key in TABLES:
            table = part.get(key)
            if isinstance(table, Mapping) and table:
                return _method(
                    table, "MLX" if key == "quantization" and "bits" in table else UNNAMED
                )
    return ""


def _method(table: Mapping[str, object], otherwise: str) -> str:
    """How a table of settings names its method."""
    for key, method in FLAGS.items():
        if table.get(key) is True:
            return method
    for key in METHODS:
        word = table.get(key)
        if isinstance(word, str) and word:
            return word[:SHOWN]
    return otherwise


def _written(metadata: Mapping[str, str]) -> str:
    """The method that the metadata of a file names, in a word or in a table of JSON."""
    for key in TEXTS:
        text = metadata.get(key, "")
        table = _json(text)
        if isinstance(table, Mapping) and table:
            return _method(table, UNNAMED)
        if text and not CAST.fullmatch(text.strip()) and "{" not in text:
            return text[:SHOWN]
    word = metadata.get("format", "")
    return word if word.lower() in KNOWN else ""


def _layers(metadata: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """Layers that ComfyUI lists, tensors whose class torchao names."""
    table = _json(metadata.get(LAYERS, ""))
    listed = table.get("layers") if isinstance(table, Mapping) else None
    for name, settings in listed.items() if isinstance(listed, Mapping) else ():
        word = settings.get("format") if isinstance(settings, Mapping) else None
        yield str(name), f"ComfyUI {word[:SHOWN]}" if isinstance(word, str) else "ComfyUI"
    if "tensor_names" in metadata:  # torchao: the metadata of a tensor stands under its name
        for name, text in metadata.items():
            table = _json(text)
            kind = table.get("_type") if isinstance(table, Mapping) else None
            if isinstance(kind, str) and kind not in ("Tensor", "Parameter"):
                yield name, f"torchao {kind[:SHOWN]}"


def _json(text: str) -> object:
    """The value of a text that is JSON, None for any other: metadata may hold anything."""
    if not text.startswith("{") or len(text) > limits.CONFIG:
        return None
    try:
        return as_dict(strict_json.parse(text.encode("utf-8", "surrogatepass"), "metadata"))
    except CheckpointError:
        return None
