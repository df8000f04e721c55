"""The plugin template as a git repository, so that copier can update a plugin to a newer one.

The kit carries the template as a directory, and copier updates from git alone. So the template is
committed to a repository in the user's cache, each version of the kit under its own tag.
"""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from packaging.version import InvalidVersion, Version

from conformance.errors import KitError
from conformance.resources import templates_dir

TEMPLATE = "plugin"
_NOBODY = {
    "GIT_AUTHOR_NAME": "avatar-conformance",
    "GIT_AUTHOR_EMAIL": "avatar-conformance@localhost",
    "GIT_AUTHOR_DATE": "2026-01-01T00:00:00Z",
    "GIT_COMMITTER_NAME": "avatar-conformance",
    "GIT_COMMITTER_EMAIL": "avatar-conformance@localhost",
    "GIT_COMMITTER_DATE": "2026-01-01T00:00:00Z",
    "GIT_CONFIG_GLOBAL": os.devnull,
    "GIT_CONFIG_NOSYSTEM": "1",
}
# What git sets for the hooks that it runs would point all of the below at another repository.
_OF_A_HOOK = ("GIT_DIR", "GIT_WORK_TREE", "GIT_INDEX_FILE", "GIT_PREFIX")


@dataclass(frozen=True)
class TemplateSource:
    """Where copier takes the template from: the repository as it is recorded, and the tag."""

    repository: str
    tag: str


def template_source(version: str) -> TemplateSource:
    """Commit the template of this kit, of that version, to the cache, if it is not there yet.

    A checkout whose template has changed since gets a tag of its own. Raises `KitError` when git
    can't be run or fails.
    """
    recorded, repository = _cache()
    repository.mkdir(parents=True, exist_ok=True)
    with _locked(repository):
        if not (repository / ".git").exists():
            _git(repository, "init", "--quiet", "--initial-branch=main")
        # told by content, for a later version may carry the very same template
        _fill(repository)
        _git(repository, "add", "--all", "--force")
        tree = _git(repository, "write-tree")
        tags = [tag for tag in _git(repository, "tag", "--list").split() if _of(tag, version)]
        for tag in sorted(tags, key=_release, reverse=True):
            if _git(repository, "rev-parse", f"{tag}^{{tree}}") == tree:
                return TemplateSource(recorded, tag)
        tag = f"v{version}" + (f".post{len(tags)}" if tags else "")
        _git(repository, "commit", "--quiet", "--allow-empty", f"--message=The template of {tag}")
        _git(repository, "tag", tag)
    return TemplateSource(recorded, tag)


def template_tags() -> frozenset[str]:
    """The tags of every template that this machine has, after `template_source`."""
    _, repository = _cache()
    return frozenset(_git(repository, "tag", "--list").split())


def _cache() -> tuple[str, Path]:
    """The cache's repository, as it is written to a plugin that may be used by others, and itself.

    copier expands ``~``, so a plugin names nobody's home.
    """
    inside = "avatar-conformance/plugin-template"
    chosen = os.environ.get("XDG_CACHE_HOME")
    if chosen:
        path = Path(chosen) / inside
        return path.as_posix(), path
    recorded = f"~/.cache/{inside}"
    return recorded, Path(recorded).expanduser()


def _fill(repository: Path) -> None:
    for old in repository.iterdir():
        if old.name == ".git":
            continue
        if old.is_dir():
            shutil.rmtree(old)
        else:
            old.unlink()
    shutil.copytree(
        templates_dir() / TEMPLATE,
        repository,
        dirs_exist_ok=True,
        ignore=shutil.ignore_patterns("__pycache__", "*.pyc"),
    )


_LOCK = ".git-lock"


@contextmanager
def _locked(repository: Path) -> Iterator[None]:
    """Keep two runs of the command from filling the repository at once."""
    lock = repository.parent / f"{repository.name}{_LOCK}"
    with lock.open("w") as file:
        try:
            import fcntl
        except ImportError:  # Windows has no such locks, and hardly two runs at once
            yield
            return
        fcntl.flock(file, fcntl.LOCK_EX)
        yield


def _of(tag: str, version: str) -> bool:
    return tag == f"v{version}" or tag.startswith(f"v{version}.post")


def _release(tag: str) -> Version:
    try:
        return Version(tag)
    except InvalidVersion:
        return Version("0")


def _git(repository: Path, *arguments: str) -> str:
    environment = {k: v for k, v in os.environ.items() if k not in _OF_A_HOOK} | _NOBODY
    try:
        ran = subprocess.run(
            ["git", *arguments],
            cwd=repository,
            env=environment,
            capture_output=True,
            text=True,
            check=True,
        )
    except FileNotFoundError:
        raise KitError("git is not installed; the plugin template is versioned with it") from None
    except subprocess.CalledProcessError as error:
        why = " ".join((error.stderr or error.stdout).split())
        raise KitError(f"git {arguments[0]} failed in {repository}: {why}") from None
    return ran.stdout.strip()
