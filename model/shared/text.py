"""Text from outside - names of classes, bands, layers, files - before it is shown, stored or sent.

Qt hangs or aborts on lone surrogates, a terminal obeys control characters, and reports are HTML. Standard library only
and Python 3.9: both processes import this module.
"""

from __future__ import annotations

import unicodedata

REPLACEMENT = "\ufffd"
LONGEST_NAME = 250
_LINES = "\n\t"


def plain_text(text: str, lines: bool = False) -> str:
    """The text without what no reader can see: lone surrogates become U+FFFD, control characters a blank.

    lines  whether line ends and tabulators stay
    """
    return "".join(_plain(each, lines) for each in text)


def short_name(text: str) -> str:
    """A name as messages and model files keep it: plain, without blanks around it, of at most LONGEST_NAME letters."""
    name = plain_text(text).strip()
    return name if len(name) <= LONGEST_NAME else name[: LONGEST_NAME - 3] + "..."


def is_plain(text: str) -> bool:
    """Whether plain_text() leaves the text as it is."""
    return plain_text(text) == text


def _plain(character: str, lines: bool) -> str:
    kind = unicodedata.category(character)
    if kind == "Cs":
        return REPLACEMENT
    if kind == "Cc" and not (lines and character in _LINES):
        return " "
    return character
