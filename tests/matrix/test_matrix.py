from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from conformance.certificate.loading import Loaded, load
from conformance.certificate.statement import render
from conformance.cli import main
from conformance.matrix.family_summary import abbreviate_ids
from conformance.matrix.markdown import to_markdown
from conformance.matrix.matrix import Cell, Matrix, make_matrix
from conformance.report.json_report import render as render_report
from conformance.results.outcomes import Blocker, CheckId, HostDefectRef, Outcome
from conformance.results.run import Run, Timing
from tests.certificate.certificate_sample import certificate, whole_run

BROKEN = {"acme::SWAP-01": Outcome.FAILED, "acme::PLAY-01": Outcome.ERROR}


def loaded(run: Run, name: str = "r.json") -> Loaded:
    """A run as if read from a file."""
    return Loaded(Path(name), run)


def on_host(host: str, outcomes: dict[str, Outcome] | None = None, **changes: object) -> Run:
    """A run on some version of the host."""
    return whole_run(outcomes, host={"livekit-agents": host}, **changes)


def words(matrix: Matrix, provider: str = "acme") -> list[list[str]]:
    """The tiers of one provider, host by host, as the matrix words them."""
    (row,) = [row for row in matrix.rows if row.name == provider]
    return [[cell.word for cell in cells] for cells in row.cells]


def only_cell(matrix: Matrix, name: str = "acme") -> Cell:
    """The one cell of a subject that ran once."""
    (row,) = [row for row in matrix.rows if row.name == name]
    ((cell,),) = row.cells
    return cell


def blocked(run: Run, check: str, by: Blocker, why: str) -> Run:
    """The run, with one check blocked."""
    subjects = [
        replace(
            subject,
            results=tuple(
                replace(
                    result,
                    outcome=Outcome.BLOCKED,
                    finding=None,
                    reason=why,
                    blocked_by=by,
                )
                if str(result.id) == check
                else result
                for result in subject.results
            ),
        )
        for subject in run.subjects
    ]
    return replace(run, subjects=tuple(subjects))


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
    assert [row.name for row in matrix.rows] == ["host", "endpoint", "acme", "beta"]
    assert words(matrix) == [["no tier"], ["robust"]]
    assert words(matrix, "beta") == [["robust"], []]


def test_each_version_of_a_plugin_has_its_place() -> None:
    """A plugin is one row: its versions stand in the cells of the hosts that they ran on."""
    matrix = make_matrix(
        [
            loaded(on_host("1.9.0", version="1.10")),
            loaded(on_host("1.9.0", BROKEN, version="1.9")),
            loaded(on_host("1.8.0", version="1.8")),
        ]
    )
    (row,) = [row for row in matrix.rows if row.kind == "provider"]
    assert [[cell.version for cell in cells] for cells in row.cells] == [["1.8"], ["1.9", "1.10"]]
    assert words(matrix) == [["robust"], ["no tier", "robust"]]


def test_a_requirement_that_does_not_hold_is_counted_in_its_family() -> None:
    """A MUST and a SHOULD that failed, an error and an expected failure are told apart."""
    outcomes = {
        "acme::SWAP-01": Outcome.FAILED,
        "acme::SWAP-02": Outcome.ERROR,
        "acme::UNBIND-05": Outcome.FAILED,
        "acme::PLAY-01": Outcome.EXPECTED_FAILURE,
        "acme::PLAY-02": Outcome.NOT_APPLICABLE,
    }
    cell = only_cell(make_matrix([loaded(whole_run(outcomes))]))
    told = {s.family: (s.mark, s.held, s.asked) for s in cell.shares if s.mark != "✓"}
    assert told == {"SWAP": ("✕", 15, 17), "UNBIND": ("!", 13, 14), "PLAY": ("~", 10, 11)}
    assert cell.wanting == (
        ("MUST failed", ("SWAP-01", "SWAP-02 (error)")),
        ("SHOULD failed", ("UNBIND-05",)),
        ("expected to fail", ("PLAY-01",)),
    )


def test_what_the_host_blocks_is_told_by_defect_and_version() -> None:
    """A defect of the host has a row: its text, and what it blocks on each version."""
    text = "the host has no swap call"
    why = f"host defect HD-06 of livekit-agents: {text}"
    old = blocked(on_host("1.6.0"), "acme::SWAP-02", HostDefectRef("HD-06", text), why)
    matrix = make_matrix([loaded(old), loaded(on_host("1.6.1"))])
    (defect,) = matrix.defects
    assert (defect.id, defect.text) == ("HD-06", "the host has no swap call")
    assert defect.requirements == (("SWAP-02",), ())
    row = "| **HD-06** the host has no swap call | SWAP-02 | - |"
    assert row in to_markdown(matrix).splitlines()


def test_what_another_provider_blocks_names_it() -> None:
    """A check of a pair that the peer spoils is not put on the host."""
    run = blocked(
        whole_run(), "acme::SWAP-09", CheckId("beta", "SWAP-09", "to-beta"), "beta fails it too"
    )
    matrix = make_matrix([loaded(run)])
    assert only_cell(matrix).wanting == (("blocked", ("SWAP-09 (by beta)",)),)
    assert matrix.defects == ()


def test_the_host_has_a_row_of_its_own() -> None:
    """What most of the host's failures have in common stands in its cell, and it has no tier."""
    failed = {f"host::HOST-0{number}": Outcome.FAILED for number in (1, 2, 3)}
    cell = only_cell(make_matrix([loaded(whole_run(failed))]), "host")
    (result, *_) = (r for r in whole_run(failed).subjects[0].results if r.finding)
    assert result.finding is not None
    assert (cell.word, cell.remark) == ("", result.finding.observed)
    assert [(s.family, s.mark, s.asked - s.held) for s in cell.shares] == [("HOST", "✕", 3)]


@pytest.mark.parametrize(
    ("ids", "short"),
    [
        ((), ""),
        (("SWAP-01",), "SWAP-01"),
        (("SWAP-01", "SWAP-02"), "SWAP-01, 02"),
        (("SWAP-01", "SWAP-02", "SWAP-03", "SWAP-09", "PLAY-01"), "SWAP-01 to 03, 09, PLAY-01"),
        (("SWAP-08", "SWAP-09 (by beta)", "SWAP-10"), "SWAP-08, 09 (by beta), 10"),
    ],
)
def test_ids_are_shortened(ids: tuple[str, ...], short: str) -> None:
    """A family is named once, and neighbours are a range."""
    assert abbreviate_ids(ids) == short


def test_the_later_of_two_runs_counts() -> None:
    """Two runs of one provider on one host make one cell, whatever their order."""
    early = on_host("1.9.0", BROKEN)
    late = on_host("1.9.0", timing=Timing("", "2026-11-24T08:00:00.000+00:00"))
    for order in ([early, late], [late, early]):
        assert words(make_matrix([loaded(run) for run in order])) == [["robust"]]


def test_a_partial_run_has_no_tier() -> None:
    """A cell of a partial run says so, and no tier."""
    matrix = make_matrix([loaded(whole_run(skipped=["acme::SWAP-01"]))])
    assert words(matrix) == [["partial run"]]
    assert only_cell(matrix).wanting == (("MUST failed", ("SWAP-01 (not run)",)),)


def test_the_tables_of_the_markdown_are_whole() -> None:
    """Each line of a table has as many cells as its head, and the hosts are its columns."""
    text = to_markdown(make_matrix([loaded(on_host("1.9.0", BROKEN)), loaded(on_host("1.10"))]))
    tables = [part.splitlines() for part in text.split("\n\n") if part.startswith("|")]
    assert tables[0][0] == "| livekit-agents | 1.9.0 | 1.10 |"
    assert any("| **no tier** 1.0<br>✕ SWAP 16 of 17<br>" in line for line in tables[0])
    assert "| 1.9.0 | 1.0 | SWAP-01, PLAY-01 (error) | - | - | - |" in tables[1]
    for table in tables:
        assert {line.count("|") for line in table} == {table[0].count("|")}


def test_markdown_is_not_broken_by_a_name() -> None:
    """A provider's version is data: neither a cell border nor a tag."""
    matrix = make_matrix([loaded(whole_run(version="1|<b>x</b>"))])
    assert "1\\|\\<b\\>x" in to_markdown(matrix)


def test_certificates_are_tabulated_too(tmp_path: Path) -> None:
    """A certificate stands in the matrix like the report of its run."""
    path = tmp_path / "acme.intoto.jsonl"
    path.write_bytes(render(certificate(whole_run(BROKEN))))
    cell = only_cell(make_matrix([load(path)]))
    assert cell.wanting == (("MUST failed", ("SWAP-01", "PLAY-01 (error)")),)


def test_the_command_writes_markdown(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """--markdown writes a file; without it the table is printed."""
    report = tmp_path / "r.json"
    report.write_text(render_report(whole_run()), "utf-8")
    markdown = tmp_path / "m.md"
    assert main(["matrix", str(report), "--markdown", str(markdown)]) == 0
    assert main(["matrix", str(report)]) == 0
    assert capsys.readouterr().out == markdown.read_text("utf-8")


def test_a_page_that_cannot_be_written_is_one_line(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """A missing directory, or a directory in the way: exit code 2 and nothing written."""
    report = tmp_path / "r.json"
    report.write_text(render_report(whole_run()), "utf-8")
    for target in (tmp_path / "none" / "m.md", tmp_path):
        assert main(["matrix", str(report), "--markdown", str(target)]) == 2
        err = capsys.readouterr().err
        assert err.count("\n") == 1
        assert "cannot be written" in err
    assert [path.name for path in tmp_path.iterdir()] == ["r.json"]
