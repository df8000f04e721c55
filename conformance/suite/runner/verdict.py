"""A verdict in the making: what a guarded call came to."""

from __future__ import annotations

import inspect
import traceback
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.errors import ConformanceError, exception_text
from conformance.plugin.watchdog import StillRunning
from conformance.results.outcomes import (
    Blocked,
    Blocker,
    Finding,
    NotApplicable,
    Outcome,
    Violation,
)
from conformance.stage.interface import STAGE_LOST, StageLost
from conformance.suite.scene.error_site import where_to_look

from .redaction import without_secrets


@dataclass(frozen=True)
class Verdict:
    """What something came to. ``value`` is what it returned, where it raised nothing.

    ``blocked_by`` names what blocks; inside one check it is the requirement of the same provider.
    """

    outcome: Outcome
    finding: Finding | None = None
    reason: str = ""
    reference: str = ""
    value: Any = None
    blocked_by: Blocker | str | None = None
    error: BaseException | None = field(default=None, compare=False, repr=False)

    def without_secrets(self) -> Verdict:
        """The verdict with every canary and room token taken out of its words."""
        finding = self.finding
        if finding is not None:
            finding = replace(
                finding,
                expected=without_secrets(finding.expected),
                observed=without_secrets(finding.observed),
            )
        return replace(self, finding=finding, reason=without_secrets(self.reason))


def run_guarded(act: Callable[[], Any], *, hangs: tuple[type[Exception], ...] = ()) -> Verdict:
    """Call ``act`` and put what it raises into words; passed only where it returned a value."""
    try:
        value = act()
    except Violation as violation:
        return Verdict(Outcome.FAILED, violation.finding, error=violation)
    except StillRunning as endless:
        finding = Finding("the check ends", str(endless), "what runs there stops the event loop")
        return Verdict(Outcome.FAILED, finding, error=endless)
    except hangs as hang:
        finding = Finding("the run goes on", str(hang), "something waits for what never comes")
        return Verdict(Outcome.FAILED, finding, error=hang)
    except NotApplicable as exempt:
        return Verdict(Outcome.NOT_APPLICABLE, reason=exempt.rule)
    except Blocked as blocked:
        return Verdict(Outcome.BLOCKED, reason=str(blocked), blocked_by=blocked.by)
    except StageLost as error:
        return Verdict(Outcome.ERROR, reason=str(error), reference=STAGE_LOST, error=error)
    except ConformanceError as error:
        reason = str(error)
        if error.__cause__ is not None:
            reason += f": {last_line(error.__cause__)}"
        return Verdict(Outcome.ERROR, reason=reason, error=error)
    except Exception as error:  # anything else is the kit's own fault, and reported as that
        return Verdict(Outcome.ERROR, reason=last_line(error), error=error)
    except KeyboardInterrupt:
        raise
    except BaseException as error:  # the kit raises none: SystemExit, or what skips a test
        return Verdict(Outcome.FAILED, _end_of_the_process(error), error=error)
    if inspect.isawaitable(value):
        if inspect.iscoroutine(value):
            value.close()
        return Verdict(Outcome.ERROR, reason="a check was called and never awaited")
    return Verdict(Outcome.PASSED, value=value)


def _end_of_the_process(error: BaseException) -> Finding:
    """What is wrong with an exception that ends whatever runs, the agent's process too."""
    return Finding(
        "the plugin raises exceptions that an application can catch",
        last_line(error),
        hint=f"{where_to_look(error)}; an agent's process ends by it, or its task",
    )


def last_line(error: BaseException) -> str:
    """One line about an exception: its class, its message, where it was raised."""
    frames = traceback.extract_tb(error.__traceback__)
    where = f" ({frames[-1].name}, line {frames[-1].lineno})" if frames else ""
    return f"{exception_text(error)}{where}"
