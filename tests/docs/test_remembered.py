"""What the pages' tests remember is what the program would measure."""

import pytest
import torch
from safetensors.torch import save_file

import weightscope as ws
from tests.docs.remembered import measured_once

LINES = (
    "weightscope fit {} --balance --columns all -f json",
    "weightscope spectrum {} --balance --columns all -f json",
    "weightscope outliers {} --columns all -f json",
    "weightscope compare {} model.safetensors --columns all -f json",
)


@pytest.mark.parametrize("line", LINES)
def test_a_second_run_measures_nothing_and_prints_the_same(weightscope, line):
    """Values of a new memory, and the same from it."""
    line = line.format("model.pth")
    with measured_once() as memory:
        first = weightscope(line, terminal=False)
        assert (memory.known, memory.new > 0) == (0, True)
        new = memory.new
        assert weightscope(line, terminal=False) == first
        assert (memory.known, memory.new) == (new, new)


def test_other_options_have_other_values(weightscope):
    """An option that changes a function alone, not its columns or measures, is not forgotten."""
    line = "weightscope spectrum model.safetensors --columns alpha,alpha_tail -f csv"
    with measured_once():
        usual = weightscope(line, terminal=False)
        cut = weightscope(line + " --alpha-cut 0.5", terminal=False)
    assert usual != cut


def test_other_bytes_have_other_sketches(tmp_path):
    """A file that is written anew, and a tensor that changed in memory, are measured again."""
    tensors = {"h.0.mlp.up_proj.weight": torch.randn(8, 8)}
    path = tmp_path / "own.safetensors"
    for opened in (lambda: path, lambda: tensors):
        with measured_once():
            save_file(tensors, path)
            before = ws.fit(opened()).table["std"].item()
            tensors["h.0.mlp.up_proj.weight"] *= 3
            save_file(tensors, path)
            assert ws.fit(opened()).table["std"].item() == pytest.approx(3 * before)
