"""Secrets and the room's name are another in each run, and the same in each report."""

from __future__ import annotations

import subprocess
import sys

from conformance.loopback.stage import CREDENTIALS
from conformance.plugin.manifest import Credential, Manifest
from conformance.results.timeline import Event
from conformance.stage.canary import canonical, issue, issued
from conformance.suite.runner.redaction import canonical_event, without_secrets
from conformance.suite.scene.canary import secrets_of
from conformance.suite.scene.environment import ROOM
from conformance.suite.scene.secret_forms import leaked

MANIFEST = Manifest(
    "acme", "d", "a:B", "a:C", "bytestream", ("h",), credentials=(Credential("k"), Credential("j"))
)
PRINTED = """
from conformance.suite.scene.canary import canary
from conformance.suite.scene.environment import ROOM
from conformance.loopback.stage import CREDENTIALS
print(canary("acme", "k"), ROOM, CREDENTIALS.api_key, CREDENTIALS.api_secret)
"""


def test_no_two_runs_have_a_secret_or_a_room_in_common() -> None:
    """A plugin cannot know the kit by them."""
    ran = subprocess.run(
        [sys.executable, "-c", PRINTED], capture_output=True, text=True, check=True
    )
    here = (secrets_of(MANIFEST)["k"], ROOM, CREDENTIALS.api_key, CREDENTIALS.api_secret)
    there = ran.stdout.split()
    assert len(there) == 4
    assert not set(here) & set(there)
    assert [len(word) for word in here] == [len(word) for word in there]
    assert not [word for word in there if "canary" in word or "conformance" in word]


def test_a_secret_stays_the_same_all_through_a_run() -> None:
    """What was handed out is what is looked for."""
    assert secrets_of(MANIFEST) == secrets_of(MANIFEST)
    assert len(set(secrets_of(MANIFEST).values())) == 2


def test_a_part_of_a_secret_is_found() -> None:
    """Eight characters of a random credential in a row give it away."""
    assert leaked(secrets_of(MANIFEST), f"key ...{secrets_of(MANIFEST)['k'][-10:]}") == [
        "8 characters or more of k"
    ]


def test_a_report_shows_what_they_stand_for() -> None:
    """Messages and timelines of two equal runs are equal."""
    secret = secrets_of(MANIFEST)["k"]
    said = f"{secret} is refused in {ROOM} by {CREDENTIALS.api_secret}"
    assert without_secrets(said) == "<secret> is refused in <room> by <secret>"
    event = canonical_event(Event(1.0, "room", "joined", ROOM, {"url": f"/{secret}", "n": 1}))
    assert event == Event(1.0, "room", "joined", "<room>", {"url": "/<secret>", "n": 1})


def test_each_word_is_shown_as_its_own() -> None:
    """One that begins like another is not taken for it."""
    short, long = issue("<short>", digits=8), issue("<long>", digits=24)
    assert canonical(f"{long}{short}") == "<long><short>"
    assert issued()[long] == "<long>"
