"""Certifying: a wheel in a fresh environment, the whole set, and what it says put in writing."""

from __future__ import annotations

import datetime
import itertools
import shutil
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from packaging.utils import canonicalize_name

from conformance import __version__
from conformance.errors import UsageError
from conformance.plugin.discovery import BUNDLED, BUNDLED_PACKAGE, bundled_names
from conformance.report import badge
from conformance.requirements import load_revision
from conformance.resources import ADAPTER_FILE
from conformance.results.run import Run, providers
from conformance.results.tiers import Tier

from .digests import file_digest, revision_digest, suite_digest
from .environment import Environment, Installer
from .integrity import (
    AUDITED_DISTRIBUTIONS,
    changes_against_record,
    changes_against_wheel,
    interpreter,
    startup_files,
    unasked_files,
)
from .isolated_run import IsolatedRun
from .kit_wheel import KitWheel, make_kit_wheel
from .list_providers import Found
from .loading import load_report
from .model import Adapter, Certificate, latest_expiry, reached_tier, why_nothing
from .statement import render
from .wheel import Wheel, read_wheel
from .writing import write


@dataclass(frozen=True)
class Request:
    """A request for a certificate.

    ``distribution`` may carry a version (``livekit-plugins-acme==1.2``). ``adapter`` is the path of
    an adapter's ``.py`` file, or a requirement that brings one; empty where the plugin has its own
    or the kit has one. ``host`` is a version of livekit-agents, empty for the newest that fits.
    """

    distribution: str
    out: Path
    wheel: Path | None = None
    adapter: str = ""
    providers: tuple[str, ...] = ()
    host: str = ""
    days: int = 180
    url: str = ""


@dataclass(frozen=True)
class Issued:
    """An issued certificate, or why there is none.

    ``certificate`` and its ``path`` are None when the run certifies nothing, neither good nor bad;
    ``nothing_because`` then says why. ``report`` is the run's report in either case.
    """

    report: Path
    run: Run
    certificate: Certificate | None
    path: Path | None
    nothing_because: tuple[str, ...] = ()


@dataclass(frozen=True)
class _Place:
    """A filled environment: what is in it, and the directory that the run is made in."""

    environment: Environment
    wheel: Wheel
    kit: KitWheel
    folder: Path
    startup: Mapping[str, bytes]


def certify(
    request: Request,
    installer: Installer,
    trial: IsolatedRun,
    say: Callable[[str], None] = lambda line: None,
    now: datetime.datetime | None = None,
) -> Issued:
    """Certify a wheel; write its certificate, the report and a badge into ``request.out``.

    The certificate is not signed: while the plugin runs there is no key that it could read.

    Without a tier there is no certificate: what is written then, under another name, is a report
    of known failures, which `verify` never calls certified. Raises
    `UsageError` when nothing could be run, or nothing can be written.
    """
    _check_out(request.out)
    given = read_wheel(request.wheel) if request.wheel is not None else None
    wanted = _bare(request.distribution)
    if given is not None and canonicalize_name(given.distribution) != wanted:
        raise UsageError(f"{given.name} is no wheel of {request.distribution}")
    with tempfile.TemporaryDirectory(prefix="avatar-conformance-") as temporary:
        place = _fill(request, given, installer, Path(temporary).resolve(), say)
        found = _providers(request, place, trial)
        say(f"certifying {', '.join(provider.name for provider in found)}")
        report = trial.run(place.environment, [provider.name for provider in found], place.folder)
        run = load_report(report)
        _check_same(run, place.wheel, found)
        reasons = (*_tampering(place), *why_nothing(run))
        # Not by what the environment calls it: that may be a path.
        stem = f"{place.wheel.distribution}-{place.wheel.version}"
        kept = request.out / f"{stem}.report.json"
        write(kept, report.read_text("utf-8"))
        if reasons:
            return Issued(kept, run, None, None, reasons)
        certificate = _certificate(request, place, found, run, now)
        kind = "known-failures.intoto" if certificate.tier is Tier.NONE else "intoto"
        path = request.out / f"{stem}.{kind}.jsonl"
        write(path, render(certificate).decode("utf-8") + "\n")
        write(request.out / f"{stem}.badge.json", badge.render(run))
        return Issued(kept, run, certificate, path)


def _fill(
    request: Request,
    given: Wheel | None,
    installer: Installer,
    temporary: Path,
    say: Callable[[str], None],
) -> _Place:
    folders = {name: temporary / name for name in ("kit", "plugin", "run")}
    for folder in folders.values():
        folder.mkdir()
    say("making a fresh environment")
    environment = installer.create(temporary / "environment")
    wheel = given
    if wheel is None:
        fetched = installer.fetch(environment, request.distribution, folders["plugin"])
        wheel = read_wheel(fetched)
    kit = make_kit_wheel(installer, environment, folders["kit"])
    wanted = [str(wheel.path), str(kit.path)]
    if request.host:
        wanted.append(f"livekit-agents=={request.host}")
    if request.adapter.endswith(".py"):
        _copy(Path(request.adapter), folders["run"] / ADAPTER_FILE)
    elif request.adapter:
        wanted.append(request.adapter)
    say(f"installing {wheel.name} and the kit")
    before = interpreter(environment)
    known = startup_files(environment.site_packages)
    installer.install(environment, wanted)
    place = _Place(environment, wheel, kit, folders["run"], known)
    trouble = next(
        itertools.chain(
            unasked_files(environment.site_packages, known),
            (["the environment's Python has been replaced"] * (interpreter(environment) != before)),
            _changes(place),
        ),
        None,
    )
    if trouble is not None:
        raise UsageError(f"{wheel.name} or what it depends on is refused: {trouble}")
    return place


def _providers(request: Request, place: _Place, trial: IsolatedRun) -> tuple[Found, ...]:
    name = place.wheel.distribution
    survey = trial.survey(place.environment, name, place.folder)
    if survey.problems:
        raise UsageError(survey.problems[0])
    known = ", ".join(found.name for found in survey.found)
    if not survey.found:
        raise UsageError(f"there is no adapter for {name}; give one with --adapter FILE.py")
    for wanted in request.providers:
        if wanted not in {found.name for found in survey.found}:
            raise UsageError(f"{name} has no provider {wanted!r}; known are: {known}")
    chosen = tuple(f for f in survey.found if f.name in (request.providers or (f.name,)))
    for each in chosen:
        if canonicalize_name(each.distribution) != canonicalize_name(name):
            raise UsageError(f"the provider {each.name!r} is not of {name}")
        if each.origin != BUNDLED and not request.adapter and _module(each.name) in bundled_names():
            raise UsageError(
                f"{each.origin} takes the place of the kit's own adapter for {each.name}; if that "
                f"is meant, say so with --adapter {name}"
            )
    return chosen


def _module(provider: str) -> str:
    return provider.replace("-", "_")


def _adapter(place: _Place, found: Found) -> Adapter:
    """The adapter that was used; digests of the kit's and the caller's own are taken from here."""
    files = {
        BUNDLED: place.environment.site_packages / BUNDLED_PACKAGE / f"{_module(found.name)}.py",
        ADAPTER_FILE: place.folder / ADAPTER_FILE,
    }
    file = files.get(found.origin)
    if file is None:
        return Adapter(found.name, found.origin, found.sha256)
    if not file.is_file():
        raise UsageError(f"there is no adapter for {found.name}: {found.origin}")
    return Adapter(found.name, found.origin, file_digest(file))


def _check_same(run: Run, wheel: Wheel, found: tuple[Found, ...]) -> None:
    versions = {subject.version for subject in providers(run)}
    if versions != {wheel.version}:
        other = ", ".join(map(str, sorted(map(str, versions))))
        raise UsageError(f"the run was made with version {other}, the wheel is {wheel.version}")
    if {subject.name for subject in providers(run)} != {provider.name for provider in found}:
        raise UsageError("the report is about other providers than those that were to be certified")
    if run.kit != __version__:
        raise UsageError(f"the run was made with kit {run.kit}, this is {__version__}")


def _tampering(place: _Place) -> tuple[str, ...]:
    changes = itertools.chain(
        _changes(place), unasked_files(place.environment.site_packages, place.startup)
    )
    return tuple(
        f"the suite was tampered with: {change}" for change in itertools.islice(changes, 5)
    )


def _changes(place: _Place) -> Iterator[str]:
    site_packages = place.environment.site_packages
    yield from changes_against_wheel(site_packages, place.kit.path)
    yield from changes_against_record(site_packages, AUDITED_DISTRIBUTIONS)


def _certificate(
    request: Request,
    place: _Place,
    found: tuple[Found, ...],
    run: Run,
    now: datetime.datetime | None,
) -> Certificate:
    issued = (now or datetime.datetime.now(datetime.timezone.utc)).replace(microsecond=0)
    return Certificate(
        wheel=place.wheel.name,
        sha256=place.wheel.sha256,
        distribution=place.wheel.distribution,
        version=place.wheel.version,
        issued=issued,
        expires=latest_expiry(run, issued, request.days),
        tier=reached_tier(run),
        run=run,
        revision_digest=revision_digest(load_revision(run.revision)),
        suite_digest=suite_digest(place.environment.site_packages / "conformance"),
        kit_source=place.kit.source,
        adapters=tuple(_adapter(place, each) for each in found),
        url=request.url,
    )


def _bare(requirement: str) -> str:
    from packaging.requirements import InvalidRequirement, Requirement

    try:
        return canonicalize_name(Requirement(requirement).name)
    except InvalidRequirement:
        raise UsageError(
            f"{requirement!r} is no distribution; give a name like livekit-plugins-acme, "
            "and a file with --wheel"
        ) from None


def _check_out(out: Path) -> None:
    try:
        out.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryFile(dir=out):
            pass
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or error
        raise UsageError(f"--out {out}: cannot be written to: {reason}") from None


def _copy(source: Path, target: Path) -> None:
    try:
        shutil.copyfile(source, target)
    except OSError as error:
        raise UsageError(f"--adapter {source}: cannot be read: {error.strerror}") from None
