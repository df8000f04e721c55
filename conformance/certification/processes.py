"""A forked process of a run: it judges what it is told to, and says what came of it.

`ForkedRun` in `forked_run` is the other side: the process that hands out the work.
"""

from __future__ import annotations

import multiprocessing
import os
import pdb
import pickle
import signal
import sys
import traceback
import warnings
from collections.abc import Callable
from functools import partial
from multiprocessing.connection import Connection
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any, Literal, NamedTuple

import pytest

from conformance.plugin import watchdog

Kind = Literal[
    "start",
    "report",
    "warning",
    "finish",
    "stuck",
    "stop",
    "exit",
    "interrupted",
    "breakpoint",
    "broken",
]
LAST = frozenset({"stop", "exit", "interrupted", "breakpoint", "broken"})
"""The kinds of messages after which a process ends."""


class Message(NamedTuple):
    """One thing that a forked process says to the one that forked it.

    ``start`` and ``finish`` carry a node id and its location; ``report`` a report as plain data;
    ``warning`` the arguments of ``pytest_warning_recorded``; ``stop`` the reason of pytest's own
    ``-x`` or ``shouldstop``; ``exit`` what `pytest.exit` was given; ``broken`` a traceback.
    ``stuck`` is why a check has to be ended with the process.
    ``interrupted`` and ``breakpoint`` say that a check raised KeyboardInterrupt, or wants a
    terminal for a debugger.
    """

    kind: Kind
    data: Any = None


def usable_cores() -> int:
    """The number of processes that run at the same time here; 1 where forking is not safe."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return 1


def fork(
    session: pytest.Session, enter: Callable[[], None], foreign: list[Connection]
) -> tuple[BaseProcess, Connection]:
    """Fork a process that judges what it is told to; returns it with the pipe to it.

    It is told by pairs (start, stop) of indices into the session's items, and answers in
    `Message`s. ``enter`` is called in it first; ``foreign`` are the pipes to other processes.
    """
    context = multiprocessing.get_context("fork")
    ours, theirs = context.Pipe()
    process = context.Process(
        target=_serve, args=(session, theirs, enter, [*foreign, ours]), name="conformance"
    )
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # of a BLAS's threads: see above
        process.start()
    theirs.close()
    return process, ours


def _serve(
    session: pytest.Session,
    pipe: Connection,
    enter: Callable[[], None],
    foreign: list[Connection],
) -> None:
    """Judge what the pipe names until it is closed, and leave without a word of pytest's end."""
    for connection in foreign:  # an open copy would hide the end of the process that forked
        connection.close()
    signal.signal(signal.SIGINT, _left_to_the_first_process)
    try:
        _leave_the_terminal(session)
        enter()
        _ask_for_a_terminal_at_a_breakpoint(pipe)
        watchdog.when_nothing_helps = partial(_say_why_and_end, pipe)
        session.config.pluginmanager.register(_Messenger(session.config, pipe))
        _judge(session, pipe)
    except (EOFError, BrokenPipeError, ConnectionResetError):
        os._exit(0)  # the first process has ended
    except pytest.exit.Exception as error:
        pipe.send(Message("exit", (error.msg, error.returncode)))
    except KeyboardInterrupt:
        pipe.send(Message("interrupted"))
    except BaseException:  # said to the first process, which raises it
        pipe.send(Message("broken", traceback.format_exc()))
    finally:
        os._exit(0)  # no thread that a plugin left is waited for


def _judge(session: pytest.Session, pipe: Connection) -> None:
    while True:
        start, stop = pipe.recv()
        for index in range(start, stop):
            item = session.items[index]
            following = session.items[index + 1] if index + 1 < stop else None
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            for reason in (session.shouldfail, session.shouldstop):
                if reason:
                    pipe.send(Message("stop", str(reason)))
                    return


def _left_to_the_first_process(number: int, frame: Any) -> None:
    """Take no notice of a Ctrl-C: the process that forked this one ends it."""


def _ask_for_a_terminal_at_a_breakpoint(pipe: Connection) -> None:
    def ask(*args: Any, **kwargs: Any) -> None:
        pipe.send(Message("breakpoint"))
        os._exit(0)

    sys.breakpointhook = pdb.set_trace = ask


def _say_why_and_end(pipe: Connection, why: str) -> None:
    pipe.send(Message("stuck", why))
    os._exit(1)


def _leave_the_terminal(session: pytest.Session) -> None:
    """Capture into files of this process's own, and print nothing."""
    config = session.config
    manager = config.pluginmanager
    capture: Any = manager.getplugin("capturemanager")
    if capture is not None and capture.is_globally_capturing():
        capture.read_global_capture()
        capture.stop_global_capturing()
        capture.start_global_capturing()
    if manager.unregister(name="terminalreporter") is not None:
        nowhere = Path(os.devnull).open("w", encoding="utf-8")  # noqa: SIM115 - to the end
        reporter = pytest.TerminalReporter(config, nowhere)
        manager.register(reporter, "terminalreporter")
        reporter.pytest_sessionstart(session)


class _Messenger:
    """The pytest plugin that sends what the first process is to hear."""

    def __init__(self, config: pytest.Config, pipe: Connection) -> None:
        self._config = config
        self._pipe = pipe

    def pytest_runtest_logstart(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._pipe.send(Message("start", (nodeid, location)))

    def pytest_runtest_logfinish(self, nodeid: str, location: tuple[str, int | None, str]) -> None:
        self._pipe.send(Message("finish", (nodeid, location)))

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._pipe.send(Message("report", data))

    def pytest_warning_recorded(
        self,
        warning_message: warnings.WarningMessage,
        when: str,
        nodeid: str,
        location: tuple[str, int, str] | None,
    ) -> None:
        w = warning_message
        message: Warning | str = w.message
        category: type[Warning] = w.category
        try:
            pickle.loads(pickle.dumps((message, category)))
        except Exception:  # a warning of a class that only the plugin has, say
            message, category = str(message), UserWarning
        self._pipe.send(
            Message("warning", ((message, category, w.filename, w.lineno), when, nodeid, location))
        )
