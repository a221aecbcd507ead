"""The sentence of the check, its report, and the look at a Python that the user names."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bdgf.bdgf_qgis.environment.diagnosis.requirements import satisfies, suitability_of
from bdgf.bdgf_qgis.environment.diagnosis.verdict import DeviceCheck, trouble_of, verdict
from bdgf.bdgf_qgis.environment.diagnosis.worker_check import Diagnosis
from bdgf.bdgf_qgis.environment.python import WorkerPython
from bdgf.bdgf_qgis.environment.redaction import without_names
from bdgf.model.shared.events import Checked, DeviceInfo, KernelCheck, PackageInfo

CPU = DeviceInfo("cpu", "CPU, 8 threads", 0, 0, "", "")
SMALL = DeviceInfo("cuda:0", "Small", 8 << 30, 2 << 30, "8.6", "")
LARGE = DeviceInfo("cuda:1", "Large", 16 << 30, 15 << 30, "9.0", "")
OLD = DeviceInfo("cuda:2", "Old", 0, 0, "6.1", "too old for this PyTorch")
FINE = (KernelCheck("convolution", 1e-6, 0.2, ""), KernelCheck("fast scan (Triton)", -1, 0, "not installed", False))
BAD = (KernelCheck("convolution", 0.3, 0.2, "its result is off by 30.0%"),)


def facts(*devices: DeviceInfo, build: str = "CUDA 13.0, cuDNN 91300", cards: tuple[str, ...] = ()) -> Checked:
    packages = (PackageInfo("torch", "2.13.0"), PackageInfo("triton", ""))
    return Checked("3.12.1", "Linux", "2.13.0", build, "580.65" if cards else "", cards, 8, packages, devices, ())


def checks(*devices: DeviceInfo, broken: str = "") -> list[DeviceCheck]:
    found = []
    for info in devices:
        kernels = BAD if info.device == broken else FINE
        found.append(DeviceCheck(info, kernels, trouble_of(info, kernels)))
    return found


@pytest.mark.parametrize(
    ("wish", "devices", "broken", "device", "words"),
    [
        ("auto", (CPU, SMALL, LARGE), "", "cuda:1", "Large (cuda:1) will be used, the one with most free memory"),
        ("auto", (CPU, SMALL, LARGE), "cuda:1", "cuda:0", "Small (cuda:0) will be used."),
        ("auto", (CPU, OLD), "", "cpu", "because no GPU works: Old (cuda:2): too old for this PyTorch"),
        ("auto", (CPU,), "", "cpu", "there is no GPU that PyTorch can use"),
        ("cuda", (CPU, SMALL), "", "cuda:0", "as it was asked for"),
        ("cuda:1", (CPU, LARGE), "cuda:1", "cpu", "because cuda:1 does not work: convolution: its result is off"),
        ("cuda:7", (CPU, SMALL), "", "", "Device cuda:7 is not there"),
        ("cpu", (CPU, LARGE), "", "cpu", "as it was asked for"),
        ("auto", (CPU, LARGE), "cpu", "", "the CPU itself failed"),
    ],
)
def test_sentences(wish: str, devices: tuple[DeviceInfo, ...], broken: str, device: str, words: str) -> None:
    found = verdict(wish, facts(*devices), checks(*devices, broken=broken))
    assert found.device == device and words in found.sentence
    assert found.sentence.count("\n") == 0 and found.sentence.endswith(".")


def test_a_card_that_is_there_and_not_used_is_explained() -> None:
    cpu_build = facts(CPU, build="CPU only", cards=("GTX 1650",))
    assert "a build for the CPU, although GTX 1650 is there" in verdict("auto", cpu_build, checks(CPU)).sentence
    old_driver = facts(CPU, cards=("GTX 1650",))
    assert "driver 580.65 may be too old for CUDA 13.0" in verdict("auto", old_driver, checks(CPU)).sentence


def test_the_report_holds_no_names(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from bdgf.bdgf_qgis.report import check as module

    home = str(tmp_path / "mapmaker")
    hide = lambda text: without_names(text, home, ("mapmaker", "office-pc"))  # noqa: E731
    monkeypatch.setattr(module, "anonymous", hide)
    python = WorkerPython(f"{home}/conda/bin/python", "setting bdgf/python")
    devices = tuple(checks(CPU, replace(OLD, trouble=f"the log is {home}/log of office-pc")))
    found = facts(CPU, OLD)
    report = module.CheckReport(
        Diagnosis(python, found, devices, "auto", verdict("auto", found, devices)), (("Plugin", "BDGF 1"),)
    )
    for text in (report.text(), report.html()):
        assert "mapmaker" not in text and "office-pc" not in text
        assert "~/conda/bin/python" in text and "2.13.0" in text and "will be used" in text
    assert "fast scan (Triton): not installed" in report.text() and "FAILED" not in report.text()


@pytest.mark.parametrize(
    ("home", "text", "expected"),
    [
        ("/users/mapmaker", "at /users/mapmaker/x", "at ~/x"),
        ("D:\\Users\\Mapmaker", "D:\\Users\\Mapmaker\\AppData and d:/users/mapmaker/y", "~\\AppData and ~/y"),
        ("/users/mapmaker", "user mapmaker on PC1.", "user *** on ***."),
        ("/users/mapmaker", "mapmakers and PC12 stay", "mapmakers and PC12 stay"),
    ],
)
def test_names_are_taken_out_where_they_stand_alone(home: str, text: str, expected: str) -> None:
    assert without_names(text, home, ("mapmaker", "pc1")) == expected


# ---------------------------------------------------------------- a Python of the user's own


def test_the_development_environment_fits() -> None:
    found = suitability_of(sys.executable)
    assert found.fits, found.lacking
    assert dict(found.packages)["torch"].startswith("2.")


def test_what_is_missing_or_does_not_fit_is_listed(tmp_path: Path) -> None:
    wanted = tmp_path / "requirements.txt"
    wanted.write_text("numpy>=1.24,<1.25\nnot-a-package>=2\npytest\n")
    found = suitability_of(sys.executable, wanted)
    assert any(each.startswith("numpy ") and "needs >=1.24,<1.25" in each for each in found.lacking)
    assert "not-a-package is missing (BDGF needs >=2)." in found.lacking
    assert len(found.lacking) == 2


def test_what_is_no_python_is_told(tmp_path: Path) -> None:
    assert suitability_of(str(tmp_path / "none")).lacking == (f"There is no file {tmp_path / 'none'}.",)
    other = tmp_path / "other"
    other.write_text("#!/bin/sh\necho hello\n")
    other.chmod(0o755)
    assert "did not answer as a Python does" in suitability_of(str(other)).lacking[0]
    other.write_text("#!/bin/sh\nexec sleep 60\n")
    assert "did not answer" in suitability_of(str(other), timeout=0.3).lacking[0]


@pytest.mark.parametrize(
    ("version", "condition", "fits"),
    [
        ("2.13.0+cu130", ">=2.11,<2.14", True),
        ("2.14.0", ">=2.11,<2.14", False),
        ("2.9.1", ">=2.11", False),
        ("0.26", "==0.26.0", True),
        ("1.26.4", "!=1.26.4", False),
        ("2.1rc1", ">=2", True),
        ("3", "", True),
    ],
)
def test_versions(version: str, condition: str, fits: bool) -> None:
    assert satisfies(version, condition) is fits
