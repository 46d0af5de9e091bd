"""Makes hostile text visible: names come from strangers and may carry commands for a terminal.

Whatever Unicode does not call printable (control characters, ANSI escapes, newlines, bidi controls, invisible
format characters, lone surrogates, odd spaces) becomes its Python escape. Only human formats pass through here;
machine formats carry the data itself.
"""

from __future__ import annotations


def escape(text: str) -> str:
    r"""The text with every unprintable character as a visible escape.

    >>> escape("a\x1b[31mb\n")
    'a\\x1b[31mb\\n'
    """
    return text if text.isprintable() else "".join(c if c.isprintable() else _visible(c) for c in text)


def _visible(character: str) -> str:
    return character.encode("unicode_escape").decode("ascii")
