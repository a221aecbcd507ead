"""The options page, the offer to set up PyTorch, and what is read from QGIS's settings."""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from qgis.core import QgsProcessingProvider, QgsSettings
from qgis.gui import QgsMessageBar
from qgis.PyQt.QtCore import QCoreApplication, pyqtSignal
from qgis.PyQt.QtNetwork import QNetworkProxy
from qgis.PyQt.QtWidgets import QMainWindow, QPushButton

from bdgf.bdgf_qgis.algorithms.create_training_layer import CreateTrainingLayer
from bdgf.bdgf_qgis.algorithms.train import Train
from bdgf.bdgf_qgis.engine.errors import EnvironmentMissing
from bdgf.bdgf_qgis.environment.installation.pins import fingerprint
from bdgf.bdgf_qgis.environment.managed import Managed, environments, python_inside, write_state
from bdgf.bdgf_qgis.environment.python import find_python
from bdgf.bdgf_qgis.gui import interpreter_box, offer, options_page
from bdgf.bdgf_qgis.gui.additions import Additions
from bdgf.bdgf_qgis.gui.installer import Installer
from bdgf.bdgf_qgis.gui.options_page import OptionsPage
from bdgf.bdgf_qgis.preferences import (
    Preferences,
    read_preferences,
    wished_device,
    write_preferences,
)
from bdgf.bdgf_qgis.workflows import session
from bdgf.bdgf_qgis.workflows.environment import overruling_python
from bdgf.bdgf_qgis.workflows.network_settings import proxy_address
from bdgf.model.shared.jobs import CacheFolder
from bdgf.tests.engine.helpers import fake_start, session_of


class Provider(QgsProcessingProvider):
    torch_wanted = pyqtSignal()

    def loadAlgorithms(self) -> None:
        self.addAlgorithm(Train())
        self.addAlgorithm(CreateTrainingLayer())

    def id(self) -> str:
        return "test_of_the_offer"

    def name(self) -> str:
        return self.id()


class Iface:
    """What of QGIS's window is asked for."""

    def __init__(self) -> None:
        self.window = QMainWindow()
        self.bar = QgsMessageBar(self.window)
        self.window.setCentralWidget(self.bar)
        self.factories: list[Any] = []

    def mainWindow(self) -> QMainWindow:
        return self.window

    def messageBar(self) -> QgsMessageBar:
        return self.bar

    def registerOptionsWidgetFactory(self, factory: Any) -> None:
        self.factories.append(factory)

    def unregisterOptionsWidgetFactory(self, factory: Any) -> None:
        self.factories.remove(factory)

    def __getattr__(self, name: str) -> Any:
        """Menus and tool bars, which nobody looks at here."""
        if name.startswith(("add", "remove", "register", "unregister")):
            return lambda *_: True
        raise AttributeError(name)


class StubInstaller(Installer):
    """Says that it runs and does nothing."""

    action = ""

    @property
    def running(self) -> bool:
        return bool(self.action)

    def start(self, action: str = "install") -> None:
        self.action = action

    def finish(self, well: bool, text: str) -> None:
        self.action = ""
        self.ended.emit(well, text)


def soon(condition: Callable[[], bool], seconds: float = 5.0) -> bool:
    end = time.monotonic() + seconds
    while not condition() and time.monotonic() < end:
        QCoreApplication.processEvents()
        time.sleep(0.01)
    return condition()


@pytest.fixture(autouse=True)
def home(qgis_app: Any, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A profile of the test's own, and no settings."""
    folder = tmp_path / "profile" / "bdgf"
    for module in (options_page, session, interpreter_box, offer):
        monkeypatch.setattr(module, "profile_home", lambda: folder)
    monkeypatch.delenv("BDGF_PYTHON", raising=False)
    write_preferences(Preferences())
    yield folder
    write_preferences(Preferences())


def installed(home: Path, pins: str) -> Path:
    python = python_inside(environments(home) / "e1")
    python.parent.mkdir(parents=True)
    python.write_text("")
    write_state(home, Managed("e1", pins, "0.0.9"))
    return python


# ---------------------------------------------------------------- settings


def test_settings_go_in_and_out(home: Path) -> None:
    assert read_preferences() == Preferences()
    chosen = Preferences(
        python=sys.executable, device="cuda:1", cache="/big/disk", idle=0, torch_backend="none", uv="/uv"
    )
    write_preferences(chosen)
    assert read_preferences() == chosen
    assert QgsSettings().value("bdgf/python") == sys.executable
    assert chosen.cache_folder(home) == Path("/big/disk/bdgf-cache"), "a folder of the user's is never emptied"
    assert chosen.uv == "/uv"
    assert chosen.pretraining_cache(home) == CacheFolder("/big/disk/bdgf-cache/pre-training", 200 * 1024**2)
    assert Preferences(pretrained=0).pretraining_cache(home) is None
    assert Path(Preferences(cache="beside").pretraining_cache(home).path).is_absolute()  # type: ignore[union-attr]
    write_preferences(Preferences())
    assert not [key for key in QgsSettings().allKeys() if key.startswith("bdgf/")]
    assert Preferences().cache_folder(home) == home / "cache"


def test_a_broken_number_counts_as_not_set() -> None:
    QgsSettings().setValue("bdgf/idle", "soon")
    assert read_preferences().idle == Preferences().idle


def test_the_device_of_all_runs() -> None:
    write_preferences(Preferences(device="cuda:1"))
    assert wished_device("auto") == wished_device("") == "cuda:1"
    assert wished_device("cpu") == "cpu"


@pytest.mark.parametrize(
    ("kind", "entry", "expected"),
    [
        (QNetworkProxy.ProxyType.HttpProxy, ("", ""), "http://proxy.local:3128"),
        (QNetworkProxy.ProxyType.HttpProxy, ("anna", "p@ss:w/rd"), "http://anna:p%40ss%3Aw%2Frd@proxy.local:3128"),
        (QNetworkProxy.ProxyType.Socks5Proxy, ("anna", ""), "socks5h://anna@proxy.local:3128"),
        (QNetworkProxy.ProxyType.NoProxy, ("", ""), ""),
        (QNetworkProxy.ProxyType.DefaultProxy, ("", ""), ""),
    ],
)
def test_proxy(kind: Any, entry: tuple[str, str], expected: str) -> None:
    assert proxy_address(QNetworkProxy(kind, "proxy.local", 3128, *entry)) == expected


# ---------------------------------------------------------------- options page


def test_page_shows_and_stores(home: Path) -> None:
    page = OptionsPage(StubInstaller())
    assert page.interpreter.own.isChecked() and "Not installed" in page.interpreter.state.text()
    assert page.interpreter.install.text() == "Install" and not page.interpreter.remove.isEnabled()
    page.interpreter.other.setChecked(True)
    page.interpreter.path.setFilePath(sys.executable)
    page.device.setCurrentText("cuda:1")
    page.idle.setValue(7)
    page.pretrained.setValue(0)
    page.backend.setCurrentText("cpu")
    assert read_preferences() == Preferences(), "stored by OK alone"
    page.apply()
    assert read_preferences() == Preferences(
        python=sys.executable, device="cuda:1", pretrained=0, idle=7, torch_backend="cpu"
    )
    again = OptionsPage(StubInstaller())
    assert again.preferences() == read_preferences()
    again.interpreter.own.setChecked(True)
    assert again.preferences().python == ""


def test_page_says_which_python_is_used_and_who_named_it(
    home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session, "find_python", partial(find_python, root=tmp_path))
    python = tmp_path / "my env" / "python"
    python.parent.mkdir()
    python.write_text("")
    python.chmod(0o755)
    box = OptionsPage(StubInstaller()).interpreter
    assert "not set up yet" in box.in_use.text() and box.state.text() == "Not installed."
    box.other.setChecked(True)
    assert "not set up yet" in box.in_use.text()
    box.path.setFilePath(str(python))
    assert box.in_use.text() == f"BDGF computes with {python}, named on this page."
    box.path.setFilePath(str(tmp_path / "none"))
    assert f"names {tmp_path / 'none'}, which is no program" in box.in_use.text()
    installed(home, fingerprint())
    assert "no program" in box.in_use.text(), "what is named goes before what is installed"
    box.own.setChecked(True)
    assert box.in_use.text() == "BDGF computes with its own environment."

    monkeypatch.setenv("BDGF_PYTHON", str(python))
    box = OptionsPage(StubInstaller()).interpreter
    ruled = f"BDGF computes with {python}. The variable BDGF_PYTHON names it and rules over this page."
    assert box.in_use.text() == ruled
    box.other.setChecked(True)
    box.path.setFilePath("/usr/bin/python3")
    assert box.in_use.text() == ruled
    monkeypatch.setenv("BDGF_PYTHON", str(tmp_path))
    box.refresh()
    assert f"The variable BDGF_PYTHON names {tmp_path}, which is no program" in box.in_use.text()


def test_an_installation_says_who_overrules_it(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    installed(home, fingerprint())
    assert overruling_python() == ""
    monkeypatch.setenv("BDGF_PYTHON", "/usr/bin/python3")
    said = overruling_python()
    assert said == "The variable BDGF_PYTHON names another Python (/usr/bin/python3), which BDGF goes on using."
    monkeypatch.setenv("BDGF_PYTHON", str(tmp_path))
    assert "which is no program" in overruling_python()


def test_page_says_so_in_a_checkout(home: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    python = python_inside(tmp_path / "build" / "venv")
    python.parent.mkdir(parents=True)
    python.write_text("")
    monkeypatch.setattr(session, "find_python", partial(find_python, root=tmp_path))
    assert interpreter_box.python_in_use("") == f"BDGF computes with {python}, made for its development."


def test_changed_settings_end_the_worker_that_waits(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(session, "worker_command", lambda python: fake_start())
    with session.worker_session(str(tmp_path)) as worker:
        process = worker.process_id
    assert process is not None
    page = OptionsPage(StubInstaller())
    page.apply()
    assert session_of(process), "nothing was changed"
    page.idle.setValue(0)
    page.apply()
    assert soon(lambda: not session_of(process))


def test_page_measures_and_clears_the_cache(home: Path) -> None:
    cache = home / "cache" / "downloads"
    cache.mkdir(parents=True)
    (cache / "file").write_bytes(b"x" * 3 * 1024 * 1024)
    page = OptionsPage(StubInstaller())
    assert soon(lambda: page.cache_size.text() == "3.0 MiB"), page.cache_size.text()
    page.clear.click()
    assert soon(lambda: page.cache_size.text() == "empty") and not cache.exists()
    assert not page.clear.isEnabled()


def test_page_tests_a_python_of_the_users(tmp_path: Path) -> None:
    page = OptionsPage(StubInstaller())
    page.interpreter.other.setChecked(True)
    page.interpreter.path.setFilePath("/usr/bin/python3")
    page.interpreter.test.click()
    assert soon(lambda: "safetensors is missing" in page.interpreter.found.text()), page.interpreter.found.text()
    page.interpreter.path.setFilePath(str(tmp_path / "none"))
    assert page.interpreter.found.text() == "", "what was said is of another Python"


def test_page_says_what_is_installed_and_follows_an_installation(home: Path) -> None:
    python = installed(home, fingerprint())
    installer = StubInstaller()
    page = OptionsPage(installer)
    box = page.interpreter
    assert str(python) in box.state.text() and box.remove.isEnabled()
    box.install.click()
    assert installer.action == "install" and not box.install.isEnabled()
    installer.progressed.emit(40.0, "Installing PyTorch: torch (2.4 GiB), 3 to go")
    assert box.panel.bar.value() == 400 and "2.4 GiB" in box.panel.text.text()
    installer.finish(True, "Ready.")
    assert box.install.isEnabled() and box.panel.text.text() == "Ready."
    write_state(home, Managed("e1", "older", "0.0.9"))
    box.refresh()
    assert box.install.text() == "Update" and "0.0.9" in box.state.text()


def test_an_installation_outlives_the_page(home: Path) -> None:
    installer = StubInstaller()
    page = OptionsPage(installer)
    page.interpreter.install.click()
    page.deleteLater()
    del page
    QCoreApplication.sendPostedEvents(None, 52)  # DeferredDelete
    installer.finish(False, "It failed.")


def test_sizes() -> None:
    assert options_page.readable_size(0) == "empty" and options_page.readable_size(2048) == "2 KiB"
    assert options_page.readable_size(5 * 1024**3) == "5.0 GiB"


# ---------------------------------------------------------------- offer


@pytest.fixture
def missing(monkeypatch: pytest.MonkeyPatch) -> None:
    def find(*arguments: Any, **named: Any) -> None:
        raise EnvironmentMissing("none")

    monkeypatch.setattr(offer, "chosen_python", find)


@pytest.fixture
def additions() -> Iterator[tuple[Iface, Provider, Additions]]:
    iface, provider = Iface(), Provider()
    provider.refreshAlgorithms()
    additions = Additions(iface, provider)
    additions._later.stop()
    yield iface, provider, additions
    additions.close()
    assert iface.factories == [] and iface.bar.currentItem() is None


def test_opening_train_without_pytorch_offers_it(missing: None, additions: tuple[Iface, Provider, Additions]) -> None:
    iface, provider, made = additions
    assert provider.algorithm("createtraininglayer").createCustomParametersWidget(None) is None
    assert made.offer.dialog is None, "needs no PyTorch"
    assert provider.algorithm("train").createCustomParametersWidget(None) is None, "the usual dialog"
    dialog = made.offer.dialog
    assert dialog is not None and dialog.isVisible()
    dialog.later.click()
    assert not dialog.isVisible()

    made.offer.torch_wanted()
    bar = iface.bar.currentItem()
    assert bar is not None and "PyTorch" in bar.text() and not dialog.isVisible(), "only a bar the next time"
    bar.findChildren(QPushButton)[0].click()
    assert made.offer.dialog is not None and made.offer.dialog.isVisible() and iface.bar.currentItem() is None


def test_one_click_installs(
    missing: None, additions: tuple[Iface, Provider, Additions], monkeypatch: pytest.MonkeyPatch
) -> None:
    iface, _, made = additions
    started: list[str] = []
    monkeypatch.setattr(made.installer, "start", lambda action="install": started.append(action))
    made.offer.open_dialog(update=False)
    dialog = made.offer.dialog
    assert dialog is not None
    dialog.install.click()
    assert started == ["install"] and not dialog.install.isEnabled()
    made.installer.ended.emit(False, "No connection.")
    assert dialog.install.isEnabled() and "No connection." in dialog.panel.text.text()
    dialog.install.click()
    dialog.later.click()
    made.installer.ended.emit(True, "Ready.")
    bar = iface.bar.currentItem()
    assert bar is not None and "Ready." in bar.text(), "told where the dialog was closed"
    iface.bar.clearWidgets()


def test_where_pytorch_is_there_nothing_is_offered(
    additions: tuple[Iface, Provider, Additions], monkeypatch: pytest.MonkeyPatch
) -> None:
    iface, provider, made = additions
    monkeypatch.setenv("BDGF_PYTHON", "/bin/sh")
    provider.torch_wanted.emit()
    made.offer.look_for_update()
    assert made.offer.dialog is None and iface.bar.currentItem() is None


def test_an_older_environment_is_offered_an_update(home: Path, additions: tuple[Iface, Provider, Additions]) -> None:
    iface, _, made = additions
    python = installed(home, "older")
    python.chmod(0o755)
    made.offer.look_for_update()
    bar = iface.bar.currentItem()
    assert bar is not None and "newer packages" in bar.text()
    made.offer.open_dialog(update=True)
    assert made.offer.dialog is not None and made.offer.dialog.install.text() == "Update now"
    write_state(home, Managed("e1", fingerprint(), "1"))
    made.offer.look_for_update()
    assert iface.bar.currentItem() is None
