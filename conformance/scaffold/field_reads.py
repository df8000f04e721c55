"""Notes which fields of a JSON answer a plugin reads, also those that are not there."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from typing import Any

Path = tuple[str, ...]


class FieldReads:
    """The answers of a run, and what is read of each while it is :meth:`watched`.

    ``decoded`` has the calls whose answer was decoded at all; ``read`` the fields looked at, by
    call, in their order.
    """

    def __init__(self) -> None:
        self.decoded: set[str] = set()
        self.read: dict[str, dict[Path, None]] = {}
        self._texts: dict[str, str] = {}

    def text(self, call: str, answer: Mapping[str, Any]) -> str:
        """The answer of a call as JSON, in a spelling that no other answer has."""
        inside = json.dumps(answer)[1:]
        return self.known(call, "{" + " " * (len(self._texts) + 1) + inside)

    def known(self, call: str, text: str) -> str:
        """``text``, which is the answer of a call, and may be no JSON."""
        self._texts[text] = call
        return text

    @contextmanager
    def watched(self) -> Iterator[None]:
        """Give whoever decodes one of the answers a mapping that notes what is read of it."""
        real = json.JSONDecoder.decode

        def decode(decoder: json.JSONDecoder, text: str, *args: Any, **options: Any) -> Any:
            call = self._texts.get(text.strip())
            if call is None:
                return real(decoder, text, *args, **options)
            self.decoded.add(call)
            value = real(decoder, text, *args, **options)
            read = self.read.setdefault(call, {})
            return _watched(value, (), lambda path: read.setdefault(path))

        # a plugin gets at its decoder by json, aiohttp and httpx alike: the method is exchanged
        json.JSONDecoder.decode = decode  # type: ignore[assignment, method-assign]
        try:
            yield
        finally:
            json.JSONDecoder.decode = real  # type: ignore[method-assign]


Note = Callable[[Path], None]


def _watched(value: Any, path: Path, note: Note) -> Any:
    if isinstance(value, dict):
        inner = {name: _watched(each, (*path, name), note) for name, each in value.items()}
        return _Object(inner, path, note)
    return _Text(value, path, note) if isinstance(value, str) else value


class _Object(dict[str, Any]):
    def __init__(self, items: Mapping[str, Any], path: Path, note: Note) -> None:
        super().__init__(items)
        self._path, self._note = path, note

    def __getitem__(self, name: str) -> Any:
        self._note((*self._path, name))
        return super().__getitem__(name)

    def get(self, name: str, default: Any = None) -> Any:
        self._note((*self._path, name))
        return super().get(name, default)

    def pop(self, name: str, *default: Any) -> Any:
        self._note((*self._path, name))
        return super().pop(name, *default)

    def __contains__(self, name: object) -> bool:
        self._note((*self._path, str(name)))
        return super().__contains__(name)


class _Text(str):
    """A string that notes when it is read as the object that it should have been."""

    _path: Path
    _note: Note

    def __new__(cls, value: str, path: Path, note: Note) -> _Text:
        text = super().__new__(cls, value)
        text._path, text._note = path, note
        return text

    def __getitem__(self, key: Any) -> str:
        if isinstance(key, str):
            self.get(key)
        return super().__getitem__(key)

    def get(self, name: str, default: Any = None) -> Any:
        self._note((*self._path, name))
        return default
