"""Mutants that are packaged wrongly, or change the application when they are imported."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from conformance.plugin import AdapterContext, hookimpl

from .distribution import Distribution
from .mutant import Kill, SoundAdapter, mutant


class Packaged(SoundAdapter):
    """The adapter of a distribution made for the run."""

    distribution: Distribution
    others: tuple[Distribution, ...] = ()
    """What is installed beside it."""

    @hookimpl
    def avatar_provider_manifest(self) -> Mapping[str, Any]:
        for other in self.others:
            other.install()
        self.distribution.install()
        return {**super().avatar_provider_manifest(), **self.distribution.manifest()}

    @hookimpl
    def create_avatar(self, context: AdapterContext) -> Any:
        return self.distribution.avatar()(identity=context.identity)


class SoundlyPackaged(Packaged):
    """Packaged as it should be; it is sound in everything that META and SEC-03 ask."""

    distribution = Distribution("mutant-acme")


@mutant(
    Kill("META-01", "a registered plugin mutant-quiet 1.2.3"),
    story="a plugin that never calls register_plugin",
)
class NotRegistered(Packaged):
    distribution = Distribution("mutant-quiet", register="")


@mutant(
    Kill("META-01", "a registered plugin mutant-stale 1.2.3"),
    story="a version that is written down twice, and raised once",
)
class RegisteredWithAnOldVersion(Packaged):
    distribution = Distribution("mutant-stale", version="1.2.2")


@mutant(
    Kill("META-02", "has no replace_audio_tail; observed livekit-agents >=1.3"),
    story="a lower bound that was not raised with the call",
)
class AllowsOldHosts(Packaged):
    distribution = Distribution("mutant-lax", host=">=1.3")


@mutant(
    Kill("META-02", "observed livekit-agents any version"),
    story="a dependency without a bound",
)
class AllowsEveryHost(Packaged):
    distribution = Distribution("mutant-any", host="")


@mutant(
    Kill("META-03", "a py.typed beside the package's __init__.py"),
    story="a wheel without its py.typed",
)
class NotTyped(Packaged):
    distribution = Distribution("mutant-untyped", typed=False)


@mutant(
    Kill("META-04", "livekit.agents.voice.avatar._datastream_io"),
    story="keyframe: its sink subclasses the host's from a private module",
)
class PrivateHostImport(Packaged):
    distribution = Distribution(
        "mutant-private",
        source="from livekit.agents.voice.avatar._datastream_io import RPC_CLEAR_BUFFER\n",
    )


@mutant(
    Kill("META-04", "session._activity", "attributes"),
    story="reported: a release of the host renames what a plugin reads of a session",
)
class PrivateHostAttribute(Packaged):
    distribution = Distribution(
        "mutant-prying", source="def busy(session): return session._activity is not None\n"
    )


@mutant(
    Kill("META-05", "tests/acme_checks.py"),
    story="a wheel that was built without a list of packages ships its tests",
)
class ShipsItsTests(Packaged):
    distribution = Distribution("mutant-littering", ships=("tests/acme_checks.py",))


@mutant(
    Kill("META-05", "mutant_host_part/__init__.py"),
    story="thought: two wheels with the same module, and the last one installed wins",
)
class ShipsWhatIsAnothers(Packaged):
    others = (Distribution("mutant-host-part"),)
    distribution = Distribution("mutant-squatting", ships=("mutant_host_part/__init__.py",))


def importing(name: str, says: str, source: str, story: str) -> None:
    """Declare a mutant whose import runs ``source``."""
    distribution = Distribution(f"mutant-{name}", source=source)
    made = type(f"Import{name.title()}", (Packaged,), {"distribution": distribution})
    mutant(Kill("SEC-03", says), story=story)(made)


importing(
    "logs",
    "it changes the logging handlers",
    "import logging\nlogging.basicConfig(handlers=[logging.NullHandler()], force=True)\n",
    "a plugin that calls basicConfig so that its examples log",
)
importing(
    "configures",
    "it changes the logging handlers",
    "import logging\nlogging.basicConfig()\n",
    "a plugin that calls basicConfig, which does nothing where somebody has done so before",
)
importing(
    "level",
    "it changes the logging level",
    "import logging\nlogging.getLogger().setLevel(1)\n",
    "thought: debug output that was left on",
)
importing(
    "environment",
    "it changes the environment",
    "import os\nos.environ['ACME_REGION'] = 'eu'\n",
    "a plugin that loads a .env file",
)
importing(
    "signals",
    "it changes the signal handlers",
    "import signal\nsignal.signal(signal.SIGTERM, lambda *_: None)\n",
    "thought: a runtime that wants to be told of the end",
)
importing(
    "hook",
    "it changes the excepthook",
    "import sys\nsys.excepthook = lambda *_: None\n",
    "thought: a crash reporter",
)
importing(
    "loguru",
    "it removes the handlers that the application gave loguru",
    "import loguru\nloguru.logger.remove()\n",
    "bithuman: its import wipes the application's loguru sinks",
)
importing(
    "policy",
    "it changes the event loop policy",
    "import asyncio\n"
    "class Policy(asyncio.DefaultEventLoopPolicy): pass\n"
    "asyncio.set_event_loop_policy(Policy())\n",
    "thought: a plugin that installs uvloop",
)
