"""The HTML report as a file: what is in it, what is left out, and that nothing escapes from it."""

from __future__ import annotations

import base64
import hashlib
import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from typing import Any

import pytest

from conformance.report import html
from conformance.report.html_data import for_script
from conformance.report.html_matrix import Cell, grids
from conformance.results.display_state import State, state_of, worst
from conformance.results.outcomes import Finding, HostDefectRef, Level, Outcome
from conformance.results.run import DeviationUse, RequirementFacts, Run
from conformance.results.timeline import Event
from tests.conftest import Repository
from tests.results.sample_run import CHECKS, REQUIREMENTS, acme, result, run, subject

HOSTILE = '</script><script>alert(1)</script><!-- <img src=x onerror=alert(2)> "quoted" \u2028'


def data_of(page: str) -> Any:
    """The data that a page's script gets."""
    return json.loads(page.split('id="data">', 1)[1].split("</script>", 1)[0])


def check_in(page: str, name: str) -> Any:
    """One check of the page's data, by its id."""
    checks = data_of(page)["checks"].values()
    return next(c for of in checks for some in of.values() for c in some if c["id"] == name)


def cell(of: Run, requirement: str) -> Cell | None:
    """The cell of the first subject of the first table."""
    rows = [row for group in grids(of)[0].groups for row in group.rows]
    return next(row.cells[0] for row in rows if row.facts.id == requirement)


class _Elements(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[tuple[str, dict[str, str | None]]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.found.append((tag, dict(attrs)))


def elements(page: str) -> list[tuple[str, dict[str, str | None]]]:
    """Every element of a page, with its attributes."""
    parser = _Elements()
    parser.feed(page)
    return parser.found


def test_cell_shows_the_worst_of_its_variants_and_how_many_have_it() -> None:
    """One failed variant of two makes the cell failed, and the cell says 1 of 2."""
    found = cell(acme({"SWAP-01[b]": Outcome.FAILED}), "SWAP-01")
    assert found is not None
    assert (found.state, found.share, found.words) == (
        State.FAILED,
        "1 of 2",
        "failed, 1 of 2 variants",
    )


def test_cell_whose_variants_agree_has_no_share() -> None:
    """Two passed variants are just passed."""
    found = cell(acme(), "SWAP-01")
    assert found is not None
    assert found.words == "passed"


@pytest.mark.parametrize(
    ("states", "expected"),
    [
        ([State.PASSED, State.NOT_APPLICABLE], State.PASSED),
        ([State.PASSED, State.EXPECTED], State.EXPECTED),
        ([State.BLOCKED, State.FAILED, State.PASSED], State.FAILED),
        ([State.NOT_RUN, State.PASSED], State.NOT_RUN),
        ([State.FAILED, State.ERROR], State.ERROR),
    ],
)
def test_worst_state_is_the_one_that_asks_for_most(states: list[State], expected: State) -> None:
    """Errors come before failures, failures before what is not run, blocked or excused."""
    assert worst(states) is expected


def test_failed_should_is_shown_apart_from_a_failed_must() -> None:
    """A recommendation that is not met has a word and a sign of its own."""
    failed = result("UNBIND-05", Outcome.FAILED)
    assert failed.level is Level.SHOULD
    assert state_of(failed) is State.SHOULD
    assert state_of(result("BIND-01", Outcome.FAILED)) is State.FAILED


def test_check_that_did_not_run_is_in_the_matrix_and_in_its_panel() -> None:
    """What is missing from the ledger is shown as not run, and the run as partial."""
    short = run(subject([result(check) for check in CHECKS[:-1]]))
    found = cell(short, "UNBIND-05")
    assert found is not None
    assert found.state is State.NOT_RUN
    page = html.render(short)
    assert check_in(page, "acme::UNBIND-05")["state"] == "not-run"
    assert "A partial run: it certifies nothing" in page
    assert "acme: 1 checks not run: acme::UNBIND-05" in page


def test_requirement_that_nobody_is_asked_for_has_no_row() -> None:
    """The tables have the requirements that some subject of theirs is asked for."""
    tables = grids(run(subject([]), subject([], name="host", expected=("HOST-01",))))
    rows = [[row.facts.id for g in table.groups for row in g.rows] for table in tables]
    assert rows == [["BIND-01", "SWAP-01", "UNBIND-05"], ["HOST-01"]]


def test_page_tells_what_the_run_was_made_with() -> None:
    """Versions, requirement revision, verdict, tier and ledger are on the page without a script."""
    page = html.render(acme({"BIND-01": Outcome.FAILED}))
    for text in (
        "Not passed",
        "2026.1",
        "1.8.9",
        "livekit-plugins-acme 1.0",
        "no tier: BIND-01 does not hold",
        "expected 4 = 3 passed + 1 failed",
        "acme::BIND-01 failed: no tail",
        "2026-11-23 08:00 UTC",
    ):
        assert text in page, text


def test_passed_run_says_so() -> None:
    """A run in which everything holds is passed, with its tier."""
    page = html.render(acme())
    assert ">Passed</p>" in page
    assert "tier robust" in page
    assert "What stands in the way" not in page


def test_deviation_is_shown_with_state_expiry_owner_and_reference() -> None:
    """The reader sees until when a deviation excuses what, and who owns it."""
    use = DeviationUse(
        requirement="SWAP-01",
        variants=("a",),
        reason="drops <b>one</b> frame in `flush`",
        reference="https://example.com/issue/7",
        owner="acme team",
        expires="2027-02-01",
        host="",
        plugin="",
        origin="acme.toml",
        state="used",
    )
    page = html.render(run(subject([result(check) for check in CHECKS], deviations=[use])))
    assert "SWAP-01[a]" in page
    assert 'expires <time datetime="2027-02-01">2027-02-01</time>' in page
    assert "drops &lt;b&gt;one&lt;/b&gt; frame in <code>flush</code>" in page
    assert '<a href="https://example.com/issue/7" rel="noreferrer">' in page
    assert "acme team" in page


def test_reference_that_is_no_web_address_is_no_link() -> None:
    """A reference with a scheme of another kind can't be clicked."""
    use = DeviationUse(
        "SWAP-01", (), "r", "javascript:alert(1)", "o", "2027-02-01", "", "", "", "used"
    )
    page = html.render(run(subject([result(check) for check in CHECKS], deviations=[use])))
    assert not [
        attributes
        for tag, attributes in elements(page)
        if tag == "a" and ":" in str(attributes["href"])
    ]


def test_defect_of_the_host_is_named_with_what_it_blocks() -> None:
    """A provider's card says which defects of the host block which of its checks."""
    blocked = result(
        "SWAP-01[b]",
        Outcome.BLOCKED,
        reason="host defect HD-01: too early",
        blocked_by=HostDefectRef("HD-01"),
    )
    page = html.render(
        run(subject([result("BIND-01"), result("SWAP-01[a]"), blocked, result("UNBIND-05")]))
    )
    assert "host defect HD-01: too early (blocks SWAP-01[b])" in page
    assert "1 defect of the host, held against nobody" in page


def test_timelines_of_swaps_and_of_what_did_not_pass_are_kept_and_others_left_out() -> None:
    """A passed check of another family costs no room; a reader is told so."""
    page = html.render(acme({"UNBIND-05": Outcome.FAILED}))
    assert "events" in check_in(page, "acme::SWAP-01[a]")
    assert "events" in check_in(page, "acme::UNBIND-05")
    assert "events" not in check_in(page, "acme::BIND-01")
    assert "those of other checks that passed are left out" in page


def test_events_are_whole_in_the_data() -> None:
    """Lane, kind, subject and detail come back from the tables of the page's data."""
    data = data_of(html.render(acme()))
    events = data["checks"]["acme"]["SWAP-01"][0]["events"]
    at, lane, kind, who, detail = events[1]
    assert (at, data["strings"][lane], data["strings"][kind]) == (1.5, "tail", "bound")
    assert (data["strings"][who], data["details"][detail]) == ("new", {"rate": 24000})


def test_hostile_text_stays_text_everywhere() -> None:
    """Text that looks like markup makes no element, in the page or in its data."""
    facts = {
        **REQUIREMENTS,
        "BIND-01": RequirementFacts("BIND-01", "BIND", Level.MUST, HOSTILE, why=HOSTILE),
    }
    failed = result(
        "BIND-01",
        Outcome.FAILED,
        finding=Finding(HOSTILE, HOSTILE, HOSTILE, 1.0),
        events=(Event(0.5, "agent", HOSTILE, HOSTILE, {"text": HOSTILE}),),
    )
    rest = [result(check) for check in CHECKS[1:]]
    page = html.render(run(subject([failed, *rest]), requirements=facts, gaps=(HOSTILE,)))
    plain = html.render(acme({"BIND-01": Outcome.FAILED}, gaps=("x",)))

    def tags(text: str) -> list[str]:
        return [tag for tag, _ in elements(text)]

    assert tags(page) == tags(plain)
    assert check_in(page, "acme::BIND-01")["finding"]["observed"] == HOSTILE


def test_json_for_a_script_has_no_character_that_ends_one() -> None:
    """What could end or open a script element, or a line, is written as an escape."""
    text = for_script({"a": HOSTILE})
    assert not set("<>&\u2028\u2029") & set(text)
    assert json.loads(text) == {"a": HOSTILE}


def test_page_asks_for_nothing_from_anywhere() -> None:
    """No element loads anything: no source, no stylesheet, no import, no form target."""
    page = html.render(acme({"BIND-01": Outcome.FAILED}))
    found = elements(page)
    loading = [
        (tag, a) for tag, a in found if {"src", "srcset", "data", "action", "poster"} & a.keys()
    ]
    assert loading == []
    assert [a["href"] for tag, a in found if tag == "link"] == ["data:,"]
    css = page.split("<style>", 1)[1].split("</style>", 1)[0]
    assert not re.search(r"url\(|@import|@font-face", css)
    script = page.rsplit("<script>", 1)[1].split("</script>", 1)[0]
    assert not re.search(r"fetch\(|XMLHttpRequest|import\(|WebSocket|sendBeacon|innerHTML", script)


def test_policy_allows_the_own_script_and_style_and_nothing_else() -> None:
    """The content security policy names the digests of exactly what the page brings."""
    page = html.render(acme())
    policy = next(a["content"] for tag, a in elements(page) if tag == "meta" and "http-equiv" in a)

    def digest(open_tag: str, close_tag: str) -> str:
        text = page.rsplit(open_tag, 1)[1].split(close_tag, 1)[0]
        return base64.b64encode(hashlib.sha256(text.encode()).digest()).decode()

    assert policy == (
        "default-src 'none'; img-src data:; "
        f"style-src 'sha256-{digest('<style>', '</style>')}'; "
        f"script-src 'sha256-{digest('<script>', '</script>')}'"
    )


def test_equal_runs_make_equal_pages() -> None:
    """Nothing in the page differs between two renderings of a run."""
    assert html.render(acme()) == html.render(acme())


def test_fourteen_providers_stay_below_three_megabytes() -> None:
    """A run of the usual size, its pairs among them, makes a page that opens quickly."""
    names = [f"vendor{n}" for n in range(14)]
    family = {
        f"SWAP-{n:02}": RequirementFacts(
            f"SWAP-{n:02}", "SWAP", Level.MUST, "t" * 150, why="w" * 150
        )
        for n in range(80)
    }
    checks = [
        f"SWAP-{n:02}[{v}]" for n in range(80) for v in ("close-then-start", "start-then-close")
    ]
    subjects = []
    for name in names:
        template = result("SWAP-01[a]", provider=name)
        results = [
            replace(
                template,
                id=replace(template.id, requirement=check[:7], variant=check[8:-1]),
                events=tuple(
                    Event(
                        round(n * 0.017, 6),
                        "worker",
                        f"kind {n % 30}",
                        name,
                        {"n": n % 9, "to": name},
                    )
                    for n in range(28)
                ),
            )
            for check in checks
        ]
        subjects.append(
            replace(subject(results, name=name, expected=()), expected=tuple(r.id for r in results))
        )
    page = html.render(run(*subjects, requirements=family))
    assert 500_000 < len(page.encode()) < 3_000_000


def test_narrowed_run_says_that_it_certifies_nothing() -> None:
    """A selection of requirements is no certification, and the page says so at its head."""
    whole = acme()
    narrowed = replace(whole, selection=replace(whole.selection, requirements=("SWAP-*",)))
    assert "Only a part of the requirements was asked for" in html.render(narrowed)
    assert "Only a part of the requirements was asked for" not in html.render(whole)


def test_option_writes_the_page(repository: Repository) -> None:
    """``--conformance-html`` leaves a whole page of the run, and says nothing about it."""
    repository.run("--conformance-html", "out.html")
    page = (repository.pytester.path / "out.html").read_text("utf-8")
    assert page.startswith("<!DOCTYPE html>")
    assert page.rstrip().endswith("</html>")
    assert "acme" in data_of(page)["checks"]
