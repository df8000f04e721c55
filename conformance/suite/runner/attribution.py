"""Attribute a failure to the provider, the host, or the other provider of a swap."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace

from conformance.plugin.provider import Provider
from conformance.requirements.host_defects import HostDefect, defect_behind
from conformance.results.outcomes import CheckId, HostDefectRef, Outcome
from conformance.suite.scene.silence import SPEECH_ARRIVES

from .verdict import Verdict

HOST = "host"
"""The subject that is the installed livekit-agents."""

VerdictOf = Callable[[Provider], tuple[CheckId, Verdict]]
"""The verdict on another provider for the same check, that one in both parts of a swap."""

_LABEL = re.compile(r"the [\w-]+ avatar\b")
_FIGURES_AND_NAMES = re.compile(r"[\d.]+|'[^']*'")


def attribute(
    check_id: CheckId,
    verdict: Verdict,
    provider: Provider,
    other: Provider | None,
    verdict_of: VerdictOf,
    reference: Provider,
    mended_by: tuple[str, ...] = (),
) -> Verdict:
    """What a failed ``verdict`` is worth; ``other`` is the provider that was swapped in, if any.

    ``mended_by`` are the defects that the host is mended of, and that explain nothing.

    Blocked by the host where the reference provider fails at the same expectation and a known
    defect of the host explains it; blocked by the other provider where that one fails even with
    itself; an error where the reference provider fails for no known reason.
    """
    if verdict.outcome is not Outcome.FAILED or check_id.requirement.startswith("META-"):
        return verdict
    reference_id, of_reference = verdict_of(reference)
    if of_reference.outcome is Outcome.FAILED and _same_assertion(verdict, of_reference):
        defect = defect_behind(check_id, besides=mended_by)
        return _with_host(defect, verdict, provider, reference_id, of_reference)
    if other is not None and other.name != provider.name:
        alone_id, alone = verdict_of(other)
        if alone.outcome is Outcome.FAILED:
            return replace(
                verdict,
                outcome=Outcome.BLOCKED,
                reason=f"{other.name} fails this check with itself too: {alone_id}",
                blocked_by=alone_id,
            )
    return verdict


def attribute_to_host(check_id: CheckId, verdict: Verdict) -> Verdict:
    """What a failed ``verdict`` on the host, or on the kit's own endpoint, is worth.

    An expected failure of the host where a listed defect of it explains it; else an error: nobody
    can be judged beside a host that fails for no known reason.
    """
    if verdict.outcome is not Outcome.FAILED:
        return verdict
    defect = defect_behind(check_id) if check_id.provider == HOST else None
    if defect is not None:
        return replace(
            verdict,
            outcome=Outcome.EXPECTED_FAILURE,
            reason=f"host defect {defect.id} of livekit-agents: {defect.text}",
            reference=str(HostDefectRef(defect.id)),
        )
    observed = verdict.finding.observed if verdict.finding is not None else verdict.reason
    whose = "the host" if check_id.provider == HOST else "the kit's own endpoint"
    return replace(
        verdict,
        outcome=Outcome.ERROR,
        reason=f"{whose} fails it, and no listed defect explains that: {observed}",
    )


def blocked_by_failed_start(
    check_id: CheckId, verdict: Verdict, start_id: CheckId, start: Verdict
) -> Verdict:
    """A ``verdict`` blocked by the check of ``start()`` itself, where that fails or errs alike.

    A ``start()`` that never works is one failure, not one of every check that needs an avatar, and
    so is one that comes to a limit of the stage.
    """
    if check_id == start_id:
        return verdict
    if verdict.outcome is Outcome.ERROR:
        if start.outcome is not Outcome.ERROR or start.reason != verdict.reason:
            return verdict
        return Verdict(Outcome.BLOCKED, reason=f"{start_id} errs alike", blocked_by=start_id)
    if start.outcome is not Outcome.FAILED or _words(verdict) != _words(start):
        return verdict
    assert verdict.finding is not None
    return Verdict(
        Outcome.BLOCKED,
        reason=f"{start_id} fails alike: {verdict.finding.observed}",
        blocked_by=start_id,
    )


def blocked_by_silence(
    check_id: CheckId, verdict: Verdict, audio_id: CheckId, audio: Verdict
) -> Verdict:
    """A failed ``verdict`` of a scene in which nothing was heard, blocked by the check of audio.

    Speech that never reaches the avatar is one failure, not one of every check that listens.
    """
    finding = audio.finding
    if check_id == audio_id or finding is None or finding.expected != SPEECH_ARRIVES:
        return verdict
    return Verdict(
        Outcome.BLOCKED,
        reason=f"{audio_id}: {finding.observed}",
        blocked_by=audio_id,
    )


def _words(verdict: Verdict) -> tuple[str, str] | None:
    """Expected and observed, without the name that the check gives its avatar."""
    if verdict.finding is None:
        return None
    return _LABEL.sub("the avatar", verdict.finding.expected), verdict.finding.observed


def _with_host(
    defect: HostDefect | None,
    verdict: Verdict,
    provider: Provider,
    reference_id: CheckId,
    of_reference: Verdict,
) -> Verdict:
    """What a failure is worth that the reference provider shows as well."""
    if defect is None:
        why = of_reference.finding.observed if of_reference.finding is not None else ""
        return replace(
            verdict,
            outcome=Outcome.ERROR,
            reason=f"the reference provider fails {reference_id} too, and no known defect of the "
            f"host explains it: {why}",
        )
    if provider.manifest.transport not in defect.transports:
        return verdict
    return replace(
        verdict,
        outcome=Outcome.BLOCKED,
        reason=f"host defect {defect.id} of livekit-agents: {defect.text}",
        blocked_by=HostDefectRef(defect.id, defect.text),
    )


def _same_assertion(verdict: Verdict, reference: Verdict) -> bool:
    """Whether both failed at the same expectation of a check, figures and names aside."""
    words = [
        _FIGURES_AND_NAMES.sub("#", v.finding.expected) if v.finding is not None else ""
        for v in (verdict, reference)
    ]
    return words[0] == words[1]
