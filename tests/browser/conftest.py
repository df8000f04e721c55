from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any
from urllib.parse import quote

import pytest

from conformance.report import html
from conformance.results.outcomes import CheckResult, Finding, Outcome
from conformance.suite.runner.reference import reference_provider
from conformance.suite.runner.subjects import subjects
from tests.results.sample_run import CHECKS, REQUIREMENTS, result, run, subject
from tests.suite.check_runner import run_check

FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
)
HOSTILE = "</script><script>document.title='taken over'</script><b>bold</b>"
Open = Callable[..., Any]


@pytest.fixture(scope="module")
def chromium() -> str:
    """The browser's executable; without one these tests are skipped, and say what is missing."""
    pytest.importorskip("playwright", reason="the HTML report was not looked at: no playwright")
    for name in (os.environ.get("CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"):
        found = shutil.which(name) if name else None
        if found:
            return found
    pytest.skip("the HTML report was not looked at: no Chromium on PATH (or name it in CHROMIUM)")


@pytest.fixture(scope="module")
def report(chromium: str, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A report on disk: two providers, one failure at a moment, real timelines of real swaps."""
    path = tmp_path_factory.mktemp("page") / "report.html"
    swap = _real_swap()
    good = [result(check) for check in CHECKS]
    good[1] = replace(swap, id=good[1].id)
    bad = [result(check, provider="beta") for check in CHECKS]
    wrong = Finding("every frame once", "420 ms missing at 600 ms", "send `all` frames", 2.41)
    bad[2] = replace(swap, id=bad[2].id, outcome=Outcome.FAILED, finding=wrong)
    bad[3] = replace(bad[3], outcome=Outcome.FAILED, finding=Finding(HOSTILE, HOSTILE))
    path.write_text(
        html.render(
            run(
                subject(good),
                subject(bad, name="beta"),
                subject([result("HOST-01", provider="host")], name="host", expected=["HOST-01"]),
                requirements={**REQUIREMENTS},
            )
        ),
        "utf-8",
    )
    return path


def _real_swap() -> CheckResult:
    provider = reference_provider()
    of_provider = next(s for s in subjects([provider]) if s.provider is provider)
    check = next(c for c in of_provider.checks if c.requirement == "SWAP-02")
    return run_check(of_provider, check, "close-then-start")


# For a module only: while it is open, no other event loop can run in this thread.
@pytest.fixture(scope="module")
def browser(chromium: str, report: Path) -> Iterator[Any]:
    """A headless Chromium."""
    from playwright.sync_api import sync_playwright

    with sync_playwright() as playwright:
        launched = playwright.chromium.launch(
            executable_path=chromium, headless=True, args=list(FLAGS)
        )
        yield launched
        launched.close()


@pytest.fixture
def open_page(browser: Any, report: Path) -> Iterator[Open]:
    """Opens the report from disk; afterwards nothing was asked of a network, and no error said."""
    with _watched_contexts(browser) as new_page:

        def opened(*, check: str = "", width: int = 1280, height: int = 900, **options: Any) -> Any:
            page = new_page(viewport={"width": width, "height": height}, **options)
            page.goto(report.as_uri() + (f"#check={quote(check)}" if check else ""))
            return page

        yield opened


@contextmanager
def _watched_contexts(browser: Any) -> Iterator[Open]:
    said: list[str] = []
    asked: list[str] = []
    contexts = []

    def new_page(**options: Any) -> Any:
        contexts.append(browser.new_context(**options))
        page = contexts[-1].new_page()
        page.on("console", lambda message: said.append(message.text))
        page.on("pageerror", lambda error: said.append(str(error)))
        page.on("request", lambda request: asked.append(request.url))
        return page

    yield new_page
    for context in contexts:
        context.close()
    assert said == []
    assert [url for url in asked if not url.startswith(("file://", "data:"))] == []
