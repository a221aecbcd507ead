"""BDGF for QGIS: land cover from several co-registered rasters by Balanced Diffusion-Guided Fusion."""


def classFactory(iface):
    """Make the plugin; QGIS calls this when the plugin is switched on (iface is None in qgis_process)."""
    from .bdgf_qgis.plugin import BdgfPlugin

    return BdgfPlugin(iface)
