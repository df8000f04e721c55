from __future__ import annotations

import pkgutil
from collections import Counter
from dataclasses import fields
from pathlib import Path

import pytest
from jsonschema import Draft202012Validator

from conformance.errors import KitError
from conformance.plugin import Capabilities
from conformance.requirements import Catalogue, load_catalogue, load_revision, text_digest
from conformance.requirements.catalogue import DATA, DEPLOYED_FAMILIES, FAMILIES, read_family
from conformance.requirements.freeze import COMMAND
from conformance.requirements.kills import killed_mutants
from conformance.requirements.plan import PLANS, load_plan
from conformance.resources import schema
from conformance.results.outcomes import Level
from tests.requirements import frozen_plan


@pytest.mark.parametrize("family", [*FAMILIES, *DEPLOYED_FAMILIES])
def test_each_data_file_is_as_the_schema_says(family: str) -> None:
    """A family's file has every field that a reader of it expects."""
    Draft202012Validator(schema("requirement")).validate(read_family(family))


def test_every_data_file_is_read() -> None:
    """No family is forgotten in the list of families."""
    assert {path.stem for path in DATA.glob("*.toml")} == {*FAMILIES, *DEPLOYED_FAMILIES}


def test_each_family_has_its_requirements() -> None:
    """No requirement gets lost, and none comes in unseen."""
    families = Counter(requirement.family for requirement in load_catalogue().values())

    assert families == {
        "HOST": 16,
        "BIND": 13,
        "SWAP": 17,
        "UNBIND": 14,
        "PLAY": 12,
        "FAULT": 15,
        "SEC": 3,
        "META": 5,
    }


@pytest.mark.parametrize("family", [*FAMILIES, *DEPLOYED_FAMILIES])
def test_ids_are_of_their_family_and_in_order(family: str) -> None:
    """An id is used once, and found where its name says."""
    data = read_family(family)
    ids = [entry["id"] for entry in data["requirement"]]

    assert data["family"] == family.upper()
    assert all(name.startswith(f"{family.upper()}-") for name in ids)
    assert ids == sorted(set(ids))


def test_only_the_chain_itself_is_the_hosts() -> None:
    """Providers are not judged by what the host must do."""
    hosts = {r.family for r in load_catalogue().values() if r.subject == "host"}

    assert hosts == {"HOST"}


def test_frozen_texts_have_not_changed() -> None:
    """A requirement of a released revision keeps its level and its wording."""
    catalogue = load_catalogue()

    for requirement, frozen in load_revision().requirements.items():
        now = catalogue[requirement]
        assert (now.level, text_digest(now.text)) == (frozen.level, frozen.text), (
            f"{requirement} is frozen in revision {catalogue.revision}; give the change to a new "
            f"requirement, or, before that revision is released, run: {COMMAND}"
        )


def test_the_revision_freezes_all_that_came_with_it() -> None:
    """What is since a revision is in its file, and the other way round."""
    catalogue = load_catalogue()
    since = {r.id for r in catalogue.values() if r.since == catalogue.revision}

    assert since == set(load_revision(catalogue.revision).requirements)


def test_what_is_not_in_the_revision_is_not_scored() -> None:
    """A later addition is run and shown, and decides nothing."""
    catalogue = load_catalogue()

    assert catalogue.scored("SWAP-02")
    assert not catalogue.scored("SWAP-99")


def test_a_revision_that_is_unknown_names_the_known_ones() -> None:
    """A certificate by a revision that this kit does not have is refused in one line."""
    with pytest.raises(KitError, match=r"no revision '1999\.1'.*there are: 2026\.1"):
        load_revision("1999.1")


def test_capabilities_are_fields_of_the_manifest() -> None:
    """A requirement depends only on what a manifest can claim."""
    known = {field.name for field in fields(Capabilities)}
    named = {r.capability for r in load_catalogue().values() if r.capability}

    assert named <= known
    assert {r.id for r in load_catalogue().values() if r.capability} == {
        "UNBIND-05",
        "UNBIND-11",
        "PLAY-09",
        "PLAY-11",
    }


NEWER_THAN_THE_OLDEST_HOST = ("replace_audio_tail", "on_playback_progressed", "avatar_identity")


@pytest.mark.parametrize(
    ("requirement", "source"),
    [(r.id, r.source) for r in load_catalogue().values() if r.source.startswith("livekit.")],
)
def test_sources_are_there_in_the_host(requirement: str, source: str) -> None:
    """The host's symbol that a requirement names can be looked up."""
    root, _, name = source.rpartition(".")
    try:
        found = pkgutil.resolve_name(source)
    except AttributeError:
        assert name in NEWER_THAN_THE_OLDEST_HOST, f"{requirement}: {source}"
        found = pkgutil.resolve_name(root)

    assert found is not None


def test_a_catalogue_is_a_mapping_in_the_order_of_the_families() -> None:
    """Reports list requirements as the catalogue has them."""
    catalogue = load_catalogue()
    alone = Catalogue([catalogue["SWAP-02"]])

    assert next(iter(catalogue)) == "HOST-01"
    assert (len(alone), alone["SWAP-02"].level) == (1, Level.MUST)
    assert [r.id for r in catalogue.family("SEC")] == ["SEC-01", "SEC-02", "SEC-03"]


def test_kills_are_known_once_the_matrix_was_written(tmp_path: Path) -> None:
    """Without a matrix nothing is claimed; with one, the mutants of each requirement are known."""
    file = tmp_path / "kills.json"

    assert killed_mutants("SWAP-02", file=file) is None

    file.write_text('{"kills": {"SWAP-02": ["drops-its-queue"]}}')

    assert killed_mutants("SWAP-02", file=file) == ("drops-its-queue",)
    assert killed_mutants("SWAP-03", file=file) == ()


def test_the_plan_is_the_suites() -> None:
    """Certificates are verified against the checks and the exemptions that the suite has."""
    written = (PLANS / f"{load_catalogue().revision}.json").read_text("utf-8")

    assert written == frozen_plan.plan_text(), f"run: {frozen_plan.COMMAND}"


def test_the_plan_has_each_requirement_of_the_revision() -> None:
    """What is frozen and can be tested is planned, and nothing else."""
    testable = {r.id for r in load_catalogue().values() if not r.excluded}

    assert set(load_plan()) == testable


def test_a_revision_without_a_plan_is_one_line() -> None:
    """A certificate by an unknown revision cannot be held against a plan."""
    with pytest.raises(KitError, match=r"no plan of the revision '1999\.1'"):
        load_plan("1999.1")
