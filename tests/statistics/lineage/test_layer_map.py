"""Maps of layers: removed, repeated, reordered and unrelated."""

from __future__ import annotations

from math import isnan

import numpy as np
import pytest

from weightscope.statistics.lineage import LayerCosines, LayerMap, layer_cosines, layer_map
from weightscope.statistics.lineage.layer_map import ranges

ROLES = ("q", "up", "down")


def model(seed: int, layers: int = 6, roles: tuple[str, ...] = ROLES) -> dict:
    """16 rows of each role and layer."""
    rng = np.random.default_rng(seed)
    return {role: [rng.standard_normal((16, 96)) for _ in range(layers)] for role in roles}


def made(a: dict, layers: list[int], sigmas: float = 0.0) -> dict:
    """A model of these layers, with noise."""
    rng = np.random.default_rng(99)
    return {
        role: [rows[i] + sigmas * rng.standard_normal(rows[i].shape) for i in layers]
        for role, rows in a.items()
    }


def mapped(a: dict, b: dict) -> LayerMap:
    """The map from all roles."""
    return layer_map({role: layer_cosines(a[role], b[role]) for role in a})


@pytest.mark.parametrize("sigmas", [0, 1, 3])
@pytest.mark.parametrize(
    ("layers", "text", "removed", "repeated"),
    [
        ([0, 1, 2, 3, 2, 3, 4, 5], "0-3,2-5", (), (2, 3)),
        ([0, 1, 4, 5], "0-1,4-5", (2, 3), ()),
        ([0, 2, 4], "0,2,4", (1, 3, 5), ()),
        ([0, 0, 1, 1], "0,0-1,1", (2, 3, 4, 5), (0, 1)),
        ([5, 4, 3, 2, 1, 0], "5,4,3,2,1,0", (), ()),
        ([0, 1, 2, 3, 4, 5], "0-5", (), ()),
    ],
)
def test_planted_maps_are_found(layers, text, removed, repeated, sigmas) -> None:
    """Clean, and with noise of 1 and 3 sigma."""
    a = model(0)
    found = mapped(a, made(a, layers, sigmas))
    assert found.layers == tuple(layers)
    assert found.text == text
    assert (found.removed, found.repeated) == (removed, repeated)
    assert found.matched == len(layers)
    assert found.is_identity == (text == "0-5")
    assert min(found.cosines) == pytest.approx((1 + sigmas**2) ** -0.5, abs=0.05)
    assert max(found.runner_ups) < 0.1


def test_unrelated_models_have_none() -> None:
    """In 200 draws; their texts are empty."""
    worst = 0.0
    for seed in range(200):
        found = mapped(model(1000 + seed, 2, ("up",)), model(5000 + seed, 2, ("up",)))
        assert found.matched == 0
        assert found.text == ""
        worst = max(worst, *found.cosines)
    assert worst < 0.12


def test_layers_that_are_none_of_a_are_marked() -> None:
    """New layers between known ones."""
    a = model(2)
    b = made(a, [0, 1, 2])
    for rows, others in zip(b.values(), model(3).values(), strict=True):
        rows.insert(1, others[0])
    found = mapped(a, b)
    assert found.layers == (0, None, 1, 2)
    assert found.text == "0,?,1-2"
    assert found.matched == 3


def test_equal_layers_of_a_count_as_one() -> None:
    """They are no runner-ups of each other, and the one that continues the map is taken."""
    a = model(4)
    a = made(a, [0, 1, 1, 1, 4, 5])
    found = mapped(a, made(a, [0, 1, 2, 3, 4, 5]))
    assert found.text == "0-5"
    assert max(found.runner_ups) < 0.1
    assert mapped(a, made(a, [3, 4])).text == "1,4"
    assert mapped(a, made(a, [4, 2])).text == "4,1"
    apart = made(model(8), [0, 1, 2, 1, 4, 5])
    assert mapped(apart, made(apart, [2, 3, 4])).text == "2-4"


def test_similar_layers_are_no_map() -> None:
    """A runner-up of more than half the cosine."""
    values = np.array([[0.9], [0.5]])
    assert layer_map({"q": LayerCosines(values, 10_000)}).matched == 0
    values = np.array([[0.9], [0.4]])
    assert layer_map({"q": LayerCosines(values, 10_000)}).text == "0"


def test_the_median_over_roles_decides() -> None:
    """One role that says otherwise does not, nor one that most layers lack."""
    right = np.array([[0.9, 0.0], [0.0, 0.9]])
    roles = {"q": LayerCosines(right, 9000), "up": LayerCosines(right, 9000)}
    roles["down"] = LayerCosines(right[::-1], 9000)
    assert layer_map(roles).text == "0-1"
    roles["gate"] = LayerCosines(np.full((2, 2), np.nan), 9000)
    assert layer_map(roles).text == "0-1"


def test_few_elements_need_a_larger_cosine() -> None:
    """0.3 of 100 elements is 3 standard errors."""
    values = np.array([[0.3], [0.0]])
    assert layer_map({"q": LayerCosines(values, 100)}).matched == 0
    assert layer_map({"q": LayerCosines(values, 1000)}).matched == 1


def test_absent_and_constant_layers_have_no_cosine() -> None:
    """NaN in the matrix, None in the map."""
    a = model(5, 2)["q"]
    cosines = layer_cosines([a[0], None, np.ones((16, 96))], [a[0], None, a[1]])
    assert np.isnan(cosines.values[1:]).all()
    assert np.isnan(cosines.values[:, 1]).all()
    found = layer_map({"q": cosines})
    assert found.layers == (0, None, None)
    assert isnan(found.cosines[1])
    assert found.removed == (1, 2)


def test_nothing_to_map() -> None:
    """No roles, no layers, layers without elements."""
    assert layer_map({}) == LayerMap((), (), (), (), ())
    assert layer_map({"q": layer_cosines([], [])}).layers == ()
    assert layer_map({"q": layer_cosines([], [np.ones((2, 2))])}).layers == (None,)
    empty = layer_cosines([np.zeros((0, 4))], [np.zeros((0, 4))])
    assert layer_map({"q": empty}).layers == (None,)


def test_cosines_are_those_of_centred_rows() -> None:
    """numpy.corrcoef of rows without their means of rows and columns; not finite is left out."""
    a, b = model(6, 1)["q"][0] + 3, model(7, 1)["q"][0] + 3

    def flat(x: np.ndarray) -> np.ndarray:
        rest = x - x.mean(0) - x.mean(1, keepdims=True) + x.mean()
        return rest.ravel()

    expected = np.corrcoef(flat(a), flat(b))[0, 1]
    assert layer_cosines([a], [b]).values[0, 0] == pytest.approx(expected, abs=1e-12)
    a = a.astype(np.float32) * np.float32(1e38 / np.abs(a).max())
    a[0, 0] = np.inf
    assert layer_cosines([a], [a]).values[0, 0] == pytest.approx(1)


def test_ranges_of_many_layers() -> None:
    """100,000 layers in one pass."""
    many = list(range(50_000)) + list(range(50_000))
    assert ranges(many) == "0-49999,0-49999"
    assert ranges([]) == ""
