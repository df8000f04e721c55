from __future__ import annotations

import sys
from collections.abc import Callable
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest

from conformance.errors import AdapterError
from conformance.plugin import hookimpl
from conformance.plugin.provenance import why_not_the_plugins
from conformance.plugin.provider import Provider
from conformance.reference import adapter as reference
from tests.plugin.test_provider import CONTEXT

DIST = "livekit-plugins-here"
Install = Callable[..., Any]


class Tail:
    """An audio output that an adapter made for itself."""


@pytest.fixture
def install(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Install:
    """Installs a plugin of one module, and gives its avatar class."""
    monkeypatch.syspath_prepend(tmp_path)

    def write(*, listed: bool = True, digest: str = "") -> Any:
        (tmp_path / "here_avatar.py").write_text("class AvatarSession:\n    pass\n")
        info = tmp_path / "livekit_plugins_here-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {DIST}\nVersion: 1.0\n")
        names = [f"{info.name}/METADATA,,", *([f"here_avatar.py,{digest},30"] if listed else [])]
        (info / "RECORD").write_text("\n".join(names))
        monkeypatch.delitem(sys.modules, "here_avatar", raising=False)
        return __import__("here_avatar").AvatarSession

    return write


def test_an_instance_of_the_installed_class_is_the_plugins(install: Install) -> None:
    """The class that the manifest names, in a file of the distribution."""
    named = install()
    assert why_not_the_plugins(named(), named, DIST) is None


def test_another_class_is_not_the_plugins(install: Install) -> None:
    """A stand-in of the adapter's is told by its name."""
    why = why_not_the_plugins(Tail(), install(), DIST)
    assert why is not None
    assert why.endswith("Tail, no here_avatar.AvatarSession")


def test_a_class_derived_elsewhere_is_not_the_plugins(install: Install) -> None:
    """What an adapter overrides would be judged in the plugin's place."""
    named = install()
    mended = type("Mended", (named,), {"__module__": __name__})
    why = why_not_the_plugins(mended(), named, DIST)
    assert why is not None
    assert f"which is no file of {DIST}" in why


def test_a_file_beside_the_distribution_is_not_the_plugins(install: Install) -> None:
    """A module that hides the one of the wheel is not in its RECORD."""
    named = install(listed=False)
    why = why_not_the_plugins(named(), named, DIST)
    assert why == (
        f"its class here_avatar.AvatarSession is in here_avatar.py, which is no file of {DIST}"
    )


def test_a_changed_file_is_not_the_plugins(install: Install) -> None:
    """A file that is not as the wheel had it is seen by its digest."""
    named = install(digest="sha256=AAAA")
    why = why_not_the_plugins(named(), named, DIST)
    assert why == (
        f"here_avatar.py, where here_avatar.AvatarSession is, is not as {DIST} was installed"
    )


def adapter_that_returns(made: Callable[[], Any], named: str) -> Provider:
    """A provider of the reference's distribution."""
    module = ModuleType("conformance_adapter")
    module.__file__ = __file__

    @hookimpl
    def avatar_provider_manifest() -> Any:
        return {**reference.avatar_provider_manifest(), "name": "acme", "avatar_session": named}

    @hookimpl
    def create_avatar() -> Any:
        return made()

    vars(module).update(
        avatar_provider_manifest=avatar_provider_manifest,
        create_avatar=create_avatar,
        vendor_backend=reference.vendor_backend,
    )
    return Provider(module, label="acme", origin="a test")


def test_an_adapter_that_constructs_something_else_is_one_line() -> None:
    """The line says what came back, and of which class and distribution it must be."""
    named = "conformance.reference.avatar:ReferenceAvatar"
    with pytest.raises(AdapterError) as caught:
        adapter_that_returns(Tail, named).create_avatar(CONTEXT)
    assert str(caught.value) == (
        "adapter acme: create_avatar: what it returned is not the plugin's own: it is a "
        f"{Tail.__module__}.Tail, no conformance.reference.avatar.ReferenceAvatar; return an "
        f"instance of {named}, as avatar-conformance has it"
    )


def test_an_avatar_session_that_is_no_class_is_one_line() -> None:
    """A function that makes sessions cannot be told from any other."""
    named = "conformance.reference.adapter:create_avatar"
    with pytest.raises(AdapterError, match=r"field 'avatar_session': .*create_avatar is no class"):
        adapter_that_returns(Tail, named).create_avatar(CONTEXT)


def test_a_tail_of_the_adapters_own_is_refused() -> None:
    """What is judged is the plugin's tail, not one that its adapter binds in its place."""
    named = "conformance.reference.avatar:ReferenceAvatar"
    provider = adapter_that_returns(Tail, named)
    provider.check_tail(None)
    provider.check_tail(object())
    with pytest.raises(AdapterError, match="a Tail of the adapter's own; let the plugin's start"):
        provider.check_tail(Tail())
