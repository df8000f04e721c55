from __future__ import annotations

import pytest

from conformance.requirements import load_catalogue
from conformance.requirements.kills import killed_mutants
from tests.mutants import load
from tests.mutants.matrix import SOUND, names, row
from tests.mutants.mutant import MUTANTS
from tests.mutants.of_chains import CHAINS
from tests.mutants.of_packaging import SoundlyPackaged

load()

# what a broken provider leaves open is collected as garbage in the middle of a later test
pytestmark = pytest.mark.filterwarnings("ignore")


NEWEST = pytest.mark.needs("livekit-agents>1.8.0")
"""The defects of earlier hosts get in the way of broken and sound providers alike."""


@NEWEST
@pytest.mark.parametrize("name", SOUND)
def test_a_sound_provider_passes_every_check(name: str) -> None:
    """No check fails, or breaks on, a provider that does everything right."""
    assert list(row(name).problems()) == []


@NEWEST
@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_killed_for_its_reason(name: str) -> None:
    """A small change to a sound provider fails the checks that it is made for, in their words."""
    only = frozenset(kill.requirement for kill in MUTANTS[name].kills)
    assert list(row(name, only).problems()) == []


@NEWEST
def test_a_soundly_packaged_distribution_is_let_pass() -> None:
    """What META and SEC-03 ask can be had, with the host's own call to bind a tail."""
    from conformance.plugin.provider import Provider
    from conformance.results.outcomes import Outcome
    from tests.mutants.judging import judge, subject_of

    asked = frozenset({"META-01", "META-02", "META-03", "META-04", "SEC-03"})
    provider = Provider(SoundlyPackaged(), label="packaged", origin="a test")
    verdicts = judge(subject_of(provider), only=asked)
    assert {v.check for v in verdicts if v.outcome is Outcome.PASSED} == asked


def test_every_requirement_has_a_mutant_that_is_made_for_it() -> None:
    """No requirement of the catalogue is without something that must fail it."""
    aimed_at = {
        kill.requirement
        for mutant in (*MUTANTS.values(), *CHAINS.values())
        for kill in mutant.kills
    }
    asked = {id for id, requirement in load_catalogue().items() if not requirement.excluded}
    assert aimed_at == asked


def test_there_are_as_many_mutants_as_promised() -> None:
    """Eighty broken providers at least, the broken chains not counted."""
    assert len(MUTANTS) >= 80


def test_the_written_matrix_is_about_what_there_is() -> None:
    """Every requirement that is asked for is in it, killing mutants that still exist."""
    asked = {id for id, requirement in load_catalogue().items() if not requirement.excluded}
    for requirement in asked:
        killed = killed_mutants(requirement)
        assert killed, f"{requirement} kills nobody: run tox -e kill"
        assert set(killed) <= set(names()), f"{requirement} kills unknown_files: run tox -e kill"
