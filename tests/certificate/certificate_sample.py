"""A run of the whole catalogue and what certifies it, for tests of certificates."""

from __future__ import annotations

import datetime
import zipfile
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from conformance.certificate.digests import PACKAGE, revision_digest, suite_digest
from conformance.certificate.environment import Environment
from conformance.certificate.list_providers import Found, Survey
from conformance.certificate.model import Adapter, Certificate, latest_expiry, reached_tier
from conformance.report.json_report import render
from conformance.requirements import load_catalogue, load_revision
from conformance.requirements.plan import load_plan
from conformance.results.from_report import check_id
from conformance.results.outcomes import CheckId, CheckResult, Finding, HostDefectRef, Outcome
from conformance.results.run import (
    DeviationUse,
    RequirementFacts,
    Run,
    Selection,
    SubjectRun,
    Timing,
)

NOW = datetime.datetime(2026, 11, 23, 12, tzinfo=datetime.timezone.utc)
DIST = "livekit-plugins-acme"
WHEEL = "livekit_plugins_acme-1.0-py3-none-any.whl"
CAPABILITIES = {"restartable": True, "pause": False}


def facts() -> dict[str, RequirementFacts]:
    """The requirements of the catalogue as reports know them."""
    catalogue = load_catalogue()
    return {
        name: RequirementFacts(
            name,
            requirement.family,
            requirement.level,
            requirement.text,
            capability=requirement.capability,
            tier=requirement.tier,
        )
        for name, requirement in catalogue.items()
        if catalogue.scored(name)
    }


def use(requirement: str, **changes: Any) -> DeviationUse:
    """A deviation that was used, and is accepted until the end of 2026."""
    values: dict[str, Any] = {
        "requirement": requirement,
        "variants": (),
        "reason": "the vendor's API has no call for it",
        "reference": "https://example.test/1",
        "owner": "acme",
        "expires": "2026-12-31",
        "host": "",
        "plugin": "",
        "origin": "bundled",
        "state": "used",
        **changes,
    }
    return DeviationUse(**values)


def whole_run(
    outcomes: Mapping[str, Outcome] | None = None,
    *,
    names: Sequence[str] = ("acme",),
    version: str = "1.0",
    deviations: Sequence[DeviationUse] = (),
    capabilities: Mapping[str, bool] = CAPABILITIES,
    skipped: Sequence[str] = (),
    variants: bool = False,
    **changes: Any,
) -> Run:
    """A run in which every requirement of the catalogue passed but what ``outcomes`` says.

    ``outcomes`` are by id, like ``acme::SWAP-01``; ``skipped`` are ids that were expected to run.
    With ``variants`` it has every check that the revision plans, else one for each requirement.
    """
    known = facts()
    subjects = tuple(
        _subject(
            name, names, variants, known, outcomes or {}, skipped, version, deviations, capabilities
        )
        for name in ("host", "endpoint", *names)
    )
    values: dict[str, Any] = {
        "kit": "0.1.0",
        "revision": load_catalogue().revision,
        "python": "3.11.7",
        "host": {"livekit-agents": "1.8.9", "python": "3.11.7"},
        "stage": "loopback",
        "seed": None,
        "selection": Selection(tuple(names)),
        "requirements": known,
        "subjects": subjects,
        "timing": Timing("2026-11-23T08:00:00.000+00:00", "2026-11-23T08:00:02.500+00:00"),
        **changes,
    }
    return Run(**values)


def _subject(
    name: str,
    names: Sequence[str],
    variants: bool,
    known: Mapping[str, RequirementFacts],
    outcomes: Mapping[str, Outcome],
    skipped: Sequence[str],
    version: str,
    deviations: Sequence[DeviationUse],
    capabilities: Mapping[str, bool],
) -> SubjectRun:
    catalogue = load_catalogue()
    kind: Any = name if name in ("host", "endpoint") else "provider"
    plan = load_plan()
    ids = [
        check_id(f"{name}::{planned}")
        for requirement in known
        for planned in (plan[requirement].ids(requirement, names) if variants else [requirement])
        if (catalogue[requirement].subject == "provider") == (kind == "provider")
        and not catalogue[requirement].excluded
    ]
    provider = kind == "provider"
    return SubjectRun(
        name=name,
        kind=kind,
        expected=tuple(ids),
        results=tuple(
            _result(i, known[i.requirement], _outcome(i, outcomes))
            for i in ids
            if not {str(i), f"{name}::{i.requirement}"} & set(skipped)
        ),
        origin="bundled" if provider else None,
        distribution=DIST if provider else None,
        version=version if provider else None,
        manifest={"name": name, "capabilities": dict(capabilities)} if provider else None,
        deviations=tuple(deviations) if provider else (),
    )


def _outcome(check: CheckId, outcomes: Mapping[str, Outcome]) -> Outcome:
    """The outcome of a check by its own id, or by its requirement's."""
    of_all = outcomes.get(f"{check.provider}::{check.requirement}", Outcome.PASSED)
    return outcomes.get(str(check), of_all)


def _result(check_id: CheckId, known: RequirementFacts, outcome: Outcome) -> CheckResult:
    finding = Finding("one tail is bound", "no tail is bound") if outcome in _BAD else None
    reason = {Outcome.BLOCKED: "host defect", Outcome.ERROR: "the kit broke"}.get(outcome, "")
    by = HostDefectRef("HD-01") if outcome is Outcome.BLOCKED else None
    return CheckResult(check_id, known.level, outcome, finding, reason, blocked_by=by)


_BAD = (Outcome.FAILED, Outcome.EXPECTED_FAILURE)


def certificate(run: Run | None = None, **changes: Any) -> Certificate:
    """A certificate of a run, issued on `NOW`."""
    about = run if run is not None else whole_run(variants=True)
    values: dict[str, Any] = {
        "wheel": WHEEL,
        "sha256": "ab" * 32,
        "distribution": DIST,
        "version": "1.0",
        "issued": NOW,
        "expires": latest_expiry(about, NOW, 180),
        "tier": reached_tier(about),
        "run": about,
        "revision_digest": revision_digest(load_revision()),
        "suite_digest": suite_digest(),
        "kit_source": "source tree",
        "adapters": (Adapter("acme", "acme.adapter", "cd" * 32),),
        **changes,
    }
    return Certificate(**values)


def make_wheel(
    folder: Path,
    members: Mapping[str, str] | None = None,
    *,
    name: str = DIST,
    version: str = "1.0",
) -> Path:
    """A wheel with a package of one file, and ``members`` beside it."""
    folder.mkdir(exist_ok=True)
    stem = f"{name.replace('-', '_')}-{version}"
    path = folder / f"{stem}-py3-none-any.whl"
    files = {
        "acme_avatar/__init__.py": "",
        f"{stem}.dist-info/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n",
        f"{stem}.dist-info/WHEEL": "Wheel-Version: 1.0\nGenerator: x\nTag: py3-none-any\n"
        "Root-Is-Purelib: true\n",
        **(members or {}),
    }
    with zipfile.ZipFile(path, "w") as archive:
        for member, text in files.items():
            archive.writestr(zipfile.ZipInfo(member), text)
        archive.writestr(
            f"{stem}.dist-info/RECORD",
            "".join(f"{n},,\n" for n in [*files, f"{stem}.dist-info/RECORD"]),
        )
    return path


@dataclass
class FakeInstaller:
    """Makes environments of nothing, and installs by unpacking; counts nothing from outside."""

    published: Path | None = None
    installed: list[str] = field(default_factory=list)

    def create(self, folder: Path) -> Environment:
        """An environment that has only a directory for packages."""
        site_packages = folder / "site-packages"
        site_packages.mkdir(parents=True)
        return Environment(folder / "python", site_packages)

    def build(self, environment: Environment, source: Path, folder: Path) -> Path:
        """The kit's package as a wheel."""
        path = folder / "avatar_conformance-0.1.0-py3-none-any.whl"
        with zipfile.ZipFile(path, "w") as archive:
            for file in sorted(PACKAGE.rglob("*")):
                if file.is_file() and "__pycache__" not in file.parts:
                    archive.write(file, file.relative_to(PACKAGE.parent).as_posix())
            archive.writestr("vendor_adapters/acme.py", "")
        return path

    def fetch(self, environment: Environment, requirement: str, folder: Path) -> Path:
        """What an index has."""
        assert self.published is not None
        return self.published

    def install(self, environment: Environment, requirements: Sequence[str]) -> None:
        """Unpack the wheels among the requirements."""
        self.installed += requirements
        for requirement in requirements:
            if requirement.endswith(".whl"):
                with zipfile.ZipFile(requirement) as archive:
                    archive.extractall(environment.site_packages)


@dataclass
class FakeIsolatedRun:
    """A run that has come out as ``result`` says; ``meanwhile`` happens in the environment."""

    result: Run
    meanwhile: Callable[[Path], None] = lambda site_packages: None
    problems: tuple[str, ...] = ()
    names: tuple[str, ...] = ("acme",)
    folder_had: tuple[str, ...] = ()
    origin: str = "bundled"

    def survey(self, environment: Environment, distribution: str, folder: Path) -> Survey:
        """One provider for each name."""
        found = (Found(name, DIST, "1.0", self.origin, "cd" * 32) for name in self.names)
        return Survey(tuple(found), self.problems)

    def run(self, environment: Environment, providers: Sequence[str], folder: Path) -> Path:
        """Write the report."""
        self.folder_had = tuple(sorted(path.name for path in folder.iterdir()))
        self.meanwhile(environment.site_packages)
        report = folder / "report.json"
        report.write_text(render(self.result), "utf-8")
        return report
