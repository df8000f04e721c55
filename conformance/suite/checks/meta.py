"""META: how the plugin is packaged and what of the host it uses."""

from __future__ import annotations

import ast
import gc
import importlib
import importlib.metadata
from collections.abc import Iterator
from functools import cache
from pathlib import Path

from livekit.agents import Plugin
from packaging.requirements import Requirement

from conformance import host
from conformance.results.outcomes import NotApplicable
from conformance.suite.registry import check
from conformance.suite.scene.expect import expect
from conformance.suite.scene.scene import Scene

FIRST_WITH_SWAP_CALL = "1.6.1"
LAST_WITHOUT = "1.6.0"
_HOST = "livekit-agents"
_HOST_PACKAGES = ("livekit.agents", "livekit.rtc", "livekit.api")


@check("META-01", needs_avatar=False)
async def registers(scene: Scene) -> None:
    """The plugin registers with livekit-agents under its distribution's name and version."""
    needs_plugin(scene)
    module = scene.provider.module
    importlib.import_module(module)
    version = _version(scene)
    registered = [(p.package, p.version) for p in Plugin.registered_plugins]
    expect(
        any(
            _normal(package) == _normal(scene.manifest.distribution) and v == version
            for package, v in registered
        ),
        f"a registered plugin {scene.manifest.distribution} {version}",
        ", ".join(
            f"{package} {v}"
            for package, v in registered
            if _normal(package).endswith(scene.manifest.name)
        )
        or "none of that name",
        hint="Plugin.register_plugin(YourPlugin()) in __init__.py, with __name__ as title and "
        "package",
    )


@check("META-02")
async def excludes_older_hosts(scene: Scene) -> None:
    """The dependency on livekit-agents excludes hosts without the swap call that it uses."""
    needs_plugin(scene)
    await scene.start_session()
    with host.watch_bindings(scene.session.output) as bindings:
        await scene.started()
    if not any("replace_audio_tail" in binding for binding in bindings):
        raise NotApplicable("the provider does not use the host's swap call")
    wanted = [
        requirement
        for requirement in map(
            Requirement, importlib.metadata.requires(scene.manifest.distribution) or []
        )
        if _normal(requirement.name) == _HOST
    ]
    allows = [
        str(r.specifier) or "any version" for r in wanted if r.specifier.contains(LAST_WITHOUT)
    ]
    expect(
        bool(wanted) and not allows,
        f"a dependency that excludes livekit-agents {LAST_WITHOUT}, which has no "
        "replace_audio_tail",
        f"livekit-agents {allows[0]}" if allows else "no dependency on livekit-agents",
        hint=f"depend on livekit-agents>={FIRST_WITH_SWAP_CALL}",
    )


@check("META-03", needs_avatar=False)
async def typed(scene: Scene) -> None:
    """The distribution is typed."""
    package = package_of(scene)
    parents = scene.provider.module.count(".")
    marked = [place / "py.typed" for place in (package, *package.parents[:parents])]
    expect(
        any(path.exists() for path in marked),
        "a py.typed beside the package's __init__.py",
        "none",
        hint="add an empty py.typed, and see that the wheel has it",
    )


@check("META-04", needs_avatar=False)
async def public_host_only(scene: Scene) -> None:
    """The provider imports no private module or attribute of the host."""
    needs_plugin(scene)
    private = _private_uses(package_of(scene))
    expect(
        not private,
        "no import of a private module or name of the host",
        "; ".join(private),
        hint="use what livekit.agents exports; ask for what it doesn't",
    )


def needs_plugin(scene: Scene) -> None:
    """Raise `NotApplicable` for an avatar of the host's own."""
    if _normal(scene.manifest.distribution) == _HOST:
        raise NotApplicable("the avatar is part of livekit-agents itself")


@cache
def _private_uses(package: Path) -> tuple[str, ...]:
    found = []
    for path in sorted(package.rglob("*.py")):
        for node in ast.walk(parsed(path)):
            for name in _imported(node):
                of_host = name.startswith(_HOST_PACKAGES)
                if of_host and any(is_private(part) for part in name.split(".")):
                    line = getattr(node, "lineno", 0)
                    found.append(f"{name} ({path.relative_to(package)}:{line})")
    return tuple(found)


def parsed(path: Path) -> ast.Module:
    """The module at ``path``, parsed while no garbage is collected.

    CPython 3.11 raises SystemError when what a collection runs comes in between.
    """
    collecting = gc.isenabled()
    gc.disable()
    try:
        return ast.parse(path.read_text(encoding="utf-8"))
    finally:
        if collecting:
            gc.enable()


def _imported(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Import):
        yield from (alias.name for alias in node.names)
    elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
        yield from (f"{node.module}.{alias.name}" for alias in node.names)


def is_private(part: str) -> bool:
    """Whether a name says that it is nobody else's."""
    return part.startswith("_") and not part.startswith("__")


def package_of(scene: Scene) -> Path:
    """Where the provider's package is."""
    module = importlib.import_module(scene.provider.module)
    return Path(str(module.__file__)).parent


def _version(scene: Scene) -> str:
    return importlib.metadata.version(scene.manifest.distribution)


def _normal(name: str) -> str:
    return name.replace(".", "-").replace("_", "-").lower()
