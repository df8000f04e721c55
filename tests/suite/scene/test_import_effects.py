"""What importing a plugin changes is found in this interpreter, or in one child of it."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from conformance.errors import KitError
from conformance.suite.scene import import_effects as imports
from conformance.suite.scene.import_effects import import_effects, own_import_effects


@pytest.fixture(autouse=True)
def forget_imports() -> Iterator[None]:
    """Nothing that a test has found is remembered by the next one."""
    import_effects.cache_clear()
    yield
    import_effects.cache_clear()


@pytest.fixture
def module(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The file of a module ``plugin_under_import`` that a child interpreter finds too."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path / "plugin_under_import.py"
    sys.modules.pop("plugin_under_import", None)


def test_a_module_that_the_host_imports_is_imported_by_one_child_alone(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """The child finds the module imported by the host itself, and starts no child of its own."""
    (tmp_path / "sitecustomize.py").write_text(
        "import os, pathlib\n"
        "started = pathlib.Path(os.environ['COUNTED_IN']) / f'child-{os.getpid()}'\n"
        "started.touch()\n"
    )
    monkeypatch.setenv("COUNTED_IN", str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", str(tmp_path))
    import livekit.agents.inference

    assert livekit.agents.inference.__name__ in sys.modules
    assert import_effects("livekit.agents.inference") == ()
    assert len(list(tmp_path.glob("child-*"))) == 1


def test_what_an_imported_module_changes_is_seen_in_a_child(module: Path) -> None:
    """A module that is imported already is imported anew, in an interpreter of its own."""
    module.write_text("import os\nos.environ['SET_BY_PLUGIN'] = '1'\n")
    sys.modules["plugin_under_import"] = sys
    assert import_effects("plugin_under_import") == ("it changes the environment",)


def test_a_child_that_fails_says_with_what(module: Path) -> None:
    """A module that imports here and nowhere else is one line with the child's own error."""
    module.write_text("raise ImportError('only ever once')\n")
    sys.modules["plugin_under_import"] = sys
    (line,) = import_effects("plugin_under_import")
    assert line == "it cannot be imported alone: ImportError: only ever once"


def test_a_child_that_does_not_end_is_ended(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A child that takes longer than its bound is ended with its own children: nobody's failure."""
    module.with_name("sitecustomize.py").write_text(
        "import pathlib, subprocess\n"
        "child = subprocess.Popen(['sleep', '600'])\n"
        "pathlib.Path(__file__).with_name('grandchild').write_text(str(child.pid))\n"
    )
    module.write_text("import time; time.sleep(600)\n")
    sys.modules["plugin_under_import"] = sys
    monkeypatch.setattr(imports, "CHILD_SECONDS", 3.0)
    with pytest.raises(KitError, match=r"plugin_under_import takes longer than 3 s to import"):
        import_effects("plugin_under_import")
    assert not _runs(int(module.with_name("grandchild").read_text()))


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux bounds a process's data")
def test_a_child_has_a_bound_in_memory(module: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A module that takes more memory than a plugin can need to be imported gets no more."""
    module.write_text("held = bytes(3 * 1024 ** 3)\n")
    sys.modules["plugin_under_import"] = sys
    (line,) = import_effects("plugin_under_import")
    assert line == "it cannot be imported alone: MemoryError"


def test_a_child_dies_with_its_parent(module: Path) -> None:
    """A child whose parent was killed ends itself, however busy its import is."""
    module.write_text(
        "import os, pathlib, time\n"
        "pathlib.Path(__file__).with_name('child').write_text(str(os.getpid()))\n"
        "while True: time.sleep(0.1)\n"
    )
    parent = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys; sys.modules['plugin_under_import'] = sys\n"
            "from conformance.suite.scene.import_effects import import_effects\n"
            "import_effects('plugin_under_import')",
        ]
    )
    child = module.with_name("child")
    while not (child.exists() and child.read_text()):
        assert parent.poll() is None
    parent.kill()
    parent.wait()
    pid = int(child.read_text())
    while _runs(pid):
        pass


def _runs(pid: int) -> bool:
    """Whether there is such a process, one that waits to be forgotten aside."""
    try:
        state = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0]
    except FileNotFoundError:
        return False
    return state != "Z"


def test_own_effects_start_no_process(monkeypatch: pytest.MonkeyPatch, module: Path) -> None:
    """What the child itself calls imports in place, whatever has been imported."""
    module.write_text("")

    def refuse(*args: object, **options: object) -> None:
        raise AssertionError("a process was started")

    monkeypatch.setattr(subprocess, "Popen", refuse)
    assert own_import_effects("plugin_under_import") == ()
    assert own_import_effects("plugin_under_import") == ()
