"""An HTML page put together from headings, paragraphs and tables."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from html import escape as escape_html

from ...model.shared.text import plain_text

_COLOUR = re.compile("#[0-9a-fA-F]{6}")
_CSS = """
body { font-family: "Noto Sans", "Segoe UI", "Helvetica Neue", Arial, sans-serif; font-size: 14px; line-height: 1.45;
  color: #24292f; background: #fff; max-width: 980px; margin: 24px auto; padding: 0 20px; }
h1 { font-size: 24px; margin: 0 0 4px; }
h2 { font-size: 17px; margin: 30px 0 8px; padding-bottom: 4px; border-bottom: 1px solid #d8dee4; }
p { margin: 6px 0; } p.quiet, td.quiet, caption { color: #57606a; }
p.warning { background: #fff4d6; border-left: 4px solid #d4a72c; padding: 6px 10px; }
table { border-collapse: collapse; margin: 8px 0; }
th, td { padding: 4px 9px; text-align: right; border: 1px solid #d8dee4; }
th { background: #f6f8fa; font-weight: 600; } th.text, td.text { text-align: left; }
caption { text-align: left; padding: 2px 0; }
td.figure { border: none; padding: 6px 34px 6px 0; text-align: left; }
td.figure .value { font-size: 28px; font-weight: 600; } td.figure .label { color: #57606a; }
.chip { display: inline-block; width: 12px; height: 12px; border: 1px solid #57606a; margin-right: 6px; }
.wide { overflow-x: auto; }
svg { vertical-align: top; margin: 6px 14px 6px 0; }
"""


def escape(text: str) -> str:
    """A text as HTML shows it, without what no reader can see."""
    return escape_html(plain_text(text, lines=True))


class Page:
    """Collects the parts of a page; texts are escaped, `raw` is not."""

    def __init__(self, title: str) -> None:
        self._title = title
        self._parts = [f"<h1>{escape(title)}</h1>"]

    def heading(self, text: str) -> None:
        """A section begins."""
        self._parts.append(f"<h2>{escape(text)}</h2>")

    def text(self, text: str, kind: str = "") -> None:
        """A paragraph; kind 'quiet' or 'warning'."""
        self._parts.append(f'<p class="{kind}">{escape(text)}</p>')

    def raw(self, html: str) -> None:
        """HTML as it is."""
        self._parts.append(html)

    def facts(self, rows: Iterable[tuple[str, str]]) -> None:
        """A table of names and values."""
        lines = "".join(
            f'<tr><th class="text">{escape(name)}</th><td class="text">{escape(value)}</td></tr>'
            for name, value in rows
        )
        self._parts.append(f"<table>{lines}</table>")

    def figures(self, figures: Iterable[tuple[str, str]]) -> None:
        """A row of large numbers: label and value."""
        cells = "".join(
            f'<td class="figure"><div class="value">{escape(value)}</div><div class="label">{escape(label)}</div></td>'
            for label, value in figures
        )
        self._parts.append(f"<table><tr>{cells}</tr></table>")

    def html(self) -> str:
        """The whole page."""
        head = f'<meta charset="utf-8"><title>{escape(self._title)}</title><style>{_CSS}</style>'
        body = "\n".join(self._parts)
        return f"<!DOCTYPE html>\n<html><head>{head}</head>\n<body>\n{body}\n</body></html>\n"


def colour_or_none(colour: str) -> str:
    """A colour as #rrggbb; what is not written so is "none", since a style can do more than colour."""
    return colour if _COLOUR.fullmatch(colour) else "none"


def chip(colour: str) -> str:
    """A small field of colour."""
    return f'<span class="chip" style="background-color: {colour_or_none(colour)}"></span>'


def table(header: Sequence[str], rows: Iterable[Sequence[str]], caption: str = "") -> str:
    """A table of ready-made cells: each a whole <td> or <th>."""
    head = "".join(header)
    body = "".join(f"<tr>{''.join(row)}</tr>" for row in rows)
    title = f"<caption>{escape(caption)}</caption>" if caption else ""
    return f'<div class="wide"><table>{title}<tr>{head}</tr>{body}</table></div>'
