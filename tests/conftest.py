"""What all tests share: copies of the real scenes."""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

# pytest-qgis keeps its settings in the checkout and names them to every child: QGIS started by a test goes by HOME.
for _name in ("QGIS_CUSTOM_CONFIG_PATH", "QGIS_OPTIONS_PATH"):
    os.environ.pop(_name, None)


@pytest.fixture
def scenes(tmp_path: Path) -> Callable[[str], Path]:
    """Copies a real scene by its name to a temporary folder, since QGIS writes beside the rasters it opens.

    The scenes are looked for in the folder that BDGF_SCENES names. Without them a test is
    skipped, but fails with CI=true.
    """

    def copy(name: str) -> Path:
        folder = os.environ.get("BDGF_SCENES", "")
        source = Path(folder) / name
        if not folder or not source.is_dir():
            reason = f"the real scene {name} is not there: BDGF_SCENES names the folder of scenes, and is {folder!r}"
            if os.environ.get("CI") == "true":
                pytest.fail(reason)
            pytest.skip(reason)
        target = tmp_path / name
        shutil.copytree(source, target, copy_function=shutil.copyfile)
        target.chmod(0o755)
        return target

    return copy
