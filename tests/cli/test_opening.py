"""How a model is opened and its names are read, from the command line.

--root, --follow-symlinks, --name-map.
"""

import json
import os

import pytest
import torch
from safetensors.numpy import save_file

from tests.cli.conftest import tensors

COMMANDS = pytest.mark.parametrize("command", ["ls", "fit"])


def names(done):
    """The tensors of a CSV report whose first column they are."""
    return [line.split(",")[0] for line in done.out.splitlines()[1:]]


@pytest.fixture
def nested(tmp_path):
    """A training file: two models, the larger one called net, and what an optimizer keeps."""
    draw = torch.Generator().manual_seed(0)
    weights = lambda *shape: torch.randn(shape, generator=draw)
    path = tmp_path / "run.pt"
    torch.save(
        {
            "net": {"layers.0.w": weights(16, 16), "layers.1.w": weights(16, 16)},
            "small": {"teacher": {"w": weights(8, 8)}},
            "optimizer": {"exp_avg": weights(32, 32)},
        },
        path,
    )
    return str(path)


@COMMANDS
def test_root_names_the_dict(weightscope, nested, command):
    """The tensors of that dict under their names in it; the choice is said on stderr."""
    done = weightscope(command, nested, "--root", "small.teacher", "--columns", "tensor")
    assert done.code == 0
    assert "w" in names(done)
    assert "the model is small.teacher: 1 tensors, chosen by --root" in done.err
    assert "layers.0.w" in names(weightscope(command, nested, "--columns", "tensor"))


@COMMANDS
def test_only_the_root_is_measured(weightscope, nested, command):
    """What lies outside it is listed by ls and left out by fit."""
    done = weightscope(command, nested, "--root", "small", "--columns", "tensor", "-q")
    outside = ["net.layers.0.w", "net.layers.1.w", "optimizer.exp_avg"]
    assert sorted(names(done)) == sorted(["teacher.w", *(outside if command == "ls" else [])])
    assert done.err == ""


@COMMANDS
def test_a_root_that_chooses_nothing_is_said(weightscope, model, nested, command):
    """In a safetensors file there is nothing to choose from.

    A file beside it may need the option.
    """
    done = weightscope(command, model, nested, "--root", "net")
    assert done.code == 0
    assert done.err.count("--root net has no effect: safetensors files have no nested dicts\n") == 1
    assert "the model is net: 2 tensors, chosen by --root" in done.err
    assert weightscope(command, model, "--root", "net", "-q").err == ""


def test_an_optimizer_is_nothing_to_measure(weightscope, tmp_path):
    """Its state and its counters of steps are listed by ls; to ask for more is a mistake."""
    path, state = tmp_path / "run.pt", {0: {"exp_avg": torch.ones(4, 4), "step": torch.tensor(3.0)}}
    torch.save(
        {"net": {"w": torch.ones(4, 4)}, "optimizer": {"state": state, "param_groups": []}}, path
    )
    done = weightscope("fit", path, "--root", "optimizer")
    assert (done.code, done.out) == (2, "")
    assert "expected a weight to measure; found 3 tensors" in done.err
    assert len(names(weightscope("ls", path, "--root", "optimizer"))) == 3


@pytest.mark.parametrize(
    ("root", "said"),
    [
        ("nett", "did you mean net?"),
        ("small.student", "did you mean small.teacher?"),
        ("zzz", "found zzz; choose one of net, small, optimizer, small.teacher"),
        ("", "one of the 4 dicts that hold tensors"),
    ],
)
@COMMANDS
def test_an_unknown_root_is_2(weightscope, nested, command, root, said):
    """The nearest dict is named."""
    done = weightscope(command, nested, "--root", root)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


def test_a_tie_asks_for_a_root(weightscope, tmp_path):
    """Two dicts of one size are a question, and --root is its answer."""
    path = tmp_path / "gan.pt"
    torch.save({"g": {"w": torch.ones(4, 4)}, "d": {"w": torch.zeros(4, 4)}}, path)
    done = weightscope("fit", path)
    assert (done.code, done.out) == (2, "")
    assert "found 2 of 16 parameters: g, d; choose one, as in --root g" in done.err
    assert (
        weightscope("fit", path, "--root", "d", "--columns", "tensor,max").out
        == "tensor,max\nw,0.0\n"
    )


@pytest.fixture
def linked(tmp_path):
    """A folder of two shards, one of them a link to a file outside it."""
    folder = tmp_path / "model"
    folder.mkdir()
    first, second = (f"model-0000{i}-of-00002.safetensors" for i in (1, 2))
    values = tensors()
    inside, outside = dict(list(values.items())[:2]), dict(list(values.items())[2:])
    save_file(inside, folder / first)
    save_file(outside, tmp_path / "elsewhere.safetensors")
    os.symlink("../elsewhere.safetensors", folder / second)
    shards = dict.fromkeys(inside, first) | dict.fromkeys(outside, second)
    (folder / "model.safetensors.index.json").write_text(json.dumps({"weight_map": shards}))
    return str(folder)


@COMMANDS
def test_a_link_out_of_the_folder_is_3(weightscope, linked, command):
    """The link, its target and the option that allows it are named."""
    done = weightscope(command, linked)
    assert (done.code, done.out) == (3, "")
    assert "model-00002-of-00002.safetensors leads to " in done.err
    assert "elsewhere.safetensors; --follow-symlinks allows it" in done.err
    assert done.err.count("\n") == 1


@COMMANDS
def test_links_are_followed_where_they_are_allowed(weightscope, linked, command):
    """Then the shards are one model."""
    done = weightscope(command, linked, "--follow-symlinks", "--columns", "tensor")
    assert (done.code, sorted(names(done))) == (0, sorted(tensors()))


def test_a_link_that_leads_nowhere_is_3(weightscope, linked, tmp_path):
    """Allowing links does not bring what is not there."""
    (tmp_path / "elsewhere.safetensors").unlink()
    done = weightscope("fit", linked, "--follow-symlinks")
    assert (done.code, done.out) == (3, "")
    assert "model-00002-of-00002.safetensors does not exist" in done.err


def test_follow_symlinks_takes_no_value(weightscope, linked):
    """It is there or it is not."""
    done = weightscope("fit", linked, "--follow-symlinks=yes")
    assert (done.code, done.out) == (2, "")
    assert "--follow-symlinks" in done.err


RULE = """
[[rule]]
regex = 'layers\\.<L>\\.mlp\\.down_proj<W>'
role = "attn.o"
"""


@COMMANDS
def test_a_name_map_goes_first(weightscope, model, tmp_path, command):
    """Its rules win over the built-in ones; what they do not match is as before."""
    path = tmp_path / "own.toml"
    path.write_text(RULE)
    for arguments, role in (([], "mlp.down"), (["--name-map", path], "attn.o")):
        done = weightscope(command, model, "--columns", "role,layer", "--sort", "layer", *arguments)
        assert done.code == 0
        assert sorted(done.out.split()[1:]) == sorted([f"{role},2", f"{role},10", "head,", "norm,"])


def test_a_name_map_decides_what_role_selects(weightscope, model, tmp_path):
    """--role sees the roles that the map gives."""
    path = tmp_path / "own.toml"
    path.write_text(RULE)
    done = weightscope("fit", model, "--name-map", path, "--role", "attn.*", "--columns", "tensor")
    assert sorted(names(done)) == [
        "model.layers.10.mlp.down_proj.weight",
        "model.layers.2.mlp.down_proj.weight",
    ]


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (None, "own.toml: No such file or directory; correct the path after --name-map"),
        ("[[rule]", "a name map is a TOML file"),
        ("", "a name map has one [[rule]] table or more"),
        ("[[rule]]\nregex = '('\nrole = 'norm'", "`regex` is a regular expression of Python"),
        (
            "[[rule]]\nregex = 'a'\nrole = 'attention'",
            "found 'attention' in the rule 'a' of own.toml",
        ),
        ("[[rule]]\nregex = 'a'\nrole = 'norm'\ncolour = 1", "found `colour` in own.toml"),
    ],
)
@COMMANDS
def test_a_broken_name_map_is_2(weightscope, model, tmp_path, command, text, said):
    """The rule that is wrong is named, and nothing is measured."""
    path = tmp_path / "own.toml"
    if text is not None:
        path.write_text(text)
    done = weightscope(command, model, "--name-map", path)
    assert (done.code, done.out) == (2, "")
    assert said in done.err
    assert done.err.count("\n") == 1


@pytest.mark.parametrize("option", ["--root", "--name-map"])
def test_a_missing_value_is_2(weightscope, model, option):
    """The option that wants one is named."""
    done = weightscope("fit", model, option)
    assert (done.code, done.out) == (2, "")
    assert option in done.err
