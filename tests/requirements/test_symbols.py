from __future__ import annotations

import importlib.metadata
import json
from pathlib import Path

import pytest
from packaging.version import Version

from conformance.requirements import symbols
from tests.constraints.__main__ import HOSTS

HOST = importlib.metadata.version("livekit-agents")
AUDIO = "livekit.agents.voice.io.AudioOutput"


def test_nothing_that_a_requirement_follows_from_has_changed_unseen() -> None:
    """The symbols of the installed host are as they were when the requirements were reviewed."""
    drift = symbols.drift()
    assert drift == (), "\n".join(map(str, drift))


def test_each_host_of_the_matrix_was_reviewed() -> None:
    """There are hashes for every host version that tox knows."""
    assert tuple(symbols.reviewed_versions()) == HOSTS


def test_every_symbol_is_there_on_the_newest_host() -> None:
    """No requirement and no defect names a symbol that the newest reviewed host does not have."""
    newest = symbols.reviewed_versions()[HOSTS[-1]]
    assert [symbol for symbol in symbols.sources() if newest.get(symbol) is None] == []


def test_the_swap_call_came_with_1_6_1() -> None:
    """By the review livekit-agents 1.6.0 has no swap call, and 1.6.1 has one."""
    call = "livekit.agents.voice.io.AgentOutput.replace_audio_tail"
    reviewed = symbols.reviewed_versions()
    assert (reviewed["1.6.0"][call] is None, reviewed["1.6.1"][call] is None) == (True, False)


def test_a_changed_symbol_is_named_with_its_requirements_and_the_way_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One line: the requirements, the symbol, both versions, and the command that accepts it."""
    reviewed = {HOST: {symbol: symbols.fingerprint(symbol) for symbol in symbols.sources()}}
    reviewed[HOST][AUDIO] = "0123456789abcdef"
    file = tmp_path / "symbols.json"
    file.write_text(json.dumps(reviewed), "utf-8")
    monkeypatch.setattr(symbols, "FILE", file)
    later = f"{Version(HOST).major}.{Version(HOST).minor}.99"

    (drift,) = symbols.drift(later)

    assert str(drift).startswith("HOST-01, HOST-02, HOST-06, ")
    assert f"`{AUDIO}` changed in {later} (reviewed: {HOST}); review" in str(drift)
    assert str(drift).endswith("python -m conformance.requirements.symbols accept")


def test_accepting_takes_what_is_installed_as_reviewed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After the command that accepts, nothing has drifted, and other versions stay as they were."""
    file = tmp_path / "symbols.json"
    file.write_text(json.dumps({"0.1": {AUDIO: "x"}, HOST: {AUDIO: "x"}}), "utf-8")
    monkeypatch.setattr(symbols, "FILE", file)

    assert symbols.drift() != ()
    assert symbols.accept() == HOST
    assert symbols.drift() == ()
    assert symbols.reviewed_versions()["0.1"] == {AUDIO: "x"}


def test_a_symbol_that_is_gone_has_no_fingerprint() -> None:
    """What cannot be found is None, be it a module, a class or an attribute."""
    assert symbols.fingerprint("livekit.agents.nowhere.Thing") is None
    assert symbols.fingerprint("livekit.agents.voice.io.Nothing.at_all") is None


@pytest.mark.parametrize(
    ("source", "same"),
    [
        ("def f():\n    return 1  \n", True),
        ("def f():\n\n    # why\n    return 1\n", True),
        ("def f():\n    return 2\n", False),
    ],
)
def test_only_code_counts(
    source: str, same: bool, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Comments, blank lines and space at the end of a line change no fingerprint; code does."""
    found = []
    monkeypatch.syspath_prepend(tmp_path)
    for number, text in enumerate(("def f():\n    return 1\n", source)):
        name = f"drift_{abs(hash(source))}_{number}"
        (tmp_path / f"{name}.py").write_text(text, "utf-8")
        found.append(symbols.fingerprint(f"{name}.f"))
    assert found[0] is not None
    assert (found[0] == found[1]) is same
