from __future__ import annotations

from html.parser import HTMLParser
from pathlib import Path

import pytest

from conformance.certificate.loading import Loaded, load
from conformance.certificate.matrix import make_matrix, to_html, to_markdown
from conformance.certificate.statement import render
from conformance.cli import main
from conformance.outcomes import Outcome
from conformance.report.json_report import render as render_report
from conformance.report.run import Run, Timing
from tests.certificate_sample import certificate, whole_run

BROKEN = {"acme::SWAP-01": Outcome.FAILED, "acme::PLAY-01": Outcome.ERROR}


def loaded(run: Run, name: str = "r.json") -> Loaded:
    """A run as if read from a file."""
    return Loaded(Path(name), run)


def on_host(version: str, outcomes: dict[str, Outcome] | None = None, **changes: object) -> Run:
    """A run on some version of the host."""
    return whole_run(outcomes, host={"livekit-agents": version}, **changes)


def test_providers_go_down_and_hosts_across() -> None:
    """Hosts are sorted as versions, and a pair that was not run has no cell."""
    matrix = make_matrix(
        [
            loaded(on_host("1.10.0")),
            loaded(on_host("1.9.0", BROKEN)),
            loaded(on_host("1.9.0", names=("beta",))),
        ]
    )
    assert matrix.hosts == ("1.9.0", "1.10.0")
    assert [row.provider for row in matrix.rows] == ["acme", "beta"]
    acme, beta = matrix.rows
    assert [cell and cell.word for cell in acme.cells] == ["not certified", "robust"]
    assert acme.cells[0] is not None
    assert acme.cells[0].failures == ("SWAP-01", "PLAY-01 error")
    assert beta.cells[1] is None


def test_the_later_of_two_runs_counts() -> None:
    """Two runs of one provider on one host make one cell, whatever their order."""
    early = on_host("1.9.0", BROKEN)
    late = on_host("1.9.0", timing=Timing("", "2026-11-24T08:00:00.000+00:00"))
    for order in ([early, late], [late, early]):
        (row,) = make_matrix([loaded(run) for run in order]).rows
        assert [cell and cell.word for cell in row.cells] == ["robust"]


def test_a_partial_run_has_no_tier() -> None:
    """A cell of a partial run says so, and no tier."""
    (row,) = make_matrix([loaded(whole_run(skipped=["acme::SWAP-01"]))]).rows
    assert [cell and cell.word for cell in row.cells] == ["partial run"]


def test_the_markdown_is_one_table() -> None:
    """Each line has as many cells as the head."""
    text = to_markdown(make_matrix([loaded(on_host("1.9.0", BROKEN)), loaded(on_host("1.10"))]))
    lines = text.splitlines()
    assert lines[0] == "| provider | livekit-agents 1.9.0 | livekit-agents 1.10 |"
    assert "**not certified**<br>failed: SWAP-01, PLAY-01 error" in lines[2]
    assert {line.count("|") for line in lines} == {4}


def test_markdown_and_html_are_not_broken_by_a_name() -> None:
    """A provider's version is data: neither a cell border nor a tag."""
    matrix = make_matrix([loaded(whole_run(version="1|<b>x</b>"))])
    assert "1\\|\\<b\\>x" in to_markdown(matrix)
    assert "<b>x" not in to_html(matrix)


class _Page(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag


def test_the_page_needs_no_other_file() -> None:
    """No script, nothing to load, every tag closed, headers with a scope, a language, a title."""
    page = _Page()
    page.feed(to_html(make_matrix([loaded(on_host("1.9.0", BROKEN)), loaded(on_host("1.10"))])))
    assert page.open == []
    names = [tag for tag, _ in page.tags]
    assert "script" not in names
    assert "img" not in names
    loads = [a.get("href") or a.get("src") for _, a in page.tags if "href" in a or "src" in a]
    assert loads == ["data:,"]
    assert all("scope" in attributes for tag, attributes in page.tags if tag == "th")
    assert ("html", {"lang": "en"}) in page.tags
    assert names.count("title") == names.count("caption") == names.count("h1") == 1


def test_certificates_are_tabulated_too(tmp_path: Path) -> None:
    """A certificate stands in the matrix like the report of its run."""
    path = tmp_path / "acme.intoto.jsonl"
    path.write_bytes(render(certificate(whole_run(BROKEN))))
    (row,) = make_matrix([load(path)]).rows
    assert row.cells[0] is not None
    assert row.cells[0].failures == ("SWAP-01", "PLAY-01 error")


def test_the_command_writes_both(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--html and --markdown write files; without them the table is printed."""
    report = tmp_path / "r.json"
    report.write_text(render_report(whole_run()), "utf-8")
    html, markdown = tmp_path / "m.html", tmp_path / "m.md"
    assert main(["matrix", str(report), "--html", str(html), "--markdown", str(markdown)]) == 0
    assert html.read_text("utf-8").startswith("<!doctype html>")
    assert main(["matrix", str(report)]) == 0
    assert capsys.readouterr().out == markdown.read_text("utf-8")


def test_a_page_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing directory, or a directory in the way: exit code 2 and nothing written."""
    report = tmp_path / "r.json"
    report.write_text(render_report(whole_run()), "utf-8")
    for target in (tmp_path / "none" / "m.html", tmp_path):
        assert main(["matrix", str(report), "--html", str(target)]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert "cannot be written" in err
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
