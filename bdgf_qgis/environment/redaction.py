"""Takes secrets out of what is logged, and names out of a report that goes into a public bug tracker."""

from __future__ import annotations

import getpass
import os
import platform
import re
from collections.abc import Iterable
from pathlib import Path
from urllib.parse import unquote

_IN_ADDRESS = re.compile(r"(?<!\w)(\w+://)[^/\s@'\"]+@")
_IN_QUERY = re.compile(r"(?i)([?&](?:token|key|api_?key|pass\w*|secret|auth\w*|sig\w*)=)[^&\s'\"]+")
_IN_HEADER = re.compile(r"(?i)(authorization['\"]?\s*[:=]\s*)(?:basic|bearer)?\s*\S+")


def redact(text: str, secrets: Iterable[str] = ()) -> str:
    """The text without words of entry in addresses, queries and headers, and without the given ones."""
    text = _IN_ADDRESS.sub(r"\1***@", text)
    text = _IN_QUERY.sub(r"\1***", text)
    text = _IN_HEADER.sub(r"\1***", text)
    for secret in secrets:
        for form in (secret, unquote(secret)):
            if form:
                text = text.replace(form, "***")
    return text


def personal_words() -> tuple[str, ...]:
    """The user's and the computer's names."""
    try:
        user = getpass.getuser()
    except (OSError, KeyError, ImportError):
        user = os.environ.get("USERNAME", "")
    host = platform.node()
    return tuple(dict.fromkeys(each for each in (user, host, host.partition(".")[0], Path.home().name) if each))


def without_names(text: str, home: str = "", words: tuple[str, ...] = ()) -> str:
    """The text with '~' for the home folder, and without the given words where they stand alone."""
    for form in {home, home.replace("\\", "/")} - {"", "/", "\\"}:
        text = re.sub(re.escape(form) + r"(?=[\\/]|\b|$)", "~", text, flags=re.IGNORECASE if ":" in form else 0)
    for word in words:
        text = re.sub(rf"(?<![A-Za-z0-9]){re.escape(word)}(?![A-Za-z0-9])", "***", text, flags=re.IGNORECASE)
    return text


def anonymous(text: str) -> str:
    """The text without this user's and this computer's names."""
    return without_names(text, str(Path.home()), personal_words())
