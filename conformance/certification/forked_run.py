"""A run in several processes: forked once everything is imported, each judging whole subjects.

The first process judges nothing. It hands out subjects, takes in what is said of them, and passes
that to pytest in the order of the plan: what is printed and written is what one process prints and
writes. A process that ends in the middle of a check costs that check alone.
"""

from __future__ import annotations

import os
import sys
import threading
import warnings
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import groupby
from multiprocessing.connection import Connection, wait
from multiprocessing.process import BaseProcess
from pathlib import Path
from time import monotonic

import pytest

from .collection import CheckItem
from .processes import LAST, Message, fork

GRACE = 2.0
"""Seconds of real time that a process has to end before it is killed."""

_THREADS = Path("/proc/self/task")

SILENCE = 600.0
"""Seconds of real time without a word after which a process is killed: it is in no Python code."""

_LOOK = 1.0
"""Seconds between two looks for processes that have ended without closing their pipe."""


def why_single(session: pytest.Session) -> str | None:
    """The reason why this session is not forked, as a clause; None where it can be."""
    config = session.config
    option = config.option
    if sys.platform != "linux":
        return f"forking is not safe on {sys.platform}"
    if hasattr(config, "workerinput") or getattr(option, "dist", "no") != "no":
        return "pytest-xdist distributes the checks"
    for name, flag in (("usepdb", "--pdb"), ("trace", "--trace"), ("cov_source", "--cov")):
        if getattr(option, name, None):
            return f"{flag} needs the checks in pytest's own process"
    if option.capture == "no" or config.getini("log_cli") or option.log_cli_level:
        return "what the checks print is shown at once"
    if not all(isinstance(item, CheckItem) for item in session.items):
        return "other tests are collected beside the checks"
    running = _other_threads()
    return f"a thread is running: {', '.join(running)}" if running else None


def _other_threads() -> list[str]:
    """The threads that a forked process would lack, by name.

    A native thread that still has the process's name is of a BLAS, which starts its threads anew
    after a fork.
    """
    python = [t.name for t in threading.enumerate() if t is not threading.current_thread()]
    names = {path.name: path.joinpath("comm").read_text("utf-8") for path in _THREADS.iterdir()}
    own = names.get(str(os.getpid()))
    return python or sorted({name.strip() for name in names.values() if name != own})


class ProcessBroke(Exception):
    """A forked process has broken off with an exception of pytest's or of a pytest plugin's."""


class _Breakpoint(Exception):
    """A check wants a terminal for a debugger."""


@dataclass
class _Subject:
    """The checks of one subject, from index ``first`` of the session's items on."""

    items: Sequence[CheckItem]
    first: int
    judged: int = 0
    """The number of checks that have come to their end."""
    said: list[str] = field(default_factory=list)
    """The kinds of messages about the check that is being judged."""
    unheard: deque[Message] = field(default_factory=deque)
    """The messages that pytest has not heard."""

    @property
    def done(self) -> bool:
        """Whether every check has come to its end."""
        return self.judged == len(self.items)

    def hear(self, message: Message) -> None:
        """Take in one message."""
        self.unheard.append(message)
        self.said.append(message.kind)
        if message.kind == "finish":
            self.judged += 1
            self.said.clear()


@dataclass
class _Worker:
    """A forked process; ``subject`` is None while it has nothing to judge."""

    process: BaseProcess
    pipe: Connection
    subject: _Subject | None = None
    heard_at: float = field(default_factory=monotonic)
    why: str = ""
    """Why it ends, where it could say so."""


@dataclass
class ForkedRun:
    """Judges a session's checks in ``processes`` processes.

    ``enter`` is called in each process after the fork. ``crashed`` makes the report of a check
    in whose middle the process ended, from its item and a sentence.
    """

    session: pytest.Session
    processes: int
    enter: Callable[[], None]
    crashed: Callable[[CheckItem, str], pytest.TestReport]

    def run(self) -> None:
        """Judge every check; raises what pytest's own loop raises, as `pytest.Session.Failed`.

        At a breakpoint the other processes end, and this one judges that check and all later ones.
        """
        self._workers: list[_Worker] = []
        self._heard = 0
        subjects = _subjects(self.session)
        self._waiting = deque(subjects)
        try:
            for _ in range(min(self.processes, len(subjects))):
                self._start_worker()
            for subject in subjects:
                while not self._pass_on(subject):
                    self._take_in()
        except _Breakpoint:
            self._end()
            self._go_on_alone()
        finally:
            self._end()

    def _go_on_alone(self) -> None:
        items = self.session.items[self._heard :]
        for item, following in zip(items, [*items[1:], None], strict=True):
            item.config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            self._stop_where_asked()

    def _stop_where_asked(self) -> None:
        if self.session.shouldfail:
            raise self.session.Failed(self.session.shouldfail)
        if self.session.shouldstop:
            raise self.session.Interrupted(self.session.shouldstop)

    def _start_worker(self) -> None:
        pipes = [worker.pipe for worker in self._workers]
        worker = _Worker(*fork(self.session, self.enter, pipes))
        self._workers.append(worker)
        self._hand_out(worker)

    def _hand_out(self, worker: _Worker) -> None:
        worker.subject = subject = self._waiting.popleft() if self._waiting else None
        if subject is not None:
            worker.heard_at = monotonic()
            worker.pipe.send((subject.first + subject.judged, subject.first + len(subject.items)))

    def _take_in(self) -> None:
        """Wait for word of the processes, and give new work to those that have done theirs."""
        ready = wait([worker.pipe for worker in self._workers], _LOOK)
        for worker in tuple(self._workers):
            if worker.pipe in ready:
                try:
                    message: Message = worker.pipe.recv()
                    worker.heard_at = monotonic()
                    if message.kind == "stuck":
                        worker.why = message.data
                        continue
                except (EOFError, OSError):
                    self._replace(worker)
                    continue
                subject = worker.subject
                assert subject is not None, "a process without work has nothing to say"
                subject.hear(message)
                if message.kind in LAST:
                    self._let_go(worker)
                elif subject.done:
                    self._hand_out(worker)
            elif not worker.process.is_alive():
                self._replace(worker)
            elif worker.subject is not None and monotonic() - worker.heard_at > SILENCE:
                worker.why = f"nothing was heard of it for {SILENCE:g} s: it is in no Python code"
                worker.process.kill()

    def _replace(self, worker: _Worker) -> None:
        """Go on in a new process where one has ended."""
        self._let_go(worker)
        subject = worker.subject
        if subject is None:
            return
        item = subject.items[subject.judged]
        status = worker.process.exitcode
        how = f"signal {-status}" if status is not None and status < 0 else f"exit status {status}"
        if "start" not in subject.said:
            subject.hear(Message("start", (item.nodeid, item.location)))
        why = worker.why or f"the process ended in the middle of this check, with {how}"
        report = self.crashed(item, why)
        hook = self.session.config.hook
        data = hook.pytest_report_to_serializable(config=self.session.config, report=report)
        subject.hear(Message("report", data))
        subject.hear(Message("finish", (item.nodeid, item.location)))
        if not subject.done:
            self._waiting.appendleft(subject)
        if self._waiting:
            self._start_worker()

    def _let_go(self, worker: _Worker) -> None:
        self._workers.remove(worker)
        worker.pipe.close()
        worker.process.join(GRACE)

    def _pass_on(self, subject: _Subject) -> bool:
        """Let pytest hear what was said of ``subject``; true once that is everything."""
        while subject.unheard:
            self._let_hear(subject.unheard.popleft())
            self._stop_where_asked()
        return subject.done

    def _let_hear(self, message: Message) -> None:
        config, data = self.session.config, message.data
        hook = config.hook
        if message.kind == "start":
            hook.pytest_runtest_logstart(nodeid=data[0], location=data[1])
        elif message.kind == "finish":
            hook.pytest_runtest_logfinish(nodeid=data[0], location=data[1])
            self._heard += 1
        elif message.kind == "report":
            report = hook.pytest_report_from_serializable(config=config, data=data)
            hook.pytest_runtest_logreport(report=report)
        elif message.kind == "warning":
            parts, when, nodeid, location = data
            recorded = warnings.WarningMessage(*parts)
            arguments = {"when": when, "nodeid": nodeid, "location": location}
            hook.pytest_warning_recorded.call_historic(
                kwargs={"warning_message": recorded, **arguments}
            )
        elif message.kind == "stop":
            self.session.shouldstop = data
        elif message.kind == "exit":
            pytest.exit(*data)
        elif message.kind == "interrupted":
            raise KeyboardInterrupt
        elif message.kind == "breakpoint":
            raise _Breakpoint
        else:
            raise ProcessBroke(data)

    def _end(self) -> None:
        """End every process; none is waited for, for a check may be half-way."""
        for worker in self._workers:
            worker.process.terminate()
        for worker in self._workers:
            worker.process.join(GRACE)
            if worker.process.is_alive():
                worker.process.kill()
                worker.process.join()
            worker.pipe.close()
        self._workers.clear()


def _subjects(session: pytest.Session) -> list[_Subject]:
    """The session's checks by subject, in order."""
    found: list[_Subject] = []
    items = [item for item in session.items if isinstance(item, CheckItem)]
    for _, group in groupby(items, lambda item: item.planned.id.provider):
        first = sum(len(subject.items) for subject in found)
        found.append(_Subject(tuple(group), first))
    return found
