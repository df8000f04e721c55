"""Which LiveKit server is named: by options first, by the environment second."""

from __future__ import annotations

import pytest

from conformance.live.server_options import NamedWrongly, named_server
from conformance.plugin.room import Credentials

NOTHING = (None, None, None)
ENVIRONMENT = {
    "LIVEKIT_URL": "wss://mine.example",
    "LIVEKIT_API_KEY": "key",
    "LIVEKIT_API_SECRET": "secret",
}


def test_nothing_named_is_no_server() -> None:
    """Without a URL there is none, whatever key the environment has."""
    assert named_server(NOTHING, {"LIVEKIT_API_KEY": "key"}) is None


def test_environment_names_a_server() -> None:
    """The three variables name one."""
    assert named_server(NOTHING, ENVIRONMENT) == Credentials("wss://mine.example", "key", "secret")


def test_options_win_one_by_one() -> None:
    """An option takes the place of its variable, and of no other."""
    named = named_server(("ws://127.0.0.1:7880", None, "mine"), ENVIRONMENT)
    assert named == Credentials("ws://127.0.0.1:7880", "key", "mine")


@pytest.mark.parametrize(
    ("given", "says"),
    [
        ((None, "key", None), "--livekit-api-key needs --livekit-url"),
        (("ws://127.0.0.1:7880", None, "secret"), "--livekit-url needs --livekit-api-key"),
        (("ws://127.0.0.1:7880", "key", None), "--livekit-url needs --livekit-api-secret"),
        (("127.0.0.1:7880", "key", "secret"), "'127.0.0.1:7880' is no address of a server"),
        (("ftp://127.0.0.1", "key", "secret"), "'ftp://127.0.0.1' is no address of a server"),
        (("ws://127.0.0.1:port", "key", "secret"), "'ws://127.0.0.1:port' is no address"),
        (("ws://[::1", "key", "secret"), "'ws://[::1' is no address"),
    ],
)
def test_server_named_in_part_is_one_line(
    given: tuple[str | None, str | None, str | None], says: str
) -> None:
    """What is missing or cannot be an address is said, with the option's name."""
    with pytest.raises(NamedWrongly) as wrong:
        named_server(given, {})
    assert says in str(wrong.value)
    assert "\n" not in str(wrong.value)
