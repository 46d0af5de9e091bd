"""The largest eigenvalues and eigenvectors of a Gram matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import numpy as np
from ..lazy import sparse_linalg, torch

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

DIRECT = 512  # sides up to which all eigenvectors take less time than Lanczos iterations
TOLERANCE = 1e-10
EPS = 2.0**-52


def leading(gram: Tensor, k: int) -> tuple[Tensor, Tensor] | None:
    """The k largest eigenvalues and their vectors in columns (side, k), float64, in any order.

    None where fewer than k eigenvalues are above rounding, or one is not finite.
    """
    if not bool(gram.isfinite().all()):
        return None
    side = len(gram)
    if side > max(DIRECT, 4 * k):
        values, vectors = _iterated(gram, k)
    else:
        values, vectors = _direct(gram, k)
    if not values.min() > values.max() * side * EPS:
        return None
    return values, vectors


def _direct(gram: Tensor, k: int) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(gram)
    return values[-k:], vectors[:, -k:]


def _iterated(gram: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Lanczos iterations of ARPACK; LAPACK where they do not converge.

    Products are those of torch, which takes the threads of its worker only.
    """
    side = len(gram)

    def product(x: NDArray[np.float64]) -> NDArray[np.float64]:
        vector = torch.from_numpy(x.reshape(-1)).to(gram.device)
        result: NDArray[np.float64] = torch.mv(gram, vector).cpu().numpy()
        return result

    operator = sparse_linalg.LinearOperator((side, side), matvec=product, dtype=np.float64)
    start = np.ones(side)
    try:
        values, vectors = sparse_linalg.eigsh(operator, k, v0=start, tol=TOLERANCE)
    except sparse_linalg.ArpackNoConvergence:
        return _direct(gram, k)
    return torch.from_numpy(values), torch.from_numpy(vectors)
