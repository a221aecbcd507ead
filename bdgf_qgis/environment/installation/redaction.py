"""Takes secrets out of what is logged."""

from __future__ import annotations

import re
from collections.abc import Iterable
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
