"""Two reports beside each other: the plain exchange, and the switcher's.

``python -m tests.endpoint.exchanges PLAIN.json SWITCHER.json`` prints the page docs/switcher.md.
Both are reports of one selection: the second of ``pytest --conformance --provider all --exchange
switcher``, the first of the same without ``--exchange`` and with ``--no-deviations``.
"""

from __future__ import annotations

import json
import sys
import textwrap
from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HEAD = """\
# The switcher, judged as providers are

`pytest --conformance --provider all --exchange switcher` has the kit's `AvatarSwitcher`
([docs/agents.md](agents.md)) start, exchange and close the avatars of every published plugin, in
the checks that are about an exchange. Beside it the same checks with the plugins' own calls,
without known deviations. This page is made of the two reports by
`python -m tests.endpoint.exchanges PLAIN.json SWITCHER.json`.

An avatar whose `aclose()` removes the agent itself from the room (UNBIND-09) ends the call, and the
switcher with it: nothing can be started in a room that the agent has left.

FAULT-09 is not applicable: its worker leaves before it has shown a picture, and comes back after
`start()` has returned. The switcher's exchange returns when the avatar can be heard, or ends it.

The requirements: {requirements}.

livekit-agents {host}. {checks} checks of {providers} providers; outcomes:

| own calls | switcher | checks |
|---|---|---|
"""


@dataclass(frozen=True)
class Found:
    """What became of one check, and the words for it."""

    outcome: str
    what: str


def outcomes(report: dict[str, Any]) -> dict[str, Found]:
    """The outcome of each check of a report, by its id."""
    return {
        result["id"]: Found(
            result["outcome"], (result["finding"] or {}).get("observed") or result["reason"] or ""
        )
        for subject in report["subjects"]
        for result in subject["results"]
    }


def page(plain: dict[str, Any], switcher: dict[str, Any]) -> Iterator[str]:
    """The page for two reports, line by line."""
    before, after = outcomes(plain), outcomes(switcher)
    if missing := sorted(set(after) - set(before)):
        raise SystemExit(f"not in the report of the plain exchange: {', '.join(missing[:3])} ...")
    names = sorted({check.split("::")[1].partition("[")[0] for check in after})
    yield HEAD.format(
        requirements=textwrap.fill(", ".join(names), 99, initial_indent=" " * 18).strip(),
        host=switcher["host"]["livekit-agents"],
        checks=len(after),
        providers=len(switcher["subjects"]),
    ).rstrip()
    pairs = Counter((before[check].outcome, found.outcome) for check, found in after.items())
    for (one, other), count in sorted(pairs.items()):
        yield f"| {one} | {other} | {count} |"
    changes: dict[tuple[str, str, str, str], list[str]] = defaultdict(list)
    for check, found in after.items():
        provider, _, requirement = check.partition("::")
        if before[check].outcome != found.outcome:
            words = found.what if found.outcome != "passed" else before[check].what
            key = (requirement, before[check].outcome, found.outcome, _short(words))
            changes[key].append(provider)
    yield "\nWhere they differ, with what was seen in the one that failed:\n"
    yield "| check | own calls | switcher | providers | |"
    yield "|---|---|---|---|---|"
    for (requirement, one, other, words), providers in sorted(changes.items()):
        yield f"| {requirement} | {one} | {other} | {', '.join(providers)} | {words} |"


def _short(words: str) -> str:
    line = words.splitlines()[0] if words else ""
    return (line if len(line) <= 80 else f"{line[:77]}...").replace("|", "\\|")


if __name__ == "__main__":
    first, second = (json.loads(Path(name).read_text("utf-8")) for name in sys.argv[1:3])
    print("\n".join(page(first, second)))
