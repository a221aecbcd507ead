"""Values from outside are held to their types and limits, also once the plugin's modules are gone."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import dataclass, field
from typing import Annotated, Optional

import pytest

from bdgf.model.shared.limits import Count, OneOf, Pattern, Range, Text
from bdgf.model.shared.rebuild import rebuild, rebuildable
from bdgf.model.shared.strict_json import parse


@rebuildable
@dataclass(frozen=True)
class Inner:
    code: Annotated[int, Range(0, 9)] = 0
    name: Annotated[str, Text(5)] = ""


@rebuildable
@dataclass(frozen=True)
class Outer:
    count: int
    share: float = 0.0
    flag: bool = False
    text: Optional[str] = None  # noqa: UP045  (as QGIS's Python 3.9 has it)
    colour: Annotated[str, Pattern("#[0-9a-f]{6}", "a colour")] = "#000000"
    kind: Annotated[str, OneOf(("a", "b"))] = "a"
    pair: tuple[float, float] = (0.0, 0.0)
    rows: Annotated[tuple[tuple[int, ...], ...], Count(0, 2)] = ()
    inner: Inner = field(default_factory=Inner)


def test_what_fits_is_rebuilt() -> None:
    data = {"count": 10**30, "share": 1, "pair": [1, 2.5], "rows": [[1], []], "inner": {"code": 9, "name": "Wälde"}}
    value = rebuild(Outer, data)
    assert value == Outer(10**30, 1.0, pair=(1.0, 2.5), rows=((1,), ()), inner=Inner(9, "Wälde"))
    assert type(value.share) is float


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"count": True}, "count is True, where a whole number was expected"),
        ({"count": 1.0}, "count is 1.0, where a whole number was expected"),
        ({"count": None}, "count is None"),
        ({"share": "1"}, "share is 1, where a number was expected"),
        ({"share": False}, "share is False"),
        ({"share": float("nan")}, "share is nan"),
        ({"share": float("inf")}, "share is inf"),
        ({"share": 10**400}, r"share is 1000.*\.\.\., where a number was expected"),
        ({"flag": 1}, "flag is 1, where true or false was expected"),
        ({"text": ["x"]}, "text is a list of 1 entries, where a text was expected"),
        ({"colour": "red;background:url(x)"}, "colour is .*, where a colour was expected"),
        ({"colour": "#00000a\n"}, "where a colour was expected"),
        ({"kind": "c"}, "kind is c, where one of a, b was expected"),
        ({"pair": [1]}, "pair is a list of 1 entries, where a list of 2 entries was expected"),
        ({"pair": {"0": 1, "1": 2}}, "pair is a table of 2 entries, where a list was expected"),
        ({"pair": "ab"}, "pair is ab, where a list was expected"),
        ({"pair": [1, "2"]}, r"pair\[1\] is 2, where a number was expected"),
        ({"rows": [[1], [2], [3]]}, "rows is a list of 3 entries, where a list of 0 to 2 entries was expected"),
        ({"rows": [[1], [True]]}, r"rows\[1\]\[0\] is True"),
        ({"inner": {"code": 10}}, "inner.code is 10, where a number from 0 to 9 was expected"),
        ({"inner": {"name": "\ud800"}}, "inner.name is \ufffd, where a text of at most 5 characters"),
        ({"inner": {"name": "a\0"}}, "without control characters"),
        ({"inner": {"name": "abcdef"}}, "inner.name is abcdef"),
        ({"inner": []}, "inner is a list of 0 entries, where a table was expected"),
        ({"inner": {"more\n": 1}}, "inner.more  is not known"),
    ],
)
def test_what_does_not_fit_is_a_sentence(wrong: dict[str, object], said: str) -> None:
    with pytest.raises(ValueError, match=said) as caught:
        rebuild(Outer, {"count": 1, **wrong})
    assert len(str(caught.value)) < 200 and str(caught.value).isprintable()


def test_a_missing_field_is_named() -> None:
    with pytest.raises(ValueError, match=r"^count is missing"):
        rebuild(Outer, {})


def test_messages_are_read_after_the_plugin_was_unloaded() -> None:
    """QGIS takes a plugin's modules away while a run may be under way."""
    code = """
import sys
from bdgf.bdgf_qgis.files.kept_blocks import KeptBlock
from bdgf.model.shared.infos import ModalityInfo, SceneInfo
from bdgf.model.shared.jobs import PretrainJob, TileFiles
from bdgf.model.shared.messages import decode, encode
from bdgf.model.shared.rebuild import rebuild
from bdgf.model.shared.settings import PRESETS
info, scene = ModalityInfo("a", ("b",), "uint8"), SceneInfo("", (1.0, 1.0), (1, 1))
job = PretrainJob(TileFiles(64, "i", (), "v"), (info,), scene, PRESETS["quick"], 1, "", "", "")
line = encode(job)
for name in [each for each in sys.modules if each.split(".")[0] == "bdgf"]:
    del sys.modules[name]
assert decode(line) == job
assert rebuild(KeptBlock, {"number": 1, "counts": [2], "files": [{"name": "a", "size": 1, "checksum": 2}]}).number == 1
print("read")
"""
    answer = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert answer.stdout.strip() == "read", answer.stderr


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[" * 200_000, "nested too deeply"),
        ('{"a":' * 200_000, "nested too deeply"),
        ('{"a": 1, "a": 2}', "twice"),
        ("[NaN]", "no number"),
        ("[-Infinity]", "no number"),
        ("1e400", "too large"),
        ("9" * 5_000_000, "too many digits"),
        ("0." + "9" * 5_000_000, "too many digits"),
        ("{", "Expecting"),
    ],
)
def test_json_beyond_bounds_is_a_value_error(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)
