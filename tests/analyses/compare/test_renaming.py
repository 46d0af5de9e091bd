"""Names that the user states: expressions for whole names of A, and prefixes to strip."""

from __future__ import annotations

import pytest
import torch

from tests.analyses.compare.models import met, model, pairs
from weightscope.analyses.compare.renaming import Renaming
from weightscope.errors import UsageError


def ones(*names: str) -> dict[str, torch.Tensor]:
    return {name: torch.ones(6, 2) for name in names}


def test_the_first_expression_that_matches_counts() -> None:
    """It matches a whole name, and groups are filled in."""
    renaming = Renaming((r"a\.(\d+)\.w=b.\1.w", r"a\..*=c", r"(?P<n>x)(?=.*)=\g<n>y"))
    assert renaming.in_a("a.3.w") == "b.3.w"
    assert renaming.in_a("a.3.w.z") == "c"
    assert renaming.in_a("pre.a.3.w") == "pre.a.3.w"
    assert renaming.in_a("x") == "xy"
    assert renaming.in_b("a.3.w") == "a.3.w"


def test_prefixes_are_stripped_on_both_sides() -> None:
    """Each once, in their order, behind the expressions in A."""
    renaming = Renaming(("old=p.q.new",), ("p.", "q."))
    assert renaming.in_a("old") == "new"
    assert renaming.in_b("p.q.new") == "new"
    assert renaming.in_b("q.p.new") == "p.new"
    found = pairs(model(ones("p.x.y")), model(ones("far.x.y")), strip=("p.", "far."))
    assert met(found) == {("p.x.y", "far.x.y")}


def test_parts_follow_their_tensor() -> None:
    """q, k and v of a renamed tensor meet those of its partner."""
    fused = {"h.0.attn.c_attn.weight": torch.randn(6, 2)}
    other = {"trunk.0.attn.qkv.weight": torch.randn(6, 2)}
    rename = r"h\.(\d)\.attn\.c_attn\.weight=blocks.\1.attn.qkv.weight"
    found = pairs(model(fused), model({"blocks.0.attn.qkv.weight": torch.randn(6, 2)}), rename)
    assert met(found) == {
        (f"h.0.attn.c_attn.weight[{p}]", f"blocks.0.attn.qkv.weight[{p}]") for p in "qkv"
    }
    assert all(pair.b is None for pair in pairs(model(fused), model(other), rename) if pair.a)


def test_a_renamed_tensor_has_no_other_partner() -> None:
    """Where B lacks the name, the place pairs it with nothing else."""
    a, b = ones("layers.0.attention.wq.weight"), ones("model.layers.0.self_attn.q_proj.weight")
    assert met(pairs(model(a), model(b))) == {(*a, *b)}
    assert met(pairs(model(a), model(b), r".*wq.*=missing")) == {(*a, None), (None, *b)}


def test_a_renamed_product_is_called_by_its_module() -> None:
    """An adapter's row has the name of the module with [lora]."""

    def adapter(module: str) -> dict[str, torch.Tensor]:
        return {
            f"{module}.lora_A.weight": torch.randn(2, 8),
            f"{module}.lora_B.weight": torch.randn(8, 2),
        }

    found = pairs(model(adapter("a.b")), model(adapter("c.d")), r"a\.b=c.d")
    assert met(found) == {("a.b[lora]", "c.d[lora]")}


@pytest.mark.parametrize(
    ("item", "text"),
    [
        ("abc", "OLD=NEW.*; found 'abc'; write for example"),
        ("=abc", "found '=abc'"),
        ("a(b=c", r"found 'a\(b': missing \), unterminated subpattern at position 1; correct"),
        (r"a(b)=\2", r"found '\\\\2' for 'a\(b\)': invalid group reference 2 at position 1"),
        (r"a(b)=\g<x>", "unknown group name 'x'"),
        (r"a(b)=\q", r"bad escape \\q at position 0; refer to groups"),
    ],
)
def test_mistakes_are_refused(item: str, text: str) -> None:
    """Before anything is opened, with the position."""
    with pytest.raises(UsageError, match=text):
        Renaming((item,))


def test_two_names_that_become_one_are_refused() -> None:
    """In A by an expression, in either by a prefix; parts of one tensor have its name."""
    both = model(ones("p.x", "x"))
    one = model(ones("y"))
    text = "keep the names of a model apart; '{}' and '{}' of {} both become '{}'; narrow the"
    with pytest.raises(UsageError, match=text.format("p.x", "x", "A", "z")):
        pairs(both, one, r"(p\.)?x=z")
    with pytest.raises(UsageError, match=text.format("p.x", "x", "B", "x")):
        pairs(one, both, strip=("p.",))
    with pytest.raises(UsageError, match=text.format("p.x", "x", "A", "x")):
        pairs(both, one, strip=("p.",))
    fused = model({"h.0.attn.c_attn.weight": torch.randn(6, 2)})
    assert len(pairs(fused, fused, r"h(.*)=g\1")) == 6
