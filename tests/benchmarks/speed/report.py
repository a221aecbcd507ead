"""Markdown tables of what was measured."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from statistics import median
from textwrap import wrap
from typing import Any

from bdgf.tests.benchmarks.speed.forest import TREES
from bdgf.tests.benchmarks.speed.scene import BANDS, CLASSES

_WIDTH = 120
_BEGIN, _END = "<!-- tables of tests.benchmarks.speed -->", "<!-- end of tables -->"


def with_tables(page: str, text: str) -> str:
    """A page with the tables between their marks, or at its end where it has none."""
    before, mark, rest = page.partition(_BEGIN)
    after = rest.partition(_END)[2].strip() if mark else ""
    return f"{before.rstrip()}\n\n{_BEGIN}\n\n{text.strip()}\n\n{_END}\n\n{after}".rstrip() + "\n"


def tables(measured: Mapping[str, Any]) -> str:
    """All tables: rates, scene sizes, where the work is."""
    presets = measured["presets"]
    first = next(iter(presets.values()))["bare"][0]
    about = (
        f"Measured on {first['device']}, torch {first['torch']}, on a synthetic scene of {BANDS} bands (uint16, LZW), "
        f"{CLASSES} classes, random weights. Rates are medians, px/s of the map; start-up (QGIS, torch) is apart. End "
        f"to end is Classify through Processing: reading, computing, blending, writing. {measured['note']}"
    )
    lines = [
        *wrap(about, _WIDTH),
        "",
        *_table(
            (
                "preset", "timesteps", "end to end", "network alone", "end to end / alone", "a patch a pixel",
                "dense / patches", f"forest, {TREES} trees", "share of the roof",
            ),
            [_rates(name, preset, measured["forest"]) for name, preset in presets.items()],
        ),
        "",
        *wrap(
            "The network alone has its patches in memory; a patch a pixel is the same network on patches of 12 pixels, "
            "of which it keeps the centre; both with the best of several batches. The roof is what one 3 x 3 "
            "convolution of 32 channels reaches.",
            _WIDTH,
        ),
        "",
        *_table(
            ("preset", "scene, pixels", "end to end, px/s", "microseconds a pixel", "QGIS, MiB", "worker, MiB"),
            [row for name, preset in presets.items() for row in _sizes(name, preset)],
        ),
        "",
        *_table(
            ("preset", "part", "operations a pixel", "share"),
            [row for item in presets.items() for row in _work(*item)],
        ),
        "",
        *_gpu(presets),
    ]  # fmt: skip
    return "\n".join(lines) + "\n"


def _rates(name: str, preset: Mapping[str, Any], forest: float) -> tuple[str, ...]:
    alone = median(_best(each["dense"]) for each in preset["bare"])
    patches = median(_best(each["patches"]) for each in preset["bare"])
    ends = max(preset["end_to_end"].items(), key=lambda item: int(item[0]))[1]
    shares = [rate(end) / _best(bare["dense"]) for end, bare in zip(ends, preset["bare"], strict=True)]
    roofs = [_best(each["dense"]) * each["work"]["whole"] / each["roof"] for each in preset["bare"]]
    return (
        name,
        str(preset["timesteps"]),
        _number(median(map(rate, ends))),
        _number(alone),
        f"{median(shares):.0%}",
        _number(patches),
        f"{alone / patches:.0f}",
        _number(forest),
        f"{median(roofs):.0%}",
    )


def _sizes(name: str, preset: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    for side, runs in preset["end_to_end"].items():
        speed = median(map(rate, runs))
        peaks = (max(each[part] for each in runs) for part in ("qgis", "worker"))
        memory = (f"{each:.0f}" if each else "not measured" for each in peaks)
        yield (name, str(side), _number(speed), f"{1e6 / speed:.1f}", *memory)


def _work(name: str, preset: Mapping[str, Any]) -> Iterable[tuple[str, ...]]:
    work = preset["bare"][0]["work"]
    for part, cost in work.items():
        yield (name, part, _number(cost), f"{cost / work['whole']:.0%}")


def _gpu(presets: Mapping[str, Any]) -> list[str]:
    found = {name: each["gpu"] for name, each in presets.items() if each["gpu"]}
    if not found:
        return ["GPU: not measured, none was at hand."]
    rows = [
        (name, each["device"], _number(_best(each["dense"])), _number(_best(each["patches"])))
        for name, each in found.items()
    ]
    return _table(("preset", "GPU", "network alone, px/s", "a patch a pixel, px/s"), rows)


def rate(run: Mapping[str, float]) -> float:
    """Pixels a second of a run end to end."""
    return run["pixels"] / run["seconds"]


def _best(rates: Mapping[Any, float]) -> float:
    return max(rates.values())


def _number(value: float) -> str:
    return f"{float(f'{value:.3g}'):,.0f}"


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    return [f"| {' | '.join(each)} |" for each in (head, ["---"] * len(head), *rows)]
