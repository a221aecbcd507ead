"""QGIS's network settings, as the tools that fetch packages understand them."""

from __future__ import annotations

import contextlib
from pathlib import Path
from urllib.parse import quote

from qgis.core import QgsApplication, QgsNetworkAccessManager
from qgis.PyQt.QtNetwork import QNetworkProxy

from ..environment.installation.options import Network

_FILE = "certificates.pem"
_SCHEMES = {
    QNetworkProxy.ProxyType.HttpProxy: "http",
    QNetworkProxy.ProxyType.HttpCachingProxy: "http",
    QNetworkProxy.ProxyType.Socks5Proxy: "socks5h",
}


def network_of_qgis(home: Path) -> Network:
    """Proxy, exceptions and certificates. Certificates that the user gave QGIS are written to a file in `home`."""
    manager = QgsNetworkAccessManager.instance()
    excluded = [_host(address) for address in (*manager.excludeList(), *manager.noProxyList())]
    return Network(
        proxy_address(manager.fallbackProxy()), tuple(dict.fromkeys(filter(None, excluded))), _certificates(home)
    )


def proxy_address(proxy: QNetworkProxy) -> str:
    """The proxy as an address with user and word of entry; '' where there is none."""
    scheme = _SCHEMES.get(proxy.type())
    if scheme is None or not proxy.hostName():
        return ""
    entry = quote(proxy.user(), safe="")
    if proxy.password():
        entry += ":" + quote(proxy.password(), safe="")
    port = f":{proxy.port()}" if proxy.port() else ""
    return f"{scheme}://{entry + '@' if entry else ''}{proxy.hostName()}{port}"


def _host(address: str) -> str:
    """The host of an exception, which QGIS keeps as an address or as a host."""
    return address.partition("://")[2].partition("/")[0] if "://" in address else address.strip()


def _certificates(home: Path) -> str:
    """A file of all authorities that QGIS trusts, where the user added some; else ''."""
    authorities = QgsApplication.authManager()
    if authorities is None or authorities.isDisabled():
        return ""
    if not authorities.databaseCAs() and not authorities.extraFileCAs():
        return ""
    text = bytes(authorities.trustedCaCertsPemText())
    if not text.strip():
        return ""
    path = home / _FILE
    with contextlib.suppress(OSError):
        home.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text)
        return str(path)
    return ""
