"""Text from outside before it is shown."""

from __future__ import annotations

import pytest

from bdgf.model.shared.text import is_plain, plain_text


@pytest.mark.parametrize(
    ("given", "wanted"),
    [
        ("forêt 森林 🌲", "forêt 森林 🌲"),
        ("a\ud800b", "a\ufffdb"),
        ("bell\x07 escape\x1b[31m null\x00", "bell  escape [31m null "),
        ("two\nlines", "two lines"),
    ],
)
def test_what_no_reader_can_see_goes(given: str, wanted: str):
    assert plain_text(given) == wanted
    assert is_plain(given) == (given == wanted)
    plain_text(given).encode("utf-8")


def test_a_log_keeps_its_lines():
    assert plain_text("two\nlines\r\n\tin", lines=True) == "two\nlines \n\tin"
