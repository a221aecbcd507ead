"""Each kind of computation that the network uses, small, to be tried on a device against the CPU."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional

from ..network.scan import CHUNK, chunked_scan, triton_scan
from ..shared.events import KernelCheck

Compute = Callable[..., Tensor]
_SINGLE, _HALF = 5e-3, 5e-2  # least agreement: TF32 and bfloat16 keep 10 and 8 bits
_RUNS = 3


@dataclass(frozen=True)
class Kernel:
    """A computation on tensors, and what to feed it.

    compute    a function of the inputs
    shapes     of the inputs, filled with normal numbers
    tolerance  largest allowed difference over the largest value
    reference  what to compare with, where that is another function
    needed     whether the network cannot do without it
    """

    name: str
    compute: Compute
    shapes: tuple[tuple[int, ...], ...]
    tolerance: float = _SINGLE
    reference: Compute | None = None
    needed: bool = True


def _scan_inputs(x: Tensor, dt: Tensor, a: Tensor, b: Tensor, c: Tensor) -> tuple[Tensor, ...]:
    return x, functional.softplus(dt), -a.exp(), b, c


def _chunked(*inputs: Tensor) -> Tensor:
    x, dt, a, b, c = _scan_inputs(*inputs)
    return chunked_scan(x, dt, a, b, c, CHUNK)


def _triton(*inputs: Tensor) -> Tensor:
    kernel = triton_scan()
    if kernel is None:
        raise ModuleNotFoundError("mamba-ssm's kernel is not installed or does not run here")
    x, dt, a, b, c = _scan_inputs(*inputs)
    return kernel(x, dt, a, b[:, :, None], c[:, :, None], chunk_size=CHUNK)


def _mixed(image: Tensor, weight: Tensor) -> Tensor:
    with torch.autocast(image.device.type, dtype=torch.bfloat16):
        mixed = functional.conv2d(image, weight, padding=1)
    return mixed.float()


def _gradient(image: Tensor, weight: Tensor) -> Tensor:
    with torch.inference_mode(False), torch.enable_grad():
        weight = weight.clone().requires_grad_()
        result = functional.layer_norm(functional.conv2d(image.clone(), weight, padding=1), image.shape[-1:])
        (gradient,) = torch.autograd.grad(result.sigmoid().mean(), weight)
    return gradient


def kernels(device: torch.device, side: int = 32) -> Sequence[Kernel]:
    """The computations for a device; patches of `side` pixels."""
    image = (2, 32, side, side)
    length, heads, width, state = side * side, 2, 16, 16
    scan = ((2, length, heads, width), (2, length, heads), (heads,), (2, length, state), (2, length, state))
    tokens = (2, 2, side * side // 4, 16)
    found = [
        Kernel("convolution", lambda x, w: functional.conv2d(x, w, padding=1), (image, (32, 32, 3, 3))),
        Kernel("depthwise convolution", lambda x, w: functional.conv1d(x, w, groups=32), ((2, 32, length), (32, 1, 4))),
        Kernel("selective scan", _chunked, scan),
        Kernel(
            "attention",
            lambda q, k, v, m: functional.scaled_dot_product_attention(q, k, v, attn_mask=m),
            (tokens, tokens, tokens, (1, 2, tokens[2], tokens[2])),
        ),
        Kernel("normalisation", lambda x: functional.layer_norm(x, x.shape[-1:]), (image,)),
        Kernel(
            "enlarging",
            lambda x: functional.interpolate(x, scale_factor=2, mode="bilinear", align_corners=False),
            (image,),
        ),
        Kernel("gradient", _gradient, (image, (32, 32, 3, 3))),
    ]
    if device.type == "cuda":
        plain = found[0].compute
        found.append(Kernel("mixed precision", _mixed, (image, (32, 32, 3, 3)), _HALF, plain))
        found.append(Kernel("fast scan (Triton)", _triton, scan, _SINGLE, _chunked, needed=False))
    return found


def try_kernel(kernel: Kernel, device: torch.device, runs: int = _RUNS) -> KernelCheck:
    """Run a computation on the device, compare it with double precision on the CPU, and time it."""
    generator = torch.Generator().manual_seed(0)
    inputs = [torch.randn(shape, generator=generator) for shape in kernel.shapes]
    wanted = (kernel.reference or kernel.compute)(*(each.double() for each in inputs))
    try:
        moved = [each.to(device) for each in inputs]
        answer = kernel.compute(*moved).cpu().double()
        error = float((answer - wanted).abs().max() / wanted.abs().max())
        times = [_timed(kernel.compute, moved, device) for _ in range(runs)]
    except Exception as failure:  # whatever a driver or a compiler throws says that this does not run here
        text = (str(failure).strip() or type(failure).__name__).splitlines()[0]
        return KernelCheck(kernel.name, -1.0, 0.0, text[:300], kernel.needed)
    trouble = "" if error <= kernel.tolerance else f"its result is off by {error:.1%}"  # also where it is NaN
    took = sorted(times)[len(times) // 2] * 1000 if times else 0.0
    return KernelCheck(kernel.name, error if math.isfinite(error) else -1.0, took, trouble, kernel.needed)


def _timed(compute: Compute, inputs: list[Tensor], device: torch.device) -> float:
    """Seconds of one run."""
    began = time.perf_counter()
    compute(*inputs)
    if device.type == "cuda":
        torch.cuda.synchronize(device)
    elif device.type == "mps":
        torch.mps.synchronize()
    return time.perf_counter() - began


def first_trouble(device: torch.device) -> str:
    """Why the network cannot run on the device; empty where it can. Takes milliseconds once the device is awake."""
    for kernel in kernels(device, side=8):
        if kernel.needed:
            result = try_kernel(kernel, device, runs=0)
            if result.trouble:
                return f"{kernel.name}: {result.trouble}"
    return ""
