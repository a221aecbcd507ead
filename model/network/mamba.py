"""The Mamba-2 block over an image: rows or columns as one long line, read both ways.

Projections, depthwise convolution and gated norm are named and shaped as in mamba-ssm's `Mamba2`; only the scan has two
implementations (scan.py) on one state dict.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from .layers import PixelNorm
from .scan import CHUNK, WHOLE, selective_scan

# Shortest and longest memory of the heads at first, in steps. Longer ones make a pixel's answer hang on where its
# patch lies.
MEMORY = (4.0, 64.0)


class GatedNorm(nn.Module):
    """Root-mean-square norm of y * silu(z) over the channels, as Mamba-2 has it before its last projection."""

    def __init__(self, channels: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.ones(channels))

    def forward(self, y: Tensor, gate: Tensor) -> Tensor:
        """y and its gate silu(z) (..., C) to (..., C)."""
        return functional.rms_norm(y * gate, self.weight.shape, self.weight, 1e-5)


class Mamba2(nn.Module):
    """One Mamba-2 mixer over lines (N, L, C), read both ways.

    Args:
        channels: width C of a step.
        expand: inner width over C.
        head: width P of a head.
        state: size S of the state.
        kernel: length of the depthwise convolution.
    """

    def __init__(self, channels: int, expand: int = 2, head: int = 16, state: int = 16, kernel: int = 4) -> None:
        super().__init__()
        inner = expand * channels
        self.d_inner, self.d_state, self.headdim, self.nheads = inner, state, head, inner // head
        if self.nheads * head != inner:
            raise ValueError(f"inner width {inner} is no multiple of the head width {head}")
        mixed = inner + 2 * state
        self.in_proj = nn.Linear(channels, inner + mixed + self.nheads, bias=False)
        self.conv1d = nn.Conv1d(mixed, mixed, kernel, groups=mixed, padding=kernel - 1)
        step = torch.exp(-torch.linspace(math.log(MEMORY[0]), math.log(MEMORY[1]), self.nheads))
        self.dt_bias = nn.Parameter(step + torch.log(-torch.expm1(-step)))  # inverse of softplus
        self.A_log = nn.Parameter(torch.zeros(self.nheads))
        self.D = nn.Parameter(torch.ones(self.nheads))
        self.norm = GatedNorm(inner)
        self.out_proj = nn.Linear(inner, channels, bias=False)

    def forward(self, lines: Tensor) -> Tensor:
        """(N, L, C) to (N, L, C): lines read from their beginning and from their end, both answers added.

        What is done step by step, the projections, is done once for both.
        """
        widths = [self.d_inner, self.d_inner + 2 * self.d_state, self.nheads]
        z, mixed, dt = self.in_proj(lines).split(widths, dim=-1)
        gate, dt = functional.silu(z), functional.softplus(dt + self.dt_bias)
        forward, backward = self._read(_both_ways(mixed), _both_ways(dt))[:, : lines.shape[1]].chunk(2)
        answer: Tensor = self.out_proj(self.norm(forward, gate) + self.norm(backward.flip(1), gate))
        return answer

    def _read(self, mixed: Tensor, dt: Tensor) -> Tensor:
        """Convolution and scan of lines (N, L, inner + 2 S) with steps (N, L, H): (N, L, inner)."""
        count, length, _ = mixed.shape
        mixed = functional.silu(self._convolve(mixed))
        x, b, c = mixed.split([self.d_inner, self.d_state, self.d_state], dim=-1)
        x, chunk = x.reshape(count, length, self.nheads, self.headdim), length if length <= WHOLE else CHUNK
        y = selective_scan(x, dt, -self.A_log.exp(), b, c, self.D, chunk)
        return y.reshape(count, length, self.d_inner)

    def _convolve(self, sequence: Tensor) -> Tensor:
        """conv1d, causal, (N, L, C) to the same shape; as a 2D convolution, four times faster on a CPU."""
        kernel = self.conv1d.weight[:, :, None]
        image = sequence.transpose(1, 2)[:, :, None].contiguous(memory_format=torch.channels_last)
        reach = kernel.shape[-1] - 1
        convolved = functional.conv2d(image, kernel, self.conv1d.bias, padding=(0, reach), groups=len(kernel))
        return convolved[:, :, 0, : sequence.shape[1]].transpose(1, 2)


class MambaLayer(nn.Module):
    """A residual Mamba-2 mixer over an image (B, C, H, W): every row (or column) a line of its own, read both ways.

    One line that winds through the whole patch, turning at its edges, measured worse: what a pixel remembers then
    hangs on where the patch lies.
    """

    def __init__(self, channels: int, by_columns: bool) -> None:
        super().__init__()
        self.by_columns = by_columns
        self.norm = PixelNorm(channels)
        self.mixer = Mamba2(channels)

    def forward(self, x: Tensor) -> Tensor:
        """(B, C, H, W) to the same shape; a pixel sees its row or column."""
        image = self.norm(x).permute(0, 3, 2, 1) if self.by_columns else self.norm(x).permute(0, 2, 3, 1)
        merged = self.mixer(image.flatten(0, 1)).unflatten(0, image.shape[:2])
        return x + (merged.permute(0, 3, 2, 1) if self.by_columns else merged.permute(0, 3, 1, 2))


def _both_ways(lines: Tensor) -> Tensor:
    """Lines (N, L, C) and the same from their end, (2 N, L', C), L' the next multiple of the chunk."""
    return functional.pad(torch.cat([lines, lines.flip(1)]), (0, 0, 0, -lines.shape[1] % CHUNK))
