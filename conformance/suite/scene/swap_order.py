"""The two orders of a swap, as variants of a check."""

from __future__ import annotations

from conformance.endpoint import Order

CLOSE_THEN_START = Order.CLOSE_THEN_START.value
START_THEN_CLOSE = Order.START_THEN_CLOSE.value
BOTH_ORDERS = (CLOSE_THEN_START, START_THEN_CLOSE)
