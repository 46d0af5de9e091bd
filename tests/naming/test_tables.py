"""Tables of tokens, and linear layers with their names."""

from __future__ import annotations

import pytest

from weightscope.naming import Place, places

Shapes = dict[str, tuple[int, ...]]


def at(names: Shapes, name: str) -> Place:
    (place,) = places(names, {})[name]
    return place


@pytest.mark.parametrize(
    "name",
    [
        "embedding.weight",
        "encoder.embeddings.weight",
        "model.embed_tokens.weight",
        "model.layers.61.embed_tokens.weight",
        "gpt_neox.embed_in.weight",
        "shared.weight",
        "backbone.embeddings.weight",
        "token_embedding.weight",
    ],
)
def test_tables_of_tokens(name: str) -> None:
    """The rows of a table called so are tokens; a vector is no table."""
    place = at({name: (50, 8)}, name)
    assert (place.role, place.kind, place.out_set) == ("embed", "embedding", "vocab")


def test_a_vector_is_no_table() -> None:
    """A name alone makes none."""
    assert at({"embedding.weight": (8,)}, "embedding.weight").role == "unknown"


@pytest.mark.parametrize(
    "module",
    [
        "rnn.0.embedding",
        "embedding",
        "encoder.embeddings",
        "patch.embedding",
        "embed_tokens",
        "embed_in",
        "token_embedding",
        "position_embedding",
        "token_type_embeddings",
        "bert.embeddings.word_embeddings",
        "embeddings.position_embeddings",
        "model.decoder.embed_positions",
        "vision_model.embeddings.position_embedding",
        "emb",
        "token_embd",
        "position_embd",
    ],
)
def test_a_table_has_no_bias(module: str) -> None:
    """A bias beside it proves a linear layer, whatever the module is called."""
    names: Shapes = {f"{module}.weight": (256, 512), f"{module}.bias": (256,)}
    assert [at(names, name).role for name in names] == ["linear", "linear.bias"]


@pytest.mark.parametrize(
    "name",
    [
        "layers.0.attn.relative.embedding.weight",
        "blocks.3.embeddings.weight",
        "rnn.0.embedding.weight",
        "layers.0.moe.shared.weight",
        "layers.0.embed_in.weight",
    ],
)
def test_a_table_in_a_layer_is_not_known(name: str) -> None:
    """Plain words inside a numbered layer claim no tokens."""
    assert (at({name: (32, 8)}, name).role, at({name: (32, 8)}, name).out_set) == ("unknown", "")


def test_a_table_in_another_module_has_no_tokens() -> None:
    """`relative.embedding` is a table of whatever its module counts."""
    place = at({"relative.embedding.weight": (32, 8)}, "relative.embedding.weight")
    assert (place.kind, place.out_set) == ("embedding", "")
