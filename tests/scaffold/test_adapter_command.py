"""``avatar-conformance adapter``: what it reads from an installed plugin, and what it asks."""

from __future__ import annotations

import importlib
import importlib.util
import inspect
import re
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from types import ModuleType, SimpleNamespace

import pytest

from conformance.cli import main
from conformance.errors import UsageError
from conformance.plugin import STRING, Call, RoomAccess, fields
from conformance.plugin.schema_errors import first_problem
from conformance.scaffold.adapter import adapter_text, write_adapter
from conformance.scaffold.findings import Findings, Parameter, find
from conformance.scaffold.names import VENDORS
from conformance.scaffold.sources import read_package

PLUGIN = '''
import os
from dataclasses import dataclass
from livekit.agents.voice.avatar import AvatarSession as Base, QueueAudioOutput
RATE = 16000
_IDENTITY = "fake-face"
DEFAULT_URL = "https://api.fake.example/v2"
class OtherError(Exception): ...
class FakeError(Exception): ...
@dataclass
class Face:
    name: str
    face_secret: str
    mood: str = "calm"
class FakeAPI:
    def __init__(self, key, url=None):
        self._url = url or os.getenv("FAKE_API_URL", DEFAULT_URL)
        self._key = key
    async def open(self, url, token, room_name, mood=None):
        body = {"kind": "live", "rate": RATE, "room": {"url": url, "token": token}}
        body["where"] = room_name
        if mood:
            body["mood"] = mood
        answer = await self._post("sessions", body)
        return answer["session_id"]
    async def create_face(self):
        await self._post("faces", {"face": 1})
    async def _post(self, path, payload):
        headers = {"X-Key": f"Token {self._key}", "Content-Type": "application/json"}
        async with http.post(f"{self._url}/{path}", json=payload, headers=headers) as response:
            return await response.json()
class AvatarSession(Base):
    def __init__(self, face: Face, *, key=None, voice: str, count: int):
        self._key = key or os.environ.get("FAKE_SECRET")
        if not self._key:
            raise FakeError
        self._api = FakeAPI(self._key)
    async def start(self, session, room, *, livekit_url=None):
        """See https://example.com/page."""
        livekit_url = livekit_url or os.getenv("LIVEKIT_URL")
        token = api.AccessToken().with_identity("x").to_jwt()
        self.id = await self._api.open(livekit_url, token, room.name)
        await http.ws_connect("wss://audio.fake.example/in")
        QueueAudioOutput(sample_rate=RATE)
    async def aclose(self):
        await http.request("DELETE", f"{DEFAULT_URL}/sessions/{self.id}")
'''


PLACE = ("api.fake.example", "/v2/sessions")


def calls_of(adapter: ModuleType) -> tuple[Call, ...]:
    """The calls of an adapter's API."""
    takes = inspect.signature(adapter.vendor_backend).parameters
    context = {"context": SimpleNamespace(agent_identity="agent")} if takes else {}
    calls: tuple[Call, ...] = adapter.vendor_backend(**context).calls
    return calls


def shown(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers, in which all that a vendor has answered before is the same."""
    answered = r"\{session\}|session-token-1"
    return {name: re.sub(answered, "answered", value) for name, value in headers.items()}


def loaded(file: Path) -> ModuleType:
    """An adapter, imported from its file."""
    spec = importlib.util.spec_from_file_location(file.stem, file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture
def fake(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """An installed plugin with a source of our own; it can't be imported, and need not be."""
    site = tmp_path / "site"
    package = site / "fake_avatar"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text(PLUGIN)
    info = site / "fake_avatar-1.2.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: fake-avatar\nVersion: 1.2\n")
    (info / "RECORD").write_text("fake_avatar/__init__.py,,\n")
    monkeypatch.syspath_prepend(str(site))
    return "fake-avatar"


def test_what_the_source_tells_is_found(fake: str) -> None:
    """Signature, environment, hosts, rate, identity, exception and requests, without an import."""
    found = find(read_package(fake))
    assert replace(found, requests=()) == Findings(
        package="fake_avatar",
        distribution="fake-avatar",
        version="1.2",
        avatar="AvatarSession",
        exception="fake_avatar:FakeError",
        transport="websocket",
        in_process_too=False,
        hosts=("api.fake.example", "audio.fake.example"),
        sample_rate=16000,
        any_sample_rate=False,
        says_started=None,
        identity="fake-face",
        parameters=(
            Parameter(
                "face",
                True,
                None,
                "Face",
                needs=(("name", "str"), ("face_secret", "str")),
                module="fake_avatar",
            ),
            Parameter("key", False, "FAKE_SECRET"),
            Parameter("voice", True, None, "str"),
            Parameter("count", True, None, "int"),
        ),
        variables=("FAKE_API_URL", "FAKE_SECRET"),
        requests=(),
    )


def test_requests_are_followed_to_where_they_are_made(fake: str) -> None:
    """Through wrappers, arguments and defaults to method, path, and what is read of the answer.

    What the avatar itself does not call, like `create_face`, is none of its requests.
    """
    opening, ending = find(read_package(fake)).requests
    assert (opening.method, opening.host, opening.path) == ("POST", *PLACE)
    assert opening.at_start
    assert opening.pointers(token=False) == ("/room/url",)
    assert opening.pointers(token=True) == ("/room/token",)
    assert opening.room_name == "/where"
    assert opening.reads == (("session_id",),)
    assert opening.needs == ("session_id",)
    assert (ending.method, ending.path) == ("DELETE", f"{PLACE[1]}/{{session}}")
    assert ending.ends_session
    assert not ending.at_start
    assert not ending.decodes


def test_the_api_is_written_down(tmp_path: Path, fake: str) -> None:
    """Headers with their scheme, fields with what they hold, and which of them may be missing."""
    file = tmp_path / "conformance_adapter.py"
    write_adapter(fake, file)
    opening, ending = loaded(file).vendor_backend().calls
    assert opening.headers == {"X-Key": "Token {key}"}
    assert opening.body == fields(
        {
            "kind": {"const": "live"},
            "rate": {"const": 16000},
            "room": fields({"url": STRING, "token": STRING}),
            "where": STRING,
        },
        {"mood": {}},
    )
    assert opening.room == RoomAccess("/room/url", "/room/token", room_name="/where")
    assert opening.opens_session
    assert opening.answer == {"session_id": "{session}"}
    assert opening.needed_fields == ("session_id",)
    assert ending.ends_session
    assert ending.answer_ignored
    assert ending.when == "later"


def test_an_avatar_is_made_of_what_it_requires(fake: str) -> None:
    """Strings are made up, the plugin's own classes made, credentials given; the rest is asked."""
    text = adapter_text(find(read_package(fake)))
    assert 'face=Face(name="name-1", face_secret=context.secret("face_secret")),' in text
    assert 'key=context.secret("key") or NOT_GIVEN,' in text
    assert 'voice="voice-1",' in text
    assert "count=NOT_GIVEN,  # ? it is required (int): what does it take" in text
    assert '{"name": "key", "environment": "FAKE_SECRET"},' in text


def test_variables_are_found_where_a_function_reads_them(tmp_path: Path, fake: str) -> None:
    """A plugin may have one function for all of its settings."""
    source = tmp_path / "site/fake_avatar/__init__.py"
    source.write_text(
        source.read_text().replace('key or os.environ.get("FAKE_SECRET")', '_from(key, "FAKE_KEY")')
        + "\ndef _from(given, variable):\n    return given or os.environ.get(variable)\n"
    )
    file = tmp_path / "conformance_adapter.py"
    write_adapter(fake, file)
    assert '{"name": "key", "environment": "FAKE_KEY"},' in file.read_text()
    assert 'key=context.secret("key") or NOT_GIVEN,' in file.read_text()
    assert loaded(file).vendor_backend().calls[0].headers == {"X-Key": "Token {key}"}


def test_one_of_several_is_given(tmp_path: Path, fake: str) -> None:
    """Where the avatar refuses to be made without any of its parameters, it is given one."""
    source = tmp_path / "site/fake_avatar/__init__.py"
    source.write_text(
        source.read_text().replace(
            "voice: str, count: int):",
            "voice: str, count: int, image=None, look_id=None):\n"
            "        if image is look_id:\n"
            "            raise FakeError('Either image or look_id must be given')",
        )
    )
    text = adapter_text(find(read_package(fake)))
    assert 'look_id="look-id-1",  # ? or one of: image' in text


def test_what_is_answered_before_a_session_is_no_session(tmp_path: Path, fake: str) -> None:
    """A token that a later call has to carry is a value of its own."""
    source = tmp_path / "site/fake_avatar/__init__.py"
    source.write_text(
        source.read_text().replace(
            '        headers = {"X-Key": f"Token {self._key}",',
            '        async with http.get(f"{self._url}/token") as answer:\n'
            '            grant = (await answer.json())["session_grant"]\n'
            '        headers = {"X-Key": f"Token {self._key}", "X-Grant": f"Bearer {grant}",',
        )
    )
    file = tmp_path / "conformance_adapter.py"
    write_adapter(fake, file)
    first, opening, _ = loaded(file).vendor_backend().calls
    assert first.answer == {"session_grant": "session_grant-1"}
    assert not first.opens_session
    assert opening.headers["X-Grant"] == "Bearer session_grant-1"
    assert opening.opens_session


def test_a_source_that_tells_nothing_is_all_questions(tmp_path: Path, fake: str) -> None:
    """The adapter is importable and valid all the same, and asks for the whole API."""
    (tmp_path / "site/fake_avatar/__init__.py").write_text(
        "from livekit.agents.voice.avatar import AvatarSession as Base\n"
        "class AvatarSession(Base):\n    async def start(self): ...\n"
    )
    file = tmp_path / "conformance_adapter.py"
    write_adapter(fake, file)
    adapter = loaded(file)
    assert first_problem("manifest", adapter.avatar_provider_manifest()) is None
    assert len(adapter.vendor_backend().calls) == 1
    for asked in ("which method and path", "what must it hold", "which hosts", "or websocket"):
        assert asked in file.read_text()


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_what_is_written_for_a_published_plugin_is_so(tmp_path: Path, vendor: str) -> None:
    """It says of the API, the room and the credentials what the adapter of the kit says."""
    pytest.importorskip(f"livekit.plugins.{vendor}")
    file = tmp_path / "conformance_adapter.py"
    write_adapter(f"livekit-plugins-{vendor}", file)
    written, bundled = loaded(file), importlib.import_module(f"vendor_adapters.{vendor}")
    manifest, expected = (each.avatar_provider_manifest() for each in (written, bundled))
    assert first_problem("manifest", manifest) is None
    for name in ("name", "distribution", "avatar_session", "transport", "hosts", "identity"):
        assert manifest[name] == expected[name], name
    assert manifest["sample_rate"] == expected.get("sample_rate")
    calls, due = (calls_of(each) for each in (written, bundled))
    assert [call.method for call in calls] == [call.method for call in due]
    assert [call.opens_session for call in calls].count(True) == 1
    for call, other in zip(calls, due, strict=True):
        assert re.fullmatch(re.sub(r"\{\w+\}", "[^/]+", call.path), other.path)
        assert shown(call.headers) == shown(other.headers)
        assert call.ends_session == other.ends_session
        assert call.rooms[:1] == other.rooms[:1]
        assert call.when == other.when
        if other.body is not None:
            assert call.body is not None
            assert set(call.body["required"]) <= set(other.body["properties"])
            if "additionalProperties" in call.body:
                assert set(other.body["required"]) <= set(call.body["properties"])


def test_an_existing_adapter_is_not_overwritten(tmp_path: Path, fake: str) -> None:
    """An adapter that somebody has worked on is not lost."""
    file = tmp_path / "conformance_adapter.py"
    file.write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        write_adapter(fake, file)
    assert file.read_text() == "mine"
    write_adapter(fake, file, force=True)
    assert "fake_avatar" in file.read_text()


@pytest.mark.parametrize(
    ("distribution", "says"),
    [("livekit-plugins-nobody", "pip install livekit-plugins-nobody"), ("aiohttp", "no class")],
)
def test_a_distribution_that_is_no_plugin_is_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    distribution: str,
    says: str,
) -> None:
    """What is not installed, or is no avatar plugin, is said in one line, and nothing written."""
    monkeypatch.chdir(tmp_path)
    assert main(["adapter", distribution]) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.strip().splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_the_command_counts_its_questions(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fake: str
) -> None:
    """The command says what it wrote and how much is left to answer."""
    monkeypatch.chdir(tmp_path)
    assert main(["adapter", fake, "--output", "first.py"]) == 0
    out = capsys.readouterr().out
    asked = (tmp_path / "first.py").read_text().count("# ?")
    assert asked > 0
    assert f"{asked} comments" in out
