"""FAULT: a backend, a worker or a room that misbehaves."""

from __future__ import annotations

import itertools
import re
from collections.abc import Iterator, Sequence

from conformance.results.outcomes import NotApplicable
from conformance.stage.faults import (
    ANSWER_FAULTS,
    CONNECTION_FAULTS,
    SOCKET_FAULTS,
    STATUS_FAULTS,
    Fault,
)
from conformance.stage.vendor.latency import API_LATENCY
from conformance.suite.registry import check
from conformance.suite.scene.expect import expect
from conformance.suite.scene.leak_scenarios import GROWTH_HINT, left_by_a_call
from conformance.suite.scene.resources import ResourceSnapshot
from conformance.suite.scene.scene import Scene
from conformance.suite.scene.start_attempts import Raised, StartAttempt, trials

START_FAULTS = tuple(
    str(fault)
    for fault in (*STATUS_FAULTS, *CONNECTION_FAULTS, *ANSWER_FAULTS, *SOCKET_FAULTS)
    if fault.kind != "never-answers"
)
"""What makes a start fail at once, by name. A call that never answers is FAULT-04's."""


@check("FAULT-01", variants=START_FAULTS, scenario=trials, tries="faults", exchange=True)
def start_raises(tried: Sequence[StartAttempt], name: str) -> str:
    """A refused or failed session makes ``start()`` raise."""
    notes = []
    for trial in tried:
        expect(
            trial.raised is not None or trial.served,
            f"start() raises on {trial.where}",
            "start() was still waiting"
            if trial.hung
            else f"start() returned as if it had worked; the tail is {trial.tail_after}",
            hint=trial.bound_hint
            if trial.hung
            else "let the error through: the caller cannot know otherwise that no avatar will come",
            at=trial.at,
        )
        if trial.served and trial.fault.kind == "field-missing":
            notes.append(
                f"start() works without the needed_fields of {trial.call!r}: the adapter can leave "
                "them out"
            )
    return "; ".join(notes)


@check("FAULT-02", variants=START_FAULTS, scenario=trials, tries="faults", exchange=True)
def tail_stays(tried: Sequence[StartAttempt], name: str) -> None:
    """After a failed ``start()`` the tail is the one that was bound before."""
    for trial in tried:
        expect(
            trial.tail_kept or trial.served,
            f"after {trial.where} the tail is the one from before, {trial.tail_before}",
            f"it is {trial.tail_after}, which no avatar will ever serve",
            hint="bind after the vendor's API has accepted, or put the old tail back on failure",
            at=trial.at,
        )


@check(
    "FAULT-03",
    variants=START_FAULTS,
    scenario=trials,
    control=left_by_a_call,
    tries="faults",
    exchange=True,
)
def nothing_left_after_failure(
    tried: Sequence[StartAttempt], name: str, *, allowed: ResourceSnapshot
) -> None:
    """After a failed ``start()`` and ``aclose()`` nothing is left."""
    for trial in tried:
        extra = ResourceSnapshot(trial.left).beyond(allowed)
        expect(
            not extra,
            f"nothing is left after {trial.where} and aclose()",
            "; ".join(extra),
            hint=GROWTH_HINT,
            at=trial.at,
        )


async def unanswered(scene: Scene) -> Sequence[StartAttempt]:
    """Trials of a vendor that never answers."""
    return await trials(scene, str(Fault("never-answers")))


@check(
    "FAULT-04",
    scenario=unanswered,
    tries="faults",
    virtual_time="a vendor that never answers, for longer than a minute",
)
def start_is_bounded(tried: Sequence[StartAttempt]) -> None:
    """``start()`` is bounded against a backend that never answers."""
    for trial in tried:
        expect(
            not trial.hung,
            f"start() gives up within {trial.bound:g} s on {trial.where}",
            f"it was still waiting after {trial.elapsed:g} s, with request number "
            f"{len(trial.requests)} of that call",
            hint=_never_given_up(trial),
            at=trial.at,
        )


def _never_given_up(trial: StartAttempt) -> str:
    if len(trial.requests) > 1:
        return trial.bound_hint
    return (
        "the first request is never given up: give every request a total timeout, "
        f"ClientTimeout(total=...); one with sock_connect alone has none; {trial.bound_hint}"
    )


NOT_RETRIED = ("401", "403", "404")
RETRIED = ("429", "500", "503")
MOST_ATTEMPTS = 10


@check("FAULT-05", variants=(*NOT_RETRIED, *RETRIED), scenario=trials, tries="faults")
def retries(tried: Sequence[StartAttempt], name: str) -> None:
    """4xx other than 408 and 429 are not retried; 429 and 5xx are, with a pause, in bounds."""
    for trial in tried:
        attempts = len(trial.requests)
        if name in NOT_RETRIED:
            expect(
                attempts == 1,
                f"one request on {trial.where}: trying again cannot help",
                f"{attempts} requests",
                hint="raise at once on 4xx other than 408 and 429",
                at=trial.at,
            )
            continue
        pauses = [later - earlier - API_LATENCY for earlier, later in _pairs(trial.requests)]
        expect(
            1 < attempts <= MOST_ATTEMPTS,
            f"2 to {MOST_ATTEMPTS} requests on {trial.where}",
            f"{attempts}",
            hint="retry 429 and 5xx a few times, with a pause"
            if attempts <= 1
            else f"stop after {MOST_ATTEMPTS} attempts at the latest",
            at=trial.at,
        )
        expect(
            min(pauses) > 1e-6,
            f"a pause between the requests on {trial.where}",
            "none",
            hint="sleep between the attempts",
            at=trial.at,
        )


def _pairs(moments: tuple[float, ...]) -> Iterator[tuple[float, float]]:
    return itertools.pairwise(moments)


UNREADABLE = (*(str(fault) for fault in ANSWER_FAULTS[:4]), "reset-inside-answer")
"""Answers of a vendor that has opened a session, and that cannot be read."""


@check("FAULT-08", variants=UNREADABLE, scenario=trials, tries="faults")
def no_second_session(tried: Sequence[StartAttempt], name: str) -> None:
    """A success whose answer can't be read does not create the vendor session again."""
    for trial in tried:
        expect(
            trial.sessions_opened <= 1,
            f"one session at the vendor after {trial.where}",
            f"{trial.sessions_opened}, each billed",
            hint="do not retry when the vendor has said 2xx: the session exists",
            at=trial.at,
        )


@check(
    "FAULT-10",
    variants=("401", "503", "refused", "reset-before-answer"),
    scenario=trials,
    tries="faults",
)
def exception_explains(tried: Sequence[StartAttempt], name: str) -> None:
    """The exception names the vendor and the cause, and carries no secret."""
    raised = [(trial, trial.raised) for trial in tried if trial.raised is not None]
    if not raised:
        raise NotApplicable("start() raised nothing; FAULT-01 judges that")
    for trial, what in raised:
        _explains(trial, what)


def _explains(trial: StartAttempt, raised: Raised) -> None:
    vendor = trial.provider.partition("-")[0]
    expect(
        vendor in re.sub(r"[^a-z]", "", raised.chain.lower()),
        f"an exception that names {vendor}",
        raised.summary,
        hint="say in the message, or by the exception's class, whose API failed",
        at=trial.at,
    )
    if trial.fault.status is not None:
        expect(
            str(trial.fault.status) in raised.chain,
            f"an exception that names the status {trial.fault.status}",
            raised.summary,
            hint="raise APIStatusError with the status, or chain it (raise ... from error)",
            at=trial.at,
        )
    else:
        expect(
            raised.network,
            "an exception that shows that the network failed",
            raised.summary,
            hint="chain the client's error: raise ... from error",
            at=trial.at,
        )
    expect(
        not raised.leaks,
        "no secret in the exception",
        f"it carries {', '.join(raised.leaks)}",
        hint="leave headers and credentials out of messages",
        at=trial.at,
    )
