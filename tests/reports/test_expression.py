"""Expressions: three-valued logic, types, and text that tries to be code."""

import math

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from weightscope.columns import Column
from weightscope.errors import UsageError
from weightscope.reports.expression import parse

COLUMNS = [
    Column("x", "float", ""),
    Column("n", "int", ""),
    Column("role", "str", ""),
    Column("p", "bool", ""),
    Column("q", "bool", ""),
    Column("nan", "int", ""),
    Column("inf", "int", ""),
]


def ask(text, **row):
    return parse(text, COLUMNS)(row)


@pytest.mark.parametrize(
    ("text", "row", "answer"),
    [
        ("nan + inf > 0", {"nan": 0, "inf": 2}, True),
        ("-1 < x <= 2", {"x": 2.0}, True),
        ("-1 < x < 2 < n", {"x": 1.0, "n": 2}, False),
        ("1 < x < n", {"x": 0.0, "n": None}, False),
        ("1 < x < n", {"x": 2.0, "n": None}, None),
        ("abs(x) > 0.5 * n", {"x": -2.0, "n": 3}, True),
        ('role == "embed" or n ** 2 == 9', {"role": "x", "n": 3}, True),
        ('role in ("embed", "unembed")', {"role": "embed"}, True),
        ('role in ("embed",)', {"role": None}, None),
        ("n in (1, x)", {"n": 1, "x": None}, True),
        ("n in (1, x)", {"n": 2, "x": None}, None),
        ("n not in ()", {"n": 2}, True),
        ('"mlp" in role', {"role": "mlp.down"}, True),
        ('"mlp" not in role', {"role": "attn.q"}, True),
        ('"mlp" in role', {}, None),
        ("isnull(x) and not isnull(n)", {"n": 1}, True),
        ("isnull(x + n)", {"n": 1}, True),
        ("p == True", {"p": True}, True),
        ("p", {"p": None}, None),
        ("x == x", {"x": math.nan}, False),
        ("x / 0 > 1e308", {"x": 1.0}, True),
        ("x / 0 == x / 0", {"x": 0.0}, False),
        ("x / -0.0 < 0", {"x": 1.0}, True),
        ("0 ** -x > 1e308", {"x": 1.0}, True),
        ("(-8) ** x == 0", {"x": 0.5}, False),
        ("x ** 10001 < 0", {"x": -10.0}, True),
        ("n == 9007199254740993", {"n": 2**53 + 1}, True),
        ("n < 1" + "0" * 400, {"n": 1}, True),
        (" (+n\n > 0) ", {"n": 1}, True),
    ],
)
def test_known_answers(text, row, answer):
    """Each form of the language, with the value it must have."""
    assert ask(text, **row) is answer


tree = st.recursive(
    st.sampled_from(["p", "q", "True", "False"]),
    lambda t: st.one_of(
        st.tuples(st.just("not"), t), st.tuples(st.sampled_from(["and", "or"]), t, t)
    ),
    max_leaves=12,
)


def text_of(node):
    if isinstance(node, str):
        return node
    return (
        f"(not {text_of(node[1])})"
        if node[0] == "not"
        else f"({text_of(node[1])} {node[0]} {text_of(node[2])})"
    )


def oracle(node, row):
    """Kleene's logic with false = 0, null = 1/2, true = 1: not = 1 - a, and = min, or = max."""
    if isinstance(node, str):
        return {None: 0.5, True: 1, False: 0}[
            {"True": True, "False": False}.get(node, row.get(node))
        ]
    if node[0] == "not":
        return 1 - oracle(node[1], row)
    return {"and": min, "or": max}[node[0]](oracle(node[1], row), oracle(node[2], row))


@given(tree, st.sampled_from([True, False, None]), st.sampled_from([True, False, None]))
def test_logic_is_kleenes(node, p, q):
    """Any formula equals min, max and 1 - a on {0, 1/2, 1}."""
    row = {"p": p, "q": q}
    assert {None: 0.5, True: 1, False: 0}[ask(text_of(node), **row)] == oracle(node, row)


numbers = st.one_of(st.none(), st.floats())


@given(st.sampled_from(["<", "<=", ">", ">=", "==", "!="]), numbers, numbers)
def test_comparison_with_null_is_null(op, x, n):
    """A comparison is Python's, or null where a side is null; `not` of it likewise."""
    columns = [Column("x", "float", ""), Column("n", "float", "")]
    answer = parse(f"x {op} n", columns)({"x": x, "n": n})
    expected = None if x is None or n is None else eval(f"x {op} n", {"x": x, "n": n})
    assert answer is expected
    assert parse(f"not x {op} n", columns)({"x": x, "n": n}) is (
        None if expected is None else not expected
    )


words = st.sampled_from(
    [
        "x",
        "n",
        "role",
        "p",
        "1",
        "0",
        "9",
        '"a"',
        "**",
        "*",
        "/",
        "+",
        "-",
        "(",
        ")",
        ",",
        "<",
        "==",
        "in",
        "not",
        "and",
        "or",
        "abs",
        "isnull",
        ".",
        "[",
        "]",
        "lambda",
        ":",
        "if",
        "else",
        "is",
        "None",
        "True",
        "1e999",
        "1j",
        "{",
        "}",
        "f'{x}'",
        "@",
        "%",
        ":=",
        "await",
        "\n",
        "\\",
    ]
)


@given(st.one_of(st.text(), st.lists(words, max_size=14).map(" ".join)))
@example("\ud800")
@example("'\\d' in role")
@example("0777 > x")
@example("'\\N{'")
@example("\x00")
@example("x > 0 # comment")
@example("x\r> 1 +\f [1]")
def test_any_text_is_an_expression_or_wrong_usage(text):
    """Random text and random words either parse, and then answer on any row.

    Or are refused as wrong usage.
    """
    try:
        expression = parse(text, COLUMNS)
    except UsageError:
        return
    for row in (
        {},
        {"x": math.nan, "n": -3, "role": "a", "p": True},
        {"x": 0.0, "n": 0, "role": "", "p": False},
    ):
        assert expression(row) in (True, False, None)


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("x.real > 0", r"a dot \(attribute\) at position 1 of"),
        ("n > 0 and role[0] == 'a'", r"a subscript at position 11 of"),
        ("'é漢' in role and x.real > 0", r"a dot \(attribute\) at position 18 of"),
        ("(x >\n role[1])", r"a subscript at position 7 of"),
        ("  x[0] > 1", r"a subscript at position 3 of"),
        ("(lambda: 1)() > 0", r"abs\(value\) or isnull\(value\); found another call at position 1"),
        ("__import__('os').system('x')", "another call at position 1"),
        ("abs(x, n) > 0", "another call"),
        ("isnull(value=x)", "another call"),
        ("abs(*(x,)) > 0", "a starred"),
        ("[y for y in role]", "a listcomp"),
        ("(x := 1) > 0", "a namedexpr"),
        ("f'{x}' == role", "a formatted string"),
        ("x if p else n", "a ifexp"),
        ("(1, 2) == n", "a tuple outside `in`"),
        ("x % 2 == 0", r"one of \+ - \* / \*\*; found the operator Mod"),
        ("~n > 0", "the operator Invert"),
        ("x is None", "the operator Is"),
        ("x == None", r"the constant NoneType.*isnull\(column\)"),
        ("b'a' in role", "the constant bytes"),
        ("1j > x", "the constant complex"),
        ("... == x", "the constant ellipsis"),
        ("role < 3", r"a string to compare with a string; found a number at position 8"),
        ("x == 'a'", r"a number to compare with a number; found a string"),
        ("p > 1", "a bool to compare"),
        ("role + 1 > 0", "a number in arithmetic; found a string"),
        ("-role == 'a'", "a number after a sign"),
        ("not x", "a bool after `not`; found a number"),
        ("p and x", "a bool beside `and`"),
        ("p or role", "a bool beside `or`"),
        ("abs(role) > 0", r"a number in abs\(\)"),
        ("n in ('a', 'b')", "a number in the tuple"),
        ("x in role", "a string on the left of `in`"),
        ("role in x", "or a tuple on the right of `in`"),
        ("x", r"a condition that is true or false; found a number at position 1 of 'x'"),
        ("x >", "expected an expression over columns"),
        ("", "expected an expression over columns"),
        ("x = 1", "expected an expression over columns"),
        ("x > 1; n", "expected an expression over columns"),
        ("xx > 1", r"expected a column at position 1; found 'xx'; did you mean"),
    ],
)
def test_refusals_say_what_and_where(text, message):
    """What the language has not is refused before any row is read, with its position."""
    with pytest.raises(UsageError, match=message):
        parse(text, COLUMNS)


def test_a_column_that_needs_an_option_names_it():
    """The option that would measure the column stands in the message."""
    with pytest.raises(UsageError, match=r"found 'rank', which needs --spectrum; add --spectrum"):
        parse("rank > 1", COLUMNS, {"rank": "--spectrum"})


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("-" * 3000 + "x > 0", "nested|cannot be parsed|too"),
        ("(" * 1500 + "x" + ")" * 1500 + " > 0", "expression"),
        ("not " * 100 + "p", "at most 60 nested levels; found a deeper one"),
        ("x > " + "1 + " * 90 + "1", "at most 60 nested"),
        ("x" * 5000, "at most 4000 characters; found 5000"),
    ],
)
def test_deep_and_long_text_is_refused(text, message):
    """No text can exhaust the stack."""
    with pytest.raises(UsageError, match=message):
        parse(text, COLUMNS)


def test_huge_powers_cost_nothing():
    """9 ** 9 ** 9 ** 9 is inf at once."""
    assert ask("9 ** 9 ** 9 ** 9 > x", x=1e308) is True  # as whole numbers it would never end


def test_names_are_the_columns_it_reads_in_order():
    """The gate prints just these columns."""
    assert parse("n > x and abs(n) > 1 and role == 'x'", COLUMNS).names == ("n", "x", "role")
