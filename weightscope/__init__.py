"""weightscope: statistics of the weights in a neural-network checkpoint.

    import weightscope as ws
    ws.fit("model.safetensors", by="role").table

Importing the package loads nothing else: each name loads its module when it is first used. Besides
the names below there is a function for each analysis; functions.py is generated from their options.
"""

from __future__ import annotations

from importlib import import_module

from .version import __version__ as __version__

TYPE_CHECKING = False  # not that of typing: a signal during its import would be a traceback
HOMES = {
    "GateFailed": ".errors",
    "Unmeasured": ".errors",
    "CheckpointError": ".errors",
    "UsageError": ".errors",
    "WeightscopeError": ".errors",
    "open_checkpoint": ".checkpoints",
}

if TYPE_CHECKING:
    from .checkpoints import open_checkpoint as open_checkpoint
    from .errors import CheckpointError as CheckpointError
    from .errors import GateFailed as GateFailed
    from .errors import Unmeasured as Unmeasured
    from .errors import UsageError as UsageError
    from .errors import WeightscopeError as WeightscopeError
    from .functions import *  # noqa: F403 - one function for each analysis
else:

    def __getattr__(name: str) -> object:
        """A public name, from the module that defines it."""
        if name == "__all__":
            return _names()
        if name.startswith("_") or name not in _names():
            raise AttributeError(f"module 'weightscope' has no attribute {name!r}")
        return getattr(import_module(HOMES.get(name, ".functions"), __name__), name)


def _names() -> list[str]:
    """Public names: those of HOMES, and one for each analysis."""
    analyses = import_module(".analyses", __name__).ANALYSES
    return [*HOMES, *(analysis.name for analysis in analyses)]


def __dir__() -> list[str]:
    """Public names, for completion in a notebook."""
    return [*_names(), "__version__"]
