"""The chunked scan against the recurrence itself, step by step in double precision."""

from __future__ import annotations

import pytest
import torch

from bdgf.model.network.mamba import Mamba2, MambaLayer
from bdgf.model.network.scan import selective_scan, triton_scan


def recurrence(x, dt, a, b, c, d):
    state = x.new_zeros(x.shape[0], x.shape[2], b.shape[2], x.shape[3])
    outputs = []
    for step in range(x.shape[1]):
        state = state * (dt[:, step] * a).exp()[..., None, None]
        state = state + torch.einsum("nh,ns,nhp->nhsp", dt[:, step], b[:, step], x[:, step])
        outputs.append(torch.einsum("ns,nhsp->nhp", c[:, step], state) + d[:, None] * x[:, step])
    return torch.stack(outputs, dim=1)


def arguments(dtype, device="cpu", heads=2, width=32, state=16, length=256):
    random = torch.Generator().manual_seed(3)

    def normal(*shape):
        return torch.randn(*shape, generator=random, dtype=torch.float64).to(dtype).to(device)

    dt = torch.nn.functional.softplus(normal(2, length, heads) - 2)
    a = -torch.linspace(1, 16, heads, dtype=torch.float64).to(dtype).to(device)
    return normal(2, length, heads, width), dt, a, normal(2, length, state), normal(2, length, state), normal(heads)


@pytest.mark.parametrize("chunk", [16, 32, 64])
@pytest.mark.parametrize("dtype", [torch.float64, torch.float32])
def test_chunked_scan_is_the_recurrence(chunk, dtype):
    exact = recurrence(*arguments(torch.float64))
    found = selective_scan(*arguments(dtype), chunk=chunk).double()
    error = (found - exact).abs().max() / exact.square().mean().sqrt()
    assert error < (1e-10 if dtype == torch.float64 else 2e-3)


def test_a_later_step_never_changes_an_earlier_one():
    x, *others = arguments(torch.float64)
    changed = x.clone()
    changed[:, 100:] += 1
    before, after = selective_scan(x, *others), selective_scan(changed, *others)
    assert torch.equal(before[:, :96], after[:, :96])  # whole chunks before the change
    assert not torch.allclose(before[:, 100:], after[:, 100:])


def test_length_must_be_whole_chunks():
    with pytest.raises(ValueError, match="multiple"):
        selective_scan(*arguments(torch.float32, length=40), chunk=32)


@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA GPU")
def test_triton_kernel_agrees_with_the_recurrence():
    if triton_scan() is None:
        pytest.skip("mamba-ssm's kernel is not installed")
    exact = recurrence(*arguments(torch.float64, width=64))
    found = selective_scan(*arguments(torch.float32, "cuda", width=64)).double().cpu()
    assert (found - exact).abs().max() / exact.square().mean().sqrt() < 2e-3


@pytest.mark.parametrize("by_columns", [False, True])
def test_a_layer_reads_its_lines_both_ways_and_no_other(by_columns):
    torch.manual_seed(0)
    layer = MambaLayer(32, by_columns).double()
    image = torch.randn(1, 32, 24, 40, dtype=torch.float64)
    changed = image.clone()
    changed[0, :, 10, 20] = torch.randn(32)
    moved = (layer(changed) - layer(image)).abs().sum(dim=1)[0] > 0
    line = moved[:, 20] if by_columns else moved[10]
    assert line.all() and moved.sum() == line.sum()


def test_both_directions_are_treated_alike():
    torch.manual_seed(0)
    layer = MambaLayer(32, by_columns=False).double()
    image = torch.randn(1, 32, 8, 32, dtype=torch.float64)
    assert torch.allclose(layer(image.flip(-1)), layer(image).flip(-1))
    turned = MambaLayer(32, by_columns=True).double()
    turned.load_state_dict(layer.state_dict())
    assert torch.allclose(turned(image.transpose(2, 3)), layer(image).transpose(2, 3))


def test_parameters_are_named_and_shaped_as_in_mamba_ssm():
    mixer = Mamba2(32, expand=2, head=32, state=16, kernel=4)
    shapes = {name: tuple(value.shape) for name, value in mixer.state_dict().items()}
    assert shapes == {
        "dt_bias": (2,),
        "A_log": (2,),
        "D": (2,),
        "in_proj.weight": (64 * 2 + 16 * 2 + 2, 32),
        "conv1d.weight": (96, 1, 4),
        "conv1d.bias": (96,),
        "norm.weight": (64,),
        "out_proj.weight": (32, 64),
    }


def test_kernels_of_mamba_ssm_are_reached_without_its_init(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    import sys

    from bdgf.model.network.scan import _open_mamba_ssm

    package = tmp_path / "mamba_ssm"
    package.mkdir()
    (package / "__init__.py").write_text("import selective_scan_cuda\n")
    (package / "kernels.py").write_text("here = True\n")
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.delitem(sys.modules, "mamba_ssm", raising=False)
    try:
        _open_mamba_ssm()
        from mamba_ssm.kernels import here

        assert here
    finally:
        for name in [each for each in sys.modules if each.startswith("mamba_ssm")]:
            del sys.modules[name]
