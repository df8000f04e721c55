"""The names that a new plugin may have, and those that follow from them."""

from __future__ import annotations

import pytest

from conformance.errors import UsageError
from conformance.scaffold.names import VENDORS, plugin_name


@pytest.mark.parametrize("wanted", ["Acme Live", "é", "9lives", "-", "", "a" * 41, "acme!"])
def test_a_name_that_cannot_be_is_refused_in_one_line(wanted: str) -> None:
    """A name is what PyPI and Python both take."""
    with pytest.raises(UsageError, match="can't be a plugin's name") as caught:
        plugin_name(wanted)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    "wanted", ["acme-live", "Acme_Live", "ACME.live", "livekit-plugins-acme-live"]
)
def test_names_are_normalised_as_by_pypi(wanted: str) -> None:
    """However it is written, it is one name, and so are those that follow."""
    name = plugin_name(wanted)
    assert name.name == "acme-live"
    assert name.module == "acme_live"
    assert name.class_name == "AcmeLive"
    assert name.distribution == "livekit-plugins-acme-live"


@pytest.mark.parametrize("wanted", ["class", "import", "match", "async"])
def test_a_keyword_is_refused(wanted: str) -> None:
    """`livekit.plugins.class` could never be imported."""
    with pytest.raises(UsageError, match="keyword"):
        plugin_name(wanted)


@pytest.mark.parametrize("wanted", [*sorted(VENDORS), "Anam", "lemon-slice", "livekit-plugins-bey"])
def test_a_vendor_that_livekit_has_is_refused(wanted: str) -> None:
    """The names of the vendors' own plugins are taken."""
    with pytest.raises(UsageError, match="already"):
        plugin_name(wanted)


@pytest.mark.parametrize("wanted", ["openai", "Silero", "livekit-plugins-turn-detector"])
def test_a_plugin_of_another_kind_that_livekit_has_is_refused(wanted: str) -> None:
    """`livekit.plugins.openai` is there already, if not for avatars."""
    with pytest.raises(UsageError, match="already"):
        plugin_name(wanted)
