"""The largest eigenvalues and eigenvectors of a Gram matrix."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..lazy import numpy as np
from ..lazy import sparse_linalg, torch
from ..sending import sent

if TYPE_CHECKING:
    from numpy.typing import NDArray
    from torch import Tensor

DIRECT = 512  # sides up to which all eigenvectors take less time than Lanczos iterations
# The same of a GPU, which is waited for at each product: larger matrices are in no stack.
DIRECT_GPU = 1536
TOLERANCE = 1e-10
EPS = 2.0**-52

Leading = tuple["Tensor", "Tensor"]  # eigenvalues (k,) and vectors in columns (side, k), on a host


def leading_of_stack(grams: Tensor, k: int) -> list[Leading | None]:
    """`leading` of each of (b, side, side), on the host.

    A GPU decomposes small ones at once, and for a large one is waited for at each product.
    """
    if not k:
        return [None] * len(grams)
    if not grams.is_cuda or grams.shape[-1] > DIRECT_GPU:
        found = [leading(gram, k) for gram in grams]
        return [one and (one[0].cpu(), one[1].cpu()) for one in found]
    finite = grams.isfinite().all(-1).all(-1)
    values, vectors = torch.linalg.eigh(torch.where(finite[:, None, None], grams, 0.0))
    values = torch.where(finite[:, None], values[:, -k:], torch.nan).cpu()
    vectors = vectors[:, :, -k:].cpu()
    side = grams.shape[-1]
    pairs = zip(values, vectors, strict=True)
    return [pair if _is_above_rounding(pair[0], side) else None for pair in pairs]


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
    if not _is_above_rounding(values, side):
        return None
    return values, vectors


def _is_above_rounding(values: Tensor, side: int) -> bool:
    """Whether all eigenvalues are; NaN is not."""
    return bool(values.min() > values.max() * side * EPS)


def _direct(gram: Tensor, k: int) -> tuple[Tensor, Tensor]:
    values, vectors = torch.linalg.eigh(gram)
    return values[-k:], vectors[:, -k:]


def _iterated(gram: Tensor, k: int) -> tuple[Tensor, Tensor]:
    """Lanczos iterations of ARPACK; LAPACK where they do not converge.

    Products are those of torch, which takes the threads of its worker only.
    """
    side = len(gram)

    def product(x: NDArray[np.float64]) -> NDArray[np.float64]:
        vector = sent(torch.from_numpy(x.reshape(-1)), gram.device)
        result: NDArray[np.float64] = torch.mv(gram, vector).cpu().numpy()
        return result

    operator = sparse_linalg.LinearOperator((side, side), matvec=product, dtype=np.float64)
    start = np.ones(side)
    try:
        values, vectors = sparse_linalg.eigsh(operator, k, v0=start, tol=TOLERANCE)
    except sparse_linalg.ArpackNoConvergence:
        return _direct(gram, k)
    return torch.from_numpy(values), torch.from_numpy(vectors)
