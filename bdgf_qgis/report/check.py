"""The report of a check of the environment, as text for a bug report and as a page."""

from __future__ import annotations

from dataclasses import dataclass

from ..environment.diagnosis.verdict import DeviceCheck
from ..environment.diagnosis.worker_check import Diagnosis
from ..environment.redaction import anonymous
from ..translation import tr
from .page import Page, escape, table


@dataclass(frozen=True)
class CheckReport:
    """A diagnosis, and what QGIS says of itself: name and value."""

    diagnosis: Diagnosis
    qgis: tuple[tuple[str, str], ...]

    def text(self) -> str:
        """Plain text; no user name or computer name in it."""
        lines = [tr("BDGF environment check"), "", self.diagnosis.verdict.sentence, ""]
        lines += [f"{name}: {value}" for name, value in self._facts()]
        for device in self.diagnosis.devices:
            lines += ["", f"{device.info.device}: {_described(device)}"]
            for each in device.kernels:
                if each.error < 0:
                    lines.append(f"  {each.name}: {'FAILED, ' if each.needed else ''}{each.trouble}")
                else:
                    state = "ok" if not each.trouble else f"FAILED, {each.trouble}"
                    lines.append(f"  {each.name}: {state}, {each.milliseconds:.2f} ms, {each.error:.0e}")
        return anonymous("\n".join(lines)) + "\n"

    def html(self) -> str:
        """The page; no user name or computer name in it."""
        page = Page(tr("BDGF environment check"))
        works = bool(self.diagnosis.verdict.device)
        sentence = self.diagnosis.verdict.sentence
        if works:
            page.raw(f"<p><b>{escape(sentence)}</b></p>")
        else:
            page.text(sentence, "warning")
        page.heading(tr("Environment"))
        page.facts(self._facts())
        page.heading(tr("Devices"))
        page.text(
            tr(
                "Difference: largest difference to the same computation on the CPU in double precision, over the "
                "largest value. Rows in grey are not needed."
            ),
            "quiet",
        )
        for device in self.diagnosis.devices:
            page.heading(f"{device.info.name} ({device.info.device})")
            page.text(_described(device), "warning" if device.trouble else "quiet")
            if device.kernels:
                page.raw(_kernels(device))
        return anonymous(page.html())

    def _facts(self) -> list[tuple[str, str]]:
        facts = self.diagnosis.facts
        versions = ", ".join(f"{each.name} {each.version}" for each in facts.packages if each.version)
        missing = ", ".join(each.name for each in facts.packages if not each.version)
        rows = [
            *self.qgis,
            (tr("Worker's Python"), f"{facts.python}, {self.diagnosis.python.path} ({self.diagnosis.python.where})"),
            (tr("System"), facts.system),
            (tr("PyTorch build"), f"{facts.torch}, {facts.build}"),
            (tr("Packages"), versions),
            (tr("Not installed"), missing),
            (tr("CPU threads"), str(facts.threads)),
            (tr("NVIDIA driver"), facts.driver or tr("none")),
            (tr("NVIDIA cards"), ", ".join(facts.cards)),
            (tr("Device asked for"), self.diagnosis.wish),
        ]
        return [(name, value) for name, value in rows if value]


def _described(device: DeviceCheck) -> str:
    info = device.info
    parts = [info.name] if info.device != "cpu" else []
    if info.memory:
        parts.append(f"{info.free / 1024**3:.1f} of {info.memory / 1024**3:.1f} GiB free")
    if info.capability:
        parts.append(f"compute capability {info.capability}")
    parts.append(f"cannot be used: {device.trouble}" if device.trouble else tr("all computations come out right"))
    return "; ".join(parts)


def _kernels(device: DeviceCheck) -> str:
    header = [
        f'<th class="text">{escape(each)}</th>' if number in (0, 3) else f"<th>{escape(each)}</th>"
        for number, each in enumerate((tr("Computation"), tr("Time"), tr("Difference"), tr("Result")))
    ]
    rows = []
    for each in device.kernels:
        ran = each.error >= 0
        kind = "text" if each.needed else "text quiet"
        rows.append(
            [
                f'<td class="{kind}">{escape(each.name)}</td>',
                f"<td>{each.milliseconds:.2f} ms</td>" if ran else "<td></td>",
                f"<td>{each.error:.0e}</td>" if ran else "<td></td>",
                f'<td class="{kind}">{escape(each.trouble or "ok")}</td>',
            ]
        )
    return table(header, rows)
