"""A plugin of our own, installed for a test, to be recorded: its source, with parts to exchange."""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

SOURCE = """
import os
from dataclasses import dataclass
import aiohttp
from livekit import api
from livekit.agents.voice.avatar import DataStreamAudioOutput
class FakeError(Exception): ...
@dataclass
class Face:
    name: str
    mood: str = "calm"
class AvatarSession:
    def __init__(self, face: Face, *, key=None, look_id=None, image=None, colour: str = "",
                 avatar_participant_identity=None):
        self._face = face
        self._key = key or os.environ.get("FAKE_SECRET") or os.environ.get("FAKE_OLD_SECRET")
        self._note = os.environ.get("FAKE_NOTE", "none")
        if not self._key:
            raise FakeError("FAKE_SECRET must be set")
        if look_id is image:
            raise FakeError("Either image or look_id must be given")
        self._look, self._colour = look_id, colour
        self._url = os.getenv("FAKE_API_URL", "https://api.fake.example/v2")
        self.avatar_identity = avatar_participant_identity or "fake-face"
    async def start(self, agent_session, room, *, livekit_url, livekit_api_key, livekit_api_secret):
        token = (api.AccessToken(livekit_api_key, livekit_api_secret)
            .with_identity(self.avatar_identity).with_kind("agent")
            .with_attributes({"lk.publish_on_behalf": room.local_participant.identity})
            .with_grants(api.VideoGrants(room_join=True, room=room.name)).to_jwt())
        body = {"kind": "live", "look": self._look, "room": {"url": livekit_url, "token": token}}
        body["where"], body["who"] = room.name, self.avatar_identity
        body["for"] = room.local_participant.identity
        if self._colour:
            body["colour"] = self._colour
        headers = {"X-Key": f"Token {self._key}", "X-Version": "7"}
        async with aiohttp.ClientSession() as http:
            async with http.post(f"{self._url}/sessions", json=body, headers=headers) as answer:
                answer.raise_for_status()
                READ
        agent_session.output.audio = DataStreamAudioOutput(
            room, destination_identity=self.avatar_identity, sample_rate=16000)
    async def aclose(self):
        END
"""
READ = 'self.id = (await answer.json())["data"]["session_id"]'
END = """async with aiohttp.ClientSession() as http:
            await http.delete(f"{self._url}/sessions/{self.id}", headers={"X-Key": self._key})"""
MODULE = "fake_avatar"

Install = Callable[..., str]


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Install]:
    """Installs the plugin for a test, with other parts where they are given; returns its name."""

    def installed(source: str = SOURCE, *, read: str = READ, end: str = END) -> str:
        package = tmp_path / "site" / MODULE
        package.mkdir(parents=True)
        (package / "__init__.py").write_text(source.replace("READ", read).replace("END", end))
        info = tmp_path / "site" / "fake_avatar-1.2.dist-info"
        info.mkdir()
        (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-avatar\nVersion: 1.2\n")
        (info / "RECORD").write_text(f"{MODULE}/__init__.py,,\n")
        monkeypatch.syspath_prepend(str(tmp_path / "site"))
        return "fake-avatar"

    yield installed
    sys.modules.pop(MODULE, None)
