"""Secrets are taken out of text, however the text is built."""

from __future__ import annotations

import sys
from types import FrameType
from typing import Any

import pytest

from conformance.suite.runner.redaction import without_secrets

TOKEN = "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiJhIn0.c2lnbmF0dXJl"


def test_secrets_are_taken_out_of_what_is_reported() -> None:
    """Neither canaries nor room tokens reach a report."""
    text = without_secrets(f"refused {TOKEN} with canary-anam-api-key-0123456789abcdef")
    assert text == "refused <room token> with <secret>"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"url?access_token={TOKEN}&a=b", "url?access_token=<room token>&a=b"),
        (f"{TOKEN}.{TOKEN}", "<room token>.<room token>"),
        (f"({TOKEN})", "(<room token>)"),
        ("eyJ is no token, nor is eyJ.a", "eyJ is no token, nor is eyJ.a"),
        ("eyJa..c", "eyJa..c"),
    ],
)
def test_a_token_is_found_where_it_stands(text: str, expected: str) -> None:
    """What stands before and after it stays, and what only begins like one."""
    assert without_secrets(text) == expected


@pytest.mark.parametrize("piece", ["eyJ", "eyJ.", "eyJa.b", "eyJa.b.c.", "canary-", "eyJa.b.c "])
def test_twice_the_text_is_twice_the_work(piece: str) -> None:
    """No text makes the search go back over what it has seen."""
    assert _lines_run(piece * 4000) <= 2.1 * _lines_run(piece * 2000) + 100


def _lines_run(text: str) -> int:
    """The lines of Python that are run to take secrets out of ``text``."""
    count = 0

    def trace(frame: FrameType, event: str, argument: object) -> Any:
        nonlocal count
        if frame.f_globals["__name__"] != without_secrets.__module__:
            return None  # what is collected as garbage meanwhile
        count += event == "line"
        return trace

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        without_secrets(text)
    finally:
        sys.settrace(before)
    return count
