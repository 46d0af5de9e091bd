"""weightscope: what is in a neural-network checkpoint, from its weights alone.

    import weightscope as ws
    ws.fit("model.safetensors", by="role").table

Importing this loads nothing else: each name loads what it needs when it is first used.
"""

from __future__ import annotations

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .api import fit, ls, open_checkpoint, outliers, spectrum
    from .errors import GateFailed, Unmeasured, Untrusted, Usage, WeightscopeError

__version__ = "0.1.0"
__all__ = [
    "GateFailed", "Unmeasured", "Untrusted", "Usage", "WeightscopeError",
    "fit", "ls", "open_checkpoint", "outliers", "spectrum",
]


def __getattr__(name: str) -> object:
    """A public name, from the module that defines it."""
    if name not in __all__:
        raise AttributeError(f"module 'weightscope' has no attribute {name!r}")
    return getattr(import_module(".errors" if name[0].isupper() else ".api", __name__), name)


def __dir__() -> list[str]:
    """Public names, for completion in a notebook."""
    return [*__all__, "__version__"]
