"""What an application is told: log records of a while, and the session's events."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from conformance import host

from .log_records import records_handed_to

if TYPE_CHECKING:
    from .scene import Scene

_EVENTS = ("error", "close")
_ABOUT_AN_AVATAR = ("avatar", "participant", "worker", "socket", "disconnect", "connection")


@dataclass
class Notices:
    """What was said of a provider's avatars since :func:`listening` began."""

    names: tuple[str, ...]
    records: list[logging.LogRecord] = field(default_factory=list)
    events: list[str] = field(default_factory=list)

    def tell_of_an_avatar(self) -> bool:
        """Whether an event of the session, or a warning, tells that an avatar is in trouble."""
        words = (*_ABOUT_AN_AVATAR, *self.names)
        warned = any(
            record.levelno >= logging.WARNING
            and any(word in f"{record.name} {record.getMessage()}".lower() for word in words)
            for record in self.records
        )
        return warned or bool(self.events)

    def errors(self) -> list[str]:
        """The records at ERROR or with a traceback, one line each."""
        return [
            f"{record.name}: {' '.join(record.getMessage().split())[:160]}"
            for record in self.records
            if record.levelno >= logging.ERROR or (record.exc_info and record.exc_info[0])
        ]


@contextmanager
def listening(scene: Scene) -> Iterator[Notices]:
    """Take note of every warning and of what the session tells, for a while."""
    identities = (avatar.identity for avatar in scene.avatars)
    names = (scene.manifest.name.lower(), *(i.lower() for i in identities if i))
    notices = Notices(names)

    def take_record(record: logging.LogRecord) -> None:
        if not host.logged_by_receiver(record):  # a worker's part, which runs elsewhere
            notices.records.append(record)

    def hear(event: str) -> Any:
        def take(*_: object) -> None:
            notices.events.append(event)

        return take

    listeners = {event: hear(event) for event in _EVENTS}
    session: Any = scene.session  # its events are typed by name, these come from a list
    for event, listener in listeners.items():
        session.on(event, listener)
    try:
        with records_handed_to(take_record, logging.WARNING):
            yield notices
    finally:
        for event, listener in listeners.items():
            session.off(event, listener)
