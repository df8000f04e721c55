"""The ``avatar-conformance`` command. Each of its commands is a module of its own here.

A new one: a module with a function of typer parameters, and a line in `_COMMANDS`. It imports what
it needs when it runs. What a user did wrong is raised as `KitError`: `main` prints it as one line
on stderr and returns 2.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from typing import Any

import typer

from conformance.errors import ConformanceError

from .adapter import adapter
from .baseline import baseline
from .certify import certify
from .demo import demo
from .diff import diff
from .explain import explain
from .host import host
from .list_command import list_providers
from .matrix import matrix
from .new import new
from .sign import sign
from .update import update
from .verify import verify

_COMMANDS: dict[str, Callable[..., Any]] = {
    "list": list_providers,
    "explain": explain,
    "host": host,
    "new": new,
    "adapter": adapter,
    "update": update,
    "certify": certify,
    "sign": sign,
    "verify": verify,
    "diff": diff,
    "matrix": matrix,
    "baseline": baseline,
    "demo": demo,
}

# typer brings its own click since 0.2x; both have this base class of what a user typed wrong.
_TypedWrong: type[Exception] = next(
    base for base in typer.BadParameter.__mro__ if base.__name__ == "ClickException"
)

USER_ERROR = 2


def make_app() -> typer.Typer:
    """The command with all its commands."""
    app = typer.Typer(
        name="avatar-conformance",
        help="Certify avatar plugins for livekit-agents.",
        add_completion=False,
        no_args_is_help=True,
        pretty_exceptions_enable=False,
    )
    app.callback()(_root)
    for name, function in _COMMANDS.items():
        app.command(name)(function)
    return app


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command with these arguments, those of the process by default; the exit code."""
    try:
        code = make_app()(
            args=None if arguments is None else list(arguments), standalone_mode=False
        )
    except ConformanceError as error:
        return _refuse(str(error))
    except _TypedWrong as error:
        return _refuse(_message(error))
    except typer.Abort:
        return _refuse("stopped")
    return code if isinstance(code, int) else 0


def _root() -> None:
    """Certify avatar plugins for livekit-agents."""


def _refuse(message: str) -> int:
    print(f"avatar-conformance: {' '.join(message.split())}", file=sys.stderr)
    return USER_ERROR


def _message(error: Any) -> str:
    return str(error.format_message())
