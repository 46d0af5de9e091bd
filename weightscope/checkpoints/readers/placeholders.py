"""Objects of unknown classes beside tensors: inert placeholders; nothing of theirs is called.

Training scripts save options, configs and counters beside a state dict. Their classes need not be
known to read the tensors in plain containers. A placeholder keeps what the pickle puts into it, so
that tensors inside it are noticed: they are refused, as only their class knows what they mean.

A name of another package becomes a Reference, which may be called only where it names a class. Of
Python's own library, which can start programs, a list of names that hold data is admitted.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from dataclasses import dataclass, field

from ...escape import LONGEST, listed
from .leaves import bearing
from .torch_values import Placeholder, Reference, RefusedError

NAMES = 10_000  # different names in one file
LENGTH = 1024  # characters of a name
_TYPES = frozenset(  # of Python itself: a default or an annotation names them
    (
        "builtins.bool",
        "builtins.dict",
        "builtins.float",
        "builtins.int",
        "builtins.list",
        "builtins.object",
        "builtins.str",
        "builtins.tuple",
        "builtins.Ellipsis",
        "builtins.NotImplemented",
    )
)
_MODULES = ("typing.", "collections.abc.", "numbers.", "pathlib.", "datetime.")
_ADMITTED = frozenset(
    (
        "argparse.Namespace",
        "optparse.Values",
        "types.SimpleNamespace",
        "types.GenericAlias",
        "functools.partial",
        "decimal.Decimal",
        "fractions.Fraction",
        "random.Random",
        "uuid.UUID",
        "uuid.SafeUUID",
    )
)
# of Python 2, and those that newer versions removed
_OLDER = frozenset(
    ("__builtin__", "commands", "popen2", "copy_reg", "distutils", "imp", "asyncore")
)
_PROGRAMS = sys.stdlib_module_names | _OLDER
_LOWER = frozenset(  # classes whose names are no hint
    (
        "datetime.date",
        "datetime.datetime",
        "datetime.time",
        "datetime.timedelta",
        "datetime.timezone",
        "functools.partial",
    )
)


class RefusedNameError(RefusedError):
    """A name that is not admitted, or is called without being a class."""

    def __init__(self, text: str, name: str) -> None:
        self.name = name
        super().__init__(text)


@dataclass
class Unknown:
    """Names outside the allow-list that a pickle refers to, and the objects of their classes."""

    references: dict[str, Reference] = field(default_factory=dict)
    placeholders: list[Placeholder] = field(default_factory=list)

    def reference(self, dotted: str) -> Reference | None:
        """The name as a Reference; None where it is not admitted."""
        if len(dotted) > LENGTH or len(self.references) >= NAMES:
            raise RefusedError(f"more than {NAMES} names, or one of over {LENGTH} characters")
        if not admitted(dotted):
            return None
        return self.references.setdefault(dotted, Reference(dotted))

    def made(self, cls: Reference, parts: Sequence[object]) -> Placeholder:
        """An object of a class, with what its constructor would be given."""
        placeholder = Placeholder(cls.name, list(parts))
        self.placeholders.append(placeholder)
        return placeholder

    def with_tensors(self) -> tuple[str, ...]:
        """The classes of the objects that hold a tensor at any depth, outer ones first."""
        if not self.placeholders:
            return ()
        reached = bearing(self.placeholders)
        holders = [each.name for each in self.placeholders if id(each) in reached]
        return tuple(dict.fromkeys(holders))

    @property
    def names(self) -> tuple[str, ...]:
        """The names that a message lists: not the types of Python itself."""
        return tuple(name for name in self.references if name not in _TYPES)

    def flags(self) -> tuple[str, ...]:
        """One flag that lists the names, none without any."""
        names = self.names
        if not names:
            return ()
        return (
            f"objects and names beside the tensors are not read: {listed(names, LONGEST)}; "
            "nothing of theirs was called",
        )


def admitted(dotted: str) -> bool:
    """Whether a name outside the allow-list may be in a file.

    >>> admitted("omegaconf.DictConfig"), admitted("argparse.Namespace"), admitted("os.system")
    (True, True, False)
    """
    top = dotted.partition(".")[0]
    if top not in _PROGRAMS:
        return " " not in dotted  # a scan lists extension codes with a space
    return dotted in _ADMITTED or dotted in _TYPES or dotted.startswith(_MODULES)


def is_class(reference: Reference) -> bool:
    """Whether a name is that of a class: by the usual spelling, as nothing is imported.

    >>> is_class(Reference("a.Config")), is_class(Reference("a.load"))
    (True, False)
    """
    if reference.name in _TYPES:
        return False
    if reference.name in _LOWER:
        return True
    last = reference.name.rpartition(".")[2].lstrip("_")
    return last[:1].isupper()
