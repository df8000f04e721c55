from __future__ import annotations

from pathlib import Path

import pytest

from conformance.plugin import UsageError
from conformance.plugin.installed import check_environment


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A directory that is searched for distributions before all others."""
    monkeypatch.syspath_prepend(tmp_path)
    return tmp_path


def install(site: Path, name: str, version: str, record: str = "", top_level: str = "") -> None:
    """Put a distribution's metadata there."""
    info = site / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir()
    (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n")
    if record:
        (info / "RECORD").write_text(record)
    if top_level:
        (info / "top_level.txt").write_text(top_level)


def test_this_environment_is_fit() -> None:
    """The host that is installed here can be certified against."""
    check_environment()


@pytest.mark.parametrize("version", ["1.5.10", "1.6.0rc1", "0.12.20"])
def test_a_host_that_is_too_old_is_refused_in_one_line(site: Path, version: str) -> None:
    """Hosts before 1.6.0 lack what the suite stands on."""
    install(site, "livekit-agents", version)

    with pytest.raises(UsageError) as caught:
        check_environment()

    assert str(caught.value) == (
        f"livekit-agents {version} is too old to be certified against; "
        "run: pip install 'livekit-agents>=1.6.0'"
    )


def test_the_oldest_host_is_accepted(site: Path) -> None:
    """1.6.0 is the first that will do."""
    install(site, "livekit-agents", "1.6.0")

    check_environment()


@pytest.mark.parametrize(
    ("record", "top_level"),
    [
        ("conformance/__init__.py,,\n", ""),
        ("x.py,,\nconformance/a.py,,\n", ""),
        ("", "conformance\n"),
    ],
)
def test_another_package_of_our_name_is_refused_in_one_line(
    site: Path, record: str, top_level: str
) -> None:
    """A distribution whose files hide ours is named."""
    install(site, "conformance", "0.1", record, top_level)

    with pytest.raises(UsageError) as caught:
        check_environment()

    assert str(caught.value).startswith(
        "the distribution conformance has a top-level package 'conformance' too"
    )
    assert "pip uninstall conformance" in str(caught.value)


def test_a_package_that_is_only_named_alike_is_fine(site: Path) -> None:
    """A module called conformance within another package does no harm."""
    install(site, "other", "1.0", "other/conformance/__init__.py,,\nconformance_x/a.py,,\n")

    check_environment()
