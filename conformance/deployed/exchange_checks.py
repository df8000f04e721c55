"""What is asked of a plugin with its deployed avatar in a call: BIND, PLAY, UNBIND and SWAP by ear.

The requirements are those of the catalogue that can be heard, with the catalogue's words. A defect
of the host that hides behind one of them is in `host_defects.toml`; what would judge it is left
out.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Awaitable, Callable
from typing import Any

from conformance.suite.registry import Check
from conformance.suite.scene.expect import expect, fail, seconds

from . import exchange_scenarios as scenarios
from .audible_code import BLOCK
from .checks import AGREEMENT, PATH, SILENT_AFTER
from .exchange_scenarios import LEAVES_WITHIN, ORDERS, Exchange
from .recording import Heard, Segment, faults

EXCHANGE_CHECKS: list[Check] = []
Judge = Callable[[Exchange], None]
SEAM = 2
"""Blocks at the seam that are cut, one on each side, and decode as none."""


def _asked(
    requirement: str,
    scenario: Callable[..., Awaitable[Any]],
    *,
    variants: tuple[str, ...] = (),
    for_peers: bool = False,
) -> Callable[[Judge], Judge]:
    def declare(judge: Judge) -> Judge:
        EXCHANGE_CHECKS.append(
            Check(requirement, judge, variants, scenario=scenario, for_peers=for_peers)
        )
        return judge

    return declare


def _whole(exchange: Exchange, segment: Segment, identity: str, what: str) -> None:
    blocks = exchange.of(segment, identity)
    if not blocks:
        fail(
            f"{what} is heard from {identity!r}: {segment.blocks} blocks",
            "nothing of it was heard",
            at=segment.at,
        )
    wrong = faults(segment, blocks)
    expect(
        not wrong,
        f"{what} is heard from {identity!r} whole, in order, once: {segment.blocks} blocks",
        str(wrong),
        at=segment.at,
    )


def _silent(exchange: Exchange, segment: Segment) -> None:
    """Nothing of a segment of the new avatar's comes from the old one."""
    blocks = exchange.of(segment, exchange.old)
    if blocks and exchange.old != exchange.new:
        fail(
            f"{exchange.old!r}, which was replaced, is not heard again",
            f"{len(blocks)} blocks of the next segment came from it",
            hint="send the audio to the avatar that is bound, and to no other",
            at=blocks[0].start,
        )


@_asked("BIND-12", scenarios.first_words)
def first_words(exchange: Exchange) -> None:
    """What is said as soon as start() has returned is heard from its first word on."""
    _whole(exchange, exchange.segments[0], exchange.old, "what is said as start() returns")


@_asked("PLAY-02", scenarios.first_words)
def finished_once(exchange: Exchange) -> None:
    """The segment is finished once, at what was pushed and heard."""
    (segment,) = exchange.segments
    _reported(exchange, segment)
    (report,) = exchange.finished
    expect(not report.interrupted, "it is finished to its end", "it is interrupted", at=report.at)
    position = report.position or 0.0
    expect(
        abs(position - segment.seconds) <= AGREEMENT,
        f"it is finished at {seconds(segment.seconds)}, which were pushed",
        f"at {seconds(position)}",
        at=report.at,
    )


def _reported(exchange: Exchange, segment: Segment) -> None:
    number = exchange.segments.index(segment) + 1
    expect(
        len(exchange.finished) == len(exchange.segments),
        f"each of {len(exchange.segments)} segments is finished once",
        f"there were {len(exchange.finished)} playback_finished",
        hint="a segment that crosses an exchange is finished by whoever plays its end",
        at=segment.at,
    )
    assert number <= len(exchange.finished)


@_asked("SWAP-01", scenarios.idle_exchange, variants=ORDERS)
def idle(exchange: Exchange) -> None:
    """After an exchange while nobody speaks, the new avatar plays whole, and the old nothing."""
    first, last = exchange.segments
    _whole(exchange, first, exchange.old, "the segment before the exchange")
    _whole(exchange, last, exchange.new, "the segment after the exchange")
    _silent(exchange, last)
    _reported(exchange, last)


@_asked("UNBIND-06", scenarios.idle_exchange, variants=("close-then-start",))
def another_after_closing(exchange: Exchange) -> None:
    """An avatar that is started after another was closed is heard."""
    _whole(exchange, exchange.segments[1], exchange.new, "the segment of the one started since")


@_asked("UNBIND-12", scenarios.idle_exchange, variants=ORDERS)
def leaves_when_closed(exchange: Exchange) -> None:
    """The avatar that was closed has left the room."""
    expect(
        exchange.left is not None and exchange.left >= exchange.began,
        f"{exchange.old!r} leaves the room within {LEAVES_WITHIN:g} s of its aclose()",
        "it is still there" if exchange.left is None else "it had left before",
        hint="end the vendor's session in aclose(), and let the worker leave with it",
        at=exchange.began,
    )


@_asked("SWAP-02", scenarios.exchange_in_speech)
def in_speech(exchange: Exchange) -> None:
    """A segment that crosses an exchange is heard from one and then from the other, once."""
    segment = exchange.segments[0]
    before = exchange.of(segment, exchange.old)
    after = exchange.of(segment, exchange.new)
    for blocks, identity in ((before, exchange.old), (after, exchange.new)):
        if not blocks:
            fail(
                f"a part of the segment is heard from {identity!r}",
                "nothing of it was heard",
                at=segment.at,
            )
    twice = sorted({b.number for b in before} & {b.number for b in after})
    expect(
        not twice,
        "no part of the segment is heard from both",
        f"{len(twice)} blocks from {(twice[0] - segment.first) * BLOCK if twice else 0:.2f} s on",
        hint="do not send again to the new avatar what the old one has had",
        at=exchange.began,
    )
    _in_part(segment, before, range(segment.first, before[-1].number + 1), exchange.old)
    _in_part(segment, after, range(after[0].number, segment.numbers.stop), exchange.new)
    missing = after[0].number - before[-1].number - 1
    allowed = _on_its_way(exchange, segment, before) + SEAM
    expect(
        missing <= allowed,
        f"nothing is missing between them but what was on its way: {allowed} blocks at most",
        f"{missing} blocks, {seconds(missing * BLOCK)}",
        hint="leave what was handed over to the avatar that was bound then",
        at=exchange.began,
    )
    _reported(exchange, segment)


def _in_part(segment: Segment, blocks: tuple[Heard, ...], numbers: range, identity: str) -> None:
    part = Segment(numbers.start, len(numbers), segment.at)
    wrong = faults(part, blocks)
    expect(
        not wrong,
        f"what {identity!r} plays of the segment is in order, once: {len(numbers)} blocks",
        str(wrong),
        at=blocks[0].start,
    )


def _on_its_way(exchange: Exchange, segment: Segment, before: tuple[Heard, ...]) -> int:
    """How many blocks lie between what is handed to the old avatar and what is heard of it."""
    pushed = exchange.pushed[exchange.segments.index(segment)]
    late = [block.start - pushed[block.number - segment.first] for block in before]
    return math.ceil(max(statistics.median(late), 0.0) / BLOCK)


@_asked("SWAP-09", scenarios.exchange_in_speech, variants=("to-itself",), for_peers=True)
def pair(exchange: Exchange) -> None:
    """Each avatar is exchanged for each other one, itself included, in speech and after it."""
    in_speech(exchange)
    last = exchange.segments[1]
    _whole(exchange, last, exchange.new, "the segment after the exchange")
    _silent(exchange, last)
    stopped = exchange.of(exchange.segments[0], exchange.old)[-1].end
    begun = exchange.of(exchange.segments[0], exchange.new)[0].start
    expect(
        stopped <= begun + SILENT_AFTER + PATH,
        f"{exchange.old!r} is silent when {exchange.new!r} speaks",
        f"it was heard for {stopped - begun:.2f} s more",
        at=begun,
    )


__all__ = ["EXCHANGE_CHECKS"]
