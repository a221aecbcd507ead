"""What the user may decide about the installation, and what QGIS knows of the network."""

from __future__ import annotations

from dataclasses import dataclass, field
from pathlib import Path


@dataclass(frozen=True)
class Options:
    """All may be empty.

    uv             path of uv
    base_python    the Python to build on, instead of one of the environment's own
    torch_backend  build of PyTorch: 'auto' fits the machine, 'cpu', 'cu130', ...; 'none' leaves the choice to the index
    index          address of a package index to use instead of the tools' default
    links          folder or address with package files to look in; without an index nothing else is asked
    mirror         address to fetch Python from instead of the tool's default
    cache          folder for downloads and other files that can be made again, instead of one in the profile
    """

    uv: str = ""
    base_python: str = ""
    torch_backend: str = "auto"
    index: str = ""
    links: str = ""
    mirror: str = ""
    cache: str = ""

    def cache_folder(self, home: Path) -> Path:
        """The folder for files that can be made again; all in it is the plugin's and may be deleted.

        home  the plugin's folder in the QGIS profile
        """
        return Path(self.cache) / "bdgf-cache" if self.cache else home / "cache"

    @property
    def links_alone(self) -> bool:
        """Whether packages come from the folder alone: in a closed network no index answers."""
        return bool(self.links) and not self.index


@dataclass(frozen=True)
class Network:
    """QGIS's network settings.

    proxy         address with user and word of entry where it has them, 'http://user:word@host:8080'; '' without
    excluded      hosts to reach without the proxy
    certificates  path of a file of the authorities that QGIS trusts, where the user added some
    """

    proxy: str = field(default="", repr=False)
    excluded: tuple[str, ...] = ()
    certificates: str = ""
