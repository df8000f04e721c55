"""An adapter that describes the vendor's API, or its plugin, wrongly."""

from __future__ import annotations

import os
from collections.abc import Mapping
from dataclasses import replace
from typing import Any, ClassVar

import pytest

from conformance.plugin import STRING, AdapterContext, VendorAPI, fields, hookimpl
from conformance.plugin.provider import Provider
from conformance.reference import adapter as reference
from conformance.reference.api import ReferenceError
from conformance.results.outcomes import CheckResult, Outcome
from tests.mutants.mutant import SoundAdapter
from tests.mutants.of_secrets import SecretInLog
from tests.mutants.robust import SoundAvatar
from tests.suite.check_runner import check_runner, subject_of

pytestmark = pytest.mark.filterwarnings("ignore")  # as in test_kill_mutants


def judged(adapter: object, *requirements: str) -> dict[str, CheckResult]:
    """What the checks of some requirements say, by id without the provider."""
    provider = Provider(adapter, label="acme", origin="a test", source="file")
    subject = subject_of(provider)
    runner = check_runner()
    results = [
        runner.run(subject, check, variant)
        for check in subject.checks
        if check.requirement in requirements
        for variant in check.variants or (None,)
    ]
    return {str(result.id).partition("::")[2]: result for result in results}


def described(**changes: Any) -> object:
    """The sound provider, with its first call described otherwise."""

    class Adapter(SoundAdapter):
        @hookimpl
        def vendor_backend(self) -> VendorAPI:
            opening, ending = reference.vendor_backend().calls
            return VendorAPI(replace(opening, **changes), ending)

    return Adapter()


def test_a_field_that_is_not_described_is_named_as_the_likely_fix() -> None:
    """The plugin's request is refused, and the failure says for which field."""
    body = fields({"livekit_url": STRING, "livekit_token": STRING, "participant": STRING})
    results = judged(described(body=body), "BIND-01", "SWAP-01")
    start = results["BIND-01"]
    assert start.outcome is Outcome.FAILED
    assert start.finding is not None
    assert "open session: body: " in start.finding.hint
    assert "'participant'" in start.finding.hint
    assert "mend whichever of the two is wrong" in start.finding.hint
    swap = results["SWAP-01[close-then-start]"]
    assert swap.outcome is Outcome.BLOCKED
    assert str(swap.blocked_by) == "reference-sound::BIND-01"


def test_a_path_that_is_not_described_is_named_as_the_likely_fix() -> None:
    """A call that the adapter does not know is no error of the kit."""
    results = judged(described(path="/v2/sessions"), "BIND-01", "FAULT-01")
    start = results.pop("BIND-01").finding
    assert start is not None
    assert "POST api.reference.test/v1/sessions: the vendor has no such call" in start.hint
    outcomes = {result.outcome for result in results.values()}
    assert Outcome.BLOCKED in outcomes
    assert not outcomes & {Outcome.ERROR, Outcome.FAILED}


def manifested(**changes: Any) -> object:
    """The sound provider, with a manifest that says other things."""
    adapter = SoundAdapter()
    manifest: Mapping[str, Any] = changes
    adapter.manifest = manifest  # type: ignore[misc]
    return adapter


def test_an_exception_that_is_not_there_stops_everything_in_one_line() -> None:
    """Nothing is judged by a manifest that names what does not exist."""
    adapter = manifested(exception="conformance.reference.api:ReferenceErr")
    results = judged(adapter, "BIND-01", "BIND-09")
    assert results["BIND-01"].outcome is Outcome.ERROR
    assert "has no 'ReferenceErr'; did you mean 'ReferenceError'?" in results["BIND-01"].reason
    assert results["BIND-09"].outcome is Outcome.BLOCKED


def test_a_field_that_nobody_needs_is_remarked_on() -> None:
    """needed_fields that start() can do without are said to be too many."""
    results = judged(described(needed_fields=("expires",)), "FAULT-01")
    missing = results["FAULT-01[field-missing]"]
    assert missing.outcome is Outcome.PASSED
    assert "start() works without the needed_fields of 'open session'" in missing.reason


class ShowsItsKey(SoundAdapter):
    """A provider that logs its key, and whose adapter calls that a setting."""

    avatar = SecretInLog

    @hookimpl
    def avatar_provider_manifest(self) -> Mapping[str, Any]:
        credential = {"name": "api_key", "environment": "REFERENCE_API_KEY", "secret": False}
        return {**super().avatar_provider_manifest(), "credentials": [credential]}


class ShowsItsAccount(ShowsItsKey):
    """The same, with a name that says nothing; the request's header says it."""

    @hookimpl
    def avatar_provider_manifest(self) -> Mapping[str, Any]:
        credential = {"name": "account", "secret": False}
        return {**super().avatar_provider_manifest(), "credentials": [credential]}

    @hookimpl
    def create_avatar(self, context: AdapterContext) -> Any:
        return type(self).avatar(api_key=context.secret("account"), identity=context.identity)

    @hookimpl
    def vendor_backend(self) -> VendorAPI:
        calls = reference.vendor_backend().calls
        bearer = {"Authorization": "Bearer {account}"}
        return VendorAPI(*(replace(call, headers=bearer) for call in calls))


@pytest.mark.parametrize("adapter", [ShowsItsKey, ShowsItsAccount])
def test_a_key_that_is_called_a_setting_stays_a_secret(adapter: type[SoundAdapter]) -> None:
    """What is called a key, or is sent as one, is looked for in every place."""
    result = judged(adapter(), "SEC-01")["SEC-01"]
    assert result.outcome is Outcome.FAILED
    assert result.finding is not None
    assert "a log record of livekit.plugins.reference" in result.finding.expected


class StumblesWithoutSettings(SoundAvatar):
    """Looks for its key, and trips over an address that is missing."""

    def __init__(self, **options: Any) -> None:
        try:
            super().__init__(**options)
        except ReferenceError:
            raise Exception("REFERENCE_API_KEY must be set") from None

    async def start(self, agent_session: Any, room: Any, **options: Any) -> None:
        address: Any = options.get("livekit_url") or os.environ.get("LIVEKIT_URL")
        options["livekit_url"] = address.rstrip("/")
        await super().start(agent_session, room, **options)


def test_the_widest_exception_of_all_does_not_document_a_crash() -> None:
    """Exception in the manifest means that class, and nothing that Python raises by itself."""

    class Adapter(SoundAdapter):
        avatar = StumblesWithoutSettings
        manifest: ClassVar[dict[str, Any]] = {"exception": "builtins:Exception"}

    result = judged(Adapter(), "BIND-09")["BIND-09"]
    assert result.outcome is Outcome.FAILED
    assert result.finding is not None
    assert result.finding.expected == "Exception when livekit_url is missing"
    assert result.finding.observed.startswith("AttributeError: ")
