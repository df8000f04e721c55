"""A comparison of the two stages in words: docs/live.md, and a few lines for the terminal."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from conformance.live.launcher import PINNED_RELEASE
from conformance.results.outcomes import Outcome
from tests.live_server.rules import rules

from .comparison import Comparison, Pair

HOW = f"""\
# The suite on a real LiveKit server

```console
$ pytest --conformance --live                       # a server is started for the run
$ pytest --conformance --livekit-url ws://127.0.0.1:7880 \\
      --livekit-api-key devkey --livekit-api-secret secret
```

The agent and the avatar's worker are participants of a real room, with real media, byte streams and
RPC. The vendor's API stays in memory. Time is real, so a run takes as long as what is said in it.

A server is found by `LIVEKIT_SERVER` or as `livekit-server` on `PATH`: Homebrew has it (`brew
install livekit`), so do the project's releases and the container image `livekit/livekit-server`; or
build it: `go install github.com/livekit/livekit-server/cmd/server@{PINNED_RELEASE}`. It listens on
127.0.0.1, on free ports, and ends with the run. With `-n 8` each process has one of its own, and
the processes mostly wait. `LIVEKIT_URL`, `LIVEKIT_API_KEY` and `LIVEKIT_API_SECRET` are read with
`--live` only. What a plugin fails on one of the two stages alone is a known deviation with that
`stage`, `live` or `loopback`.

`tox -e live` plays the bundled providers on both stages and compares them: every requirement for
every provider, each by one of its variants, another one for the next provider. `tox -e live --
--full` plays all variants. What differs is played again before it counts, because a machine that is
busy spoils a verdict in real time. This page is what `python -m tests.live_server.differential
--write docs/live.md` found. What a server does that the loopback room has to do too is in
[server-behaviour.md](server-behaviour.md).
"""


def document(compared: Comparison) -> str:
    """The whole of docs/live.md."""
    return (
        "\n".join(
            [HOW, *_rules(), *_left_out(compared), *_outcomes(compared), *_differences(compared)]
        )
        + "\n"
    )


def summary(compared: Comparison) -> str:
    """A few lines: how many checks were compared, and each difference."""
    lines = [
        f"{len(compared.pairs)} checks: {len(compared.played)} played on both stages, "
        f"{len(compared.pairs) - len(compared.played)} need virtual time; "
        f"{len(compared.differing)} differ, {len(compared.unexplained)} of them unexplained"
    ]
    if compared.left_out:
        lines.append(f"variants left out by the sample: {len(compared.left_out)}")
    if compared.missing:
        lines.append(f"no outcome on the real server: {', '.join(compared.missing)}")
    lines += [f"{key}: explained, and the same this time" for key in compared.unneeded]
    for pair in compared.differing:
        why = pair.explanation or "UNEXPLAINED"
        lines.append(f"{pair.id}: {_both(pair)}; {why}; {pair.observed}")
    return "\n".join(lines) + "\n"


def _rules() -> Iterator[str]:
    yield "## Not played in real time\n"
    yield "These checks are not applicable on a live stage, by rule, and counted as that.\n"
    yield "| Check | Rule |"
    yield "|---|---|"
    for check, rule in rules().items():
        yield f"| {check} | {rule} |"
    yield ""


def _left_out(compared: Comparison) -> Iterator[str]:
    if not compared.left_out:
        return
    played = Counter(pair.requirement for pair in compared.pairs)
    left = Counter(check.requirement for check in compared.left_out)
    names: dict[str, dict[str, None]] = {}
    for check in compared.left_out:
        names.setdefault(check.requirement, {})[check.variant or ""] = None
    yield "## Left out by the sample\n"
    yield f"{len(compared.pairs)} checks were compared. {len(compared.left_out)} more variants of"
    yield "the same requirements were not played on the real server: each provider plays one"
    yield "variant, the next provider another one.\n"
    yield "| Requirement | Compared | Left out | Variants that some provider did not play |"
    yield "|---|---|---|---|"
    for requirement, count in left.items():
        variants = ", ".join(names[requirement])
        yield f"| {requirement} | {played[requirement]} | {count} | {variants} |"
    yield ""


def _outcomes(compared: Comparison) -> Iterator[str]:
    versions = ", ".join(f"{name} {version}" for name, version in compared.versions.items())
    yield "## Both stages compared\n"
    yield f"livekit-server {PINNED_RELEASE}, {versions}.\n"
    yield "| Subject | Compared | Same | Passed | Failed | Not applicable | Blocked | Different |"
    yield "|---|---|---|---|---|---|---|---|"
    for name in compared.providers:
        yield _row(name, [pair for pair in compared.played if pair.provider == name])
    yield _row("all", list(compared.played))
    yield ""
    yield "The columns from Passed to Blocked are of those that are the same on both stages. What"
    yield "fails on both is a finding about the plugin; known deviations count as failures here."
    yield ""


def _row(name: str, pairs: list[Pair]) -> str:
    same = Counter(pair.live for pair in pairs if pair.same)
    shown = (Outcome.PASSED, Outcome.FAILED, Outcome.NOT_APPLICABLE, Outcome.BLOCKED)
    cells = [len(pairs), sum(same.values()), *(same[outcome] for outcome in shown)]
    return f"| {name} | {' | '.join(map(str, cells))} | {len(pairs) - sum(same.values())} |"


def _differences(compared: Comparison) -> Iterator[str]:
    yield "## Differences\n"
    if not compared.differing:
        yield "None.\n"
    else:
        yield "| Check | Loopback | Live | Why |"
        yield "|---|---|---|---|"
        for pair in compared.differing:
            why = pair.explanation or f"not explained; observed: {_cell(pair.observed)}"
            yield f"| {pair.id} | {pair.loopback.value} | {pair.live.value} | {why} |"
        yield ""
    if compared.missing:
        yield "Without an outcome on the real server, because the run was cut short there:"
        yield ", ".join(f"`{name}`" for name in compared.missing) + ".\n"
    if compared.unneeded:
        yield "Explained, and the same this time:"
        yield ", ".join(f"`{key}`" for key in compared.unneeded) + ".\n"
    repeated = [pair.id for pair in compared.played if pair.repeated and pair.same]
    if repeated:
        yield "The same only when it was played again, on a machine that was busy the first time:"
        yield ", ".join(f"`{name}`" for name in repeated) + "."


def _both(pair: Pair) -> str:
    return f"{pair.loopback.value} on the loopback stage, {pair.live.value} live"


def _cell(text: str) -> str:
    return " ".join(text.split()).replace("|", "\\|")[:200]


__all__ = ["HOW", "document", "summary"]
