from __future__ import annotations

from pathlib import Path

import pytest

from conformance.cli import main
from conformance.requirements import kills, load_catalogue, load_deployed
from conformance.requirements.host_defects import host_defects
from conformance.suite import checks, registry
from conformance.suite.scene.swap_order import BOTH_ORDERS


async def judges_the_swap() -> None:
    """A check."""


@pytest.fixture(autouse=True)
def one_check(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """A suite of one check, and no kill matrix."""
    check = registry.Check("SWAP-02", judges_the_swap, BOTH_ORDERS)
    monkeypatch.setattr(checks, "load", lambda: None)
    monkeypatch.setattr(registry, "registered", lambda: (check,))
    monkeypatch.setattr(kills, "FILE", tmp_path / "kills.json")


def explained(requirement: str, capsys: pytest.CaptureFixture[str]) -> str:
    """What the command prints, with its line breaks taken out."""
    assert main(["explain", requirement] if requirement else ["explain"]) == 0
    return " ".join(capsys.readouterr().out.split())


def test_it_prints_all_that_is_known_of_a_requirement(capsys: pytest.CaptureFixture[str]) -> None:
    """Text, level, why, source, hint and the checks, with their variants."""
    out = explained("SWAP-02", capsys)
    requirement = load_catalogue()["SWAP-02"]

    assert out.startswith("SWAP-02 MUST for the provider, since 2026.1 Mid-segment: frames before")
    assert requirement.text in out
    assert requirement.why in out
    assert requirement.hint in out
    assert "source livekit.agents.voice.io.AgentOutput.replace_audio_tail" in out
    assert ":judges_the_swap [close-then-start, start-then-close]" in out
    assert "kills" not in out


def test_a_requirement_without_a_check_says_so(capsys: pytest.CaptureFixture[str]) -> None:
    """Nobody is left to believe that something is checked."""
    assert explained("SEC-01", capsys).endswith("check none")


def test_it_names_the_capability(capsys: pytest.CaptureFixture[str]) -> None:
    """A requirement that depends on a claim says on which."""
    assert "depends on the capability ends_session" in explained("UNBIND-05", capsys)


def test_it_prints_the_mutants_once_there_is_a_matrix(capsys: pytest.CaptureFixture[str]) -> None:
    """The proof that a check bites is named with it."""
    kills.FILE.write_text('{"kills": {"SWAP-02": ["drops-its-queue", "plays-twice"]}}')

    assert explained("SWAP-02", capsys).endswith("kills drops-its-queue, plays-twice")
    assert explained("SWAP-03", capsys).endswith("kills no mutant")


def test_the_id_may_be_typed_in_small_letters(capsys: pytest.CaptureFixture[str]) -> None:
    """Ids are found however they are typed."""
    assert explained("host-01", capsys).startswith("HOST-01 MUST for the host, since 2026.1")


def test_the_id_of_a_check_is_explained_by_its_requirement(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """What a run prints can be pasted as it is."""
    assert explained("acme::SWAP-02[close-then-start]", capsys).startswith("SWAP-02 MUST")


def test_a_host_defect_is_explained(capsys: pytest.CaptureFixture[str]) -> None:
    """What a blocked check refers to can be looked up: what is wrong, where, since when."""
    out = explained("HD-01", capsys)
    assert out.startswith("HD-01 a defect of livekit-agents >=1.6.0")
    assert "livekit.agents.voice.avatar.AvatarSession.aclose" in out
    assert "workaround give each instance an identity of its own" in out


@pytest.mark.parametrize(
    ("typed", "line"),
    [
        ("HD-99", "there is no host defect 'HD-99'; there are: HD-06, HD-01"),
        ("SWOP-02", "there is no requirement 'SWOP-02'; did you mean SWAP-02 or"),
        (
            "x",
            "there is no requirement 'x'; the families are: "
            "HOST, BIND, SWAP, UNBIND, PLAY, FAULT, SEC, META",
        ),
    ],
)
def test_an_unknown_id_is_one_line(
    typed: str, line: str, capsys: pytest.CaptureFixture[str]
) -> None:
    """A wrong id gets those that are near, and exit code 2."""
    assert main(["explain", typed]) == 2

    err = capsys.readouterr().err
    assert err.startswith(f"avatar-conformance: {line}")
    assert err.count("\n") == 1


def test_a_requirement_of_the_deployed_stage_is_explained(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """WORK has a catalogue of its own, and is explained as the others are."""
    out = explained("WORK-06", capsys)

    assert out.startswith("WORK-06 MUST for the provider, since 2026.1")
    assert "check conformance.deployed.checks:silent_after_clear" in out


def test_without_an_id_everything_is_listed(capsys: pytest.CaptureFixture[str]) -> None:
    """Every requirement of both catalogues and every defect of the host has a line that fits."""
    assert main(["explain"]) == 0
    lines = capsys.readouterr().out.splitlines()
    listed = {line.split()[0] for line in lines if line.startswith("  ")}
    assert listed == {*load_catalogue(), *load_deployed(), *(d.id for d in host_defects())}
    assert max(map(len, lines)) <= 100
    shown = next(line for line in lines if line.startswith("  SWAP-02"))
    assert shown.split()[1:3] == ["must", "swap-safe"]


def test_a_family_is_listed_with_the_whole_text_of_each(
    capsys: pytest.CaptureFixture[str],
) -> None:
    """A family is read through without asking for each of its ids."""
    out = explained("swap", capsys)
    for requirement in load_catalogue().family("SWAP"):
        assert requirement.text in out
    assert "BIND-01" not in out


def test_the_defects_of_the_host_are_a_family(capsys: pytest.CaptureFixture[str]) -> None:
    """What the host gets wrong is listed as a family of requirements is."""
    out = explained("HD", capsys)
    for defect in host_defects():
        shown = f"{defect.id} livekit-agents {defect.hosts} {defect.text}"
        assert " ".join(shown.split()) in out
