"""The last part of the dock: *Train and map*, and what rounds came to."""

from __future__ import annotations

import datetime
from pathlib import Path
from typing import Any, Optional

from qgis.PyQt.QtCore import Qt, QUrl, pyqtSignal
from qgis.PyQt.QtGui import QDesktopServices
from qgis.PyQt.QtWidgets import (
    QAbstractItemView,
    QComboBox,
    QHBoxLayout,
    QHeaderView,
    QLabel,
    QMenu,
    QProgressBar,
    QPushButton,
    QTreeWidget,
    QTreeWidgetItem,
    QVBoxLayout,
    QWidget,
)

from ....model.shared.settings import PRESETS
from ...translation import tr
from .rounds import Round, Rounds

_ROUND = Qt.ItemDataRole.UserRole
_MOST_ROWS = 4


class RoundSection(QWidget):
    """Shows Rounds; `wanted(preset)` asks for one, `failed(sentence)` says what could not be done."""

    wanted = pyqtSignal(str)
    failed = pyqtSignal(str)

    def __init__(self, rounds: Rounds, parent: Optional[QWidget] = None) -> None:
        super().__init__(parent)
        self._rounds = rounds
        self.preset = QComboBox()
        self.preset.addItems(list(PRESETS))
        self.preset.setCurrentText("quick")
        self.preset.setToolTip(
            tr("instant: seconds. quick: a minute or two without a GPU. standard: for results. thorough: for a night.")
        )
        self.button = QPushButton(tr("Train and map"))
        self.button.setToolTip(tr("Train a model on the samples and map the whole scene, in the background"))
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setMaximumHeight(10)
        self.cancel = QPushButton(tr("Cancel"))
        self.text = QLabel()
        self.text.setWordWrap(True)
        self.history = QTreeWidget()
        self.history.setHeaderLabels([tr("Round"), tr("Preset"), tr("Accuracy")])
        self.history.setRootIsDecorated(False)
        self.history.setSelectionMode(QAbstractItemView.SelectionMode.SingleSelection)
        self.history.setToolTip(tr("A double click shows the map of a round, a right click its report"))
        self.history.setContextMenuPolicy(Qt.ContextMenuPolicy.CustomContextMenu)
        header = self.history.header()
        header.setStretchLastSection(False)
        header.setSectionResizeMode(0, QHeaderView.ResizeMode.Stretch)
        for column in (1, 2):
            header.setSectionResizeMode(column, QHeaderView.ResizeMode.ResizeToContents)
        first, second = QHBoxLayout(), QHBoxLayout()
        first.addWidget(self.button, 1)
        first.addWidget(self.preset)
        second.addWidget(self.bar, 1)
        second.addWidget(self.cancel)
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addLayout(first)
        layout.addLayout(second)
        layout.addWidget(self.text)
        layout.addWidget(self.history)
        self.button.clicked.connect(lambda: self.wanted.emit(self.preset.currentText()))
        self.cancel.clicked.connect(rounds.cancel)
        self.history.itemDoubleClicked.connect(lambda item, _: self._show_map(item.data(0, _ROUND)))
        self.history.customContextMenuRequested.connect(self._offer)
        rounds.progressed.connect(self._progressed)
        rounds.ended.connect(self._ended)
        rounds.changed.connect(self.show_history)
        self._show_running(False)
        self.text.hide()
        self.show_history()

    def started(self) -> None:
        """A round began."""
        self.bar.setValue(0)
        self.text.setText(tr("Training ..."))
        self.text.show()
        self._show_running(True)

    def show_history(self) -> None:
        """List the rounds that the project remembers, the last one first."""
        self.history.clear()
        for done in self._rounds.history:
            accuracy = "" if done.overall is None else f"{done.overall:.1%}"
            day, _, time = done.time.partition(" ")
            when = time if day == datetime.date.today().isoformat() else day
            item = QTreeWidgetItem([when, done.preset, accuracy])
            item.setTextAlignment(2, Qt.AlignmentFlag.AlignRight)
            item.setToolTip(0, f"{done.time}\n{done.map}")
            item.setData(0, _ROUND, done)
            self.history.addTopLevelItem(item)
        count = self.history.topLevelItemCount()
        self.history.setVisible(bool(count))
        height = self.history.sizeHintForRow(0) if count else 0
        self.history.setFixedHeight(
            min(count, _MOST_ROWS) * height + self.history.header().sizeHint().height() + 2 * self.history.frameWidth()
        )

    def _show_running(self, running: bool) -> None:
        self.button.setEnabled(not running)
        for widget in (self.bar, self.cancel):
            widget.setVisible(running)

    def _progressed(self, percent: float, text: str) -> None:
        self.bar.setValue(round(percent))
        if text:
            self.text.setText(text)

    def _ended(self, well: bool, text: str) -> None:
        self._show_running(False)
        self.text.setText(text)
        self.text.show()

    def _offer(self, place: Any) -> None:
        item = self.history.itemAt(place)
        if item is None:
            return
        done: Round = item.data(0, _ROUND)
        menu = QMenu(self)
        menu.addAction(tr("Show its map"), lambda: self._show_map(done))
        report = menu.addAction(
            tr("Open its report"), lambda: QDesktopServices.openUrl(QUrl.fromLocalFile(done.report))
        )
        report.setEnabled(Path(done.report).is_file())
        menu.exec(self.history.viewport().mapToGlobal(place))
        menu.deleteLater()

    def _show_map(self, done: Round) -> None:
        if self._rounds.show(done) is None:
            self.failed.emit(tr("The map {path} is no longer there.").format(path=done.map))
