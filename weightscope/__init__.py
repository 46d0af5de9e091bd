"""weightscope: what is in a neural-network checkpoint, from its weights alone.

    import weightscope as ws
    ws.fit("model.safetensors", by="role").table

Importing this loads neither torch nor pandas nor scipy; each function loads what it needs.
"""

from __future__ import annotations

from .api import fit, ls, open_checkpoint
from .errors import Unmeasured, Untrusted, Usage, WeightscopeError

__all__ = ["Unmeasured", "Untrusted", "Usage", "WeightscopeError", "fit", "ls", "open_checkpoint"]
__version__ = "0.1.0"
