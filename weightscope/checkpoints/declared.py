"""The quantisation that config.json and the metadata declare: a method, and layers by name.

A declaration states how weights are stored, and not which of them: modules that were not quantised
are floats, which no declaration can turn into codes. Some writers also declare plain 8-bit floats
without scales; that is no quantised layout.
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
    (  # as values of the key `format`, which has other uses too
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
    r"(?:torch\.)?(?:fp8|float8|f8)?[_-]?(?:e\dm\d(?:fn)?(?:uz)?)?|none|null|false|no|off"
    r"|fp16|float16|bf16|bfloat16|fp32|float32|[{}\[\]]*",
    re.IGNORECASE,
)
UNNAMED = "a quantised layout"
SHOWN = 40  # characters of a word of the file in a note


@dataclass(frozen=True)
class Declared:
    """The method of all weights, "" without one, and methods by the name of a layer or tensor."""

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
        module, _, _ = name.rpartition(".")
        layers = self.layers or {}
        return layers.get(name) or layers.get(module) or self.method


def declared(config: Mapping[str, object], metadata: Mapping[str, str]) -> Declared:
    """The declaration of both; where both name a method, that of the config counts.

    >>> declared({"quantization_config": {"quant_method": "gptq", "bits": 4}}, {}).method
    'gptq'
    >>> declared({}, {"quantization": "fp8_e4m3fn"}).method
    ''
    """
    method = _configured(config) or _written(metadata)
    return Declared(method, dict(_layers(metadata)))


def _configured(config: Mapping[str, object]) -> str:
    """The method of a config, or of a part of the model that it describes (`text_config`)."""
    parts = [config]
    for key, part in config.items():
        if key.endswith("_config") and isinstance(part, Mapping):
            parts.append(part)
    for part in parts:
        for key in TABLES:
            table = part.get(key)
            if isinstance(table, Mapping) and table:
                # MLX writes bits and group_size without a method
                is_mlx = key == "quantization" and "bits" in table
                return _method(table, "MLX" if is_mlx else UNNAMED)
    return ""


def _method(table: Mapping[str, object], default: str) -> str:
    """The method in a table of settings."""
    for key, method in FLAGS.items():
        if table.get(key) is True:
            return method
    for key in METHODS:
        word = table.get(key)
        if isinstance(word, str) and word:
            return word[:SHOWN]
    return default


def _written(metadata: Mapping[str, str]) -> str:
    """The method in the metadata of a file, as a word or in a table of JSON."""
    for key in TEXTS:
        text = metadata.get(key, "")
        table = _json(text)
        if isinstance(table, Mapping) and table:
            return _method(table, UNNAMED)
        is_cast = CAST.fullmatch(text.strip()) is not None
        if text and not is_cast and "{" not in text:
            return text[:SHOWN]
    word = metadata.get("format", "")
    if word.lower() not in KNOWN:
        return ""
    return word


def _layers(metadata: Mapping[str, str]) -> Iterator[tuple[str, str]]:
    """(name, method) of layers in ComfyUI's list, and of tensors with a class of torchao."""
    layers = _field(_json(metadata.get(LAYERS, "")), "layers")
    if isinstance(layers, Mapping):
        for name, settings in layers.items():
            word = _field(settings, "format")
            method = "ComfyUI"
            if isinstance(word, str):
                method += f" {word[:SHOWN]}"
            yield str(name), method
    if "tensor_names" in metadata:  # torchao: the key of a tensor's metadata is its name
        for name, text in metadata.items():
            word = _field(_json(text), "_type")
            if isinstance(word, str) and word not in ("Tensor", "Parameter"):
                yield name, f"torchao {word[:SHOWN]}"


def _field(table: object, key: str) -> object:
    if isinstance(table, Mapping):
        return table.get(key)
    return None


def _json(text: str) -> object:
    """The value of a text that is JSON, None for any other text: metadata may hold anything."""
    if not text.startswith("{") or len(text) > limits.CONFIG:
        return None
    try:
        return as_dict(strict_json.parse(text.encode("utf-8", "surrogatepass"), "metadata"))
    except CheckpointError:
        return None
