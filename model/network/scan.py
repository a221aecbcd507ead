"""The selective scan of Mamba-2: mamba-ssm's Triton kernel on CUDA, matrix products everywhere else.

State space duality: Dao and Gu (2024), Transformers are SSMs, arXiv 2405.21060. For each head, with a_t = exp(dt_t A):

    s_t = a_t s_{t-1} + dt_t B_t x_t        y_t = C_t s_t + D x_t
"""

from __future__ import annotations

import functools
import importlib.util
import sys
import types
from collections.abc import Callable

import torch
from torch import Tensor

CHUNK = 16  # short chunks are fastest on a CPU, and lines are as long as a patch at half resolution
WHOLE = 32  # a line of at most so many steps is one chunk, which leaves nothing for a next one to find


def selective_scan(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor, d: Tensor, chunk: int = CHUNK) -> Tensor:
    """y of the recurrence above, (N, L, H, P).

    Args:
        x: (N, L, H, P) L steps of H heads of width P; L a multiple of `chunk`.
        dt: (N, L, H) positive step sizes.
        a: (H,) negative decay rates.
        b: (N, L, S) what enters the state of size S.
        c: (N, L, S) what is read from it.
        d: (H,) direct way from x to y.
        chunk: steps handled by one matrix product.
    """
    kernel = triton_scan() if x.is_cuda else None
    if kernel is not None:
        return kernel(x, dt, a, b[:, :, None], c[:, :, None], chunk_size=chunk, D=d)
    return chunked_scan(x, dt, a, b, c, chunk) + x * d[:, None]


def chunked_scan(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor, chunk: int) -> Tensor:
    """The recurrence without its direct way, as matrix products within and between chunks; shapes as above."""
    batch, length, heads, width = x.shape
    chunks = length // chunk
    if chunks * chunk != length:
        raise ValueError(f"{length} steps are no multiple of the chunk of {chunk}")
    decay = (dt * a).view(batch, chunks, chunk, heads).permute(0, 1, 3, 2).cumsum(-1)  # (N, G, H, Q), log
    b, c = b.view(batch, chunks, 1, chunk, -1), c.view(batch, chunks, 1, chunk, -1)
    entering = (x * dt[..., None]).view(batch, chunks, chunk, heads, width).transpose(2, 3)  # (N, G, H, Q, P)

    # within a chunk: y_i = sum over j <= i of C_i B_j exp(decay_i - decay_j) dt_j x_j
    within = ((c @ b.transpose(-1, -2)) * _fading(decay)) @ entering
    if chunks == 1:
        return within.transpose(2, 3).reshape(batch, length, heads, width)

    # what a chunk leaves behind at its end, (N, G, H, S, P)
    left = (decay[..., -1:] - decay).exp()
    states = b.transpose(-1, -2) @ (entering * left[..., None])

    # what each chunk finds at its beginning: the states of all earlier chunks, faded by those between
    total = decay[..., -1].transpose(1, 2).cumsum(-1)  # (N, H, G)
    between = torch.nn.functional.pad(_fading(total)[..., :-1, :], (0, 0, 1, 0))
    found = torch.einsum("nhgk,nkhsp->nghsp", between, states)
    across = (c @ found) * decay.exp()[..., None]
    return (within + across).transpose(2, 3).reshape(batch, length, heads, width)


def _fading(log_decay: Tensor) -> Tensor:
    """exp(l_i - l_j) for j <= i, else 0: (..., Q) to (..., Q, Q)."""
    difference = log_decay[..., :, None] - log_decay[..., None, :]
    later = torch.ones(difference.shape[-2:], dtype=torch.bool, device=difference.device).triu(1)
    return difference.masked_fill_(later, -torch.inf).exp_()  # in place: these are the largest arrays of a scan


def _open_mamba_ssm() -> None:
    """Make mamba-ssm's submodules importable without its __init__.

    That one imports its CUDA code and its language models; the Triton kernels need neither, and are installed without.
    """
    found = importlib.util.find_spec("mamba_ssm") if "mamba_ssm" not in sys.modules else None
    if found is not None and found.submodule_search_locations is not None:
        package = types.ModuleType("mamba_ssm")
        package.__path__ = list(found.submodule_search_locations)
        sys.modules["mamba_ssm"] = package


@functools.cache
def triton_scan() -> Callable[..., Tensor] | None:
    """mamba-ssm's kernel where it imports and runs on this machine's GPU, else None."""
    try:
        _open_mamba_ssm()
        from mamba_ssm.ops.triton.ssd_combined import mamba_chunk_scan_combined as kernel
    except (ImportError, OSError, RuntimeError):
        return None
    try:
        _try_out(kernel)
    except Exception:  # whatever a compiler or a Triton that does not fit may raise: the other form computes the same
        return None
    found: Callable[..., Tensor] = kernel
    return found


def _try_out(kernel: Callable[..., Tensor]) -> None:
    """Runs the kernel forward and backward, in both types that the network uses it in."""
    for kind in (torch.float32, torch.bfloat16):
        x = torch.zeros(1, CHUNK, 1, 64, device="cuda", dtype=kind, requires_grad=True)
        state = torch.zeros(1, CHUNK, 1, 16, device="cuda", dtype=kind)
        dt, a = torch.ones(1, CHUNK, 1, device="cuda"), -torch.ones(1, device="cuda")
        kernel(x, dt, a, state, state, chunk_size=CHUNK).sum().backward()
    torch.cuda.synchronize()
