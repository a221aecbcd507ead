"""The field for a model file in Processing's dialogs: a path, and the models that were written last."""

from __future__ import annotations

from pathlib import Path
from typing import Any, Optional

from qgis.core import QgsProcessingContext, QgsProcessingParameterDefinition
from qgis.gui import QgsAbstractProcessingParameterWidgetWrapper, QgsGui, QgsProcessingGui
from qgis.PyQt.QtCore import Qt
from qgis.PyQt.QtWidgets import QComboBox, QFileDialog, QHBoxLayout, QSizePolicy, QToolButton, QWidget

from ..translation import tr
from ..workflows.model_files import recent_models

_LETTERS = 30  # that the field shows at least


class ModelFileBox:
    """What a file parameter names in its metadata, with the kinds of models to offer; Processing calls it.

    The toolbox and the batch dialog get the list, with the newest model chosen where one must be given; the model
    designer keeps QGIS's own field, which also takes a model's inputs and the results of its steps.
    """

    def __new__(cls, parameter: Any, dialog: Any, row: int = 0, column: int = 0, kinds: tuple[str, ...] = ()) -> Any:
        """The wrapper that Processing wants, of another class."""
        if type(dialog).__name__ == "ModelerParametersDialog":
            registry = QgsGui.processingGuiRegistry()
            made = registry.createModelerParameterWidget(dialog.model, dialog.childId, parameter, dialog.context)
        else:
            offered = [path for kind in kinds for path in recent_models(kind)]
            if offered and not parameter.flags() & QgsProcessingParameterDefinition.FlagOptional:
                parameter.setGuiDefaultValueOverride(offered[0])
            batch = type(dialog).__name__ == "BatchAlgorithmDialog"
            made = _Wrapper(parameter, QgsProcessingGui.Batch if batch else QgsProcessingGui.Standard, offered)
        made.setDialog(dialog)
        return made


class _Wrapper(QgsAbstractProcessingParameterWidgetWrapper):
    def __init__(self, parameter: Any, kind: Any, offered: list[str]) -> None:
        super().__init__(parameter, kind)
        self._offered = offered
        self._filter = parameter.createFileFilter()
        self.box: Optional[QComboBox] = None

    def createWidget(self) -> QWidget:
        """The field: a path that can be typed, a list, a button to browse."""
        widget, layout = QWidget(), QHBoxLayout()
        layout.setContentsMargins(0, 0, 0, 0)
        self.box = QComboBox()
        self.box.setEditable(True)
        self.box.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToMinimumContentsLengthWithIcon)
        self.box.setMinimumContentsLength(_LETTERS)
        self.box.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.box.lineEdit().setPlaceholderText(tr("Choose a model file; the list has the newest ones"))
        for path in self._offered:
            self.box.addItem(path)
            self.box.setItemData(self.box.count() - 1, path, Qt.ItemDataRole.ToolTipRole)
        self.box.editTextChanged.connect(lambda _: self.widgetValueHasChanged.emit(self))
        browse = QToolButton()
        browse.setText("…")
        browse.clicked.connect(self._browse)
        layout.addWidget(self.box)
        layout.addWidget(browse)
        widget.setLayout(layout)
        # QGIS's bindings make a second Python object of what is returned here, and forget the first. Qt still asks that
        # one for its class as long as the widget lives: the slot keeps it.
        widget.destroyed.connect(lambda: widget)
        return widget

    def setWidgetValue(self, value: Any, context: QgsProcessingContext) -> None:
        """Show a value."""
        if self.box is not None:
            self.box.setEditText(value if isinstance(value, str) else "")

    def widgetValue(self) -> Optional[str]:
        """The path; None where the field is empty."""
        return (self.box.currentText().strip() if self.box is not None else "") or None

    def _browse(self) -> None:
        assert self.box is not None
        chosen = self.box.currentText() or next(iter(self._offered), "")
        folder = str(Path(chosen).parent) if chosen else ""
        path, _ = QFileDialog.getOpenFileName(self.box, tr("Choose a model file"), folder, self._filter)
        if path:
            self.box.setEditText(path)
