"""Options of a run: the command line, and the table [tool.avatar-conformance]."""

from __future__ import annotations

import importlib
import os
import re
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from conformance.deployed.worker_process import parsed
from conformance.errors import UsageError
from conformance.live.server_options import NamedWrongly, named_server
from conformance.plugin.room import Credentials
from conformance.resources import ADAPTER_FILE
from conformance.results.outcomes import Level
from conformance.results.run import Selection
from conformance.results.tiers import named_tier

from .processes import usable_cores

# Python 3.10 has no tomllib; pytest brings tomli there.
tomllib = importlib.import_module("tomllib" if sys.version_info >= (3, 11) else "tomli")

TABLE = "avatar-conformance"
CHECK_ID = re.compile(r"(?P<subject>[a-z0-9][a-z0-9_.-]*)::(?P<requirement>[A-Z]+-\d+)(\[.+\])?")
_KEYS = ("provider", "report", "html", "deviations", "require_tier")


@dataclass(frozen=True)
class Options:
    """The options of a run, from the command line first and the table second.

    ``checks`` are check ids given as arguments, as in ``pytest 'anam::SWAP-02[close-then-start]'``.
    Paths are absolute; None is not asked for.
    """

    rootdir: Path
    providers: tuple[str, ...] = ()
    requirements: tuple[str, ...] = ()
    level: Level | None = None
    checks: tuple[str, ...] = ()
    seed: int | None = None
    processes: int = 1
    """The number of processes that judge."""
    without_deviations: bool = False
    deviations: Path | None = None
    report: Path | None = None
    html: Path | None = None
    badge: Path | None = None
    markdown: Path | None = None
    step_summary: bool = False
    annotations: bool = False
    controls: bool = False
    """Whether known broken providers are judged beside those of the run."""
    require_tier: str | None = None
    """The tier without which the run fails."""
    live: bool = False
    """Whether a real LiveKit server is the stage."""
    exchange: str = "plain"
    """Who exchanges the avatars: ``plain`` or ``switcher``."""
    deployed: bool = False
    """Whether the vendor's own worker is judged."""
    vendor_at: tuple[tuple[str, int], ...] = ()
    """More addresses of the vendor's API than those of the manifest."""
    worker: str = ""
    """The command of a worker that is judged alone; empty where there is none."""
    mends: bool = True
    """Whether what a defect of the host blocks is judged on a mended host."""
    livekit: Credentials | None = None
    """The server that is named; None where the kit starts one."""

    @property
    def outputs(self) -> tuple[Path, ...]:
        """Every file that is to be written."""
        asked = (self.report, self.html, self.badge, self.markdown)
        return tuple(path for path in asked if path is not None)

    def selection(self, providers: Sequence[str]) -> Selection:
        """The selection as the reports show it, with the providers that it came to."""
        return Selection(
            tuple(providers),
            self.requirements,
            self.level,
            self.checks,
            self.without_deviations,
            self.exchange,
            self.worker,
        )


def read_options(config: pytest.Config) -> Options:
    """The options of this run; raises `pytest.UsageError` for a table that is wrong."""
    rootdir = _repository(config)
    table = _table(rootdir / "pyproject.toml")
    given = config.option
    if config.getoption("dist", "no") == "each":
        raise pytest.UsageError(
            "--dist each judges every check in each process, and one result is one too many; "
            "leave it out: -n N shares the checks out"
        )
    level = config.getoption("--level")
    checks = tuple(arg for arg in config.args if CHECK_ID.fullmatch(arg))
    asked = tuple(dict.fromkeys(given.provider)) or _from_checks(checks)
    options = Options(
        rootdir=rootdir,
        providers=asked or _providers(table.get("provider", [])),
        requirements=tuple(dict.fromkeys(given.requirement)),
        level=Level(level) if level else None,
        checks=tuple(dict.fromkeys(checks)),
        seed=given.conformance_seed,
        processes=_processes(given.conformance_processes),
        # known deviations are of the plugin's own calls
        without_deviations=given.no_deviations or given.exchange != "plain",
        exchange=given.exchange,
        mends=not given.no_mends,
        deviations=_path(config, rootdir, table, "deviations"),
        report=_path(config, rootdir, table, "report"),
        html=_path(config, rootdir, table, "html"),
        badge=_path(config, rootdir, table, "badge"),
        markdown=_path(config, rootdir, table, "markdown"),
        step_summary=given.conformance_step_summary,
        annotations=given.conformance_annotations,
        controls=given.conformance_controls,
        require_tier=_required_tier(given.require_tier, table),
        live=_live(config) or given.livekit_url is not None,
        deployed=given.deployed or given.worker is not None,
        worker=_worker(config),
        vendor_at=tuple(_address(text) for text in given.vendor_at),
        livekit=_livekit(config),
    )
    for path in options.outputs:
        _refuse_unwritable(path)
    _refuse_one_path_for_two(options)
    return options


def _processes(given: int | None) -> int:
    if given is None:
        return usable_cores()
    if given < 1:
        raise pytest.UsageError(f"--conformance-processes {given}: give 1 or more")
    if given > 1 and sys.platform != "linux":
        raise pytest.UsageError(
            f"--conformance-processes {given}: forking is not safe on {sys.platform}; leave it "
            f"out, or distribute with pytest-xdist: -n {given}"
        )
    return given


def _live(config: pytest.Config) -> bool:
    given = config.option
    return bool(given.live or given.deployed or given.worker is not None)


def _address(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise pytest.UsageError(f"--vendor-at {text!r}: give a host and a port, as 127.0.0.1:8090")
    return host, int(port)


def _worker(config: pytest.Config) -> str:
    command: str | None = config.option.worker
    if command is None:
        return ""
    if config.option.provider:
        raise pytest.UsageError(
            "--worker judges a worker alone: leave out --provider, or leave out --worker and judge "
            "the provider's own worker with --deployed"
        )
    try:
        parsed(command)
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None
    return command


def _required_tier(given: str | None, table: Mapping[str, Any]) -> str | None:
    name = given or table.get("require_tier")
    if name is None:
        return None
    where = "--require-tier" if given else f"pyproject.toml: [tool.{TABLE}] require_tier ="
    try:
        return named_tier(where, str(name)).value
    except UsageError as error:
        raise pytest.UsageError(str(error)) from None


def _repository(config: pytest.Config) -> Path:
    """The directory that the run is about: pytest's rootdir, but for one mistake of its own.

    Where the value of an option of ours is a path that exists, pytest takes it for a test path
    when it looks for its rootdir, and finds neither that nor a configuration.
    """
    here = config.invocation_params.dir
    if config.inipath is not None or config.getoption("rootdir", None) is not None:
        return config.rootpath
    for directory in (here, *here.parents):
        if any((directory / name).is_file() for name in (ADAPTER_FILE, "pyproject.toml")):
            return directory
    return config.rootpath


def _livekit(config: pytest.Config) -> Credentials | None:
    given = config.option
    try:
        named = named_server(
            (given.livekit_url, given.livekit_api_key, given.livekit_api_secret),
            os.environ if _live(config) else {},
        )
    except NamedWrongly as error:
        raise pytest.UsageError(str(error)) from None
    if named is not None and config.getoption("dist", "no") != "no":
        raise pytest.UsageError(
            "a LiveKit server that is named serves one process: leave out -n, or leave out its "
            "URL, and each process starts a server of its own"
        )
    return named


def _from_checks(checks: Sequence[str]) -> tuple[str, ...]:
    names = dict.fromkeys(check.split("::")[0] for check in checks)
    return tuple(name for name in names if name not in ("host", "endpoint"))


def _table(pyproject: Path) -> Mapping[str, Any]:
    if not pyproject.is_file():
        return {}
    try:
        table = tomllib.loads(pyproject.read_text("utf-8")).get("tool", {}).get(TABLE, {})
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise pytest.UsageError(f"{pyproject.name}: {error}") from None
    where = f"{pyproject.name}: [tool.{TABLE}]"
    if not isinstance(table, dict):
        raise pytest.UsageError(f"{where} must be a table")
    for key, value in table.items():
        if key not in _KEYS:
            raise pytest.UsageError(f"{where} has no key {key!r}; there are: {', '.join(_KEYS)}")
        names = isinstance(value, list) and all(isinstance(name, str) for name in value)
        if not isinstance(value, str) and not (key == "provider" and names):
            kind = "a string or a list of strings" if key == "provider" else "a string"
            raise pytest.UsageError(f"{where} {key} = {value!r}: it must be {kind}")
    return table


def _providers(value: str | list[str]) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)


def _path(config: pytest.Config, rootdir: Path, table: Mapping[str, Any], name: str) -> Path | None:
    given: str | None = config.getoption(f"--conformance-{name}")
    if given:
        return config.invocation_params.dir / given
    if name in table:
        return rootdir / str(table[name])
    return None


def _refuse_one_path_for_two(options: Options) -> None:
    taken: dict[Path, str] = {}
    for name in ("report", "html", "badge", "markdown"):
        path: Path | None = getattr(options, name)
        if path is None or (path.exists() and not path.is_file()):
            continue
        other = taken.setdefault(path.resolve(), name)
        if other != name:
            raise pytest.UsageError(
                f"--conformance-{name} {path}: --conformance-{other} is to be written there; give "
                "each report a file of its own"
            )


def _refuse_unwritable(path: Path) -> None:
    if path.is_dir():
        raise pytest.UsageError(f"{path}: cannot write a report there, it is a directory")
    if not path.parent.is_dir():
        raise pytest.UsageError(f"{path}: cannot write a report there, {path.parent} is missing")
