"""Errors that end in one line: the kit's own failures, and what a user can mend."""

from __future__ import annotations


class ConformanceError(RuntimeError):
    """Base of the kit's errors; the message is one line."""


class KitError(ConformanceError):
    """The kit itself broke or was used wrongly; the provider is not judged."""


class UsageError(ConformanceError):
    """A request that cannot be met; the message is one line that says how to mend it."""


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


LONGEST_MESSAGE = 2000
"""How much of an exception's message is shown, in characters."""


def exception_text(error: BaseException) -> str:
    """``Class: message`` of an exception of foreign code, in bounds; raises nothing.

    An exception without a message is its class alone; one whose ``str()`` raises says so.
    """
    name = type(error).__name__
    try:
        message = str(error)
    except BaseException as worse:  # its own code runs here, and may raise SystemExit too
        if isinstance(worse, KeyboardInterrupt):
            raise
        message = f"its str() raises {type(worse).__name__}"
    message = message.encode("utf-8", "backslashreplace").decode("utf-8")
    if len(message) > LONGEST_MESSAGE:
        message = f"{message[:LONGEST_MESSAGE]}… ({len(message)} characters)"
    return f"{name}: {message}" if message else name
