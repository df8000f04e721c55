"""``avatar-conformance new``: what it makes, what it refuses, and what it leaves when it fails."""

from __future__ import annotations

import os
import py_compile
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.cli import main
from conformance.errors import UsageError
from conformance.scaffold import render
from conformance.scaffold.answers import TRANSPORTS, Answers, PluginTransport
from conformance.scaffold.names import plugin_name
from conformance.scaffold.render import render_plugin

NAME = "acme-live"


@pytest.fixture(autouse=True)
def own_cache(tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch) -> None:
    """Keep the template's repository of the tests apart from the user's."""
    base = tmp_path_factory.getbasetemp().parent / "template-cache"
    monkeypatch.setenv("XDG_CACHE_HOME", str(base))


def rendered(tmp_path: Path, transport: PluginTransport) -> Path:
    """A plugin with this transport."""
    return render_plugin(Answers(plugin_name(NAME), transport=transport), tmp_path / "plugin")


def files(directory: Path) -> set[str]:
    """The files below a directory, as relative paths."""
    return {p.relative_to(directory).as_posix() for p in directory.rglob("*") if p.is_file()}


COMMON = {
    ".copier-answers.yml",
    ".github/workflows/ci.yml",
    ".gitignore",
    "CHANGELOG.md",
    "LICENSE",
    "README.md",
    "examples/call_swap.py",
    "examples/swap_agent.py",
    "pyproject.toml",
    "tests/test_avatar.py",
    "tests/test_endpoint.py",
    *(
        f"livekit/plugins/acme_live/{name}"
        for name in (
            "__init__.py",
            "avatar.py",
            "conformance_adapter.py",
            "endpoint.py",
            "errors.py",
            "log.py",
            "output.py",
            "py.typed",
            "version.py",
        )
    ),
}
REMOTE = {
    "livekit/plugins/acme_live/api.py",
    "examples/demo_worker.py",
    "examples/wave_video.py",
    "tests/test_api.py",
}
OWN = {
    "bytestream": {*REMOTE, "livekit/plugins/acme_live/streams.py"},
    "websocket": {*REMOTE, "livekit/plugins/acme_live/sockets.py"},
    "local": {
        "livekit/plugins/acme_live/publisher.py",
        "livekit/plugins/acme_live/renderer.py",
    },
}


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_a_plugin_has_the_files_of_its_transport(
    tmp_path: Path, transport: PluginTransport
) -> None:
    """A whole repository, `livekit` and `livekit.plugins` being namespaces, and nothing more."""
    assert files(rendered(tmp_path, transport)) == COMMON | OWN[transport]


@pytest.mark.parametrize("transport", TRANSPORTS)
def test_nothing_of_the_template_is_left(tmp_path: Path, transport: PluginTransport) -> None:
    """No mark of the template, and Python that compiles."""
    plugin = rendered(tmp_path, transport)
    for name in files(plugin):
        text = (plugin / name).read_text("utf-8")
        assert "[%" not in text, name
        assert "%]" not in text, name
        assert "[[ " not in text, name
        if name.endswith(".py"):
            py_compile.compile(str(plugin / name), cfile=str(tmp_path / "out.pyc"), doraise=True)


def test_the_answers_are_in_the_plugin(tmp_path: Path) -> None:
    """What was answered is what the plugin says."""
    plugin = render_plugin(
        Answers(
            plugin_name("acme"),
            transport="bytestream",
            author="A. Author",
            email="author@acme.example",
            base_url="https://avatars.acme.example/live",
            sample_rate=16000,
            identity="acme-face",
        ),
        tmp_path / "plugin",
    )
    project = (plugin / "pyproject.toml").read_text()
    package = plugin / "livekit/plugins/acme"
    assert '{ name = "A. Author", email = "author@acme.example" }' in project
    assert (
        'DEFAULT_API_URL = "https://avatars.acme.example/live"' in (package / "api.py").read_text()
    )
    assert "SAMPLE_RATE = 16000" in (package / "avatar.py").read_text()
    assert 'f"acme-face-{uuid4' in (package / "avatar.py").read_text()
    adapter = (package / "conformance_adapter.py").read_text()
    assert '"hosts": ["avatars.acme.example"]' in adapter
    assert '"/live/v1/sessions"' in adapter


@pytest.mark.parametrize(
    ("answers", "names"),
    [
        (Answers(plugin_name("acme"), base_url="http://api.acme.example"), "https"),
        (Answers(plugin_name("acme"), base_url="https://api.acme.example/"), "slash"),
        (Answers(plugin_name("acme"), sample_rate=1), "8000"),
        (Answers(plugin_name("acme"), identity="a name"), "letters"),
    ],
)
def test_an_answer_that_cannot_be_is_refused(tmp_path: Path, answers: Answers, names: str) -> None:
    """What is wrong with an answer is one line, and nothing is made."""
    with pytest.raises(UsageError, match=names) as caught:
        render_plugin(answers, tmp_path / "plugin")
    assert "\n" not in str(caught.value)
    assert list(tmp_path.iterdir()) == []


def test_an_existing_directory_is_not_touched(tmp_path: Path) -> None:
    """What is there stays, and the message says how to go on."""
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "README.md").write_text("mine")
    with pytest.raises(UsageError, match="--force"):
        rendered(tmp_path, "bytestream")
    assert files(tmp_path) == {"plugin/README.md"}
    assert (tmp_path / "plugin" / "README.md").read_text() == "mine"


def test_force_replaces_the_files_of_the_template_only(tmp_path: Path) -> None:
    """With force the template's files are new, and other files stay."""
    (tmp_path / "plugin").mkdir()
    (tmp_path / "plugin" / "README.md").write_text("mine")
    (tmp_path / "plugin" / "notes.txt").write_text("mine")
    plugin = render_plugin(Answers(plugin_name(NAME)), tmp_path / "plugin", force=True)
    assert (plugin / "README.md").read_text().startswith("# AcmeLive")
    assert (plugin / "notes.txt").read_text() == "mine"
    assert [path.name for path in tmp_path.iterdir()] == ["plugin"]


@pytest.mark.parametrize(("there", "says"), [("livekit", "is a file"), ("README.md/x", "is a dir")])
def test_force_moves_all_or_nothing(tmp_path: Path, there: str, says: str) -> None:
    """What is in the way of one file keeps the others from being replaced."""
    obstacle = tmp_path / "plugin" / there
    obstacle.parent.mkdir(parents=True)
    obstacle.write_text("mine")
    with pytest.raises(UsageError, match=says):
        render_plugin(Answers(plugin_name(NAME)), tmp_path / "plugin", force=True)
    assert files(tmp_path) == {f"plugin/{there}"}


def test_an_empty_directory_is_used(tmp_path: Path) -> None:
    """A directory that was just made for the plugin is no obstacle."""
    (tmp_path / "plugin").mkdir()
    assert "pyproject.toml" in files(rendered(tmp_path, "local"))


def test_a_file_in_the_way_is_named(tmp_path: Path) -> None:
    """A file can't become a directory."""
    (tmp_path / "plugin").write_text("")
    with pytest.raises(UsageError, match="is a file"):
        rendered(tmp_path, "local")


def test_a_place_that_cannot_be_written_is_named(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """What the system refuses is one line with the place and the reason."""

    def full(*_: object, **__: object) -> str:
        raise OSError(28, "No space left on device", str(tmp_path))

    monkeypatch.setattr(render.tempfile, "mkdtemp", full)
    assert main(["new", "acme", "--defaults", "--dest", str(tmp_path / "plugin")]) == 2
    error = capsys.readouterr().err
    assert f"{tmp_path} can't be written: No space left on device" in error
    assert len(error.strip().splitlines()) == 1


@pytest.mark.parametrize("interruption", [KeyboardInterrupt, RuntimeError])
def test_an_interrupted_run_leaves_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, interruption: type[BaseException]
) -> None:
    """Neither the plugin nor a part of it is there after an interruption."""
    copy = render._copy

    def interrupted(answers: Answers, directory: Path, *, ask: bool) -> None:
        copy(answers, directory, ask=ask)
        raise interruption

    monkeypatch.setattr(render, "_copy", interrupted)
    with pytest.raises(interruption):
        rendered(tmp_path, "bytestream")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.skipif(os.name == "nt", reason="there such a signal ends a process without asking it")
def test_a_terminated_run_leaves_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor does a run that a CI job or a closed terminal ends, and the handlers are as before."""
    before = signal.getsignal(signal.SIGTERM)

    def terminated(*_: object, **__: object) -> None:
        os.kill(os.getpid(), signal.SIGTERM)

    monkeypatch.setattr(render, "_copy", terminated)
    with pytest.raises(SystemExit) as caught:
        rendered(tmp_path, "bytestream")
    assert caught.value.code == 128 + signal.SIGTERM
    assert list(tmp_path.iterdir()) == []
    assert signal.getsignal(signal.SIGTERM) == before


def test_the_command_makes_a_plugin(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """`avatar-conformance new acme --defaults` asks nothing, and says where the plugin is."""
    monkeypatch.chdir(tmp_path)
    assert main(["new", "Acme", "--defaults"]) == 0
    assert "livekit-plugins-acme is in livekit-plugins-acme;" in capsys.readouterr().out
    assert (tmp_path / "livekit-plugins-acme/livekit/plugins/acme/avatar.py").is_file()


@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["new", "tavus", "--defaults"], "a plugin 'tavus' already"),
        (["new", "acme", "--defaults", "--transport", "smoke"], "bytestream, websocket, local"),
        (["new", "acme", "--defaults", "--dest", "taken"], "not empty"),
    ],
)
def test_the_command_refuses_in_one_line(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    arguments: list[str],
    says: str,
) -> None:
    """What a user got wrong is one line and exit code 2."""
    monkeypatch.chdir(tmp_path)
    (tmp_path / "taken").mkdir()
    (tmp_path / "taken" / "file").write_text("")
    assert main(arguments) == 2
    error = capsys.readouterr().err
    assert says in error
    assert len(error.strip().splitlines()) == 1


def test_without_a_terminal_it_says_how_to_ask_nothing(tmp_path: Path) -> None:
    """Questions that can't be put are no hang and no traceback."""
    ran = subprocess.run(
        [sys.executable, "-c", "from conformance.cli import main; exit(main(['new', 'acme']))"],
        cwd=tmp_path,
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=60,
        env={**os.environ, "PYTHONWARNINGS": "ignore"},
    )
    assert ran.returncode == 2
    assert "--defaults" in ran.stderr
    assert list(tmp_path.iterdir()) == []
