"""Breaks long lines of generated source as a formatter would."""

from __future__ import annotations

from collections.abc import Iterator

_OPEN, _CLOSE = "([{", ")]}"
_STEP = "    "


def laid_out(source: str, indent: int, width: int = 100) -> list[str]:
    """An expression with its trailing comma and comment as lines, without their common indent."""
    code, mark, comment = source.partition("  # ")
    lines = _broken(code, "", width - indent)
    if not mark:
        return lines
    if len(lines[-1]) + len(comment) + 4 <= width - indent:
        return [*lines[:-1], f"{lines[-1]}  # {comment}"]
    return [f"# {comment}", *lines]


def _broken(code: str, margin: str, width: int) -> list[str]:
    start = next((i for i in _outside_strings(code) if code[i] in _OPEN), None)
    end = max((i for i in _outside_strings(code) if code[i] in _CLOSE), default=None)
    if len(margin) + len(code) <= width or start is None or end is None or end <= start + 1:
        return [margin + code]
    lines = [margin + code[: start + 1]]
    for item in _items(code[start + 1 : end]):
        lines += _broken(f"{item},", margin + _STEP, width)
    return [*lines, margin + code[end:]]


def _items(inside: str) -> Iterator[str]:
    depth, begin = 0, 0
    for i in _outside_strings(inside):
        depth += (inside[i] in _OPEN) - (inside[i] in _CLOSE)
        if inside[i] == "," and depth == 0:
            yield inside[begin:i].strip()
            begin = i + 1
    if inside[begin:].strip():
        yield inside[begin:].strip()


def _outside_strings(code: str) -> Iterator[int]:
    inside = escaped = False
    for i, character in enumerate(code):
        if escaped:
            escaped = False
        elif character == "\\":
            escaped = True
        elif character == '"':
            inside = not inside
        elif not inside:
            yield i
