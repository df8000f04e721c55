"""What is asked of an exchange of deployed avatars, by what was heard of it."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace

import pytest

from conformance.deployed import exchange_checks as checks
from conformance.deployed.audible_code import BLOCK
from conformance.deployed.exchange_scenarios import Exchange
from conformance.deployed.recording import Heard, Report, Segment
from conformance.results.outcomes import Violation

LATE = 0.2
"""How long after it was pushed a block of these recordings is heard."""
IDLE = (Segment(0, 10, 1.0), Segment(10, 20, 5.0))
CROSSED = (Segment(0, 60, 1.0), Segment(60, 10, 8.0))
SEAM_AT = 25


def _blocks(numbers: range, at: float, identity: str) -> tuple[Heard, ...]:
    """Blocks that are heard one after the other, the first of them ``at``."""
    starts = [at + LATE + place * BLOCK for place in range(len(numbers))]
    return tuple(
        Heard(number, start, start + BLOCK, identity)
        for number, start in zip(numbers, starts, strict=True)
    )


def _pushed(segment: Segment) -> tuple[float, ...]:
    return tuple(segment.at + number * BLOCK for number in range(segment.blocks))


def _reports(segments: tuple[Segment, ...]) -> tuple[Report, ...]:
    return tuple(Report(s.at + s.seconds + LATE, s.seconds) for s in segments)


def _idle() -> Exchange:
    heard = _blocks(range(10), 1.0, "old") + _blocks(range(10, 30), 5.0, "new")
    return Exchange("old", "new", IDLE, heard, _reports(IDLE), 3.0, 4.0)


def _crossed(*, lost: int = 2, heard_from: int | None = None) -> Exchange:
    """An exchange in speech at which ``lost`` blocks go missing."""
    goes_on = SEAM_AT + lost if heard_from is None else heard_from
    heard = (
        *_blocks(range(SEAM_AT), 1.0, "old"),
        *_blocks(range(goes_on, 60), 1.0 + goes_on * BLOCK, "new"),
        *_blocks(range(60, 70), 8.0, "new"),
    )
    pushed = tuple(_pushed(segment) for segment in CROSSED)
    return Exchange("old", "new", CROSSED, heard, _reports(CROSSED), 3.0, 6.0, pushed)


def _first_words() -> Exchange:
    segments = (Segment(0, 30, 1.0),)
    heard = _blocks(range(30), 1.0, "old")
    return Exchange("old", "old", segments, heard, _reports(segments), 0.0, None)


SOUND = {
    checks.first_words: _first_words,
    checks.finished_once: _first_words,
    checks.idle: _idle,
    checks.another_after_closing: _idle,
    checks.leaves_when_closed: _idle,
    checks.in_speech: _crossed,
    checks.pair: _crossed,
}


def _without(exchange: Exchange, numbers: range) -> Exchange:
    return replace(exchange, heard=tuple(b for b in exchange.heard if b.number not in numbers))


def _with(exchange: Exchange, *blocks: Heard) -> Exchange:
    heard = sorted((*exchange.heard, *blocks), key=lambda block: block.start)
    return replace(exchange, heard=tuple(heard))


def _finished_at(exchange: Exchange, position: float, *, interrupted: bool = False) -> Exchange:
    report = replace(exchange.finished[0], position=position, interrupted=interrupted)
    return replace(exchange, finished=(report, *exchange.finished[1:]))


BROKEN = {
    "the first word was sent before the avatar was there": (
        checks.first_words,
        lambda: _without(_first_words(), range(3)),
        "blocks 0 to 2 (240 ms at 0.00 s) were not heard",
    ),
    "the report is that of what was received twice": (
        checks.finished_once,
        lambda: _finished_at(_first_words(), 4.8),
        "at 4.800 s",
    ),
    "the report says interrupted": (
        checks.finished_once,
        lambda: _finished_at(_first_words(), 2.4, interrupted=True),
        "it is interrupted",
    ),
    "the report never comes": (
        checks.finished_once,
        lambda: replace(_first_words(), finished=()),
        "there were 0 playback_finished",
    ),
    "the new avatar is not bound": (
        checks.idle,
        lambda: _without(_idle(), range(10, 30)),
        "nothing of it was heard",
    ),
    "the old avatar goes on beside the new one": (
        checks.idle,
        lambda: _with(_idle(), *_blocks(range(10, 30), 5.0, "old")),
        "20 blocks of the next segment came from it",
    ),
    "a second instance in a process is deaf": (
        checks.another_after_closing,
        lambda: _without(_idle(), range(10, 30)),
        "nothing of it was heard",
    ),
    "the vendor's session is not ended": (
        checks.leaves_when_closed,
        lambda: replace(_idle(), left=None),
        "it is still there",
    ),
    "the old worker left when the new one was called": (
        checks.leaves_when_closed,
        lambda: replace(_idle(), left=2.0),
        "it had left before",
    ),
    "the rest of the segment is dropped": (
        checks.in_speech,
        lambda: _without(_crossed(), range(SEAM_AT, 60)),
        "nothing of it was heard",
    ),
    "the segment begins again at the new avatar": (
        checks.in_speech,
        lambda: _crossed(heard_from=SEAM_AT - 5),
        "5 blocks from 1.60 s on",
    ),
    "the new avatar's first words are lost": (
        checks.in_speech,
        lambda: _crossed(lost=12),
        "12 blocks, 0.960 s",
    ),
    "the new avatar stutters": (
        checks.in_speech,
        lambda: _without(_crossed(), range(40, 43)),
        "were not heard",
    ),
    "both avatars report the segment": (
        checks.in_speech,
        lambda: replace(_crossed(), finished=(*_crossed().finished, _crossed().finished[0])),
        "there were 3 playback_finished",
    ),
    "the pair is deaf to the next segment": (
        checks.pair,
        lambda: _without(_crossed(), range(60, 70)),
        "nothing of it was heard",
    ),
}


@pytest.mark.parametrize("check", SOUND, ids=lambda check: check.__name__)
def test_a_sound_exchange_passes(check: Callable[[Exchange], None]) -> None:
    """What is heard from the one and then from the other, once, is no fault."""
    check(SOUND[check]())


@pytest.mark.parametrize("fault", BROKEN)
def test_a_broken_exchange_fails_for_its_reason(fault: str) -> None:
    """Each way of going wrong is told in its words."""
    check, exchange, words = BROKEN[fault]
    with pytest.raises(Violation) as raised:
        check(exchange())
    assert words in raised.value.finding.observed


def test_every_check_of_an_exchange_can_fail() -> None:
    """No check is without a recording that fails it."""
    declared = {check.function for check in checks.EXCHANGE_CHECKS}
    assert declared == {check for check, _, _ in BROKEN.values()}
    assert declared == set(SOUND)
