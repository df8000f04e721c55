"""Pieces of Markdown that several pages have."""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable, Iterator, Sequence

MADE_BY = "<!-- Made by `python -m tests.docs.pages`; edit what it is made from. -->"


def table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> Iterator[str]:
    """A table; what is in a cell is one line."""
    yield _row(head)
    yield _row(["---"] * len(head))
    for row in rows:
        yield _row([cell(text) for text in row])
    yield ""


def cell(text: str) -> str:
    """Text that may stand in a table."""
    return " ".join(text.split()).replace("|", "\\|")


def docstring(thing: object) -> str:
    """The docstring of something, in Markdown: reST's literals are code, its roles too."""
    text = inspect.cleandoc(getattr(thing, "__doc__", None) or "")
    return in_markdown(text)


def in_markdown(text: str) -> str:
    """Text of a docstring in Markdown; a block that ``::`` announces is a block of Python."""
    text = re.sub(r":class:`([^`]+)`|:attr:`([^`]+)`|:meth:`([^`]+)`", _code, text)
    text = text.replace("``", "`")
    lines: list[str] = []
    inside = False
    for line in text.splitlines():
        if inside and line and not line.startswith("    "):
            while lines and not lines[-1]:
                lines.pop()
            lines += ["```", ""]
            inside = False
        if line.endswith("::") and not inside:
            lines += [line[:-1], "", "```python"]
            inside = True
            continue
        if inside and lines[-1] == "```python" and not line:
            continue
        lines.append(line.removeprefix("    ") if inside else line)
    return "\n".join([*lines, "```"] if inside else lines)


def _row(cells: Sequence[str]) -> str:
    return f"| {' | '.join(cells)} |"


def _code(match: re.Match[str]) -> str:
    return f"`{next(group for group in match.groups() if group)}`"
