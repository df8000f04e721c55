from __future__ import annotations

import json
import subprocess
import sys

IMPORTS = """
import json, sys
import livekit.agents
before = set(sys.modules)
import conformance.endpoint
print(json.dumps(sorted(set(sys.modules) - before)))
"""


def test_importing_the_endpoint_takes_nothing_but_the_host() -> None:
    """An agent gets the endpoint and the host's internals that it touches; no library more."""
    done = subprocess.run(
        [sys.executable, "-c", IMPORTS], capture_output=True, text=True, check=True
    )
    more = [name.split(".") for name in json.loads(done.stdout)]
    standard = sys.stdlib_module_names
    foreign = [".".join(name) for name in more if name[0] not in (*standard, "conformance")]
    assert [name for name in foreign if not name.startswith("livekit.agents")] == []
    packages = {name[1] for name in more if name[0] == "conformance" and len(name) > 1}
    assert packages == {"endpoint", "host"}
