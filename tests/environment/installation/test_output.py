"""What is read from the output of uv and pip, and what is kept out of the log."""

from __future__ import annotations

from pathlib import Path

import pytest

from bdgf.bdgf_qgis.environment.installation.install_log import InstallLog
from bdgf.bdgf_qgis.environment.installation.output import PackageProgress, explanation
from bdgf.bdgf_qgis.environment.redaction import redact

# as uv 0.13 prints without a terminal
UV = """Using Python 3.11.2 environment at: env
Resolved 19 packages in 365ms
Downloading scipy (33.7MiB)
Downloading torch (2.4GiB)
Downloading numpy (16.1MiB)
 Downloaded numpy
 Downloaded scipy
 Downloaded torch
Prepared 19 packages in 5.75s
Installed 19 packages in 245ms
 + torch==2.13.0"""
# as pip 23 prints
PIP = """Collecting torch==2.13.0
  Downloading torch-2.13.0-cp312-cp312-manylinux_2_28_x86_64.whl (888.1 MB)
Collecting numpy==2.4.6
  Downloading numpy-2.4.6-cp312-cp312-manylinux_2_28_x86_64.whl (16.1 MB)
Installing collected packages: numpy, torch"""


@pytest.mark.parametrize("text", [UV, PIP], ids=["uv", "pip"])
def test_progress_by_package_never_falls(text: str) -> None:
    progress, seen = PackageProgress(), []
    for line in text.splitlines():
        progress.feed(line)
        seen.append((progress.fraction, progress.text))
    fractions = [each[0] for each in seen]
    assert fractions == sorted(fractions) and fractions[-1] >= 0.8
    assert any("torch (" in each[1] for each in seen), seen


def test_the_largest_package_on_the_way_is_named() -> None:
    progress = PackageProgress()
    for line in UV.splitlines()[:5]:
        progress.feed(line)
    assert progress.text == "torch (2.4 GiB), 3 to go"


@pytest.mark.parametrize(
    ("line", "word"),
    [
        ("error: failed to write: No space left on device (os error 28)", "disk is full"),
        ("OSError: [Errno 27] File too large", "disk is full"),
        ("  cause: invalid peer certificate: UnknownIssuer", "certificate"),
        ("ERROR: HTTP error 407 Proxy Authentication Required", "proxy refused"),
        ("ERROR: THESE PACKAGES DO NOT MATCH THE HASHES FROM THE REQUIREMENTS FILE", "not what this plugin expects"),
        ("  cause: dns error", "no connection"),
        ("ERROR: Could not find a version that satisfies the requirement torch (from versions: none)", "no connection"),
        ("  x No solution found when resolving dependencies", "no build"),
        ("panicked", "it ended with exit code 2"),
    ],
)
def test_the_cause_is_told_in_words(line: str, word: str) -> None:
    assert word in explanation(["Resolved 1 package", line], "it ended with exit code 2")


def test_a_file_limit_reads_as_a_full_disk() -> None:
    assert "disk is full" in explanation([], "it was killed by signal SIGXFSZ")


@pytest.mark.parametrize(
    "text",
    [
        "fetching http://anna:geheim@proxy:3128/simple",
        "GET /simple?token=geheim&x=1",
        "Authorization: Basic geheim",
        "proxy says: user anna with geheim",
    ],
)
def test_secrets_stay_out(text: str, tmp_path: Path) -> None:
    log = InstallLog(tmp_path, ("geheim",))
    log.write(text)
    log.close()
    assert "geheim" not in log.path.read_text()
    assert "geheim" not in redact(text, ["geheim"])
    assert "proxy" not in text or "proxy" in redact(text, ["geheim"])


def test_encoded_secrets_too() -> None:
    assert redact("said p@ss and p%40ss", ["p%40ss"]) == "said *** and ***"


def test_a_log_that_cannot_be_written_stops_nothing(tmp_path: Path) -> None:
    (tmp_path / "installation.log").mkdir()
    log = InstallLog(tmp_path)
    log.write("hello")
    log.close()
