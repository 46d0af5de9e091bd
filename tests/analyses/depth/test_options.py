"""The names of --stat: refused before anything is opened, with what to do."""

import pytest

from weightscope import UsageError
from weightscope.analyses.depth.options import NAMES, DepthOptions


@pytest.mark.parametrize(
    ("name", "found", "advice"),
    [
        ("stdd", "found 'stdd'", "did you mean 'std'?"),
        ("kurtosys", "found 'kurtosys'", "did you mean 'kurtosis'?"),
        ("best", "found 'best': it is text", f"--stat takes {', '.join(NAMES)}"),
        (
            "tensor",
            "it describes a tensor",
            "--stat takes gain, gain_se, product_stable_rank, norm_inf, params, mean",
        ),
        ("top_row", "it is the number of a row or column", "--stat takes"),
        ("alpha_null", "it is measured by spectrum --null alone", "--stat takes"),
        ("changed_rows", "it is measured by outliers --base alone", "--stat takes"),
        ("severity_rank", "it describes a tensor", "--stat takes"),
        ("", "found ''", f"--stat takes {', '.join(NAMES)}"),
        ("\x1b[31mzzzzzzzzz", r"found '\x1b[31mzzzzzzzzz'", "--stat takes"),
    ],
)
def test_a_name_that_is_no_statistic(name, found, advice):
    """The reason, the nearest name or all of them."""
    with pytest.raises(UsageError) as raised:
        DepthOptions(stat=("std", name))
    assert raised.value.expected == "expected a numeric column of fit, spectrum or outliers"
    assert found in raised.value.found
    assert advice in raised.value.advice


def test_names_are_listed_once_each():
    """Repeated and comma-separated names are one row."""
    assert DepthOptions(stat=("std", "std", "beta")).stats == ("std", "beta")
