"""A vendor whose session ends by itself when its participant is gone."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from conformance.plugin import VendorAPI, hookimpl
from conformance.plugin.provider import Provider
from conformance.reference import adapter as reference
from conformance.results.outcomes import Outcome
from tests.mutants import load
from tests.mutants.judging import judge, subject_of
from tests.mutants.mutant import MUTANTS

load()

pytestmark = pytest.mark.filterwarnings("ignore")  # as in test_kill_mutants


@pytest.mark.parametrize(("by_itself", "outcome"), [(False, "failed"), (True, "passed")])
def test_a_session_may_end_with_its_worker(by_itself: bool, outcome: str) -> None:
    """A plugin that calls nobody is right where removing the participant ends the session."""
    silent: Any = type(MUTANTS["never-ends-the-session"].adapter())

    class Adapter(silent):  # type: ignore[misc]
        @hookimpl
        def vendor_backend(self) -> VendorAPI:
            opening, ending = reference.vendor_backend().calls
            return VendorAPI(replace(opening, ends_with_worker=by_itself), ending)

    provider = Provider(Adapter(), label="silent", origin="a test", source="bundled")
    verdicts = judge(subject_of(provider), only=frozenset({"UNBIND-05"}))
    assert {v.outcome for v in verdicts} == {Outcome(outcome)}
