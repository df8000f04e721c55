"""``avatar-conformance adapter``: what a recording shows of a plugin, and what it asks."""

from __future__ import annotations

import builtins
import importlib
import inspect
import re
from collections.abc import Mapping
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import pytest

from conformance.cli import main
from conformance.errors import UsageError
from conformance.plugin import STRING, Call, DataMessage, RoomAccess, VendorAPI, fields
from conformance.plugin.schema_errors import first_problem
from conformance.scaffold.adapter import Written, write_adapter
from conformance.scaffold.copier_extra import copier_module
from conformance.scaffold.first_run import first_run
from conformance.scaffold.layout import laid_out
from conformance.scaffold.names import VENDORS

from .fake_plugin import READ, SOURCE, Install, install
from .recorded import compare, loaded

__all__ = ["install"]

POST = "POST api.fake.example/v2/sessions"


@pytest.fixture
def file(tmp_path: Path) -> Path:
    """Where the adapter is written."""
    return tmp_path / "conformance_adapter.py"


def recorded(distribution: str, file: Path) -> tuple[Written, ModuleType]:
    """What was found of a plugin, and the adapter that was written of it."""
    return write_adapter(distribution, file), loaded(file)


def api_of(adapter: ModuleType) -> VendorAPI:
    """The API that an adapter describes."""
    takes = inspect.signature(adapter.vendor_backend).parameters
    context = {"context": SimpleNamespace(agent_identity="agent")} if takes else {}
    api: VendorAPI = adapter.vendor_backend(**context)
    return api


def test_a_plugin_without_the_hosts_base_class_is_recorded(file: Path, install: Install) -> None:
    """Credentials, room, constants, optional fields, answers and endings are found by running."""
    _, adapter = recorded(install(), file)
    opening, ending = api_of(adapter).calls
    assert (opening.method, opening.path) == ("POST", "/v2/sessions")
    assert opening.headers == {"X-Key": "Token {secret}", "X-Version": "7"}
    assert opening.body == fields(
        {
            "kind": {"const": "live"},
            "look": STRING,
            "room": fields({"url": STRING, "token": STRING}),
            "where": STRING,
            "who": STRING,
            "for": {"const": "agent"},
        },
        {"colour": STRING},
    )
    assert opening.room == RoomAccess(
        "/room/url", "/room/token", identity="/who", room_name="/where"
    )
    assert opening.opens_session
    assert opening.answer == {"data": {"session_id": "{session}"}}
    assert opening.needed_fields == ("data",)
    assert (ending.method, ending.path) == ("DELETE", "/v2/sessions/{session}")
    assert (ending.ends_session, ending.when) == (True, "later")


def test_the_manifest_says_what_was_seen(file: Path, install: Install) -> None:
    """Class, exception, host, rate, identity and claims are those of the runs."""
    _, adapter = recorded(install(), file)
    manifest = adapter.avatar_provider_manifest()
    assert first_problem("manifest", manifest) is None
    assert manifest == {
        "name": "fake-avatar",
        "distribution": "fake-avatar",
        "avatar_session": "fake_avatar:AvatarSession",
        "exception": "fake_avatar:FakeError",
        "transport": "bytestream",
        "hosts": ["api.fake.example"],
        "sample_rate": 16000,
        "identity": "fake-face",
        "credentials": [{"name": "secret", "environment": "FAKE_SECRET"}],
        "capabilities": {"ends_session": True, "restartable": True, "playback_started": False},
    }


def test_an_avatar_is_made_of_what_it_asks_for(file: Path, install: Install) -> None:
    """The plugin's own classes are made, and one of two arguments given, as its error asks."""
    recorded(install(), file)
    text = file.read_text()
    assert 'face=Face(name="name-1"),' in text
    assert 'look_id="look-id-1",' in text
    assert "image=" not in text


def test_what_a_plugin_falls_back_on_is_no_credential(file: Path, install: Install) -> None:
    """A variable that is read and not needed is in no manifest: BIND-09 would ask for it."""
    written, adapter = recorded(install(), file)
    assert "FAKE_NOTE" in written.found.base.variables
    variables = [c["environment"] for c in adapter.avatar_provider_manifest()["credentials"]]
    assert variables == ["FAKE_SECRET"]


def test_the_users_own_variables_are_not_seen(
    file: Path, install: Install, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A real key, or a base URL of somebody's own, has no part in a recording."""
    monkeypatch.setenv("FAKE_SECRET", "a-real-key")
    monkeypatch.setenv("FAKE_API_URL", "https://staging.fake.example/v9")
    written, adapter = recorded(install(), file)
    assert written.found.base.hosts == ("api.fake.example",)
    assert api_of(adapter).calls[0].path == "/v2/sessions"


@pytest.mark.parametrize(
    ("read", "ignored"),
    [("pass", True), ("await answer.json()", False), ("self.id = await answer.text()", True)],
)
def test_an_answer_is_ignored_where_it_is_not_decoded(
    file: Path, install: Install, read: str, ignored: bool
) -> None:
    """A body that is decoded is no body that may be anything, even where no field is read."""
    _, adapter = recorded(install(read=read, end="pass"), file)
    (opening,) = api_of(adapter).calls
    assert opening.answer_ignored is ignored
    assert opening.answer == {}


def test_a_field_that_is_asked_for_is_not_needed(file: Path, install: Install) -> None:
    """A field with a default is answered, and no fault is made of its absence."""
    read = 'self.id = (await answer.json()).get("id", "none")'
    _, adapter = recorded(install(read=read), file)
    opening = api_of(adapter).calls[0]
    assert opening.answer == {"id": "{session}"}
    assert opening.needed_fields == ()


def test_a_field_that_nobody_used_is_a_question(file: Path, install: Install) -> None:
    """What is read and never seen again has a value that only the vendor knows."""
    read = f'{READ}\n                self.model = (await answer.json())["model"]'
    written, adapter = recorded(install(read=read), file)
    assert api_of(adapter).calls[0].answer["model"] == "recorded-model"
    assert "what is model in truth" in [each.text for each in written.questions]


def test_a_data_message_at_the_end_is_described_and_asked_for(file: Path, install: Install) -> None:
    """What is told to the avatar's participant is in the adapter; what the vendor does is asked."""
    end = (
        "await self._room.local_participant.publish_data(b'{\"bye\": true}', "
        'destination_identities=[self.avatar_identity], topic="end")'
    )
    mark = "        token = (api"
    source = SOURCE.replace(mark, f"        self._room = room\n{mark}")
    written, adapter = recorded(install(source, read="pass", end=end), file)
    (message,) = api_of(adapter).messages
    assert message == DataMessage(
        "told at the end", fields({"bye": {"const": True}}), topic="end", ends_session=True
    )
    assert "does the vendor end its session on this message" in [q.text for q in written.questions]


def test_a_start_that_never_works_is_said(
    file: Path, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    """The adapter is valid all the same, asks for what is missing, and the reason is one line."""
    mark = "        body = {"
    source = SOURCE.replace(mark, f'        raise FakeError("closed")\n{mark}')
    assert main(["adapter", install(source), "--output", str(file)]) == 0
    adapter = loaded(file)
    assert first_problem("manifest", adapter.avatar_provider_manifest()) is None
    out = capsys.readouterr().out
    assert "no start of fake_avatar:AvatarSession has worked: FakeError: closed" in out
    assert "which hosts does it contact" in out


def test_every_question_is_printed_beside_its_line(
    file: Path, install: Install, capsys: pytest.CaptureFixture[str]
) -> None:
    """The command names each line of the file that asks something."""
    assert main(["adapter", install(), "--output", str(file), "--no-certify"]) == 0
    out = capsys.readouterr().out
    lines = file.read_text().splitlines()
    asking = [number for number, line in enumerate(lines, 1) if "# ?" in line]
    assert asking
    assert all(f"{file}:{number}: " in out for number in asking)


@pytest.mark.parametrize("vendor", sorted(VENDORS))
def test_what_is_recorded_of_a_published_plugin_is_so(file: Path, vendor: str) -> None:
    """It says of the API, the room and the credentials what the adapter of the kit says."""
    pytest.importorskip(f"livekit.plugins.{vendor}")
    _, adapter = recorded(f"livekit-plugins-{vendor}", file)
    bundled = importlib.import_module(f"vendor_adapters.{vendor}")
    manifest, expected = (each.avatar_provider_manifest() for each in (adapter, bundled))
    assert first_problem("manifest", manifest) is None
    same = ("name", "distribution", "avatar_session", "exception", "transport", "hosts", "identity")
    assert {n: manifest[n] for n in same} == {n: expected[n] for n in same}
    variables = [[c.get("environment") for c in m["credentials"]] for m in (manifest, expected)]
    assert sorted(variables[0]) == sorted(variables[1])
    calls, due = (_by_place(api_of(each).calls) for each in (adapter, bundled))
    assert len(calls) == len(due)
    for call, other in zip(calls, due, strict=True):
        assert (call.method, call.when) == (other.method, other.when)
        assert _shown(call.headers) == _shown(other.headers)
        assert (call.opens_session, call.ends_session) == (other.opens_session, other.ends_session)
        assert call.answer_ignored == other.answer_ignored
        assert set(call.needed_fields) == set(other.needed_fields)
        assert [(r.url, r.token) for r in call.rooms] == [(r.url, r.token) for r in other.rooms]


def _by_place(calls: tuple[Call, ...]) -> list[Call]:
    return sorted(calls, key=lambda call: (call.when == "later", call.path.count("/")))


def _shown(headers: Mapping[str, str]) -> dict[str, str]:
    """Headers, in which a credential is one whatever its name, as an earlier answer is."""
    return {n: re.sub(r"{\w+}|session-token-1", "{}", value) for n, value in headers.items()}


def test_a_recorded_adapter_certifies_as_the_one_by_hand(install: Install) -> None:
    """Every check of one published plugin has the same outcome by both adapters.

    ``python -m tests.scaffold.recorded`` does so for all of them.
    """
    pytest.importorskip("livekit.plugins.trugen")
    assert compare("trugen").differences == {}


def test_the_plugin_is_judged_by_its_new_adapter(file: Path) -> None:
    """In a folder of its own, where no other adapter takes the place of the one just written."""
    pytest.importorskip("livekit.plugins.trugen")
    write_adapter("livekit-plugins-trugen", file)
    said = first_run(file, ["--requirement", "BIND-0[14]", "--requirement", "UNBIND-05"])
    first, *failed = said.splitlines()
    assert first == "judged by it: 2 of 6 checks pass, 1 requirements fail"
    assert [line.split(":")[0].strip() for line in failed] == ["UNBIND-05"]


def test_an_existing_adapter_is_not_overwritten(file: Path, install: Install) -> None:
    """An adapter that somebody has worked on is not lost."""
    file.write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        write_adapter("fake-avatar", file)
    assert file.read_text() == "mine"
    write_adapter(install(), file, force=True)
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


def test_long_lines_are_broken_at_their_brackets() -> None:
    """A comma or a bracket within a string breaks nothing."""
    source = 'body=fields({"a": {"const": "x, (y"}, "b": STRING}),  # ? is it so'
    assert laid_out(source, 0, width=48) == [
        "body=fields(",
        '    {"a": {"const": "x, (y"}, "b": STRING},',
        "),  # ? is it so",
    ]


def test_the_template_without_copier_is_one_line(monkeypatch: pytest.MonkeyPatch) -> None:
    """The extra that brings it is named."""
    real = builtins.__import__

    def without(name: str, *args: Any, **options: Any) -> Any:
        if name == "copier":
            raise ImportError(name)
        return real(name, *args, **options)

    monkeypatch.setattr(builtins, "__import__", without)
    with pytest.raises(UsageError, match=r"avatar-conformance\[new\]"):
        copier_module()


def test_a_session_that_a_socket_opens_is_described(file: Path, install: Install) -> None:
    """Where the room's token was sent, and that it is the socket that opens the session."""
    mark, _, rest = SOURCE.partition("        async with aiohttp.ClientSession() as http:")
    source = (
        f"{mark}        self._http = aiohttp.ClientSession()\n"
        '        url = "wss://api.fake.example/v2/live"\n'
        "        self._ws = await self._http.ws_connect(url, headers=headers)\n"
        '        await self._ws.send_json({"room": body["room"]})\n'
        f"{rest[rest.index('        agent_session.output') :]}"
    )
    _, adapter = recorded(install(source, end="await self._http.close()"), file)
    (socket,) = api_of(adapter).sockets
    assert (socket.path, socket.opens_session) == ("/v2/live", True)
    assert socket.headers == {"X-Key": "Token {secret}", "X-Version": "7"}
    assert socket.room == RoomAccess("/room/url", "/room/token")
    assert "is it over when the socket is closed: ends_session=True" in file.read_text()
