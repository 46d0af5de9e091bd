"""Float32 products keep all digits in a run, and the caller's settings are back after it.

Torch has two ways to allow fewer digits, and one of them raises after the other was used.
"""

from __future__ import annotations

from types import SimpleNamespace

import pytest
import torch

from tests.engine.conftest import run, stored, unit
from weightscope.engine import exact

BACKENDS = torch.backends
PLACES = (BACKENDS, BACKENDS.cudnn, BACKENDS.cuda.matmul, BACKENDS.mkldnn.matmul)
GENERIC, CUDA, MATMUL, HOST = PLACES


def newer(*settings):
    """The newer way: (where, precision) one after the other."""

    def allow():
        for place, precision in settings:
            place.fp32_precision = precision

    return allow


WAYS = {
    "nothing": lambda: None,
    "highest": lambda: torch.set_float32_matmul_precision("highest"),
    "high": lambda: torch.set_float32_matmul_precision("high"),
    "medium": lambda: torch.set_float32_matmul_precision("medium"),
    "allow_tf32": lambda: setattr(MATMUL, "allow_tf32", True),
    "matmul": newer((MATMUL, "tf32")),
    "cuda": newer((CUDA, "tf32")),
    "all": newer((GENERIC, "tf32")),
    "all and matmul": newer((GENERIC, "tf32"), (MATMUL, "tf32")),
    "all but matmul": newer((GENERIC, "tf32"), (MATMUL, "ieee")),
    "cuda and matmul": newer((CUDA, "tf32"), (MATMUL, "tf32")),
    "bfloat16 of the host": newer((HOST, "bf16")),
    "bfloat16 of all": newer((GENERIC, "bf16")),
    "the older way, then the newer": lambda: (WAYS["medium"](), WAYS["all but matmul"]()),
    "the newer way, then the older": lambda: (WAYS["all"](), WAYS["high"]()),
}


@pytest.fixture
def settings():
    """Those of a new process, before and after."""
    torch.set_float32_matmul_precision("highest")
    newer(*((place, "none") for place in PLACES))()
    yield
    torch.set_float32_matmul_precision("highest")
    newer(*((place, "none") for place in PLACES))()


def precisions() -> list[str]:
    """What products use now: on a GPU and on the host, and what holds for all."""
    return [place.fp32_precision for place in PLACES]


def all_settings() -> list[list[str] | str]:
    """What products use, and what they use once a setting above theirs is taken back."""
    found: list[list[str] | str] = [precisions()]
    try:
        found.append(torch.get_float32_matmul_precision())
    except RuntimeError as error:
        found.append(str(error))
    for place in PLACES:
        place.fp32_precision = "none"
        found.append(precisions())
    return found


@pytest.mark.parametrize("way", WAYS)
def test_products_are_exact_and_the_settings_are_back(settings, way) -> None:
    """Whichever way they were set, and no setting hides another one that was not there before."""
    WAYS[way]()
    before = precisions()
    with exact.exact_products():
        assert not {"tf32", "bf16"} & set(precisions())
    assert precisions() == before
    after = all_settings()
    torch.set_float32_matmul_precision("highest")
    newer(*((place, "none") for place in PLACES))()
    WAYS[way]()
    assert after == all_settings()


def test_a_run_has_exact_products(settings) -> None:
    """What follows from the measures too, and none after the run."""
    GENERIC.fp32_precision = "tf32"
    seen = []
    run(
        [unit(0, entry) for entry in stored([torch.randn(8, 8)])],
        each=lambda measured: seen.append(precisions()) or {},
    )
    assert seen == [["ieee"] * 4]
    assert precisions() == ["tf32"] * 4


def test_the_last_of_several_runs_restores_the_settings(settings) -> None:
    """Runs of several threads, or of generators, need not end in the order in which they began."""
    MATMUL.fp32_precision = "tf32"
    one, other = exact.exact_products(), exact.exact_products()
    one.__enter__()
    other.__enter__()
    one.__exit__(None, None, None)
    assert MATMUL.fp32_precision == "ieee"
    other.__exit__(None, None, None)
    assert MATMUL.fp32_precision == "tf32"


def test_the_older_way_is_used_where_it_is_alone(monkeypatch) -> None:
    """Before torch 2.9, where the names of the newer one are mere attributes."""
    precision = ["high"]
    older = SimpleNamespace(
        backends=SimpleNamespace(cuda=SimpleNamespace(matmul=None), fp32_precision="tf32"),
        get_float32_matmul_precision=lambda: precision[-1],
        set_float32_matmul_precision=precision.append,
    )
    monkeypatch.setattr(exact, "torch", older)
    with exact.exact_products():
        assert precision == ["high", "highest"]
    assert precision[-1] == "high"
