"""The host's known defects: each shown by its reproduction, and gone under its mend."""

from __future__ import annotations

import ast
import inspect
import logging
import runpy
from collections.abc import Iterator
from typing import Any

import pytest
from livekit.agents.voice import agent_activity, avatar, generation, io
from packaging.specifiers import SpecifierSet

from conformance import host
from conformance.host import defects
from conformance.loopback.virtual_time.event_loop import run_virtual
from conformance.requirements.host_defects import HostDefect, host_defects

DEFECTS = {defect.id: defect for defect in host_defects()}
OF_THIS_HOST = [d.id for d in host_defects() if SpecifierSet(d.hosts).contains(host.version())]


def _fits(name: str) -> bool:
    """Whether the mend of a defect has a form for the installed host."""
    try:
        defects.mend_as_diff(name)
    except defects.NoMend:
        return False
    return True


MENDED = [name for name in OF_THIS_HOST if _fits(name)]


@pytest.fixture(autouse=True)
def _forget_outputs() -> Iterator[None]:
    """Leave nothing in the host's class-level state, which the reproductions write to."""
    logging.disable(logging.CRITICAL)
    yield
    logging.disable(logging.NOTSET)
    host.reset_class_state()


def _reproduce(defect: HostDefect) -> None:
    """Run the script of a defect, in virtual time; raises what it raises."""
    script = runpy.run_path(str(defects.reproduction(defect.id)))
    reproduce: Any = script.get("reproduce")
    if reproduce is not None:
        run_virtual(lambda _: reproduce())


@pytest.mark.parametrize("name", DEFECTS)
def test_reproduction_fails_where_the_range_says_so_and_only_there(name: str) -> None:
    """A host outside the range does right, or has nothing of what the script is about."""
    try:
        _reproduce(DEFECTS[name])
    except AssertionError:
        shown = True
    except AttributeError:
        assert name not in OF_THIS_HOST
        shown = False
    else:
        shown = False
    assert shown == (name in OF_THIS_HOST), f"{name} is listed for {DEFECTS[name].hosts}"


@pytest.mark.parametrize("name", MENDED)
def test_reproduction_passes_on_the_mended_host(name: str) -> None:
    """The mend takes the defect away."""
    with defects.mended(name):
        _reproduce(DEFECTS[name])


@pytest.mark.parametrize("name", MENDED)
def test_mend_is_taken_back(name: str) -> None:
    """Every class and function of the host is after a mend what it was before."""
    before = _code()
    with defects.mended(name):
        pass
    assert _code() == before


def _code() -> dict[str, Any]:
    """The code of everything that a mend may change, by name."""
    owners = (io.AudioOutput, *io.AudioOutput.__subclasses__(), avatar.AvatarSession)
    owners = (*owners, generation, agent_activity.AgentActivity)
    return {
        f"{owner.__name__}.{name}": getattr(getattr(value, "__func__", value), "__code__", None)
        for owner in owners
        if owner.__name__.startswith("livekit.") or owner.__module__.startswith("livekit.")
        for name, member in vars(owner).items()
        for value in (inspect.unwrap(member) if callable(member) else member,)
    }


@pytest.mark.needs("livekit-agents>=1.6.1")
@pytest.mark.parametrize("name", OF_THIS_HOST)
def test_every_defect_can_be_mended_or_says_why_not(name: str) -> None:
    """No form of a mend is missing for a host that has the swap call."""
    assert name in MENDED or DEFECTS[name].no_mend


@pytest.mark.parametrize("name", OF_THIS_HOST)
def test_defect_without_a_mend_says_why(name: str) -> None:
    """A defect has a mend, or a reason why it can have none."""
    assert defects.has_mend(name) != bool(DEFECTS[name].no_mend)


@pytest.mark.parametrize("name", DEFECTS)
def test_reproduction_needs_livekit_agents_alone(name: str) -> None:
    """The script imports the standard library and livekit, nothing of the kit."""
    tree = ast.parse(defects.reproduction(name).read_text("utf-8"))
    imported = {
        (node.module or "") if isinstance(node, ast.ImportFrom) else node.names[0].name
        for node in ast.walk(tree)
        if isinstance(node, ast.Import | ast.ImportFrom)
    }
    assert not any(module.startswith(("conformance", "tests")) for module in imported)


def test_unknown_mend_is_one_line() -> None:
    """A defect without a mend is refused by name."""
    with pytest.raises(defects.NoMend, match="there is no mend for HD-99"), defects.mended("HD-99"):
        pass


@pytest.mark.needs("livekit-agents>=1.6.1")
def test_mends_of_two_defects_go_together() -> None:
    """Mends that change the same class are one change."""
    with defects.mended("HD-09", "HD-10"):
        for name in ("HD-09", "HD-10"):
            _reproduce(DEFECTS[name])
