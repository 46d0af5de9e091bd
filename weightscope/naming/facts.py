"""Facts of a whole checkpoint: numbers of config.json in their spellings, shapes of all names."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from math import prod

_SPELLINGS = {
    "heads": ("num_attention_heads", "n_head", "n_heads", "num_heads"),
    "kv_heads": (
        "num_key_value_heads",
        "num_kv_heads",
        "n_head_kv",
        "n_kv_heads",
        "multi_query_group_num",
        "kv_n_heads",
    ),
    "head_dim": ("head_dim", "kv_channels"),
    "experts": (
        "num_experts",
        "num_local_experts",
        "n_routed_experts",
        "moe_num_experts",
        "num_moe_experts",
    ),
    "hidden": ("hidden_size", "n_embd", "d_model", "dim"),
}
_NESTED = ("text_config", "llm_config", "language_config", "attn_config", "ffn_config")
_WRITERS = ("o_proj", "out_proj", "dense", "Wo", "c_proj", "wo", "proj", "attn_output")
_EMBEDDINGS = (
    "embed_tokens.weight",
    "wte.weight",
    "tok_embeddings.weight",
    "token_embd.weight",
    "embed_in.weight",
    "word_embeddings.weight",
)


@dataclass(frozen=True)
class Facts:
    """The configuration and every shape of a checkpoint, under names without wrappers' prefixes."""

    config: Mapping[str, object]
    shapes: Mapping[str, tuple[int, ...]]

    @cached_property
    def model_type(self) -> str:
        """The model_type of config.json, "" without one."""
        value = self.config.get("model_type")
        return value if isinstance(value, str) else ""

    def value(self, key: str) -> object:
        """A configuration value, at the top or in a nested text configuration."""
        tables = [self.config, *(self.config.get(name) for name in _NESTED)]
        for table in tables:
            if isinstance(table, Mapping) and key in table:
                return table[key]
        return None

    def number(self, key: str) -> int:
        """A positive whole number under any of its spellings, else 0."""
        for spelling in _SPELLINGS.get(key, (key,)):
            value = self.value(spelling)
            if isinstance(value, int) and not isinstance(value, bool) and 0 < value < 1 << 63:
                return value
        return 0

    @cached_property
    def hidden(self) -> int:
        """Width of the residual stream: of config.json, else of the token embedding, else 0."""
        stated = self.number("hidden")
        if stated:
            return stated
        for name, dims in self.shapes.items():
            if name.endswith(_EMBEDDINGS) and len(dims) == 2:
                return dims[1]
        return 0

    def columns(self, name: str) -> int:
        """Columns of the matrix that a name has, flattened; 0 where there is none."""
        dims = self.shapes.get(name, ())
        if len(dims) > 1:
            return prod(dims[1:])
        return 0

    def written_from(self, module: str) -> int:
        """Columns of the output projection beside a fused q, k, v: the rows of its q."""
        parent = module.rpartition(".")[0]
        for writer in _WRITERS:
            columns = self.columns(f"{parent}.{writer}.weight")
            if columns:
                return columns
        return 0


def heads_in(config: Mapping[str, object], index_set: str) -> int:
    """Number of attention heads in an index set, `heads` or `kv_heads`; 0 if config.json lacks it.

    >>> heads_in({"num_attention_heads": 8, "num_key_value_heads": 2}, "kv_heads")
    2
    >>> heads_in({"n_head": 16, "multi_query": True}, "kv_heads")
    1
    """
    facts = Facts(config, {})
    if index_set not in ("heads", "kv_heads"):
        return 0
    if (
        index_set == "kv_heads"
        and facts.value("multi_query")
        and not facts.value("new_decoder_architecture")
    ):
        return 1  # GPT-BigCode and Falcon: one key and value for all, whatever other keys say
    return (facts.number("kv_heads") if index_set == "kv_heads" else 0) or facts.number("heads")
