"""All names at once: orientation by siblings, stacks, layers, splits, hostile names, name maps."""

from __future__ import annotations

import subprocess
import sys
from itertools import permutations
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from weightscope.errors import UsageError
from weightscope.geometry import Index
from weightscope.naming import Place, places, split_words
from weightscope.naming.family import families, family
from weightscope.naming.location import Where, layers
from weightscope.naming.roles import KINDS, is_role
from weightscope.naming.splits import SCHEMES


def one(name: str, shape: tuple[int, ...] = (8, 8), **config: object) -> Place:
    (place,) = places({name: shape}, config)[name]
    return place


@pytest.mark.parametrize("order", [*permutations(("12", "1234567", "3"))])
def test_names_of_one_spelling_have_their_own_stages(order: tuple[str, ...]) -> None:
    """Stages are searched once per spelling: seven digits are no number of a stage."""
    names = {f"net.stages.{number}.blocks.4.mlp.fc1.weight": (8, 8) for number in order}
    found = {name: place.layer for name, (place,) in places(names, {}).items()}
    assert found["net.stages.12.blocks.4.mlp.fc1.weight"] == 9
    assert found["net.stages.3.blocks.4.mlp.fc1.weight"] == 4
    assert found["net.stages.1234567.blocks.4.mlp.fc1.weight"] == 4


def test_every_part_of_a_split_covers_the_rows_once() -> None:
    """The parts of every interleaving partition the fused rows."""
    fused = {"transformer.h.5.self_attention.query_key_value.weight": (32, 16)}
    config = {
        "model_type": "falcon",
        "num_attention_heads": 4,
        "num_kv_heads": 2,
        "new_decoder_architecture": True,
    }
    (made,) = places(fused, config).values()
    rows = sorted(
        r for p in made if p.rows for a, b in p.rows.runs(0, p.rows.size) for r in range(a, b)
    )
    assert rows == list(range(32))


def test_split_can_be_refused() -> None:
    """With split off a fused tensor has one place, with the fused role."""
    names = {"h.0.attn.c_attn.weight": (24, 8), "model.layers.0.mlp.experts.down_proj": (4, 6, 8)}
    made = places(names, {"hidden_size": 8}, split=False)
    assert [p.role for v in made.values() for p in v] == ["attn.qkv", "moe.expert.down"]


def test_undecided_split_says_why() -> None:
    """A tensor whose split needs an absent config stays whole and names what is missing."""
    place = one("gpt_neox.layers.0.attention.query_key_value.weight", (24, 8))
    assert place.role == "attn.qkv"
    assert "not split: needs num_attention_heads of config.json" in place.why
    assert place.unsplit is not None
    assert place.unsplit.code == "not-split-needs-config"
    assert place.unsplit.text.startswith(
        "q, k and v stay together: needs num_attention_heads of config.json, put"
    )


def test_model_type_wins_over_shape() -> None:
    """A GPT-2 configuration makes c_attn a Conv1D even where its shape says Linear."""
    made = places(
        {"h.0.attn.c_proj.weight": (8, 8), "h.0.attn.c_attn.weight": (24, 8)},
        {"model_type": "gpt2"},
    )
    assert made["h.0.attn.c_proj.weight"][0].orientation == "in_out"


def test_bias_length_decides_conv1d() -> None:
    """Without c_attn, a bias as long as the second dimension makes the file's matrices Conv1D."""
    names = {
        "h.0.mlp.c_proj.weight": (32, 8),
        "h.0.mlp.c_proj.bias": (8,),
        "h.0.attn.c_proj.weight": (8, 8),
    }
    made = places(names, {})
    assert [
        made[n][0].orientation for n in ("h.0.mlp.c_proj.weight", "h.0.attn.c_proj.weight")
    ] == ["in_out"] * 2


def test_contradicting_shapes_are_unknown() -> None:
    """Where two c_attn disagree nothing is guessed, and nothing is split."""
    names = {"h.0.attn.c_attn.weight": (24, 8), "h.1.attn.c_attn.weight": (8, 24)}
    for made in places(names, {}).values():
        assert [(p.orientation, p.role) for p in made] == [("unknown", "attn.qkv")]
        assert "needs the orientation" in made[0].why
        assert made[0].unsplit is not None
        assert made[0].unsplit.code == "not-split-needs-rule"
        assert made[0].unsplit.text.endswith("say how with --name-map")


def test_layers_of_stages_are_flattened() -> None:
    """The layer of a ResNet block counts the blocks of earlier stages, in any order of names."""
    names = {f"layer{s}.{b}.conv1.weight": (8, 8, 3, 3) for s in (3, 1, 2) for b in range(s)}
    made = places(names, {})
    assert [made[f"layer{s}.0.conv1.weight"][0].layer for s in (1, 2, 3)] == [0, 1, 3]


def test_equally_deep_stages_have_one_order() -> None:
    """The stages `layers.0` and `layers.00` of one tower are sorted by name, in any order of names.

    Their order was that of a set of texts, which differs from process to process.
    """
    names = {f"layers.{at}.weight": (8, 8) for at in ("0.blocks.1.fc", "3.fc", "00.blocks.2.fc")}
    for order in permutations(names):
        made = places(dict.fromkeys(order, (8, 8)), {})
        assert [made[n][0].layer for n in names] == [1, None, 4]
    named = [("0" * n, 1) for n in range(1, 6)]
    for order in permutations(named):
        found = layers([Where("layers", stage, size - 1) for stage, size in order])
        assert [found[Where("layers", stage, size - 1)] for stage, size in named] == [0, 1, 2, 3, 4]


def test_a_stage_is_no_layer() -> None:
    """Numbers outside of the blocks of a tower in stages are no layers and are not counted."""
    blocks = [f"layers.{s}.blocks.{b}.attn.proj.weight" for s in range(2) for b in range(2)]
    made = places(
        {**dict.fromkeys(blocks, (8, 8)), "layers.0.downsample.reduction.weight": (16, 32)}, {}
    )
    assert [made[n][0].layer for n in blocks] == [0, 1, 2, 3]
    (place,) = made["layers.0.downsample.reduction.weight"]
    assert (place.layer, place.slot) == (None, "layers.0.downsample.reduction")


def test_a_tower_is_a_stack_only_beside_another() -> None:
    """One tower has no stack; two have the first word that tells them apart."""
    encoder, decoder = "model.encoder.layers.0.fc1.weight", "model.decoder.layers.0.fc1.weight"
    assert one(encoder).stack == ""
    made = places({encoder: (8, 8), decoder: (8, 8)}, {})
    assert [made[encoder][0].stack, made[decoder][0].stack] == ["encoder", "decoder"]


@pytest.mark.parametrize(
    ("unet", "text", "names"),
    [
        (
            "unet.down_blocks.{}.resnets.0.conv1.weight",
            "text_encoder.text_model.encoder.layers.0.mlp.fc1.weight",
            ("unet", "text_encoder"),
        ),
        (
            "lora_unet_down_blocks_{}_attentions_0_transformer_blocks_0_attn1_to_q.lora_up.weight",
            "lora_te_text_model_encoder_layers_0_mlp_fc1.lora_up.weight",
            ("lora_unet", "lora_te"),
        ),
    ],
)
def test_a_network_in_stages_beside_a_tower(unet: str, text: str, names: tuple[str, str]) -> None:
    """The name of the container is the stack; layers are counted across its stages."""
    made = places(
        {unet.format(1): (8, 8), unet.format(0): (8, 8), text: (8, 8), "unet.conv_in.bias": (8,)},
        {},
    )
    assert [
        (made[n][0].stack, made[n][0].layer) for n in (unet.format(0), unet.format(1), text)
    ] == [(names[0], 0), (names[0], 1), (names[1], 0)]


def test_names_that_become_one() -> None:
    """Each is placed by its own shape, so that no part reaches beyond its tensor."""
    names = {"module.h.0.attn.c_attn.weight": (48, 16), "h.0.attn.c_attn.weight": (24, 8)}
    made = places(names, {})
    assert {n: [p.rows for p in v] for n, v in made.items()} == {
        n: [Index(i * rows // 3, rows // 3) for i in range(3)] for n, (rows, _) in names.items()
    }


def test_bias_of_split_has_columns() -> None:
    """A bias is 1 x n, so its parts are columns and its index set stands with the columns."""
    made = places({"blocks.0.attn.qkv.bias": (24,)}, {})["blocks.0.attn.qkv.bias"]
    assert [p.cols for p in made] == [Index(0, 8), Index(8, 8), Index(16, 8)]
    assert {(p.rows, p.out_set, p.kind) for p in made} == {(None, "", "bias")}


def test_wrappers_do_not_change_a_place() -> None:
    """Prefixes of DataParallel, FSDP, compile and PEFT do not change a place."""
    bare = one("model.layers.0.mlp.up_proj.weight")
    assert one("module._orig_mod.model.layers.0._fsdp_wrapped_module.mlp.up_proj.weight") == bare
    assert one("base_model.model.model.layers.0.mlp.up_proj.base_layer.weight") == bare


@pytest.mark.parametrize(
    "name",
    [
        "",
        ".",
        "a\nlayers.1.mlp.up_proj.weight",
        "model.layers.1.mlp.up_proj.weight\n",
        "a." * 2048,
        "layers." + "9" * 4096 + ".mlp.up_proj.weight",
        "\x1b[31m",
        "٣.weight",
    ],
)
def test_hostile_names_are_unknown(name: str) -> None:
    """Newlines, 4 KiB, endless digits and escapes match nothing and do no harm."""
    assert one(name).role == "unknown"


def test_long_dotted_names_are_matched_a_bounded_number_of_times(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Names of more than 512 characters never meet a regular expression of a family."""
    monkeypatch.setattr(
        "weightscope.naming.match.Search._candidates",
        lambda *_: pytest.fail("a 4 KiB name was matched"),
    )
    assert len(places({"a." * 2000 + str(i): (8, 8) for i in range(100)}, {})) == 100


def test_numbers_share_their_matching(monkeypatch: pytest.MonkeyPatch) -> None:
    """Ten thousand experts are matched as a few hundred spellings."""
    calls = []
    monkeypatch.setattr("weightscope.naming.match.family", lambda i: calls.append(i) or family(i))
    names = {
        f"model.layers.{n}.mlp.experts.{e}.up_proj.weight": (8, 8)
        for n in range(20)
        for e in range(500)
    }
    assert {p.role for v in places(names, {}).values() for p in v} == {"moe.expert.up"}
    assert len(calls) <= 6 * 11 * 11


@given(
    st.dictionaries(
        st.text(max_size=40), st.lists(st.integers(0, 9), max_size=5).map(tuple), max_size=5
    )
)
def test_any_names_get_legal_places(names: dict[str, tuple[int, ...]]) -> None:
    """Each tensor, whatever its name and shape, has a role and a kind of the closed lists."""
    made = places(names, {})
    assert list(made) == list(names)
    for parts in made.values():
        assert all(is_role(p.role.removesuffix(".bias")) and p.kind in KINDS for p in parts)


WORDS = [
    "model",
    "layers",
    "0",
    "12",
    "h",
    "attn",
    "c_attn",
    "mlp",
    "experts",
    "gate_up_proj",
    "down_proj",
    "weight",
    "bias",
    "blk",
    "query_key_value",
    "qkv",
]


@given(
    st.dictionaries(
        st.lists(st.sampled_from(WORDS), min_size=1, max_size=7).map(".".join),
        st.lists(st.integers(0, 9), max_size=4).map(tuple),
        max_size=6,
    ),
    st.dictionaries(
        st.sampled_from(["model_type", "n_head", "hidden_size", "text_config"]),
        st.sampled_from(["gpt2", "falcon", 0, -1, 2, None, True, {"n_head": 2}, [1]]),
    ),
)
def test_any_shapes_and_config_are_survived(
    names: dict[str, tuple[int, ...]], config: dict[str, object]
) -> None:
    """Shapes and configurations that do not fit leave tensors whole, and never raise."""
    assert set(places(names, config)) == set(names)


def test_name_map_goes_first(tmp_path: Path) -> None:
    """A rule of a name map wins over the families, and may use the short forms."""
    own = tmp_path / "own.toml"
    own.write_text(
        "[[rule]]\nregex = 'layers\\.<L>\\.(?:mlp\\.up_proj|mine)<W>'\nrole = 'mlp.gate'\n"
    )
    made = places(
        {"model.layers.12.mlp.up_proj.weight": (8, 8), "layers.3.mine.bias": (8,)}, {}, name_map=own
    )
    assert [(p.role, p.layer, p.family) for v in made.values() for p in v] == [
        ("mlp.gate", 12, "own.toml"),
        ("mlp.gate.bias", 3, "own.toml"),
    ]


@pytest.mark.parametrize(
    ("text", "match"),
    [
        ("[[rule]", "a name map is a TOML file; .*; correct the file"),
        ("", "has one .*found none in"),
        ("rule = [3]", "a `regex` and a `role`; found 3"),
        ("[[rule]]\nregex = '('\nrole = 'norm'", "a regular expression of Python; found '\\('"),
        (
            "[[rule]]\nregex = 'a'\nrole = 'attention'",
            "`role` is one of .*; found 'attention' .*; correct the role",
        ),
        ("[[rule]]\nregex = 'a'\nrole = 3", "`role` is one of .*; found 3"),
        ("[[rule]]\nregex = 'a'\nrole = 'norm'\nkind = 'x'", "`kind` is .*; found 'x'"),
        (
            "[[rule]]\nregex = 'a'\nrole = 'norm'\nsplit = 'x'",
            "`split` is a scheme of .*; found 'x'",
        ),
        (
            "[[rule]]\nregex = 'a'\nrole = 'norm'\norientation = 'x'",
            "`orientation` is .*; found 'x'",
        ),
        (
            "[[rule]]\nregex = 'a'\nrole = 'attn.q'\nrotary = 'x'",
            "`rotary` is interleaved or halves; found 'x'",
        ),
        (
            "[[rule]]\nregex = 'a'\nrole = 'norm'\nrank = 'x'",
            "`rank` is a list of whole numbers; found 'x'",
        ),
        ("[[rule]]\nregex = 'a'\nrole = 'norm'\nbeside = 3", "`beside` is a text; found 3"),
        (
            "[[rule]]\nregex = 'a'\nrole = 'norm'\nbeside = 'b'",
            "`beside` takes the place of a group `key`",
        ),
        ("[[rule]]\nregex = 'a'\nrole = 'norm'\nfoo = 1", "a rule has the fields .*; found `foo`"),
        (
            "[[rule]]\nregex = 'a'\nrole = 'norm'\nslot = 3",
            "`slot` is a word, <path> or <module>; found 3",
        ),
        (
            "[[rule]]\nregex = 'a'\nrole = 'norm'\nslot = {1 = 'a b'}",
            "`slot` is .*; found 'a b' .*; correct the slot",
        ),
        (
            "[[rule]]\nregex = 'a'\nrole = 'norm'\nsame_layer = 'x'",
            "`same_layer` is a list of texts; found 'x'",
        ),
        ("[[rule]]\nregex = 'a'\nrole = 'norm'\nwithout = 3", "`without` is a text; found 3"),
        (
            "[[rule]]\nregex = 'a'\nrole = 'norm'\nwithout = '('",
            "`without` is a regular expression of Python; found '\\('",
        ),
        (
            "[[rule]]\nregex = 'a<L>'\nrole = 'norm'\nslot = {a = 'b'}",
            "a table of `slot` has its keys from a group `slot` or `key` .*; found none in 'a<L>'"
            ".*; write \\(\\?P<key>",
        ),
        (
            "[[rule]]\nregex = 'a'\nrole = {a = 'norm'}",
            "a table of `role` has its keys from a group `key` .*; found none",
        ),
        (
            "[[rule]]\nregex = '(?P<slot>a)(?P<key>b)'\nrole = 'norm'\nslot = {b = 'attn'}",
            "a table of `slot` has keys that its group `slot` can match; found 'b' .*; correct",
        ),
        (
            "[[rule]]\nregex = '(?P<key>a|(?:b|[)(]c))\\)'\nrole = {b = 'norm', bc = 'norm'}",
            "a table of `role` has keys that its group `key` can match; found 'bc'",
        ),
        (f"a = {'9' * 5000}", "a name map is a TOML file; .*; correct the file"),
        (f"id = 0x{'9' * 5000}\nrule = [3]", "a `regex` and a `role`; found 3 in an integer of"),
        (
            f"[[rule]]\nregex = 'a'\nrole = 'norm'\ndim1 = [0x{'9' * 5000}]",
            "`dim1` is a whole number; found a list of 1 in",
        ),
        ("[[rule]]\nrole = 'norm'", "a `regex` and a `role`; found the fields role in"),
    ],
)
def test_bad_name_map_is_a_usage_error(tmp_path: Path, text: str, match: str) -> None:
    """What is wrong with a name map is said in three parts, before anything is placed."""
    own = tmp_path / "own.toml"
    own.write_text(text)
    with pytest.raises(UsageError, match=f"(?s){match}"):
        places({"layers.x.a": (8, 8), "x": (8,)}, {}, name_map=own)


@pytest.mark.parametrize(
    ("split", "match"),
    [
        ("equal", "`equal` with different parts, as in `equal q k v`"),
        ("equal q", "`equal` with different parts"),
        ("equal q q", "`equal` with different parts"),
        ("equal q k=3", "`equal` with different parts"),
        ("interleaved", "`interleaved` with different parts"),
        ("concat q k", "`concat` with different parts, as in `concat q k v`"),
        ("per_head q k v o", "`per_head` with different parts"),
        ("falcon", "`falcon` with different parts"),
        ("bigcode q k", "`bigcode` with different parts"),
        ("sizes latent rope", "`sizes` with different parts, as in `sizes latent=kv_lora_rank"),
        ("sizes latent=kv_lora_rank", "`sizes` with different parts"),
        ("heads_of k v=v_head_dim", "`heads_of` with different parts"),
        ("linear_attention q k v", "`linear_attention` with different parts"),
        ("gated .Wo gate up", "`gated` with different parts, as in `gated \\^.Wo gate up`"),
        ("gated ^.Wo gate", "`gated` with different parts"),
        ("after_attention q k v", "`after_attention` with different parts"),
        ("columns attn", "`columns` with different parts"),
        ("gated_stack gate up", "`gated_stack` with different parts"),
        ("experts a b", "`experts` without parts"),
        ("flat_experts a", "`flat_experts` without parts"),
        ("columns_experts a", "`columns_experts` without parts"),
        (" ", "a scheme of after_attention, "),
    ],
)
def test_parts_of_a_split_without_a_match(tmp_path: Path, split: str, match: str) -> None:
    """A split without the parts of its scheme is a mistake, also where no name matches the rule."""
    own = tmp_path / "own.toml"
    for value in (repr(split), f"{{gpt2 = '', '' = {split!r}}}"):
        own.write_text(f"[[rule]]\nregex = 'nothing'\nrole = 'mlp.up'\nsplit = {value}\n")
        with pytest.raises(UsageError, match=f"`split` is {match}.*; correct the split"):
            places({"x": (8, 8)}, {}, name_map=own)


def test_every_scheme_has_words() -> None:
    """The parts of each scheme are declared, and each split of the package has them."""
    assert split_words.WORDS.keys() == SCHEMES.keys()
    rules = [rule for each in families() for rule in each.rules]
    texts = []
    for rule in rules:
        texts += [rule.split] if isinstance(rule.split, str) else rule.split.values()
    assert {text.split()[0] for text in texts if text} == set(SCHEMES)
    assert not any(split_words.expected(text) for text in texts)


def test_a_rule_that_wants_another_name_beside(tmp_path: Path) -> None:
    """The rule applies if that name exists; else the next rule does, those of the package last."""
    own = tmp_path / "own.toml"
    own.write_text(
        "[[rule]]\nregex = 'x\\.(?:(?P<key>w)|y)'\nrole = 'mlp.gate'\nbeside = 'v'\n"
        "[[rule]]\nregex = '(?P<key>mlp\\.up_proj)\\.weight'\nrole = 'mlp.gate'\n"
        "beside = 'mlp.gate_proj'\n"
    )
    names = ("a.x.w", "a.x.v", "b.x.w", "a.x.y", "layers.0.mlp.up_proj.weight", "a.x.vy")
    made = places(dict.fromkeys(names, (8, 8)), {}, name_map=own)
    assert [made[n][0].role for n in names] == [
        "mlp.gate",
        "unknown",
        "unknown",
        "unknown",
        "mlp.up",
        "unknown",
    ]


def test_a_rule_that_wants_no_other_name_beside(tmp_path: Path) -> None:
    """With `!` it holds where that name does not exist, and where the group took no part."""
    own = tmp_path / "own.toml"
    own.write_text("[[rule]]\nregex = 'x(?:\\.(?P<key>w))?'\nrole = 'mlp.gate'\nbeside = '!v'\n")
    names = ("a.x.w", "a.x.v", "b.x.w", "a.x")
    made = places(dict.fromkeys(names, (8, 8)), {}, name_map=own)
    assert [made[n][0].role for n in names] == ["unknown", "unknown", "mlp.gate", "mlp.gate"]


def test_tables_that_every_key_fits(tmp_path: Path) -> None:
    """A group with text around it, a nested one, and "" for one that took no part are accepted."""
    own = tmp_path / "own.toml"
    own.write_text(
        "[[rule]]\nregex = 'x\\.(?P<key>a(?=\\.)|b+)(?:_(?P<slot>r))?\\.w'\n"
        "role = {a = 'mlp.gate', bb = 'mlp.up'}\nslot = {'' = 'one', r = 'two'}\n"
    )
    made = places(dict.fromkeys(("x.a.w", "x.bb_r.w"), (8, 8)), {}, name_map=own)
    found = [(place.role, place.slot) for (place,) in made.values()]
    assert found == [("mlp.gate", "one"), ("mlp.up", "two")]


def test_only_a_matrix_is_a_rival(tmp_path: Path) -> None:
    """A name that `without` matches excludes a rule where it has two dimensions."""
    own = tmp_path / "own.toml"
    own.write_text("[[rule]]\nregex = 'x\\.w'\nrole = 'mlp.gate'\nwithout = '^<T>y\\.w'\n")
    roles = []
    for beside in ({"y.w": (8,)}, {"a.y.w": (8, 8)}, {"layers.0.y.w": (8, 8)}):
        made = places({"x.w": (8, 8), **beside}, {}, name_map=own)
        roles.append(made["x.w"][0].role)
    assert roles == ["mlp.gate", "unknown", "mlp.gate"]


def test_a_slot_ends_with_the_last_word(tmp_path: Path) -> None:
    """The group `last` is appended to the word of a rule, or is the slot where that is empty."""
    own = tmp_path / "own.toml"
    own.write_text("[[rule]]\nregex = '^(?:(?P<slot>m)\\.)?s\\.(?P<last>a|b)'\nrole = 'buffer'\n")
    made = places({"m.s.a": (8,), "s.b": (8,)}, {}, name_map=own)
    assert [place.slot for (place,) in made.values()] == ["m.a", "b"]


def test_a_layer_that_is_no_number_is_no_layer(tmp_path: Path) -> None:
    """A user's rule may capture anything as `layer`; only a number becomes one."""
    own = tmp_path / "own.toml"
    own.write_text("[[rule]]\nregex = 'part_(?P<layer>\\w+)'\nrole = 'norm'\n")
    made = places({"part_x": (8,), "part_7": (8,)}, {}, name_map=str(own))
    assert [made[n][0].layer for n in ("part_x", "part_7")] == [None, 7]


def test_missing_name_map_is_a_usage_error(tmp_path: Path) -> None:
    """A path that cannot be read is named."""
    with pytest.raises(
        UsageError,
        match=r"readable TOML file; cannot read .*none.toml: No such file.*; correct the path",
    ):
        places({}, {}, name_map=tmp_path / "none.toml")


def test_import_is_light() -> None:
    """Placing names loads neither torch nor numpy nor pandas."""
    code = (
        "import sys; from weightscope.naming import places; "
        "places({'h.0.attn.c_attn.weight': (24, 8)}, {}); "
        "print({'torch', 'numpy', 'pandas'} & set(sys.modules))"
    )
    made = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert made.stdout.strip() == "set()"
