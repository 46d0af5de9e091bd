"""Markdown as GitHub reads it."""


def test_whole_text(written, report):
    """Numbers to the right, full precision, nothing in a name is markup."""
    assert (
        written(report, "markdown").decode()
        == r"""| tensor | role | params | std | iid | note |
| --- | --- | ---: | ---: | ---: | --- |
| h.2.w | attn.q | 12 | 0.30000000000000004 | true |  |
| h.10.w | attn.q | 9007199254740993 | nan | false |  |
| a,"b"\\n\\x1b\[31m\[bold\]\|\\u202e\\ud800=1\\t |  | 0 | inf |  | x |
| h.1.w | mlp.up |  |  |  |  |
| é漢 | mlp.up | 7 | -1e-300 | true | NA |
"""
    )


def test_empty(written, empty):
    """A header and its rule."""
    assert len(written(empty, "markdown").splitlines()) == 2
