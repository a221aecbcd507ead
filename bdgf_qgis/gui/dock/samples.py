"""The samples of a layer: every change goes through QGIS's editing buffer, as one step that can be undone."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any, Optional

from qgis.core import (
    NULL,
    QgsCoordinateReferenceSystem,
    QgsCoordinateTransform,
    QgsCsException,
    QgsFeatureRequest,
    QgsField,
    QgsGeometry,
    QgsProject,
    QgsVectorLayer,
    QgsVectorLayerUtils,
)
from qgis.PyQt.QtCore import QObject, QTimer, QVariant, pyqtSignal

from ....model.shared.infos import ClassInfo
from ...raster.samples.classes import NAME_FIELD, ROLE_FIELD, code_in, text_of
from ...raster.samples.shapes import ROLES, TRAIN
from ...style.layer_classes import read_classes, write_classes
from ...translation import tr


class SamplesError(Exception):
    """What cannot be done with a layer of samples, as a sentence that names it."""


class Samples(QObject):
    """The polygons of a layer, with the classes of one of its fields.

    `edited` comes once after any number of changes, undone ones too; `classes_changed` after the classes did; `gone`
    when the layer is removed: then nothing here may be called any more.
    """

    edited = pyqtSignal()
    classes_changed = pyqtSignal()
    gone = pyqtSignal()

    def __init__(self, layer: QgsVectorLayer, field: str, project: QgsProject) -> None:
        super().__init__()
        self.layer: Optional[QgsVectorLayer] = layer
        self.field = field
        self._project = project
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self.edited)
        self._heard: list[tuple[Any, Any]] = [
            (layer.featureAdded, self._changed),
            (layer.featuresDeleted, self._changed),
            (layer.geometryChanged, self._changed),
            (layer.attributeValueChanged, self._changed),
            (layer.afterRollBack, self._changed),
            (layer.subsetStringChanged, self._changed),
            (layer.rendererChanged, self.classes_changed),
            (layer.willBeDeleted, self._gone),
        ]
        for signal, slot in self._heard:
            signal.connect(slot)

    def close(self) -> None:
        """Hear nothing more."""
        for signal, slot in self._heard:
            signal.disconnect(slot)
        self._heard.clear()
        self._later.stop()
        self.layer = None

    # ------------------------------------------------------------ what is there

    @property
    def classes(self) -> tuple[ClassInfo, ...]:
        """The classes in the layer's legend; of a layer without one those that its polygons have."""
        return read_classes(self._open(), self.field)

    def counts(self) -> dict[Optional[int], int]:
        """Polygons of each class code; under None those without a class."""
        layer = self._open()
        place = layer.fields().lookupField(self.field)
        request = QgsFeatureRequest().setFlags(QgsFeatureRequest.Flag.NoGeometry).setSubsetOfAttributes([place])
        codes = self._codes()
        return dict(Counter(codes.get(_key(feature.attribute(place))) for feature in layer.getFeatures(request)))

    # ------------------------------------------------------------ changes

    def add(
        self, geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem, code: Optional[int], role: str = TRAIN
    ) -> None:
        """Draw a polygon, without a form. Raises SamplesError where it cannot be drawn there."""
        layer = self._open()
        shape = self._in_layer(geometry, crs)
        made = QgsVectorLayerUtils.createFeature(layer, shape, self._attributes(code, role))
        features = QgsVectorLayerUtils.makeFeatureCompatible(made, layer)
        if not features:
            raise SamplesError(tr("The layer '{layer}' does not take this kind of polygon.").format(layer=layer.name()))
        with self._command(tr("Draw a sample")):
            for feature in features:
                if not layer.addFeature(feature):
                    raise SamplesError(tr("The layer '{layer}' takes no polygon.").format(layer=layer.name()))

    def reclassify(self, fids: Iterable[int], code: Optional[int]) -> None:
        """Give polygons another class."""
        with self._command(tr("Change the class of samples")):
            for fid in fids:
                self._change(fid, self._attributes(code))

    def set_role(self, fids: Iterable[int], role: str) -> None:
        """Say what polygons are for. Raises SamplesError where the layer has no field for it."""
        assert role in ROLES
        place = self._open().fields().lookupField(ROLE_FIELD)
        if place < 0:
            text = tr("The layer '{layer}' has no field '{field}': add a text field of that name to it.")
            raise SamplesError(text.format(layer=self._open().name(), field=ROLE_FIELD))
        with self._command(tr("Change the role of samples")):
            for fid in fids:
                self._change(fid, {place: role})

    def change_classes(self, classes: Iterable[ClassInfo], codes: Mapping[int, Optional[int]]) -> None:
        """Have these classes from now on, and move polygons from one code to another; None deletes them.

        Polygons are changed as one step that can be undone; undoing it leaves the classes as they are then, and those
        polygons show as ones without a class of the legend.
        """
        layer = self._open()
        place = layer.fields().lookupField(self.field)
        known = self._codes()
        write_classes(layer, self.field, tuple(classes))
        moved = {
            feature.id(): codes[known[_key(feature.attribute(place))]]
            for feature in layer.getFeatures()
            if known.get(_key(feature.attribute(place))) in codes
        }
        if moved:
            with self._command(tr("Change classes")):
                for fid, code in moved.items():
                    if code is None:
                        layer.deleteFeature(fid)
                    else:
                        self._change(fid, self._attributes(code))
        self.classes_changed.emit()

    # ------------------------------------------------------------ how

    def _open(self) -> QgsVectorLayer:
        assert self.layer is not None, "the layer is gone"
        return self.layer

    @contextmanager
    def _command(self, text: str) -> Iterator[None]:
        """One step of the layer's undo stack; taken back where it fails."""
        layer = self._open()
        if not layer.isEditable() and not layer.startEditing():
            said = tr("The layer '{layer}' cannot be edited: it is read-only. Make a new training layer.")
            raise SamplesError(said.format(layer=layer.name()))
        layer.beginEditCommand(text)
        try:
            yield
        except BaseException:
            layer.destroyEditCommand()
            raise
        layer.endEditCommand()
        layer.triggerRepaint()

    def _change(self, fid: int, values: Mapping[int, Any]) -> None:
        layer = self._open()
        for place, value in values.items():
            if not layer.changeAttributeValue(fid, place, value):
                said = tr("A polygon of the layer '{layer}' cannot be changed.")
                raise SamplesError(said.format(layer=layer.name()))

    def _attributes(self, code: Optional[int], role: str = "") -> dict[int, Any]:
        """Values by the number of their field."""
        layer = self._open()
        fields = layer.fields()
        place = fields.lookupField(self.field)
        info = next((info for info in self.classes if info.code == code), None)
        values: dict[int, Any] = {place: NULL if code is None else self._value(code, fields.at(place))}
        name, wanted = fields.lookupField(NAME_FIELD), fields.lookupField(ROLE_FIELD)
        if name >= 0 and name != place and info is not None:
            values[name] = info.name
        if role and wanted >= 0:
            values[wanted] = role
        return values

    def _value(self, code: int, field: QgsField) -> Any:
        """What the class field says of a class: of a text field that holds names its name."""
        if field.type() != QVariant.String:
            return code
        texts = [text for text, known in self._codes().items() if known == code]
        return texts[0] if texts else str(code)

    def _codes(self) -> dict[str, int]:
        """Class codes by the text in the class field."""
        layer = self._open()
        field = layer.fields().at(layer.fields().lookupField(self.field))
        infos = self.classes
        numbers = field.type() != QVariant.String or all(code_in(info.name) is not None for info in infos)
        return {str(info.code) if numbers else info.name: info.code for info in infos}

    def _in_layer(self, geometry: QgsGeometry, crs: QgsCoordinateReferenceSystem) -> QgsGeometry:
        layer = self._open()
        shape = QgsGeometry(geometry)
        if crs.isValid() and layer.crs().isValid() and crs != layer.crs():
            try:
                shape.transform(QgsCoordinateTransform(crs, layer.crs(), self._project))
            except QgsCsException as error:
                said = tr("What was drawn lies where the layer '{layer}' has no coordinates.")
                raise SamplesError(said.format(layer=layer.name())) from error
        if not shape.isGeosValid():
            shape = shape.makeValid()
        if shape.isNull() or shape.isEmpty() or shape.area() <= 0:
            raise SamplesError(tr("What was drawn has no area."))
        return shape

    def _changed(self, *_: Any) -> None:
        self._later.start()

    def _gone(self) -> None:
        self.close()
        self.gone.emit()


def _key(value: Any) -> str:
    """The text by which a class is found; '' for none."""
    if value is None or value == NULL:
        return ""
    text = text_of(value)
    code = code_in(text)
    return text if code is None else str(code)
