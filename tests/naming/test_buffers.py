"""Buffers and weights with similar names.

A weight taken for a buffer is not measured, and a buffer taken for a weight is.
"""

from __future__ import annotations

import pytest

from weightscope.naming import places

SCHEDULE = (
    "betas",
    "alphas_cumprod",
    "alphas_cumprod_prev",
    "sqrt_alphas_cumprod",
    "sqrt_one_minus_alphas_cumprod",
    "log_one_minus_alphas_cumprod",
    "sqrt_recip_alphas_cumprod",
    "sqrt_recipm1_alphas_cumprod",
    "posterior_variance",
    "posterior_log_variance_clipped",
    "posterior_mean_coef1",
    "posterior_mean_coef2",
    "logvar",
    "lvlb_weights",
)


@pytest.mark.parametrize(
    "wrapper", ["", "module.", "diffusion.", "ema_model.", "online_model.module."]
)
def test_the_schedule_of_a_diffusion_is_no_weight(wrapper: str) -> None:
    """At the root and behind any wrapper; the convolution beside it stays one."""
    names = {f"{wrapper}{name}": (1000,) for name in SCHEDULE}
    names |= {
        f"{wrapper}scale_factor": (),
        f"{wrapper}conv_in.weight": (8, 4, 3, 3),
        f"{wrapper}conv_in.bias": (8,),
    }
    kinds = {name: place.kind for name, (place,) in places(names, {}).items()}
    assert {name for name, kind in kinds.items() if kind != "buffer"} == {
        f"{wrapper}conv_in.weight",
        f"{wrapper}conv_in.bias",
    }


@pytest.mark.parametrize(
    "names",
    [
        {"encoder._compiled_main_left_right._w3j_0_1_1": (1, 3, 3)},
        {"tp._w3j_10_2_12": (21, 5, 25)},
        {"layers.0.tp.output_mask": (64,)},
        {"h.0.attn.mask": (1, 1, 8, 8)},
        {"stft.stft_fn.forward_basis": (1026, 1, 1024)},
        {"stft.inverse_basis": (1026, 1, 1024)},
        {"_model.stft.forward_basis_buffer": (258, 1, 256)},
        {"spectrogram_extractor.stft.conv_real.weight": (513, 1, 1024)},
        {"melspec_layer.stft.wsin": (513, 1, 1024)},
        {"melspec_layer.mel_basis": (80, 513)},
        {"logmel_extractor.melW": (513, 64)},
        {"frontend.spectrogram.window": (400,)},
        {"mel_window": (1024,)},
        {"MelSpec.mel_scale.fb": (513, 80)},
        {"head.istft.window": (1024,)},
        {"preprocessor.featurizer.window": (320,), "preprocessor.featurizer.fb": (1, 64, 257)},
        {"model_ema.decay": (), "model_ema.num_updates": ()},
        {
            "model.24.anchors": (3, 3, 2),
            "model.24.anchor_grid": (3, 1, 3, 1, 1, 2),
            "model.24.stride": (3,),
        },
        {"decoder.anchors": (1, 8400, 4), "decoder.valid_mask": (1, 8400, 1)},
    ],
    ids=lambda names: next(iter(names)),
)
def test_constants_of_code_are_no_weights(names: dict[str, tuple[int, ...]]) -> None:
    """Coupling coefficients, masks, Fourier and mel bases, windows, counters, anchors."""
    beside = {"model.24.m.0.weight": (255, 128, 1, 1)}
    made = places({**names, **beside}, {})
    assert {(made[name][0].role, made[name][0].kind) for name in names} == {("buffer", "buffer")}
    assert made["model.24.m.0.weight"][0].kind == "conv"


@pytest.mark.parametrize(
    "names",
    [
        {"norm.beta": (8,), "norm.gamma": (8,)},
        {"film.betas.weight": (8, 8)},
        {"betas": (8,)},
        {"film.betas": (8,)},
        {"loss.logvar": ()},
        {"logvar": (8,)},
        {"scale_factor": ()},
        {"bayes.posterior_variance": (8,)},
        {"betas.weight": (8, 8), "alphas_cumprod.weight": (8, 8)},
        {"alphas_cumprod": (8, 8)},
        {"film.betas": (8,), "alphas_cumprod_of.weight": (8, 8)},
        {"mask_decoder.transformer.layers.0.mlp.lin1.weight": (8, 8)},
        {"mask_tokens.weight": (4, 8)},
        {"mel_basis.weight": (8, 8)},
        {"stft.conv.weight": (8, 1, 3)},
        {"forward_basis": (8, 8)},
        {"forward_basis": (8, 4, 3)},
        {"attn.window": (8,)},
        {"species.window": (8,)},
        {"spectrogram.window": (8, 8)},
        {"layer.fb": (8, 8)},
        {"rnn.decay": ()},
        {"ssm.decay": (8,), "ssm.num_updates": ()},
        {"anchors": (3, 3, 2)},
        {"head.anchors": (16, 8)},
        {"m.0.weight": (8, 8), "x.anchors": (3, 3, 2)},
        {"pool.stride": (8,)},
        {"tp.w3j": (1, 3, 3)},
        {"tp.weight": (64,)},
    ],
    ids=lambda names: next(iter(names)),
)
def test_names_alike_that_are_weights(names: dict[str, tuple[int, ...]]) -> None:
    """The same words in another rank, another place, or without what confirms them."""
    found = {
        name: place.kind
        for name, (place,) in places(names, {}).items()
        if not name.endswith("num_updates")
    }
    assert "buffer" not in found.values()
