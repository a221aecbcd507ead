"""Finished blocks: whole, of this call, locked, and not for ever."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import time
from pathlib import Path
from typing import BinaryIO

import pytest

from bdgf.bdgf_qgis.feedback import RunCancelled
from bdgf.bdgf_qgis.files import kept_blocks
from bdgf.bdgf_qgis.files.errors import FileError
from bdgf.bdgf_qgis.files.kept_blocks import KeptBlocks, sweep_old

DAY = 24 * 3600


def add(folder: KeptBlocks, number: int, text: str = "block") -> Path:
    file = folder.path / f"block-{number}-classes.tif"
    file.write_text(text)
    folder.keep(number, (3, 4), [file], [(1.0, 2.5)])
    return file


def names(folder: Path) -> set[str]:
    return {each.name for each in folder.iterdir()}


def test_blocks_wait_for_the_same_call(tmp_path: Path) -> None:
    output = tmp_path / "new" / "map.tif"
    with KeptBlocks(output, "call") as folder:
        assert folder.path == tmp_path / "new" / "map.tif.bdgf-part" and folder.blocks == {}
        add(folder, 3)
        kept = dict(folder.blocks)
    with KeptBlocks(output, "call") as folder:
        assert folder.blocks == kept and folder.size == 5
        assert kept[3].counts == (3, 4) and kept[3].figures == ((1.0, 2.5),)
    with KeptBlocks(output, "other call") as folder:
        assert folder.blocks == {} and names(folder.path) == {"lock", "manifest.json"}
    assert names(tmp_path / "new") == set()
    with KeptBlocks(tmp_path / "newer" / "folder" / "map.tif", "call"):
        assert (tmp_path / "newer" / "folder" / "map.tif.bdgf-part").is_dir()
    assert names(tmp_path) == {"new"}, "without a block nothing stays, nor do folders that were made"


def test_a_folder_of_no_more_use_goes(tmp_path: Path) -> None:
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        add(folder, 0)
        folder.remove()
    assert names(tmp_path) == set()


@pytest.mark.parametrize("damage", ["content", "length", "missing", "record", "manifest"])
def test_damaged_blocks_do_not_count(tmp_path: Path, damage: str) -> None:
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        files = [add(folder, number) for number in range(2)]
    if damage == "missing":
        files[0].unlink()
    else:
        target, text = {
            "content": (files[0], "clock"),
            "length": (files[0], "bloc"),
            "record": (folder.path / "block-0.json", '{"number": 0, "counts": [7]}'),
            "manifest": (folder.path / "manifest.json", "[" * 100_000),
        }[damage]
        target.write_text(text)
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        assert list(folder.blocks) == ([] if damage == "manifest" else [1])
        assert len(names(folder.path)) == 2 + 2 * len(folder.blocks), "what does not count is removed"


def test_two_runs_never_share_a_folder(tmp_path: Path) -> None:
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        add(folder, 0)
        with pytest.raises(FileError, match=r"Another run is writing to .*map\.tif: wait"):
            KeptBlocks(tmp_path / "map.tif", "other call")
        assert (folder.path / "block-0.json").exists()
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        assert list(folder.blocks) == [0]


def test_cancel_while_checksums_are_compared(tmp_path: Path) -> None:
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        add(folder, 0)

    def cancel() -> None:
        raise RunCancelled

    with pytest.raises(RunCancelled):
        KeptBlocks(tmp_path / "map.tif", "call", cancel)
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        assert list(folder.blocks) == [0]


def test_a_killed_process_leaves_whole_blocks_and_no_lock(tmp_path: Path) -> None:
    code = f"""
from pathlib import Path
from bdgf.bdgf_qgis.files.kept_blocks import KeptBlocks
folder = KeptBlocks(Path({str(tmp_path / "map.tif")!r}), "call")
for number in range(100_000):
    file = folder.path / f"block-{{number}}-classes.tif"
    file.write_bytes(bytes([number % 256]) * 300_000)
    folder.keep(number, (1,), [file])
    print(number, flush=True)
"""
    process = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    while int(process.stdout.readline()) < 20:
        pass
    time.sleep(0.003)
    os.kill(process.pid, signal.SIGKILL)
    said = [20, *(int(each) for each in process.stdout if each.endswith("\n"))]
    process.wait()
    process.stdout.close()
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        assert set(range(max(said) + 1)) <= set(folder.blocks) and len(folder.blocks) <= max(said) + 2
        assert len(names(folder.path)) == 2 + 2 * len(folder.blocks)


def test_old_folders_go_at_the_next_run_beside_them(tmp_path: Path) -> None:
    for name, days in (("old", 15), ("young", 13), ("held", 15)):
        with KeptBlocks(tmp_path / f"{name}.tif", "call") as folder:
            add(folder, 0)
        then = time.time() - days * DAY
        os.utime(folder.path, (then, then))
    foreign = tmp_path / "foreign.bdgf-part"
    foreign.mkdir()
    os.utime(foreign, (0, 0))
    held = open(tmp_path / "held.tif.bdgf-part" / "lock", "ab")
    code = f"""
import fcntl, sys, time
file = open({held.name!r}, "ab")
fcntl.flock(file, fcntl.LOCK_EX)
print("held", flush=True)
sys.stdin.read()
"""
    held.close()
    holder = subprocess.Popen([sys.executable, "-c", code], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert holder.stdout is not None and holder.stdout.readline() == "held\n"
    with KeptBlocks(tmp_path / "map.tif", "call"):
        rest = {"young.tif.bdgf-part", "held.tif.bdgf-part", "foreign.bdgf-part"}
        assert names(tmp_path) == rest | {"map.tif.bdgf-part"}
    holder.communicate("")
    sweep_old(tmp_path)
    assert names(tmp_path) == rest - {"held.tif.bdgf-part"}


def test_no_run_enters_a_folder_that_is_swept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        add(folder, 0)
    os.utime(folder.path, (time.time() - 15 * DAY,) * 2)
    remove, swept = kept_blocks.remove_lock, []

    def enter_first(lock: BinaryIO, path: Path) -> None:
        swept.append(path.parent)
        with pytest.raises(FileError, match="Another run"):
            KeptBlocks(tmp_path / "map.tif", "call")
        remove(lock, path)

    monkeypatch.setattr(kept_blocks, "remove_lock", enter_first)
    sweep_old(tmp_path)
    assert swept == [folder.path] and names(tmp_path) == set()


def users_folder(path: Path) -> dict[str, str]:
    path.mkdir()
    for name in ("thesis.odt", "block-1.tif", "block-7-classes.tif", "lock", "manifest.json"):
        (path / name).write_text("work of years")
    return {each.name: each.read_text() for each in path.iterdir()}


@pytest.mark.parametrize("linked", [True, False])
def test_nothing_in_a_folder_of_the_users_is_touched(tmp_path: Path, linked: bool) -> None:
    folder = tmp_path / ("precious" if linked else "map.tif.bdgf-part")
    before = users_folder(folder)
    if linked:
        (tmp_path / "map.tif.bdgf-part").symlink_to(folder)
    os.utime(folder, (0, 0))
    sweep_old(tmp_path)
    with pytest.raises(FileError, match=r"map\.tif\.bdgf-part (is a link|holds other files)"):
        KeptBlocks(tmp_path / "map.tif", "call")
    assert {each.name: each.read_text() for each in folder.iterdir()} == before


def test_links_and_other_files_in_a_part_folder_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "precious").write_text("precious")
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        add(folder, 0)
    (folder.path / "notes.txt").write_text("mine")
    for name in ("block-1-classes.tif", "block-1.json", "manifest.json.new", "block-9.json.new", "lock"):
        (folder.path / name).unlink(missing_ok=True)
        (folder.path / name).symlink_to(tmp_path / "precious")
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        assert list(folder.blocks) == [0]
        (folder.path / "block-9.json.new").symlink_to(tmp_path / "precious")
        add(folder, 9)
    with KeptBlocks(tmp_path / "map.tif", "other call") as folder:
        assert folder.blocks == {}
        folder.remove()
    assert (tmp_path / "precious").read_text() == "precious"
    assert "notes.txt" in names(tmp_path / "map.tif.bdgf-part")
    with KeptBlocks(tmp_path / "map.tif", "call") as folder:
        assert (folder.path / "notes.txt").read_text() == "mine"
