"""What is wrong with a segment, by the blocks that were heard of it."""

from __future__ import annotations

import pytest

from conformance.deployed.recording import Heard, Segment, faults

SEGMENT = Segment(first=100, blocks=25, at=1.0)


def _heard(*numbers: int) -> tuple[Heard, ...]:
    return tuple(
        Heard(100 + number, place * 0.08, (place + 1) * 0.08, "avatar")
        for place, number in enumerate(numbers)
    )


def test_nothing_is_wrong_with_a_whole_segment() -> None:
    """Each block once, in order, is no fault."""
    assert not faults(SEGMENT, _heard(*range(25)))


def test_a_single_missing_block_is_let_pass() -> None:
    """One block that was not heard is what a lost packet leaves."""
    found = faults(SEGMENT, _heard(*(n for n in range(25) if n != 7)))
    assert not found
    assert found.single == 1


def test_two_missing_blocks_in_a_row_are_a_gap() -> None:
    """160 ms that were not heard are named with their place."""
    found = faults(SEGMENT, _heard(*range(2, 25)))
    assert found.gaps == (range(2),)
    assert str(found) == "blocks 0 to 1 (160 ms at 0.00 s) were not heard"


def test_many_single_missing_blocks_are_gaps() -> None:
    """More single ones than loss explains are gaps each."""
    missing = (3, 8, 14, 20)
    found = faults(SEGMENT, _heard(*(n for n in range(25) if n not in missing)))
    assert [gap.start for gap in found.gaps] == list(missing)


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ([*range(9), 8, *range(9, 25)], "block 8 (at 0.64 s) was heard twice"),
        ([0, 2, 1, *range(3, 25)], "block 1 (at 0.08 s) was heard after a later one"),
    ],
)
def test_repeats_and_wrong_order_are_named(numbers: list[int], words: str) -> None:
    """A block that comes twice, or after a later one, is a fault with its place."""
    assert str(faults(SEGMENT, _heard(*numbers))) == words
