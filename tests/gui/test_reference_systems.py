"""Reference systems outlive the thread that met them first: layers, project, its file, and a layer drawn later."""

from __future__ import annotations

import pytest

from bdgf.tests.gui.real_window import Window, open_window


@pytest.fixture(scope="module")
def window(tmp_path_factory: pytest.TempPathFactory) -> Window:
    return open_window(tmp_path_factory.mktemp("window"), "reference_systems.py", 120)


def test_after_the_demo_scene_of_a_fresh_session(window: Window) -> None:
    told = window.of("dialogs")
    assert told["well"]
    assert told["layers"] == dict.fromkeys(("optical", "dsm", "training"), True)
    assert told["project"] and told["saved_without"] == 0
    assert told["drawn"] == 32632


def test_after_algorithms_in_a_model(window: Window) -> None:
    told = window.of("model")
    assert told["well"]
    assert told["layers"] == dict.fromkeys(("in_3035", "in_25832"), True)
    assert told["drawn"] == 3035
