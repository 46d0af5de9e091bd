"""What a mistaken name or expression was probably meant to be: advice that works when followed.

Other programs call a tensor `name` and its standard deviation `sigma`; SQL, C and JavaScript write
conditions in other signs. An advice is given only where the corrected text has a meaning here.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from difflib import get_close_matches

SAME = {  # names elsewhere -> the column here
    "name": "tensor",
    "names": "tensor",
    "key": "tensor",
    "tensor_name": "tensor",
    "parameter": "tensor",
    "sigma": "std",
    "sd": "std",
    "stdev": "std",
    "stddev": "std",
    "mu": "mean",
    "average": "mean",
    "avg": "mean",
    "numel": "params",
    "size": "params",
    "elements": "params",
    "parameters": "params",
    "num_params": "params",
    "type": "dtype",
    "precision": "dtype",
    "block": "layer",
    "depth": "layer",
    "nans": "nan",
    "infs": "inf",
    "skewness": "skew",
    "file": "source",
    "path": "source",
}
WORDS = {"true": "True", "false": "False"}  # literals of other languages
NULLS = ("null", "none", "nil", "na")
_QUOTED = re.compile(r"""("[^"]*"|'[^']*')""")
_SIGNS = (
    (re.compile(r"={3}"), "=="),
    (re.compile(r"=>"), ">="),
    (re.compile(r"=<"), "<="),
    (re.compile(r"<>"), "!="),
    (re.compile(r"&&?"), " and "),
    (re.compile(r"\|\|?"), " or "),
    (re.compile(r"(?<![<>=!])=(?!=)"), "=="),
    (re.compile(r"!(?!=)"), " not "),
    (re.compile(r"\bAND\b"), "and"),
    (re.compile(r"\bOR\b"), "or"),
    (re.compile(r"\bNOT\b"), "not"),
    (re.compile(r"\bIN\b"), "in"),
    (re.compile(r"\b(\w+) is not (?:null|NULL|nil)\b"), r"not isnull(\1)"),
    (re.compile(r"\b(\w+) is (?:null|NULL|nil)\b"), r"isnull(\1)"),
    (re.compile(r"\b(\w+) *== *(?:null|NULL|nil)\b"), r"isnull(\1)"),
    (re.compile(r"\b(\w+) *!= *(?:null|NULL|nil)\b"), r"not isnull(\1)"),
)


def meant(name: str, declared: Sequence[str], optional: Mapping[str, str]) -> str:
    """The advice for a name that is no column; "" where nothing is near.

    >>> meant("sigma", ["tensor", "std"], {}), meant("rank", ["std"], {"ranks": "--spectrum"})
    ("did you mean 'std'?", "did you mean 'ranks'? add --spectrum")
    """
    same = SAME.get(name.lower())
    if same in declared:
        return f"did you mean '{same}'?"
    if name.lower() in NULLS:
        return "test for null with isnull(column)"
    if name in WORDS:
        return f"write {WORDS[name]}"
    near = get_close_matches(name, declared, 1, 0.5)
    absent = get_close_matches(name, [*declared, *optional], 1, 0.5)
    if absent and absent != near:  # nearer than any column of this run
        need = optional[absent[0]]
        return f"did you mean '{absent[0]}'? {added(need)}"
    if near:
        return f"did you mean '{near[0]}'?"
    return ""


def added(need: str) -> str:
    """How to get what an absent column needs: an option, or another condition.

    >>> added("--long"), added("several MODELs")
    ('add --long', 'it needs several MODELs')
    """
    return f"add {need}" if need.startswith("--") else f"it needs {need}"


def repaired(text: str) -> str:
    """An expression with the signs of other languages replaced; texts in quotes stay.

    >>> repaired("beta = 2 && role <> 'a=b'")
    "beta == 2 and role != 'a=b'"
    """
    parts = _QUOTED.split(text)
    for index in range(0, len(parts), 2):  # every second part is quoted
        for sign, replacement in _SIGNS:
            parts[index] = sign.sub(replacement, parts[index])
        parts[index] = re.sub(r" {2,}", " ", parts[index])
    return "".join(parts).strip()
