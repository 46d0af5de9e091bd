"""Pickle operations on objects of unknown classes: they fill placeholders and call nothing."""

from __future__ import annotations

from ...escape import shown
from .machine import Machine
from .placeholders import RefusedNameError, is_class
from .torch_values import Placeholder, Reference, RefusedError

NEW, NEW_WORDS = "NEWOBJ", "NEWOBJ_EX"


def call(m: Machine, cls: object, args: object) -> object:
    """A placeholder for an object; its class is called neither here nor later."""
    if not isinstance(cls, Reference) or not isinstance(args, tuple):
        raise RefusedError("an object of no class")
    if not is_class(cls):
        raise RefusedNameError(f"a call of {shown(cls.name)}, which nothing may call,", cls.name)
    return m.unknown.made(cls, args)


def new(m: Machine, keywords: bool) -> None:
    """An object of a class: (class, arguments), and keywords in newer protocols."""
    words = (m.stack.pop(),) if keywords else ()
    args = m.stack.pop()
    cls = m.stack.pop()
    if not isinstance(cls, Reference) or not isinstance(args, tuple):
        raise RefusedError(f"the refused pickle operation {NEW_WORDS if keywords else NEW}")
    m.push(m.unknown.made(cls, (*args, *words)))


def held(m: Machine, values: list[object]) -> bool:
    """Whether the value on top is an object of an unknown class, which then holds the values."""
    target = m.stack[-1]
    if not isinstance(target, Placeholder):
        return False
    target.parts += values
    return True


def own(key: object, value: object) -> None:
    """A value under an object of an unknown class is a part of it: the key has no name."""
    if isinstance(key, Placeholder):
        key.parts.append(value)
    elif isinstance(key, tuple):
        for part in key:
            if isinstance(part, Placeholder):
                part.parts.append(value)
