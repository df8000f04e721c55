"""Virtual time: a clock that jumps when the event loop is idle."""
