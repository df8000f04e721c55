"""The pytest plugin. Without ``--conformance`` it declares its options and does nothing else."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Declare the options of a certification."""
    # Imports wait for their use: a project that certifies nothing must not pay for them.
    from .certification.command_line import add_options

    add_options(parser)


def pytest_configure(config: pytest.Config) -> None:
    """Take part in the run when it is a certification."""
    if config.getoption("--conformance"):
        from .certification.plugin import Certification

        config.pluginmanager.register(Certification(config), "avatar_conformance_certification")
