"""What a field may hold, written beside it: `steps: Annotated[int, Range(0, 1_000_000)]`.

rebuild() holds values from outside to it. Standard library only and Python 3.9: both processes import this module.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass
from typing import Any

from .text import is_plain


@dataclass(frozen=True)
class Range:
    """A number from `least` to `most`, both included, and a multiple of `step` where one is given."""

    least: float
    most: float
    step: int = 0

    def admits(self, value: float) -> bool:
        """Whether the number lies in the range."""
        return self.least <= value <= self.most and not (self.step and value % self.step)

    def __str__(self) -> str:
        kind = f"a multiple of {self.step}" if self.step else "a number"
        return f"{kind} from {self.least:,} to {self.most:,}"


@dataclass(frozen=True)
class OneOf:
    """One of a few texts."""

    choices: tuple[str, ...]

    def admits(self, value: str) -> bool:
        """Whether the text is one of them."""
        return value in self.choices

    def __str__(self) -> str:
        return f"one of {', '.join(self.choices)}"


@dataclass(frozen=True)
class Text:
    """A text that people may be shown: of at most so many characters, none of them a lone surrogate or control."""

    most: int

    def admits(self, value: str) -> bool:
        """Whether it is such a text."""
        return len(value) <= self.most and is_plain(value)

    def __str__(self) -> str:
        return f"a text of at most {self.most:,} characters, without control characters,"


@dataclass(frozen=True)
class Pattern:
    """A text of a certain form; `meaning` says which."""

    form: str
    meaning: str

    def admits(self, value: str) -> bool:
        """Whether the whole text is of that form."""
        return re.fullmatch(self.form, value) is not None

    def __str__(self) -> str:
        return self.meaning


@dataclass(frozen=True)
class Count:
    """A list of so many entries; with `distinct` no two of them alike."""

    least: int
    most: int
    distinct: bool = False

    def admits(self, value: Collection[Any]) -> bool:
        """Whether the list is of that length."""
        return self.least <= len(value) <= self.most and not (self.distinct and len(set(value)) < len(value))

    def __str__(self) -> str:
        return f"a list of {self.least:,} to {self.most:,} {'different ' if self.distinct else ''}entries"
