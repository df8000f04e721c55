"""Finding adapters, and choosing those that a run certifies."""

from __future__ import annotations

import difflib
import importlib
import importlib.metadata
import importlib.util
import json
import pkgutil
import sys
import traceback
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType
from urllib.parse import unquote, urlsplit
from urllib.request import url2pathname

from conformance.errors import AdapterError, UsageError, exception_text
from conformance.resources import ADAPTER_FILE

from .hook_validation import is_adapter
from .provider import Provider, Source
from .watchdog import PATIENCE, watchdog

ENTRY_POINT_GROUP = "avatar_conformance"
BUNDLED_PACKAGE = "vendor_adapters"
BUNDLED = "bundled"
"""The origin of an adapter that came with the kit."""
ALL = "all"


@dataclass(frozen=True)
class Problem:
    """An adapter that can't be used; ``own`` when it belongs to the repository of the run."""

    name: str
    error: AdapterError
    source: Source
    own: bool


@dataclass(frozen=True)
class Discovered:
    """The providers that were found, by name, and the adapters that can't be used.

    ``rootdir`` is the folder that was looked through.
    """

    providers: Mapping[str, Provider]
    problems: tuple[Problem, ...] = ()
    rootdir: Path = Path()


@dataclass(frozen=True)
class _Candidate:
    """A place where an adapter is: ``load`` imports it, and may raise whatever it raises."""

    label: str
    origin: str
    source: Source
    own: bool
    load: Callable[[], object]


def discover(
    *, rootdir: Path, conftests: Iterable[ModuleType] = (), bundled: bool = True
) -> Discovered:
    """Find every adapter: in ``rootdir``, in conftest modules, by entry point, and bundled ones.

    A project's own adapter takes the place of a bundled one of the same name; two others of one
    name are a problem. Nothing is raised for a wrong adapter: it is listed among the problems.
    """
    found = _Found()
    for candidate in _candidates(rootdir, conftests, bundled=bundled):
        found.add(candidate)
    providers = dict(sorted(found.providers.items()))
    return Discovered(providers, tuple(found.problems), rootdir)


def select(discovered: Discovered, names: Sequence[str] = ()) -> tuple[Provider, ...]:
    """The providers that a run certifies; raises `UsageError` when one can't be used.

    Without names: the repository's own where it has one, else every bundled one that is installed.
    ``all`` stands for every adapter that was found, installed or not: one that is not is an error.
    An avatar that the installed version of its distribution does not have yet is left out.
    """
    if not names:
        chosen = _by_default(discovered)
    else:
        wanted: list[str] = []
        for name in names:
            wanted += _everything(discovered) if name == ALL else [name]
        chosen = tuple(_named(discovered, name) for name in dict.fromkeys(wanted))
    missing = [provider for provider in chosen if provider.installed_version is None]
    if missing:
        raise UsageError(_not_installed(missing))
    return chosen


class _Found:
    def __init__(self) -> None:
        self.providers: dict[str, Provider] = {}
        self.problems: list[Problem] = []
        self._adapters: set[int] = set()

    def add(self, candidate: _Candidate) -> None:
        try:
            adapter = _load(candidate)
            if id(adapter) in self._adapters:
                return
            provider = Provider(
                adapter,
                label=candidate.label,
                origin=candidate.origin,
                source=candidate.source,
                own=candidate.own,
            )
            self._adapters.add(id(adapter))
            if self._is_shadowed(provider):
                return
        except AdapterError as error:
            self.problems.append(Problem(candidate.label, error, candidate.source, candidate.own))
            return
        self.providers[provider.name] = provider

    def _is_shadowed(self, provider: Provider) -> bool:
        other = self.providers.get(provider.name)
        if other is None:
            return False
        if provider.bundled and not other.bundled:
            return True
        raise AdapterError(
            provider.name,
            "avatar_provider_manifest",
            f"two adapters have this name: {other.origin} and {provider.origin}",
            "remove or rename one of them",
        )


def _candidates(
    rootdir: Path, conftests: Iterable[ModuleType], *, bundled: bool
) -> Iterator[_Candidate]:
    file = rootdir / ADAPTER_FILE
    if file.is_file():
        yield _Candidate(ADAPTER_FILE, ADAPTER_FILE, "file", True, lambda: _import_file(file))
    for module in conftests:
        if is_adapter(module):
            label = _relative(module.__file__, rootdir)
            yield _Candidate(label, label, "conftest", True, _returning(module))
    for entry_point in importlib.metadata.entry_points(group=ENTRY_POINT_GROUP):
        yield _Candidate(
            entry_point.name,
            f"entry point {entry_point.name} = {entry_point.value}",
            "entry-point",
            _is_editable_from(entry_point.dist, rootdir),
            entry_point.load,
        )
    if bundled:
        for name in bundled_names():
            yield _Candidate(name, BUNDLED, "bundled", False, _importing(name))


def bundled_names() -> tuple[str, ...]:
    """The module names of the adapters that come with the kit."""
    package = importlib.import_module(BUNDLED_PACKAGE)
    modules = pkgutil.iter_modules(package.__path__)
    return tuple(sorted(m.name for m in modules if not m.name.startswith("_")))


def _load(candidate: _Candidate) -> object:
    try:
        with watchdog(PATIENCE):
            return candidate.load()
    except KeyboardInterrupt:
        raise
    # Importing an adapter runs foreign code: whatever it raises is a fault of the adapter.
    except BaseException as error:
        text = exception_text(error)
        frames = [
            frame
            for frame in traceback.extract_tb(error.__traceback__)
            if frame.filename != __file__ and "importlib" not in frame.filename
        ]
        where = f" ({Path(frames[-1].filename).name} line {frames[-1].lineno})" if frames else ""
        raise AdapterError(
            candidate.label,
            "",
            f"importing it ({candidate.origin}) raised {text}{where}",
            "make it importable",
        ) from error


def _import_file(path: Path) -> ModuleType:
    path = path.resolve()
    name = path.stem
    known = sys.modules.get(name)
    if known is not None and Path(getattr(known, "__file__", None) or "").resolve() == path:
        return known
    module_spec = importlib.util.spec_from_file_location(name, path)
    if module_spec is None or module_spec.loader is None:
        raise ImportError(f"{path} is no Python module")
    module = importlib.util.module_from_spec(module_spec)
    sys.modules[name] = module
    try:
        module_spec.loader.exec_module(module)
    except BaseException:
        del sys.modules[name]
        raise
    return module


def _importing(name: str) -> Callable[[], object]:
    return lambda: importlib.import_module(f"{BUNDLED_PACKAGE}.{name}")


def _returning(module: ModuleType) -> Callable[[], object]:
    return lambda: module


def _relative(file: str | None, rootdir: Path) -> str:
    path = Path(file or "conftest.py")
    try:
        return path.resolve().relative_to(rootdir.resolve()).as_posix()
    except ValueError:
        return path.name


def _is_editable_from(distribution: importlib.metadata.Distribution | None, rootdir: Path) -> bool:
    text = distribution.read_text("direct_url.json") if distribution is not None else None
    if not text:
        return False
    direct = json.loads(text)
    if not direct.get("dir_info", {}).get("editable"):
        return False
    source = Path(url2pathname(unquote(urlsplit(direct["url"]).path))).resolve()
    return source.is_relative_to(rootdir.resolve())


def _by_default(discovered: Discovered) -> tuple[Provider, ...]:
    _raise_first(discovered, lambda problem: problem.own)
    own = tuple(p for p in discovered.providers.values() if p.own)
    if own:
        return own
    _raise_first(discovered, lambda problem: problem.source == "bundled")
    bundled = tuple(
        p
        for p in discovered.providers.values()
        if p.bundled and p.installed_version is not None and p.is_shipped
    )
    if not bundled:
        raise UsageError(
            f"no provider to certify: there is no {ADAPTER_FILE} in {discovered.rootdir} and no "
            "vendor's plugin is installed; write one there, name its folder with --rootdir, or "
            "install 'avatar-conformance[vendors]'"
        )
    return bundled


def _everything(discovered: Discovered) -> list[str]:
    _raise_first(discovered, lambda problem: True)
    return [name for name, provider in discovered.providers.items() if provider.is_shipped]


def _named(discovered: Discovered, name: str) -> Provider:
    _raise_first(discovered, lambda problem: problem.name == name)
    provider = discovered.providers.get(name)
    if provider is None:
        # A broken adapter in the repository may be the very one that was asked for.
        _raise_first(discovered, lambda problem: problem.own)
        known = ", ".join([*discovered.providers, ALL])
        near = difflib.get_close_matches(name, discovered.providers, n=1)
        guess = f" (did you mean {near[0]!r}?)" if near else ""
        raise UsageError(f"unknown provider {name!r}{guess}; known are: {known}")
    return provider


def _raise_first(discovered: Discovered, concerns: Callable[[Problem], bool]) -> None:
    for problem in discovered.problems:
        if concerns(problem):
            raise problem.error


def _not_installed(missing: Sequence[Provider]) -> str:
    names = ", ".join(provider.name for provider in missing)
    distributions = " ".join(dict.fromkeys(p.manifest.distribution for p in missing))
    noun, verb = ("provider", "is") if len(missing) == 1 else ("providers", "are")
    return f"{noun} {names} {verb} not installed; run: pip install {distributions}"
