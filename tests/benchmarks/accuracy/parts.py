"""The parts of the method by name, as changes of the settings: `group.name=value`."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from bdgf.model.shared.settings import Settings

WHOLE = "all"
PARTS: dict[str, tuple[str, ...]] = {
    WHOLE: (),
    "no-masking": ("diffusion.masking=none",),
    "random-masking": ("diffusion.masking=random",),
    "no-guidance": ("branches.guidance=",),
    "no-fusion-guidance": ("branches.guidance=attention,cross",),
    "no-attention-guidance": ("branches.guidance=fusion,cross",),
    "no-cross-guidance": ("branches.guidance=fusion,attention",),
    "cnn-alone": ("branches.use=cnn", "branches.probes="),
    "mamba-alone": ("branches.use=mamba", "branches.probes="),
    "transformer-alone": ("branches.use=transformer", "branches.probes="),
    "no-probe": ("branches.probes=",),
    "no-weighing": ("training.left_out_share=0",),
    "no-entropy-alignment": ("mutual.entropy=0",),
    "no-feature-similarity": ("mutual.feature=0",),
    "no-mutual-learning": ("mutual.entropy=0", "mutual.feature=0"),
    "no-local-mean-differences": ("branches.local_mean_sides=",),
}
MASKING = (WHOLE, "random-masking", "no-masking")


def with_part(settings: Settings, part: str) -> Settings:
    """Settings with a named part off, or with changes 'group.name=value' joined by '+'.

    Raises ValueError where a name is not known.
    """
    for each in part.split("+"):
        settings = _with_changes(settings, (each,) if "=" in each else _named(each))
    return settings


def _named(part: str) -> tuple[str, ...]:
    if part not in PARTS:
        raise ValueError(f"{part} is no part: choose from {', '.join(PARTS)}, or give group.name=value.")
    return PARTS[part]


def _with_changes(settings: Settings, changes: Iterable[str]) -> Settings:
    for change in changes:
        path, _, text = change.partition("=")
        group, _, name = path.rpartition(".")
        holder: Any = getattr(settings, group, None) if group else settings
        if not hasattr(holder, name):
            raise ValueError(f"{path} is no setting.")
        changed: Any = replace(holder, **{name: _value(getattr(holder, name), text)})
        settings = replace(settings, **{group: changed}) if group else changed
    return settings


def _value(present: Any, text: str) -> Any:
    """A text as a value of the kind that stands there now."""
    if isinstance(present, tuple):
        return tuple(_scalar(each.strip()) for each in text.split(",") if each.strip())
    if isinstance(present, bool):
        return text.lower() in ("true", "1", "on")
    return text if isinstance(present, str) else type(present)(text)


def _scalar(text: str) -> Any:
    for kind in (int, float):
        try:
            return kind(text)
        except ValueError:
            continue
    return text
