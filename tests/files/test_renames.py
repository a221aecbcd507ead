"""A process that is killed between two renames leaves nothing half: the next run finishes what it was about."""

from __future__ import annotations

import contextlib
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bdgf.bdgf_qgis.files.atomic_file import AtomicFile, commit_together
from bdgf.bdgf_qgis.files.errors import FileError
from bdgf.bdgf_qgis.files.locks import take_lock
from bdgf.bdgf_qgis.files.paths import is_link
from bdgf.bdgf_qgis.files.renames import finish_cut

OLD = {"map.tif": "old map", "map.qml": "old style", "map.tif.aux.xml": "old notes", "there/sure.tif": "old sure"}
NEW = {"map.tif": "new map", "map.qml": "new style", "there/sure.tif": "new sure", "there/sure.qml": "new style"}


def replace_all(folder: Path, after: int, part: str, failing: bool) -> int:
    """Two results replace old ones; the process is killed before its rename or removal number `after`."""
    count = 0
    made = [AtomicFile(folder / "map.tif", folder / part if part else None), AtomicFile(folder / "there" / "sure.tif")]
    for each in made:
        each.file.write_text("new " + each.path.stem)
        each.write_sidecar(".qml", "new style")

    def killing(function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: Any, **named: Any) -> Any:
            nonlocal count
            if count == after:
                os.kill(os.getpid(), signal.SIGKILL)
            count += 1
            if failing and str(arguments[-1]).endswith("/map.tif") and "-new" in str(arguments[0]):
                raise PermissionError(13, "Permission denied")
            return function(*arguments, **named)

        return counted

    with pytest.MonkeyPatch.context() as patch:
        for owner, name in ((os, "replace"), (os, "unlink"), (Path, "unlink")):
            patch.setattr(owner, name, killing(getattr(owner, name)))
        with contextlib.suppress(FileError):
            commit_together(made)
    return count


def content(folder: Path) -> dict[str, str]:
    return {each.relative_to(folder).as_posix(): each.read_text() for each in folder.rglob("*") if each.is_file()}


def commit(folder: Path, after: int, part: str = "", failing: bool = False) -> int:
    """Old files are replaced in a process of its own; returns its renames and removals, 0 where it was killed."""
    (folder / "there").mkdir(parents=True)
    if part:
        (folder / part).mkdir()
    for name, text in OLD.items():
        (folder / name).write_text(text)
    child = os.fork()
    if child == 0:
        os._exit(replace_all(folder, after, part, failing))
    status = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    assert status == -signal.SIGKILL or status > 1, status
    return max(status, 0)


@pytest.mark.parametrize("part", ["", "map.tif.bdgf-part"])
@pytest.mark.parametrize("first", ["", "there"])
def test_killed_at_every_step_of_placing(tmp_path: Path, part: str, first: str) -> None:
    steps = commit(tmp_path / "whole", -1, part)
    assert content(tmp_path / "whole") == NEW and steps > 15
    seen = []
    for after in range(steps):
        folder = tmp_path / str(after)
        assert commit(folder, after, part) == 0
        for each in (folder / first, folder / "there", folder):
            finish_cut(each)
        left = content(folder)
        if part:  # a draft that no journal knows is swept by the next run into the part folder
            left = {name: text for name, text in left.items() if not name.startswith(part)}
        assert left in (OLD, NEW), f"killed before step {after}"
        seen.append(left == NEW)
    assert seen == sorted(seen) and not seen[0] and seen[-1] and not seen.index(True) > 6, seen


def test_killed_at_every_step_of_turning_back(tmp_path: Path) -> None:
    steps = commit(tmp_path / "whole", -1, failing=True)
    assert content(tmp_path / "whole") == OLD
    for after in range(steps):
        folder = tmp_path / str(after)
        commit(folder, after, failing=True)
        for each in (folder, folder / "there"):
            finish_cut(each)
        left = content(folder)
        assert left in (OLD, NEW), f"killed before step {after}"


def cut(folder: Path) -> None:
    """A process was killed when the old map had made way and the new one was not in its place."""
    for after in range(6, 30):
        target = folder / str(after)
        commit(target, after)
        if not (target / "map.tif").exists():
            for each in target.iterdir():
                each.rename(folder / each.name)
            return
    raise AssertionError("there is such a step")


def test_newer_files_of_others_stay(tmp_path: Path) -> None:
    cut(tmp_path)
    (tmp_path / "map.tif").write_text("made by hand since")
    assert finish_cut(tmp_path) == []
    assert (tmp_path / "map.tif").read_text() == "made by hand since"
    assert not [name for name in os.listdir(tmp_path) if name.startswith(".bdgf-")]


def test_files_that_are_not_ours_stay(tmp_path: Path) -> None:
    names = [".map-52c12178.tif", ".bdgf-notes.txt", ".bdgf-1234567.lock", ".bdgfx", "map.tif.bdgf-part", ".bdgf-part"]
    for name in names:
        (tmp_path / name).write_text("")
    (tmp_path / ".bdgf-12345678-old0").write_text("no journal says whose that is")
    assert finish_cut(tmp_path) == [] and len(os.listdir(tmp_path)) == len(names) + 1
    assert finish_cut(tmp_path / "missing") == []


def test_what_a_live_process_holds_is_left_alone(tmp_path: Path) -> None:
    with AtomicFile(tmp_path / "map.tif") as draft:
        before = sorted(os.listdir(tmp_path))
        assert finish_cut(tmp_path) == [] and sorted(os.listdir(tmp_path)) == before and len(before) == 2
        draft.file.write_text("whole")
        draft.commit()
    assert os.listdir(tmp_path) == ["map.tif"]


def test_a_draft_of_a_killed_process_goes(tmp_path: Path) -> None:
    code = f"""
import os
from bdgf.bdgf_qgis.files.atomic_file import AtomicFile
draft = AtomicFile({str(tmp_path / "new" / "map.gpkg")!r})
draft.sidecar(".qml").write_text("half")
draft.file.with_name(draft.file.name + "-journal").write_text("half")
os.kill(os.getpid(), 9)
"""
    subprocess.run([sys.executable, "-c", code], check=False)
    assert len(os.listdir(tmp_path / "new")) == 4
    finish_cut(tmp_path / "new")
    assert os.listdir(tmp_path / "new") == []


@pytest.mark.parametrize(
    "change",
    [
        {"target": "../precious"},
        {"target": "/precious"},
        {"backup": "../precious"},
        {"backup": "precious"},
        {"temporary": "../precious"},
        {"temporary": "precious"},
        {"temporary": "linked.bdgf-part/.bdgf-{token}-new.tif"},
        {"target": ""},
        {"target": ".bdgf-0a0a0a0a.lock"},
        {"target": 3},
        {"temporary": []},
    ],
)
def test_a_journal_that_somebody_wrote_reaches_nothing_else(tmp_path: Path, change: dict[str, object]) -> None:
    folder = tmp_path / "folder"
    folder.mkdir()
    (tmp_path / "precious").write_text("precious")
    (folder / "precious").write_text("precious")
    (folder / "linked.bdgf-part").symlink_to(tmp_path)
    (tmp_path / ".bdgf-12345678-new.tif").write_text("precious")
    state = os.stat(tmp_path / "precious")
    known = [state.st_size, state.st_mtime_ns]
    move = {"temporary": None, "target": "x", "backup": ".bdgf-12345678-old0", "new": known, "old": known, **change}
    if isinstance(move["temporary"], str):
        move["temporary"] = move["temporary"].format(token="12345678")
    text = json.dumps({"moves": [move], "leader": "12345678", "place": None, "state": known})
    (folder / ".bdgf-12345678.moves").write_text(text)
    before = content(tmp_path)
    assert finish_cut(folder) == []
    after = content(tmp_path)
    assert {each for each in before if "precious" in before[each]} <= set(after)


def test_a_link_in_place_of_a_result_is_replaced_and_never_written_through(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    for name, target in (("map.tif", "precious"), ("map.qml", "precious"), ("sure.tif", "missing")):
        (tmp_path / name).symlink_to(tmp_path / target)
    drafts = [AtomicFile(tmp_path / "map.tif"), AtomicFile(tmp_path / "sure.tif")]
    for each in drafts:
        each.file.write_text("new")
    drafts[0].write_sidecar(".qml", "new")
    commit_together(drafts)
    assert content(tmp_path) == {"precious": "precious", "map.tif": "new", "map.qml": "new", "sure.tif": "new"}
    assert not any(map(is_link, tmp_path.iterdir()))


def test_a_lock_is_one_of_its_folder_and_never_a_link(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    (tmp_path / "lock").symlink_to(tmp_path / "precious")
    held = take_lock(tmp_path / "lock")
    assert held is not None and not is_link(tmp_path / "lock")
    assert take_lock(tmp_path / "lock") is None
    held.close()
    assert (tmp_path / "precious").read_text() == "precious"
