"""Which pieces a command looks at."""

import shlex

import pytest

import weightscope as ws
from weightscope.analyses.selection import Selection, layers_of


@pytest.fixture
def model(draw):
    """Three layers, a bias, a norm and a head."""
    names = {f"model.layers.{i}.self_attn.q_proj.weight": draw(8, 8) for i in range(3)}
    vectors = {"model.layers.1.self_attn.q_proj.bias": draw(8), "model.norm.weight": draw(8)}
    return names | vectors | {"lm_head.weight": draw(10, 8)}


@pytest.mark.parametrize(
    ("selection", "count"),
    [
        ({"include": ["*q_proj*"]}, 4),
        ({"include": ["*q_proj*"], "exclude": ["*.bias"]}, 3),
        ({"role": ["attn.q"]}, 3),
        ({"role": ["attn.*"]}, 4),
        ({"layers": "1-2"}, 3),
        ({"layers": "0,2", "min_params": 64}, 2),
        ({"layers": "1-99999999999999"}, 3),
        ({"min_params": 65}, 1),
    ],
    ids=str,
)
def test_conditions_join(model, selection, count):
    """Every condition must hold; roles are matched whole, so that of a bias is not selected."""
    assert len(ws.fit(model, **selection).rows) == len(ws.ls(model, **selection).rows) == count


def test_nothing_selected(model):
    """An empty selection is an error that lists the roles; one empty model of several is not."""
    with pytest.raises(
        ws.UsageError,
        match=r"no tensor has role 'mlp\.\*'; roles here: attn\.q, attn\.q\.bias, head",
    ):
        ws.fit(model, role="mlp.*")
    assert len(ws.fit(model, {"x.weight": model["lm_head.weight"]}, layers="0").rows) == 1


def test_names_of_buffers_are_reported_separately(model, draw):
    """A name that only buffers have selects them; the error of an empty selection counts them."""
    beside = model | {"embeddings.position_ids": draw(1, 8), "norm.running_mean": draw(8)}
    named = {"include": ["*position_ids", "*running*"]}
    with pytest.raises(
        ws.UsageError,
        match=r"no tensor has a name that matches .*, except 2 buffers or tensors of the optimizer",
    ):
        ws.fit(beside, **named, min_params=1000)
    assert len(ws.fit(beside, **named).rows) == 2
    with pytest.raises(
        ws.UsageError, match=r"a name that matches 'nothing'; `weightscope ls` lists the names"
    ):
        ws.fit(beside, include=["nothing"])
    assert len(ws.ls(beside, **named).rows) == 2


def test_a_file_without_a_weight_is_an_error(draw):
    """Instead of an empty table; together with a file that has weights it is not."""
    buffers = {"embeddings.position_ids": draw(1, 8), "norm.running_mean": draw(8)}
    with pytest.raises(
        ws.UsageError, match="expected a weight to measure; found 2 tensors: buffers"
    ):
        ws.fit(buffers)
    assert len(ws.fit(buffers, {"w": draw(8, 8)}).rows) == 1
    assert len(ws.ls(buffers).rows) == 2


@pytest.mark.parametrize(
    ("text", "message"), [("3-1", "found 3-1, which runs backwards; write 1-3"), ("0,9-7", "9-7")]
)
def test_backward_layers(text, message):
    """A range that runs backwards is an error with the correction."""
    with pytest.raises(ws.UsageError, match=message):
        Selection(layers=text)


@pytest.mark.parametrize("text", ["a", "1-2-3", "-1", "1,,2", "2-"])
def test_wrong_layers(text):
    """Numbers and ranges only, refused before anything is opened."""
    with pytest.raises(ws.UsageError, match="--layers takes numbers and ranges such as 0-3,10"):
        Selection(layers=text)


def test_layers():
    """Both ends belong to a range; an empty text has no range."""
    assert [list(r) for r in layers_of("3-4,9")] == [[3, 4], [9]]
    assert layers_of("") == ()


@pytest.mark.parametrize(
    ("options", "advice", "rows"),
    [
        ({"include": "layers.1"}, "write -i '*layers.1*'; `weightscope ls`", 1),
        ({"include": ["h.9", "q_proj"]}, "write -i '*h.9*' -i '*q_proj*'; `weightscope ls`", 2),
        ({"role": "attn"}, "write --role 'attn.*'; roles here: attn.q", 2),
        ({"include": "q_proj", "role": "attn"}, "-i '*q_proj*' --role 'attn.*'", 2),
    ],
    ids=str,
)
def test_a_glob_that_matches_a_part_is_completed(draw, options, advice, rows):
    """With the flags that select a tensor."""
    model = {f"model.layers.{i}.self_attn.q_proj.weight": draw(8, 8) for i in (0, 1)}
    with pytest.raises(ws.UsageError) as refused:
        ws.ls(model, **options)
    assert advice in str(refused.value)
    typed = shlex.split(str(refused.value).partition("write ")[2].partition(";")[0])
    flags = list(zip(typed[::2], typed[1::2], strict=True))
    include = [glob for flag, glob in flags if flag == "-i"] or options.get("include", ())
    role = [glob for flag, glob in flags if flag == "--role"] or options.get("role", ())
    assert len(ws.ls(model, include=include, role=role).rows) == rows


def test_a_glob_that_no_part_matches_gets_no_advice(draw):
    """Nor one with a wildcard of its own, nor where another condition excludes the tensor."""
    model = {"model.layers.1.mlp.up_proj.weight": draw(8, 8)}
    for options in (
        {"include": "h.1"},
        {"include": "layers.?"},
        {"include": "up_proj", "layers": 2},
    ):
        with pytest.raises(ws.UsageError) as refused:
            ws.ls(model, **options)
        assert "globs match" not in str(refused.value)
