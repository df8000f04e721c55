"""Whether a provider can be judged at all: its adapter constructs an avatar."""

from __future__ import annotations

import os
from collections.abc import Callable
from contextlib import suppress
from dataclasses import dataclass

from conformance.errors import ConformanceError, KitError, exception_text
from conformance.plugin.provider import Provider
from conformance.plugin.watchdog import StillRunning, watchdog
from conformance.results.outcomes import Finding
from conformance.stage.environ import ambient, of_plugin, set_aside
from conformance.stage.interface import Stage, StageLost, StageRunner
from conformance.stage.network.thread_owners import threads_of
from conformance.suite.scene.error_site import where_to_look
from conformance.suite.scene.import_effects import import_effects
from conformance.suite.scene.scene import open_scene

from .redaction import without_secrets
from .verdict import last_line


@dataclass(frozen=True)
class Unready:
    """Why a provider constructs no avatar: ``refusal`` where the plugin itself says so."""

    problem: str
    refusal: Finding | None = None


def why_unready(provider: Provider, stage: StageRunner) -> Unready | None:
    """Why ``provider`` cannot be judged in full; None if it can.

    Raises `StageLost` when that cannot be found because the stage is not there.
    """
    _look_at_import(provider)
    refusal: Finding | None = None

    async def construct(opened: Stage) -> None:
        nonlocal refusal
        async with open_scene(opened, provider) as scene:
            try:
                documented = provider.documented_exception()
                await scene.create()
            except ConformanceError:
                raise
            except Exception as error:  # an adapter may raise anything: it becomes one line
                if isinstance(error, documented) and not provider.raised_by_adapter(error):
                    refusal = _refusal(error)
                raise KitError(str(provider.fault("create_avatar", error))) from error

    problem = _problem(lambda: stage.run(construct), provider, stage)
    return Unready(without_secrets(problem), refusal) if problem else None


def _problem(run: Callable[[], object], provider: Provider, stage: StageRunner) -> str:
    try:
        own = of_plugin(provider.manifest, list(os.environ))
        with threads_of(provider.name), set_aside(own), watchdog(stage.patience):
            run()
    except (StageLost, KeyboardInterrupt):
        raise
    except ConformanceError as error:
        return str(error)
    except StillRunning as error:
        return str(provider.fault("create_avatar", error))
    except Exception as error:  # what surrounds the adapter may raise anything, too
        return last_line(error)
    except BaseException as error:  # SystemExit, or what skips a test
        return str(provider.fault("create_avatar", error))
    return ""


def _refusal(error: Exception) -> Finding:
    """What the plugin's own documented exception says of a constructor that has all it needs."""
    return Finding(
        "the avatar session is constructed, every setting being there",
        without_secrets(exception_text(error)),
        hint=where_to_look(error),
    )


def _look_at_import(provider: Provider) -> None:
    """Note what importing the plugin changes, before anything else imports it."""
    foreign = {*of_plugin(provider.manifest, list(os.environ)), *ambient(os.environ)}
    with suppress(Exception), threads_of(provider.name), set_aside(foreign):
        import_effects(provider.module)  # an import error comes again
