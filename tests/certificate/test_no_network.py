"""A run that is certified has no network, where the system allows that."""

from __future__ import annotations

import socket
import subprocess
import sys
from pathlib import Path

import pytest

from conformance.certificate import isolated_run, no_network
from conformance.certificate.environment import Environment
from conformance.certificate.isolated_run import SubprocessTrial

NEEDS_NAMESPACES = pytest.mark.skipif(
    no_network.refusal() != "", reason=f"needs network namespaces: {no_network.refusal()}"
)

REACHES = """
import socket, subprocess, sys
print(sorted(name for _, name in socket.if_nameindex()))
with socket.create_server(("127.0.0.1", 0)) as own:
    with socket.create_connection(own.getsockname()):
        print("own loopback")
port = sys.argv[1]
child = "import socket; socket.create_connection(('127.0.0.1', %s))" % port
print(subprocess.run([sys.executable, "-c", child], capture_output=True).returncode)
"""


@NEEDS_NAMESPACES
def test_a_program_without_network_has_a_loopback_of_its_own() -> None:
    """It reaches what it serves itself; what is outside is out of its children's reach as well."""
    with socket.create_server(("127.0.0.1", 0)) as outside:
        port = str(outside.getsockname()[1])
        ran = subprocess.run(
            no_network.alone([sys.executable, "-c", REACHES, port]),
            capture_output=True,
            text=True,
            check=True,
        )
    assert ran.stdout.splitlines() == ["['lo']", "own loopback", "1"]


@NEEDS_NAMESPACES
def test_the_certified_run_is_started_without_network(tmp_path: Path) -> None:
    """What is started in an environment sees no interface but its loopback, and that is said."""
    said: list[str] = []
    trial = SubprocessTrial(said.append)
    heard: list[str] = []
    program = "import socket; print([name for _, name in socket.if_nameindex()])"
    environment = Environment(Path(sys.executable), tmp_path)
    code = trial._start(environment, ["-c", program], tmp_path, heard.append)
    assert (code, heard) == (0, ["['lo']"])
    assert said == ["network: none, in a namespace of its own"]


def test_where_the_system_refuses_it_is_said(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run goes on, and its reader knows what could not be seen."""
    monkeypatch.setattr(isolated_run, "refusal", lambda: "not permitted")
    said: list[str] = []
    trial = SubprocessTrial(said.append)
    environment = Environment(Path(sys.executable), tmp_path)
    assert trial._start(environment, ["-c", ""], tmp_path, said.append) == 0
    (line,) = said
    assert line.startswith("network: as it is here (not permitted)")
    assert line.endswith("what child processes and native code contact is not seen")
