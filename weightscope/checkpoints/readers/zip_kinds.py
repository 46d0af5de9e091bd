"""Zip archives of other programs, recognised by the names of their records.

Many formats are zip archives, with other records than torch's: they are sound, and neither damaged
nor forged.
"""

from __future__ import annotations

import re
from collections.abc import Sequence

from ...errors import CheckpointError
from ...escape import listed
from .other_formats import UNPACK

_ARRAYS = "as numpy, saved with safetensors.numpy.save_file"
_KINDS = tuple(  # a record of the format, its name, what to do
    (re.compile(pattern), name, advice)
    for pattern, name, advice in (
        (
            r"([^/]+/)?(constants\.pkl|bytecode\.pkl|code/.*)",
            "a TorchScript archive (it holds code)",
            "load it with torch.jit.load and save `model.state_dict()`",
        ),
        (
            r"([^/]+/)?(archive_format|serialized_exported_program\.json)",
            "an exported torch program (.pt2)",
            "torch.save(torch.export.load(FILE).state_dict, 'model.pt')",
        ),
        (
            r"model\.weights\.h5",
            "a Keras model (.keras)",
            f"convert it: the weights of keras.saving.load_model(FILE), {_ARRAYS}",
        ),
        (
            r"(_stable_baselines3_version|pytorch_variables\.pth|policy\.pth)",
            "a model of Stable-Baselines3",
            "unpack it and name policy.pth, its state dict",
        ),
        (r"MAR-INF/.*", "a TorchServe archive (.mar)", UNPACK),
        (
            r"(.*/)?Data/com\.apple\.CoreML/.*",
            "a Core ML package",
            "take the model before its export",
        ),
        (
            r"(.*/)?saved_model\.pb",
            "a TensorFlow SavedModel in a zip archive",
            f"unpack it; tf.saved_model.load(FOLDER).variables, {_ARRAYS}",
        ),
        (
            r"coefficients\.bin",
            "a model of Deeplearning4j",
            "load it where it was written and save its arrays",
        ),
    )
)
_TORCH = re.compile(r"(.*/)?(data\.pkl|version|byteorder)")  # records of torch's own archive


def refuse_other(names: Sequence[str]) -> None:
    """Refuse an archive of another program by the names of its records."""
    for pattern, name, advice in _KINDS:
        if any(pattern.fullmatch(record) for record in names):
            raise CheckpointError("expected a state dict", f"found {name}", advice)
    if not any(_TORCH.fullmatch(record) for record in names):
        raise CheckpointError(
            "expected an archive that torch.save wrote",
            f"found a zip archive of other files: {listed(names)}",
            UNPACK,
        )
