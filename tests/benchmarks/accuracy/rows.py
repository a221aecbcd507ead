"""Rows of the tables: what defines one, and its JSON file, which is whole or not there."""

from __future__ import annotations

import hashlib
import json
import os
import re
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from bdgf.tests.benchmarks.accuracy.figures import Figures
from bdgf.tests.benchmarks.accuracy.parts import WHOLE

BDGF = "bdgf"
BASELINES = ("forest", "svm", "cnn")


@dataclass(frozen=True)
class Row:
    """What defines a measurement.

    method      'bdgf' or one of BASELINES
    preset, part, pretrain_steps, steps   of BDGF only; None leaves the preset's number of steps
    epochs      of the patch CNN only; None leaves its own number
    modalities  names of the rasters; () for all
    labels      '10px' or '2poly' a class, '' for all
    draw        of the scarce labels and, unless final, of the hold-out
    final       measured on the validation polygons
    """

    scene: str
    method: str = BDGF
    preset: str = ""
    part: str = WHOLE
    modalities: tuple[str, ...] = ()
    labels: str = ""
    final: bool = False
    pretrain_steps: int | None = None
    steps: int | None = None
    epochs: int | None = None
    seed: int = 0
    draw: int = 0

    @property
    def kind(self) -> str:
        """All that defines it but scene, seed and draw, to read."""
        words = [self.method, self.preset, self.part if self.method == BDGF else "", "+".join(self.modalities)]
        words += [self.labels, "" if self.pretrain_steps is None else f"pre{self.pretrain_steps}"]
        words += ["" if self.steps is None else f"steps{self.steps}"]
        words += ["" if self.epochs is None else f"epochs{self.epochs}", "final" if self.final else ""]
        return "-".join(each for each in words if each)

    @property
    def name(self) -> str:
        """Name of its file: readable, and unlike that of any other row."""
        digest = hashlib.sha256(json.dumps(asdict(self), sort_keys=True).encode()).hexdigest()[:8]
        readable = f"{self.scene}--{self.kind}--s{self.seed}d{self.draw}"
        return f"{re.sub(r'[^A-Za-z0-9+_.=-]', '_', readable)[:150]}--{digest}"


@dataclass(frozen=True)
class Measured:
    """A row and what came of it.

    seconds  'pretrain', 'train' and 'classify'
    mapped   pixels that were classified in those seconds
    curves   name to (steps, values)
    notes    date, device, state of the code, names of the rasters
    """

    row: Row
    figures: Figures
    seconds: dict[str, float]
    mapped: int
    settings: dict[str, Any] = field(default_factory=dict)
    curves: dict[str, tuple[tuple[float, ...], tuple[float, ...]]] = field(default_factory=dict)
    notes: dict[str, str] = field(default_factory=dict)


class RowStore:
    """A folder of rows, one JSON file each."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)

    def __contains__(self, row: Row) -> bool:
        return self._path(row).exists()

    def __iter__(self) -> Iterator[Measured]:
        for path in sorted(self.folder.glob("*.json")):
            yield _measured(json.loads(path.read_text(encoding="utf-8")))

    def put(self, measured: Measured) -> None:
        """Write a row's file under another name and rename it."""
        path = self._path(measured.row)
        draft = path.with_suffix(f".{os.getpid()}.part")
        draft.write_text(json.dumps(asdict(measured), indent=1), encoding="utf-8")
        os.replace(draft, path)

    def _path(self, row: Row) -> Path:
        return self.folder / f"{row.name}.json"


def _measured(data: dict[str, Any]) -> Measured:
    row = Row(**{**data["row"], "modalities": tuple(data["row"]["modalities"])})
    figures = Figures(**{**data["figures"], "confusion": tuple(tuple(each) for each in data["figures"]["confusion"])})
    curves = {name: (tuple(steps), tuple(values)) for name, (steps, values) in data["curves"].items()}
    rest = {each.name: data[each.name] for each in fields(Measured) if each.name not in ("row", "figures", "curves")}
    return Measured(row, figures, curves=curves, **rest)
