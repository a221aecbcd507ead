"""The Processing provider `bdgf`."""

from __future__ import annotations

from qgis.core import QgsProcessingProvider
from qgis.PyQt.QtCore import pyqtSignal
from qgis.PyQt.QtGui import QIcon

from .algorithms.assess import Assess
from .algorithms.check_environment import CheckEnvironment
from .algorithms.classify import Classify
from .algorithms.classify_folder import ClassifyFolder
from .algorithms.create_demo_scene import CreateDemoScene
from .algorithms.create_training_layer import CreateTrainingLayer
from .algorithms.install_environment import InstallEnvironment
from .algorithms.pretrain import Pretrain
from .algorithms.suggest_samples import SuggestSamples
from .algorithms.train import Train
from .resources import icon, plugin_version
from .translation import tr

ALGORITHMS = (
    CreateDemoScene,
    CreateTrainingLayer,
    Pretrain,
    Train,
    Classify,
    ClassifyFolder,
    Assess,
    SuggestSamples,
    InstallEnvironment,
    CheckEnvironment,
)


class BdgfProvider(QgsProcessingProvider):
    """Holds the algorithms of BDGF. `torch_wanted` tells the window that something that needs PyTorch is opened."""

    torch_wanted = pyqtSignal()

    def loadAlgorithms(self) -> None:
        """Add one of each."""
        for algorithm in ALGORITHMS:
            self.addAlgorithm(algorithm())

    def id(self) -> str:
        """The public id."""
        return "bdgf"

    def name(self) -> str:
        """The name in the toolbox."""
        return tr("BDGF")

    def longName(self) -> str:
        """The name in full."""
        return tr("BDGF: land cover from several rasters")

    def versionInfo(self) -> str:
        """The plugin's version."""
        return plugin_version()

    def icon(self) -> QIcon:
        """The plugin's icon."""
        return icon()

    def defaultVectorFileExtension(self, hasGeometry: bool = True) -> str:
        """GeoPackage: it keeps the style with the data."""
        return "gpkg"

    def defaultRasterFileExtension(self) -> str:
        """GeoTIFF."""
        return "tif"

    def supportedOutputVectorLayerExtensions(self) -> list[str]:
        """GeoPackage only."""
        return ["gpkg"]

    def supportedOutputRasterLayerExtensions(self) -> list[str]:
        """GeoTIFF only."""
        return ["tif", "tiff"]

    def supportsNonFileBasedOutput(self) -> bool:
        """Results are files."""
        return False
