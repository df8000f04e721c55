"""However a vendor's session begins and ends, a plugin that is right is judged right."""

from __future__ import annotations

import pytest

from conformance.plugin.provider import Provider
from conformance.results.outcomes import CheckResult, Outcome
from tests.mutants.mutant import SoundAdapter
from tests.suite.check_runner import check_runner, subject_of

from . import plugins

pytestmark = pytest.mark.filterwarnings("ignore")  # of sockets whose plugin was cancelled

REQUIREMENTS = (
    *(f"BIND-{number:02}" for number in (1, 2, 4, 5, 6, 8, 9, 10, 12)),
    *("SWAP-01", "SWAP-02", "SWAP-08", "UNBIND-01", "UNBIND-04", "UNBIND-05", "UNBIND-06"),
    *("UNBIND-12", "PLAY-01", "PLAY-02", "PLAY-03", "FAULT-01", "FAULT-02", "FAULT-13"),
)
"""What shows that a session begins, is heard, is told of, and ends."""

PLUGINS: tuple[type[SoundAdapter], ...] = (
    plugins.FirstMessage,
    plugins.TokenInHeader,
    plugins.Joining,
    plugins.ByHeader,
    plugins.ByQuery,
    plugins.ByMessage,
    plugins.Minted,
    plugins.ToldByData,
    plugins.ToldByRpc,
    plugins.Binary,
)


def judged(adapter: SoundAdapter, *requirements: str) -> dict[str, CheckResult]:
    """What some checks say of a plugin, by requirement and variant."""
    provider = Provider(adapter, label="small plugin", origin="a test")
    subject, runner = subject_of(provider), check_runner()
    return {
        str(result.id).partition("::")[2]: result
        for check in subject.checks
        if check.requirement in requirements
        for variant in check.variants or (None,)
        for result in (runner.run(subject, check, variant),)
    }


def bad(results: dict[str, CheckResult]) -> dict[str, str]:
    """What neither passes nor is not applicable."""
    good = (Outcome.PASSED, Outcome.NOT_APPLICABLE)
    return {
        check: f"{r.outcome.value}: {r.finding.observed if r.finding else r.reason}"
        for check, r in results.items()
        if r.outcome not in good
    }


@pytest.mark.parametrize("adapter", PLUGINS, ids=lambda each: each.__name__)
def test_a_plugin_is_judged_right(adapter: type[SoundAdapter]) -> None:
    """Nothing of what its start, its speech and its end have to be fails."""
    assert bad(judged(adapter(), *REQUIREMENTS)) == {}


def test_a_vendor_that_mints_its_token_is_sent_none() -> None:
    """The plugin's token is then not judged, and it needs no key of the room's server."""
    results = judged(plugins.Minted(), "BIND-05", "BIND-09")
    assert results["BIND-05"].outcome is Outcome.NOT_APPLICABLE
    assert results["BIND-05"].reason == "the vendor mints the room token itself"
    assert results["BIND-09"].outcome is Outcome.PASSED


def test_a_session_may_end_because_the_agent_has_left() -> None:
    """The end of the job ends it; without that of the vendor it stays open and is billed."""
    check = "UNBIND-11[job-shutdown]"
    assert judged(plugins.EndsWithAgent(), "UNBIND-11")[check].outcome is Outcome.PASSED

    class StaysOpen(plugins.EndsWithAgent):
        ends_with_agent = False

    result = judged(StaysOpen(), "UNBIND-11")[check]
    assert result.outcome is Outcome.FAILED


def test_a_wrong_room_message_is_an_objection() -> None:
    """What the adapter's schema does not accept is held against the plugin."""

    class Misspelt(plugins.FirstMessage):
        class avatar(plugins.SocketOnlyAvatar):
            """Its avatar."""

            def messages(self, room: object) -> list[dict[str, str]]:
                return [{"uri": "x"}]

    result = judged(Misspelt(), "BIND-01")["BIND-01"]
    assert result.outcome is Outcome.FAILED
    assert result.finding is not None
    assert "'url' is a required property" in result.finding.hint


def test_a_handler_that_joins_twice_is_the_adapters_fault() -> None:
    """It is an error of the adapter, in one line, and no failure of the plugin."""

    class Twice(plugins.FirstMessage):
        def socket(self) -> plugins.Socket:
            from dataclasses import replace

            async def handler(session: plugins.SocketSession) -> None:
                await session.join()

            return replace(super().socket(), handler=handler)

    result = judged(Twice(), "BIND-01")["BIND-01"]
    assert result.outcome is Outcome.ERROR
    assert "has its worker already" in result.reason
