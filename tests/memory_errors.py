"""Errors as libraries write them: too little memory of a GPU or of the host, and other causes."""

from __future__ import annotations

import errno

import torch

DEBUGGING = """
CUDA kernel errors might be asynchronously reported at some other API call, so the stacktrace \
below might be incorrect.
For debugging consider passing CUDA_LAUNCH_BLOCKING=1
Compile with `TORCH_USE_CUDA_DSA` to enable device-side assertions.
"""
SEARCH = (
    "\nSearch for `{}' in https://docs.nvidia.com/cuda/cuda-runtime-api/"
    "group__CUDART__TYPES.html for more information."
)
EIGENVALUES = (
    "`cusolverDnXsyevd( handle, params, jobz, uplo, n, CUDA_R_64F, reinterpret_cast<void*>(A), "
    "lda, CUDA_R_64F, reinterpret_cast<void*>(W), CUDA_R_64F, reinterpret_cast<void*>"
    "(bufferOnDevice), workspaceInBytesOnDevice, reinterpret_cast<void*>(bufferOnHost), "
    "workspaceInBytesOnHost, info)`"
)
LinAlgError = torch.linalg.LinAlgError  # a RuntimeError
# a RuntimeError, which torch before 2.8 raises itself
AcceleratorError = getattr(torch, "AcceleratorError", RuntimeError)

OF_A_GPU = {
    "torch": torch.OutOfMemoryError(
        "CUDA out of memory. Tried to allocate 2.00 GiB. GPU 0 has a total capacity of 7.79 GiB"
    ),
    "runtime": RuntimeError("CUDA error: out of memory" + DEBUGGING),
    "accelerator": AcceleratorError(
        "CUDA error: out of memory" + SEARCH.format("cudaErrorMemoryAllocation") + DEBUGGING
    ),
    "driver": RuntimeError("CUDA driver error: out of memory"),
    "name": RuntimeError("cudaErrorMemoryAllocation: out_of_memory"),
    "cublas": RuntimeError(
        "CUDA error: CUBLAS_STATUS_ALLOC_FAILED when calling `cublasCreate(handle)`"
    ),
    "cusolver": RuntimeError(
        "cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling `cusolverDnCreate(handle)`"
    ),
    "cusolver in a solver": LinAlgError(
        f"cusolver error: CUSOLVER_STATUS_ALLOC_FAILED, when calling {EIGENVALUES}"
    ),
    "cusparse": RuntimeError(
        "CUDA error: CUSPARSE_STATUS_ALLOC_FAILED when calling `cusparseCreate(handle)`"
    ),
    "cudnn": RuntimeError("cuDNN error: CUDNN_STATUS_ALLOC_FAILED"),
    "cudnn 9": RuntimeError("cuDNN error: CUDNN_STATUS_INTERNAL_ERROR_DEVICE_ALLOCATION_FAILED"),
    "curand": RuntimeError("CURAND_STATUS_ALLOCATION_FAILED"),
}
OF_THE_HOST = {
    "python": MemoryError(),
    "map": ImportError("libtorch_cpu.so: failed to map segment from shared object"),
    "map of a library for GPUs": ImportError("libtorch_cuda.so: failed to map segment"),
    "static": ImportError("libm.so: cannot allocate memory in static TLS block"),
    "system": OSError(errno.ENOMEM, "Cannot allocate memory"),
    "thread": RuntimeError("can't start new thread"),
    "cannot": RuntimeError(
        "DefaultCPUAllocator: can't allocate memory: you tried to allocate 9 bytes"
    ),
    "not enough": RuntimeError(
        "DefaultCPUAllocator: not enough memory: you tried to allocate 9 bytes"
    ),
    "c++": RuntimeError("std::bad_alloc"),
}
OF_OTHER_CAUSES = {
    "cublas before its start": RuntimeError(
        "CUDA error: CUBLAS_STATUS_NOT_INITIALIZED when calling `cublasCreate(handle)`"
    ),
    "cusolver inside": RuntimeError(
        "cusolver error: CUSOLVER_STATUS_INTERNAL_ERROR, when calling `cusolverDnCreate(handle)`"
    ),
    "cusolver with NaN": LinAlgError(
        f"cusolver error: CUSOLVER_STATUS_EXECUTION_FAILED, when calling {EIGENVALUES}. "
        "This error may appear if the input matrix contains NaN."
    ),
    "cudnn": RuntimeError("cuDNN error: CUDNN_STATUS_NOT_INITIALIZED"),
    "address": AcceleratorError(
        "CUDA error: an illegal memory access was encountered"
        + SEARCH.format("cudaErrorIllegalAddress")
        + DEBUGGING
    ),
    "kernel": AcceleratorError(
        "CUDA error: no kernel image is available for execution on the device" + DEBUGGING
    ),
    "place": RuntimeError(
        "Expected all tensors to be on the same device, but found at least two devices"
    ),
    "convergence": LinAlgError(
        "linalg.eigh: (Batch element 0): The algorithm failed to converge because the input matrix "
        "is ill-conditioned or has too many repeated eigenvalues (error code: 7)."
    ),
    "own": ZeroDivisionError("out of memory"),
    "name of a file": OSError(errno.EIO, "Input/output error", "out of memory.safetensors"),
}
