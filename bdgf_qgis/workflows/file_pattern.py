"""Patterns of file names, matched in a time that grows with their length alone: no pattern can hold a run up.

'*' stands for any number of characters, '?' for one, '/' parts folders, and neither crosses it; case does not matter.
"""

from __future__ import annotations

from typing import Optional


def captures(pattern: str, path: str) -> Optional[tuple[str, ...]]:
    """What the '*' of a pattern stand for in a path, the first ones as much as they can; None where it does not match.

    `a*b*` and `a1b2b3` give ('1b2', '3').
    """
    wanted, given = pattern.split("/"), path.split("/")
    if len(wanted) != len(given):
        return None
    found: list[str] = []
    for each, name in zip(wanted, given):
        part = _captures(each, name)
        if part is None:
            return None
        found += part
    return tuple(found)


def _captures(pattern: str, name: str) -> Optional[list[str]]:
    """Within one folder or file name.

    The texts between the '*' are placed from the right, each as far right as it goes: that leaves the first '*' most,
    and no choice is ever taken back.
    """
    first, *middle = pattern.split("*")
    if not middle:
        return [] if len(name) == len(first) and _stands(first, name, 0) else None
    last = middle.pop()
    begin, end = len(first), len(name) - len(last)
    if end < begin or not _stands(first, name, 0) or not _stands(last, name, end):
        return None
    found: list[str] = []
    for text in reversed(middle):
        start = end - len(text)
        while start >= begin and not _stands(text, name, start):
            start -= 1
        if start < begin:
            return None
        found.append(name[start + len(text) : end])
        end = start
    return [name[begin:end], *reversed(found)]


def _stands(text: str, name: str, start: int) -> bool:
    return all(
        sign in ("?", letter) or sign.lower() == letter.lower()
        for sign, letter in zip(text, name[start : start + len(text)])
    )
