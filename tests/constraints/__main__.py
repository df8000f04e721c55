"""Writes the constraints files: ``python -m tests.constraints [VERSION ...]``, by uv.

Without a version, all of `HOSTS`. Each file pins livekit-agents, the 13 plugins of that version,
and what the kit and its tests need, for every supported Python at once. What a file pins already
stays as it is; delete the file to pin anew.
"""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from packaging.version import Version

HERE = Path(__file__).resolve().parent
HOSTS = ("1.6.0", "1.6.1", "1.7.1", "1.8.0", "1.8.9")
ROOT = HERE.parents[1]
SINCE_1_7 = Version("1.7.0")
UNDECLARED = {
    "httpx": "that host imports it, declares only openai, and openai 3 lacks it",
    "pillow": "the bitHuman plugin of that version imports it, and declares it not",
}
"""What hosts and plugins before 1.7 import, and get from nowhere; later something brings it."""


RELEASED_AGAIN = {("1.8.9", "livekit-plugins-bithuman"): "1.8.10"}
"""Plugins that went ahead of their host: the version that users get, and that was judged."""


def plugin_version(host: str, plugin: str) -> str:
    """The version of a plugin that is tested on a host: of the host's own number, as a rule."""
    return RELEASED_AGAIN.get((host, plugin), host)


def write(host: str) -> None:
    """Resolve and write the file of one host version."""
    lines = [f"livekit-agents=={host}"]
    undeclared = UNDECLARED if Version(host) < SINCE_1_7 else {}
    lines += undeclared
    head = [f"# What a run on livekit-agents {host} is tested with, for every Python; made by"]
    head.append(f"# python -m tests.constraints {host}")
    head += [f"# {name}: {why}" for name, why in undeclared.items()]
    pins = [f"{name}=={plugin_version(host, name)}" for name in plugins()]
    command = "uv pip compile --quiet --universal --python-version 3.10 --no-annotate --no-header"
    own = "--all-extras --no-emit-package avatar-conformance pyproject.toml -"
    target = HERE / f"host-{host}.txt"
    subprocess.run(
        [*f"{command} {own}".split(), "--output-file", str(target)],
        input="\n".join([*lines, *pins, "hatchling"]),
        cwd=ROOT,
        check=True,
        stdout=subprocess.DEVNULL,
        text=True,
    )
    resolved = target.read_text(encoding="utf-8")
    target.write_text("\n".join(head) + "\n" + resolved, encoding="utf-8")
    print(f"{target.relative_to(ROOT)}: {len(resolved.splitlines())} distributions")


def plugins() -> list[str]:
    """The distributions of the plugins, as the extra `vendors` names them."""
    text = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    _, _, extra = text.partition("vendors = [")
    return [line.strip(' ",') for line in extra.partition("]")[0].splitlines() if line.strip()]


if __name__ == "__main__":
    for version in sys.argv[1:] or HOSTS:
        write(version)
