"""The time for many towers and many stages is linear in the number of names.

Each test runs in a process of its own, which a limit ends.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from weightscope.naming import places
from weightscope.naming.location import beginnings, stack_of

PLACE = """
import resource
from weightscope.naming import places
from weightscope.naming.location import Where, layers
resource.setrlimit(resource.RLIMIT_CPU, (6, 6))
stages = layers([Where("tower", str(i), 1) for i in range(40_000)])
print(stages[Where("tower", "39999", 1)])
names = [f"t{i}.layers.0.w" for i in range(8_000)] + [f"t{i}.weight" for i in range(8_000)]
found = places({name: (2, 2) for name in names}, {})
print(found["t7.weight"][0].stack, found["t7.layers.0.w"][0].stack)
"""


@pytest.mark.skipif(sys.platform == "win32", reason="limits of a process are set the POSIX way")
def test_towers_and_stages() -> None:
    """40,000 stages, and 8,000 towers beside as many names outside all layers."""
    done = subprocess.run(
        [sys.executable, "-c", PLACE],
        capture_output=True,
        text=True,
        check=False,
        cwd=Path(__file__).parents[2],
        timeout=300,
    )
    assert (done.stderr, done.stdout.split()) == ("", ["79999", "t7", "t7"])


def test_the_first_tower_counts() -> None:
    """A name has the first tower whose prefix it has, in the given order, or none."""
    begins = beginnings({"a.b.layers": "b", "a.layers": "a", "layers": ""})
    assert [stack_of(name, begins, 99) for name in ("a.b.w", "a.c", "a", "b.a.w", "")] == [
        "b",
        "a",
        "a",
        "",
        "",
    ]
    assert stack_of("a.b.w", begins, 3) == "a"


def test_numbers_of_a_configuration_have_a_limit() -> None:
    """A number of heads beyond 2^63 is none: it is not written out in a reason either."""
    found = places(
        {"gpt_neox.layers.0.attention.query_key_value.weight": (6, 2)},
        {"num_attention_heads": 10**4299},
    )
    (place,) = found["gpt_neox.layers.0.attention.query_key_value.weight"]
    assert place.why.endswith("not split: needs num_attention_heads of config.json")


def test_experts_have_a_limit() -> None:
    """More experts than any model has stay together."""
    name = "model.layers.0.mlp.experts.gate_up_proj"
    assert len(places({name: (1 << 16, 2, 4)}, {})[name]) == 1 << 16
    (place,) = places({name: ((1 << 16) + 1, 2, 4)}, {})[name]
    assert place.why.endswith("not split: 65537 experts, at most 65536 are told apart")
