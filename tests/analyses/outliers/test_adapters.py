"""Adapters: updates of low rank, and factors at their identity, have no alarm of weights."""

import pytest
import torch

import weightscope as ws

STEM = "base_model.model.model.layers.0.self_attn.q_proj"
HEAD = "base_model.model.lm_head"
TOKENS = "base_model.model.model.embed_tokens"


def severities(model):
    """Severity and findings by name, of rows with any."""
    rows = ws.outliers(model, panels=False).rows
    return {row["tensor"]: (row["severity"], row["findings"]) for row in rows if row["findings"]}


def drawn(*shape, seed=0):
    """Gaussian values."""
    return torch.randn(shape, generator=torch.Generator().manual_seed(seed))


def layer(module, rank, seed, adapter=""):
    """A pair of a head or an embedding that is treated as a layer."""
    return {
        f"{module}.lora_A{adapter}.weight": drawn(rank, 64, seed=seed),
        f"{module}.lora_B{adapter}.weight": drawn(200, rank, seed=seed + 100),
    }


def table(module, rank, seed):
    """A pair of an embedding in the spelling of PEFT."""
    return {
        f"{module}.lora_embedding_A": drawn(rank, 500, seed=seed),
        f"{module}.lora_embedding_B": drawn(64, rank, seed=seed + 100),
    }


@pytest.mark.parametrize("seed", range(3))
@pytest.mark.parametrize("rank", [1, 2, 8])
@pytest.mark.parametrize(("pair", "module"), [(layer, HEAD), (layer, TOKENS), (table, TOKENS)])
def test_parallel_rows_of_an_update_are_no_untrained_tokens(pair, module, rank, seed):
    """All rows of rank 1 are parallel; the weight with such rows has the finding."""
    model = pair(module, rank, seed)
    assert not any("WS131" in ids for _, ids in severities(model).values())


def test_an_update_with_a_dominant_direction_has_no_untrained_tokens():
    """As trained adapters have; its column still counts the rows."""
    model = layer(HEAD, 4, 0)
    model[f"{HEAD}.lora_B.weight"][:, 1:] *= 1e-3
    (row,) = ws.outliers(model, panels=False).rows
    assert row["untrained_rows"] > 100
    assert "WS131" not in str(row["findings"])


def test_merged_rows_of_a_head_have_the_finding():
    """The same rows in the stored weight of a head are untrained tokens."""
    merged = drawn(500, 64, seed=1)
    merged[20:200] = drawn(180, 1, seed=2).abs() * drawn(1, 64, seed=3)
    assert severities({"lm_head.weight": merged})["lm_head.weight"] == ("warn", "WS131")


def test_named_adapters_are_updates():
    """Two adapters of one module, whose names are in brackets."""
    model = layer(HEAD, 1, 0, ".first") | layer(HEAD, 1, 5, ".second")
    model[f"{HEAD}.lora_B.second.weight"][7] = model[f"{HEAD}.lora_B.second.weight"][3]
    assert severities(model) == {}


def test_outputs_that_an_update_leaves_alone_are_no_fault():
    """Zero rows of B, and zero columns of A of tokens that no text has."""
    head, tokens = layer(HEAD, 4, 0), table(TOKENS, 4, 0)
    head[f"{HEAD}.lora_B.weight"][[5, 9]] = 0
    tokens[f"{TOKENS}.lora_embedding_A"][:, 5:40] = 0
    for model in (head, tokens):
        assert {gravity for gravity, _ in severities(model).values()} == {"info"}


FRESH = {
    "IA3": ("ia3_l", torch.ones(64, 1)),
    "IA3, named": ("ia3_l.default", torch.ones(1, 64)),
    "OFT": ("oft_r", torch.zeros(8, 28)),
    "OFT, as rotations": ("oft_R.default.weight", torch.eye(8).repeat(8, 1, 1)),
    "OFT, scales": ("oft_s", torch.ones(64, 1)),
    "OFT of LyCORIS": ("oft_blocks", torch.zeros(8, 8, 8)),
    "a diagonal": ("oft_diag", torch.ones(8, 8)),
    "BOFT": ("boft_R", torch.zeros(3, 8, 8, 8)),
    "BOFT, as rotations": ("boft_R", torch.eye(8).repeat(3, 8, 1, 1)),
    "BOFT, scales": ("boft_s", torch.ones(64, 1)),
    "AdaLoRA": ("lora_E", torch.zeros(8, 1)),
    "AdaLoRA, named": ("lora_E.default", torch.zeros(8, 1)),
    "LoHa": ("hada_w2_a", torch.zeros(64, 4)),
    "LoKr": ("lokr_w2", torch.zeros(8, 8)),
    "RandLoRA": ("randlora_lambda", torch.zeros(8, 4)),
    "RandLoRA, scales": ("randlora_gamma", torch.ones(4, 8) / 8),
    "DoRA of LyCORIS": ("dora_scale", torch.ones(64, 1)),
    "VB-LoRA": ("vblora_logits_A", torch.zeros(64, 4, 2)),
    "Bone": ("bone_block", torch.zeros(8, 64)),
    "MiSS": ("miss_block.default", torch.zeros(8, 64)),
    "C3A": ("c3a_kernel", torch.zeros(4, 4, 8)),
    "SHiRA": ("shira_weight", torch.zeros(1, 100)),
    "Poly": ("poly_lora_B", torch.zeros(4, 4, 8, 8)),
    "a rank that is cut": ("hada_w1_a", drawn(64, 8) * (torch.arange(8) != 3)),
}


@pytest.mark.parametrize(("word", "factor"), FRESH.values(), ids=FRESH)
def test_a_factor_at_its_identity_is_no_fault(word, factor):
    """Zeros, ones and unit blocks: `info`. The same values in a weight are a warning."""
    gravities = {gravity for gravity, _ in severities({f"{STEM}.{word}": factor}).values()}
    assert gravities == {"info"}
    weight = factor.flatten(1) if min(factor.shape) > 1 else torch.ones(64, 64)
    assert severities({f"{STEM}.weight": weight})[f"{STEM}.weight"][0] == "warn"


def test_a_fresh_adalora_is_no_fault():
    """Its three factors are measured alone; only the diagonal is zero."""
    model = {
        f"{STEM}.lora_A.default": drawn(8, 64),
        f"{STEM}.lora_B.default": drawn(64, 8),
        f"{STEM}.lora_E.default": torch.zeros(8, 1),
        f"{STEM}.ranknum.default": torch.tensor(8.0),
    }
    assert severities(model) == {f"{STEM}.lora_E.default": ("info", "WS102")}


def test_faults_of_factors_are_still_reported():
    """NaN in a factor, and one value far beyond all others."""
    broken = drawn(64, 64)
    broken[3, 5] = torch.nan
    far = drawn(64, 64)
    far[3, 5] = 1e4
    for values, expected in ((broken, "error"), (far, "warn")):
        assert severities({f"{STEM}.hada_w1_a": values})[f"{STEM}.hada_w1_a"][0] == expected
