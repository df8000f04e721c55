"""A plugin that lacks what the host's base class gives, or whose constructor refuses, is judged."""

from __future__ import annotations

from functools import cache
from typing import Any

import pytest

from conformance.plugin import hookimpl
from conformance.plugin.provider import Provider
from conformance.reference.api import ReferenceError
from conformance.results.outcomes import CheckResult, Outcome
from conformance.suite.runner.subjects import subjects
from tests.mutants.mutant import SoundAdapter
from tests.mutants.robust import SoundAvatar
from tests.suite.check_runner import check_runner, subject_of

UNUSUAL = (Outcome.FAILED, Outcome.ERROR, Outcome.BLOCKED)


class Bare:
    """An avatar session that derives from nothing and has no identity."""

    def __init__(self, *, identity: str | None = None, **options: Any) -> None:
        self._avatar = SoundAvatar(identity=identity, **options)

    async def start(self, *args: Any, **options: Any) -> None:
        await self._avatar.start(*args, **options)

    async def aclose(self) -> None:
        await self._avatar.aclose()


class Unreadable(SoundAvatar):
    """An avatar session that does not know its identity before it has started."""

    @property
    def avatar_identity(self) -> str:
        raise RuntimeError("not started")


class Discontinued:
    """The avatar session of a service that is no more."""

    def __init__(self, **options: Any) -> None:
        raise ReferenceError("reference: this service was discontinued")


@cache
def judged(avatar: Any) -> dict[str, CheckResult]:
    """What every check says of the sound provider with another avatar class, by id."""
    adapter: Any = type("Adapter", (SoundAdapter,), {"avatar": avatar})()
    provider = Provider(adapter, label="odd", origin="a test", source="file")
    subject = subject_of(provider)
    runner = check_runner()
    results = [
        runner.run(subject, check, variant)
        for check in subject.checks
        for variant in check.variants or (None,)
    ]
    return {str(result.id).partition("::")[2]: result for result in results}


def test_a_plugin_without_the_hosts_base_class_fails_for_that_alone() -> None:
    """Everything else is judged as of any other plugin, and nothing is an error of the kit."""
    results = judged(Bare)
    unusual = {name: r.outcome for name, r in results.items() if r.outcome in UNUSUAL}
    assert unusual == {"BIND-06": Outcome.FAILED, "BIND-07": Outcome.FAILED}
    finding = results["BIND-06"].finding
    assert finding is not None
    assert (finding.expected, finding.observed) == (
        "avatar_identity is a name before start()",
        "there is none",
    )


def test_an_identity_that_cannot_be_read_is_a_failure_of_its_own_check() -> None:
    """A property that raises is told from one that is there, and breaks no other check."""
    unusual = {name: r.outcome for name, r in judged(Unreadable).items() if r.outcome in UNUSUAL}
    assert unusual.pop("BIND-06") is Outcome.FAILED
    assert Outcome.ERROR not in unusual.values()


def test_a_constructor_that_raises_the_documented_exception_is_one_failure() -> None:
    """It blocks what needs an avatar; the package and its import are judged all the same."""
    results = judged(Discontinued)
    failed = {name: r for name, r in results.items() if r.outcome is Outcome.FAILED}
    assert list(failed) == ["BIND-01"]
    finding = failed["BIND-01"].finding
    assert finding is not None
    assert finding.observed == "ReferenceError: reference: this service was discontinued"
    assert "Discontinued.__init__" in finding.hint
    judged_all_the_same = {name for name, r in results.items() if r.outcome is Outcome.PASSED}
    package = {"META-01", "META-03", "META-04", "META-04[attributes]", "META-05", "SEC-03"}
    assert judged_all_the_same == package
    blocked = {str(r.blocked_by) for r in results.values() if r.outcome is Outcome.BLOCKED}
    assert blocked == {"reference-sound::BIND-01"}


@pytest.mark.parametrize(
    "raised", [TypeError("no such argument"), ReferenceError("of the adapter")]
)
def test_what_an_adapter_raises_is_never_the_plugins_failure(raised: Exception) -> None:
    """Another exception than the documented one, or one of the adapter's own, is one error."""

    class Adapter(SoundAdapter):
        __file__ = __file__

        @hookimpl
        def create_avatar(self) -> Any:
            raise raised

    provider = Provider(Adapter(), label="odd", origin="a test", source="file")
    subject = subject_of(provider)
    (check,) = (c for c in subject.checks if c.requirement == "BIND-01")
    result = check_runner().run(subject, check)
    assert result.outcome is Outcome.ERROR
    assert f"create_avatar: it raised {type(raised).__name__}" in result.reason


def test_a_swap_with_a_provider_that_cannot_be_constructed_is_blocked_by_that_one() -> None:
    """The other provider's own failure is named, and not this one's."""
    gone: Any = type("Gone", (SoundAdapter,), {"avatar": Discontinued})()
    gone.manifest = {"name": "gone"}
    providers = [
        Provider(adapter, label="odd", origin="a test", source="file")
        for adapter in (SoundAdapter(), gone)
    ]
    (subject,) = (s for s in subjects(providers) if s.provider is providers[0])
    (check,) = (c for c in subject.checks if c.for_peers)
    result = check_runner().run(subject, check, "to-gone")
    assert result.outcome is Outcome.BLOCKED
    assert str(result.blocked_by) == "gone::BIND-01"
