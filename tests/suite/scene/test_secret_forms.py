"""A secret is found in a text as it is, encoded, and in part."""

from __future__ import annotations

import base64
from urllib.parse import quote

import pytest

from conformance.suite.scene.canary import canary
from conformance.suite.scene.secret_forms import PART, leaked

KEY = canary("acme", "api_key")
SECRETS = {"api_key": KEY}


def everywhere(text: str) -> str:
    """Every character of a text percent-encoded."""
    return "".join(f"%{ord(letter):02X}" for letter in text)


@pytest.mark.parametrize(
    ("text", "found"),
    [
        (f"key={KEY}", "api_key"),
        (f"key={everywhere(KEY)}", "api_key, percent-encoded"),
        (KEY.encode().hex().upper(), "api_key in hexadecimal digits"),
        (f"...{KEY[-PART:]}", f"{PART} characters or more of api_key"),
        (quote(f"/{KEY[:-4]}"), f"{PART} characters or more of api_key"),
    ],
    ids=["plain", "percent-encoded", "hexadecimal", "in part", "in part of a URL"],
)
def test_a_secret_is_found_in_each_form(text: str, found: str) -> None:
    """The finding says in which form."""
    assert leaked(SECRETS, text) == [found]


@pytest.mark.parametrize("before", ["", "u", "us", "user:"])
@pytest.mark.parametrize("after", ["", "x", "xy"])
def test_base64_is_found_wherever_the_secret_stands_in_it(before: str, after: str) -> None:
    """What is encoded before and after it shifts its letters, and hides it from nobody."""
    for encode in (base64.b64encode, base64.urlsafe_b64encode):
        text = encode(f"{before}{KEY}{after}".encode()).decode()
        assert leaked(SECRETS, text) == ["api_key in base64"]


@pytest.mark.parametrize(
    "text",
    ["", "canary-acme-api-key", KEY[-PART + 1 :], "100% of the time", "api_key"],
    ids=["nothing", "the canary's words", "a few characters", "a percentage", "its name"],
)
def test_what_tells_keys_apart_is_no_leak(text: str) -> None:
    """A few characters, the canary's words, and a secret's name are none."""
    assert leaked(SECRETS, text) == []


def test_a_secret_without_a_random_part_is_looked_for_whole() -> None:
    """A real server's secret may be a word; its parts are no leak."""
    assert leaked({"livekit_api_secret": "secret"}, "a secretary") == ["livekit_api_secret"]
    assert leaked({"livekit_api_secret": "secretsecretsecret"}, "secretsecret") == []
