"""Make docs/published-plugins.md: ``python -m tests.docs.published [REPORT.json]``.

REPORT is of ``pytest --conformance --provider all --conformance-report REPORT.json``; without it
that is run first. The tiers on earlier versions of livekit-agents are those of docs/host-matrix.md.
"""

from __future__ import annotations

import re
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from conformance.results.from_report import run_of_report
from conformance.results.json_input import read_json
from conformance.results.ledger import ledger
from conformance.results.outcomes import CheckId, CheckResult, HostDefectRef, Outcome
from conformance.results.run import Run, SubjectRun, providers
from conformance.results.tiers import TIERS, Tier, lacks, standing
from tests.docs.pages.markdown import table

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "published-plugins.md"
MATRIX = ROOT / "docs" / "host-matrix.md"
COMMAND = "python -m tests.docs.published"

_ROW = re.compile(r"^\| \*\*(?P<name>[\w-]+)\*\*<br>[^|]* \| (?P<cells>.*) \|$", re.MULTILINE)
_CELL = re.compile(r"^\*\*(?P<tier>[\w -]+)\*\* (?P<version>\S+?)(?:<br>|$)")

Earlier = Mapping[str, Mapping[str, tuple[str, str]]]
"""Of each provider, by host version: its tier in words, and the plugin's version."""


def main(arguments: Sequence[str] | None = None) -> int:
    """Make the page."""
    given = sys.argv[1:] if arguments is None else arguments
    with tempfile.TemporaryDirectory() as scratch:
        report = Path(given[0]) if given else _certified(Path(scratch) / "report.json")
        run = run_of_report(read_json(report))
    PAGE.write_text(render(run, earlier(MATRIX.read_text("utf-8"))), "utf-8")
    print(f"docs/{PAGE.name}: {len(providers(run))} plugins on {_host(run)}")
    return 0


def render(run: Run, before: Earlier) -> str:
    """The page about ``run``, with the tiers ``before`` it."""
    return "\n".join(_lines(run, before)) + "\n"


def earlier(matrix: str) -> Earlier:
    """The tiers that docs/host-matrix.md has."""
    head = next(line for line in matrix.splitlines() if line.startswith("| livekit-agents |"))
    hosts = [cell.strip() for cell in head.strip("| ").split("|")][1:]
    found: dict[str, dict[str, tuple[str, str]]] = {}
    for row in _ROW.finditer(matrix):
        for host, cell in zip(hosts, row["cells"].split(" | "), strict=True):
            match = _CELL.match(cell)
            if match:
                found.setdefault(row["name"], {})[host] = (match["tier"], match["version"])
    return found


def _certified(report: Path) -> Path:
    command = ["pytest", "--conformance", "--provider", "all", "--conformance-report", str(report)]
    subprocess.run([sys.executable, "-m", *command], cwd=ROOT, check=False)
    return report


def _lines(run: Run, before: Earlier) -> Iterator[str]:
    yield f"<!-- Made by `{COMMAND}` from a report; not by hand. -->"
    yield "# Published plugins"
    yield ""
    yield "What each published avatar plugin for livekit-agents has earned, what stands between it"
    yield "and the next tier, where that is and how to mend it."
    yield ""
    yield from _by_tier(run)
    yield from _what_was_run(run)
    yield "## Tiers over time"
    yield ""
    yield "Each plugin in the version that was released beside the host, on that host."
    yield "[host-matrix](host-matrix.md) has the families of requirements behind each tier."
    yield ""
    yield from _over_time(run, before)
    for subject in _ranked(run):
        yield from _plugin(run, subject)
    yield from _ANSWER


def _what_was_run(run: Run) -> Iterator[str]:
    yield "## What was run"
    yield ""
    yield "Each row follows from one run, which anybody can repeat. The words of a known failure"
    yield "are those of the plugin's adapter (`vendor_adapters/_deviations`), written by whoever"
    yield "found it by running the plugin."
    yield ""
    day = run.timing.finished[:10]
    yield f"- **When:** {day}, with avatar-conformance {run.kit}, requirements {run.revision}."
    yield (
        f"- **On what:** {_host(run)}, Python {run.python}, the {run.stage} stage: the real plugin"
        " and the real host; room, vendor's API and the avatar's worker are stand-ins on virtual"
        " time."
    )
    checks = sum(ledger(subject).expected for subject in providers(run))
    yield f"- **How much:** {checks} checks of {len(providers(run))} providers."
    pins = dict.fromkeys(f"{s.distribution}=={s.version}" for s in providers(run))
    yield "- **To repeat it:**"
    yield ""
    yield "  ```sh"
    yield f'  pip install avatar-conformance=={run.kit} "livekit-agents=={_version(run)}" \\'
    for number, pin in enumerate(pins, 1):
        yield f"      {pin}{' ' + chr(92) if number < len(pins) else ''}"
    yield "  pytest --conformance --provider all --conformance-html report.html"
    yield "  ```"
    yield ""
    yield "A failure counts, known or not: a deviation keeps a run green and earns no tier. What"
    yield "livekit-agents itself gets wrong is held against nobody:"
    yield "[host-defects](host-defects.md)."
    yield ""


def _by_tier(run: Run) -> Iterator[str]:
    rows = []
    for subject in _ranked(run):
        earned = standing(run, subject)
        above = earned.tier.next
        missing = f"{above.value}: {_linked(earned.missing, 6)}" if above else ""
        failing = _failing(subject)
        rows.append(
            (
                f"[{subject.name}](#{subject.name})",
                f"{subject.distribution} {subject.version}",
                _tier(earned.tier),
                missing or earned.nothing,
                str(len({result.id.requirement for result in failing})),
            )
        )
    yield from table(("", "plugin", "tier", "lacks for", "requirements that fail"), rows)


def _over_time(run: Run, before: Earlier) -> Iterator[str]:
    newest = _version(run)
    hosts = list(dict.fromkeys(host for tiers in before.values() for host in tiers))
    hosts = [host for host in hosts if host != newest]
    rows = []
    for subject in _ranked(run):
        tiers = before.get(subject.name, {})
        past = [_past(*tiers[host]) if host in tiers else "not released" for host in hosts]
        now = f"{_tier(standing(run, subject).tier)} ({subject.version})"
        rows.append((f"[{subject.name}](#{subject.name})", *past, now))
    yield from table(("livekit-agents", *hosts, newest), rows)


def _plugin(run: Run, subject: SubjectRun) -> Iterator[str]:
    earned = standing(run, subject)
    yield f"## {subject.name}"
    yield ""
    account = ledger(subject)
    counts = ", ".join(f"{n} {outcome.value}" for outcome, n in account.counts.items() if n)
    yield f"{subject.distribution} {subject.version}: **{_tier(earned.tier)}**."
    yield f"{account.expected} checks: {counts}."
    yield ""
    lacking = dict(lacks(run, subject))
    for tier in TIERS[1:]:
        names = [name for name, lowest in lacking.items() if lowest is tier]
        if names:
            stands = tier is earned.tier.next
            title = f"Between it and {tier.value}" if stands else f"Then, for {tier.value}"
            yield f"**{title}:**"
            yield ""
            rows = [(_linked([name]), *_told(subject, name)) for name in names]
            yield from table(("requirement", "checks", "what, where, and the mend"), rows)
    repeat = f"pytest --conformance --provider {subject.name} --no-deviations -v"
    yield f"`{repeat}` shows each with its timeline."
    yield ""


def _told(subject: SubjectRun, requirement: str) -> tuple[str, str]:
    """How many checks do not hold, and what is said of them, each thing once."""
    results = [
        result
        for result in subject.results
        if result.id.requirement == requirement
        and result.outcome not in (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    ]
    said = dict.fromkeys(_why(subject, result) for result in results)
    return str(len(results)), "<br>".join(_escaped(text) for text in said)


def _why(subject: SubjectRun, result: CheckResult) -> str:
    if isinstance(result.blocked_by, CheckId):
        return f"cannot be judged while {result.blocked_by} fails"
    if isinstance(result.blocked_by, HostDefectRef):
        return f"cannot be judged: {result.blocked_by.id} of livekit-agents"
    if result.outcome is Outcome.EXPECTED_FAILURE:
        return result.reason.removeprefix(f"{subject.distribution} {subject.version}: ")
    return result.finding.observed if result.finding else result.reason


def _failing(subject: SubjectRun) -> Sequence[CheckResult]:
    kinds = (Outcome.FAILED, Outcome.EXPECTED_FAILURE, Outcome.ERROR)
    return [result for result in subject.results if result.outcome in kinds]


def _ranked(run: Run) -> Sequence[SubjectRun]:
    """The highest tier first, then the fewest requirements that fail, then by name."""

    def rank(subject: SubjectRun) -> tuple[int, int, str]:
        failing = len({result.id.requirement for result in _failing(subject)})
        return -TIERS.index(standing(run, subject).tier), failing, subject.name

    return sorted(providers(run), key=rank)


def _linked(names: Sequence[str], most: int | None = None) -> str:
    shown = names[:most]
    links = ", ".join(f"[{name}](requirements.md#{name.lower()})" for name in shown)
    more = f" and {len(names) - len(shown)} more" if len(names) > len(shown) else ""
    return links + more


def _tier(tier: Tier) -> str:
    return "no tier" if tier is Tier.NONE else tier.value


def _past(tier: str, version: str) -> str:
    return f"{'no tier' if tier == 'not certified' else tier} ({version})"


def _host(run: Run) -> str:
    return f"livekit-agents {_version(run)}"


def _version(run: Run) -> str:
    return run.host["livekit-agents"]


def _escaped(text: str) -> str:
    return re.sub(r"([\\*_<>\[\]])", r"\\\1", " ".join(text.split()))


_ANSWER = """## How a vendor answers

- **It is right.** Mend it, release, and the next run has the new version. The deviation that the
  kit lists for the plugin then passes, which fails the kit's own run until it is taken out: a mend
  is not overlooked.
- **It is right, and will stay for now.** The bundled adapter's `known_deviations()`
  (`vendor_adapters/_deviations`) has the reason, the owner and the last day; send a change with a
  link to where you track it, and the page says what you say.
- **It is wrong.** Every row is repeated by the command below it. Send what it prints, or a report
  (`--conformance-report`), with what the check should have seen. A check that is wrong is a defect
  of the kit: it is mended with a broken and a sound provider that show the difference, and the page
  is made anew.
- **Our API is described wrongly.** The adapter is `vendor_adapters/NAME.py`. Ship one of your own
  in the plugin's distribution (entry point `avatar_conformance`): it takes the place of ours.
- **We certify ourselves.** `avatar-conformance certify` makes a certificate of your wheel, which
  anybody can verify ([gate](gate.md)).

`python -m tests.docs.published` makes this page, from a run of its own or from the report that is
named.""".splitlines()


if __name__ == "__main__":
    raise SystemExit(main())
