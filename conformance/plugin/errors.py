"""Errors that a user can cause and mend: each is one line."""

from __future__ import annotations

from conformance.outcomes import KitError


class UsageError(KitError):
    """What was asked for cannot be done; the message is one line that says how to mend it."""


class AdapterError(UsageError):
    """An adapter is wrong: which one, in which hook, what is wrong with it, how to mend it.

    ``hook`` is empty where the fault lies in no single hook.
    """

    def __init__(self, adapter: str, hook: str, wrong: str, mend: str) -> None:
        self.adapter = adapter
        self.hook = hook
        self.wrong = _one_line(wrong)
        self.mend = _one_line(mend)
        where = f"adapter {adapter}: {hook}" if hook else f"adapter {adapter}"
        super().__init__(f"{where}: {self.wrong}; {self.mend}")


def _one_line(text: str) -> str:
    return " ".join(text.split())
