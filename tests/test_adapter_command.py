"""``avatar-conformance adapter``: what it reads from an installed plugin, and what it asks."""

from __future__ import annotations

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

from conformance.cli import main
from conformance.plugin.errors import UsageError
from conformance.plugin.validation import first_problem
from conformance.scaffold.adapter import adapter_text, write_adapter
from conformance.scaffold.findings import Findings, Parameter, Request, find
from conformance.scaffold.sources import read_package

PLUGIN = '''
import os
from livekit.agents.voice.avatar import AvatarSession as Base, QueueAudioOutput
RATE = 16000
_IDENTITY = "fake-face"
class FakeError(Exception): ...
class AvatarSession(Base):
    def __init__(self, face, *, api_key=None, other):
        self.key = api_key or os.environ["FAKE_API_KEY"]
    async def start(self):
        """See https://example.com/page."""
        await http.request("PUT", f"{self.url}/rooms/{self.id}", headers={"x-key": self.key})
        await http.delete("/rooms")
        socket = await http.ws_connect("wss://audio.fake.example/in")
        QueueAudioOutput(sample_rate=RATE)
        body = {}
        body["room"] = {"url": 1, "token": 2}
'''


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
    assert find(read_package(fake)) == Findings(
        package="fake_avatar",
        distribution="fake-avatar",
        version="1.2",
        avatar="AvatarSession",
        exception="fake_avatar:FakeError",
        transport="websocket",
        hosts=("audio.fake.example",),
        sample_rate=16000,
        identity="fake-face",
        parameters=(
            Parameter("face", True, None),
            Parameter("api_key", False, "FAKE_API_KEY"),
            Parameter("other", True, None),
        ),
        variables=("FAKE_API_KEY",),
        requests=(Request("PUT", "/rooms/{session}"), Request("DELETE", "/rooms")),
        headers=("x-key",),
        room=("/room/url", "/room/token"),
    )


@pytest.mark.parametrize("vendor", ["anam", "simli"])
def test_an_adapter_of_a_published_plugin_loads(tmp_path: Path, vendor: str) -> None:
    """The adapter imports, and its manifest is one that the schema takes."""
    pytest.importorskip(f"livekit.plugins.{vendor}")
    file = tmp_path / "conformance_adapter.py"
    write_adapter(f"livekit-plugins-{vendor}", file)
    adapter = loaded(file)
    manifest = adapter.avatar_provider_manifest()
    assert first_problem("manifest", manifest) is None
    assert manifest["hosts"] == [f"api.{vendor}.ai"]
    assert manifest["identity"] == f"{vendor}-avatar-agent"
    assert manifest["sample_rate"] == {"anam": 24000, "simli": 16000}[vendor]
    calls = adapter.vendor_backend().calls
    assert calls[0].path == {"anam": "/v1/engine/session", "simli": "/compose/token"}[vendor]
    assert calls[0].opens_session
    assert "# ?" in file.read_text()


def test_anam_is_filled_in(tmp_path: Path) -> None:
    """What can be known is written down: credential, exception, where the room is."""
    pytest.importorskip("livekit.plugins.anam")
    text = adapter_text(find(read_package("livekit-plugins-anam")))
    assert '{"name": "api_key", "environment": "ANAM_API_KEY"}' in text
    assert '"exception": "livekit.plugins.anam.errors:AnamException"' in text
    assert 'RoomAccess(url="/environment/livekitUrl", token="/environment/livekitToken")' in text
    assert "persona_config=NOT_GIVEN,  # ? it is required" in text


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
