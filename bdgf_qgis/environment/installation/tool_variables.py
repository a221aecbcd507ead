"""The environment variables of uv and pip: clean of QGIS's own, with its proxy and certificates."""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path
from typing import Optional

from ..variables import child_variables
from .options import Network, Options
from .system import System

_CERTIFICATES = ("SSL_CERT_FILE", "PIP_CERT", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE")


def tool_variables(
    system: System, home: Path, options: Options, network: Network, environ: Optional[Mapping[str, str]] = None
) -> dict[str, str]:
    """Variables for uv and pip. What the user set for these tools stays, unless QGIS's settings say otherwise."""
    environ = os.environ if environ is None else environ
    result = child_variables(environ, system.platform)
    result.update(_own_certificates(environ, system))
    result.setdefault("UV_CACHE_DIR", str(downloads(home, options)))
    result["UV_PYTHON_INSTALL_DIR"] = str(home / "python")
    result.update({"UV_NO_PROGRESS": "1", "NO_COLOR": "1", "UV_NO_ENV_FILE": "1", "PYTHONUTF8": "1"})
    result.update({"PIP_NO_INPUT": "1", "PIP_DISABLE_PIP_VERSION_CHECK": "1", "PIP_REQUIRE_VIRTUALENV": "0"})
    if options.index:
        result.update({"UV_DEFAULT_INDEX": options.index, "PIP_INDEX_URL": options.index})
    if options.links:
        result.update({"UV_FIND_LINKS": options.links, "PIP_FIND_LINKS": options.links})
        if options.links_alone:
            result["PIP_NO_INDEX"] = "1"  # uv is told on its command line
    if options.mirror:
        result["UV_PYTHON_INSTALL_MIRROR"] = options.mirror
    if network.proxy:
        for name in ("HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
            result[name] = result[name.lower()] = network.proxy
        if network.excluded:
            result["NO_PROXY"] = result["no_proxy"] = ",".join(network.excluded)
    if network.certificates:
        result.update(dict.fromkeys(_CERTIFICATES, network.certificates))
    elif "SSL_CERT_FILE" not in result:
        result["UV_SYSTEM_CERTS"] = "1"  # an organisation's own authorities are known to the system
    return result


def downloads(home: Path, options: Options) -> Path:
    """Where uv keeps what it fetched, so that a broken-off installation goes on."""
    return options.cache_folder(home) / "downloads"


def bootstrap_variables(variables: Mapping[str, str], system: System, environ: Mapping[str, str]) -> dict[str, str]:
    """For QGIS's own Python: on Windows its encryption library lies in the folders of QGIS on the PATH."""
    path = environ.get("PATH", environ.get("Path", ""))
    return {**variables, "PATH": path} if system.platform == "win32" else dict(variables)


def _own_certificates(environ: Mapping[str, str], system: System) -> dict[str, str]:
    """Certificate variables that do not point into QGIS's own folders: the user's, not QGIS's."""
    homes = [
        os.path.normcase(each) for each in (*system.prefixes, system.osgeo4w) if each and each not in ("/", "/usr")
    ]
    kept = {}
    for name in ("SSL_CERT_FILE", "SSL_CERT_DIR", "REQUESTS_CA_BUNDLE", "CURL_CA_BUNDLE"):
        value = environ.get(name, "")
        if value and os.path.exists(value) and not any(os.path.normcase(value).startswith(each) for each in homes):
            kept[name] = value
    return kept


def secrets_of(network: Network) -> tuple[str, ...]:
    """What must not be written to a log: the user and the word of entry of the proxy."""
    entry, mark, _ = network.proxy.partition("://")[2].rpartition("@")
    return tuple(each for each in entry.split(":", 1) if len(each) > 2) if mark else ()
