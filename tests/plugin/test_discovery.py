from __future__ import annotations

import json
import subprocess
import sys
from importlib.metadata import version
from pathlib import Path
from types import ModuleType

import pytest

from conformance.plugin import UsageError, discovery
from conformance.plugin import provider as provider_module
from conformance.plugin.discovery import Discovered, discover, select
from conformance.plugin.installed import has_module

INSTALLED = "avatar-conformance"


def source(name: str, distribution: str = INSTALLED) -> str:
    """The text of a small adapter."""
    return f"""
from conformance.plugin import Call, VendorAPI, hookimpl

@hookimpl
def avatar_provider_manifest():
    return {{
        "name": "{name}",
        "distribution": "{distribution}",
        "avatar_session": "acme:AvatarSession",
        "exception": "acme:AcmeException",
        "transport": "bytestream",
        "hosts": ["api.acme.com"],
    }}

@hookimpl
def create_avatar(context):
    return object()

@hookimpl
def vendor_backend():
    return VendorAPI(Call("create session", "POST", "/v1/sessions"))
"""


class Place:
    """A repository, with a directory of installed distributions and one of bundled adapters."""

    def __init__(self, base: Path) -> None:
        self.rootdir = base / "repository"
        self.site = base / "site"
        self.bundled = self.site / "fake_bundled"
        for directory in (self.rootdir, self.site, self.bundled):
            directory.mkdir()
        (self.bundled / "__init__.py").touch()

    def adapter_file(self, text: str) -> None:
        """Write the repository's conformance_adapter.py."""
        (self.rootdir / "conformance_adapter.py").write_text(text)

    def bundle(self, module: str, text: str) -> None:
        """Put an adapter beside the kit."""
        (self.bundled / f"{module}.py").write_text(text)

    def install(self, name: str, text: str, *, editable_from: Path | None = None) -> None:
        """Install a distribution whose entry point names an adapter with this text."""
        (self.site / f"{name}_adapter.py").write_text(text)
        info = self.site / f"{name}-1.0.dist-info"
        info.mkdir()
        (info / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
        (info / "entry_points.txt").write_text(f"[avatar_conformance]\n{name} = {name}_adapter\n")
        if editable_from is not None:
            direct = {"url": editable_from.as_uri(), "dir_info": {"editable": True}}
            (info / "direct_url.json").write_text(json.dumps(direct))

    def discover(self, *conftests: ModuleType) -> Discovered:
        """Look for adapters."""
        return discover(rootdir=self.rootdir, conftests=conftests)


@pytest.fixture
def place(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Place:
    """An empty place, whose modules are forgotten afterwards."""
    made = Place(tmp_path)
    monkeypatch.syspath_prepend(made.site)
    monkeypatch.setattr(discovery, "BUNDLED_PACKAGE", "fake_bundled")
    for name in list(sys.modules):
        if name == "conformance_adapter" or name.endswith("_adapter") or "fake_bundled" in name:
            monkeypatch.delitem(sys.modules, name)
    return made


def conftest(path: Path, text: str) -> ModuleType:
    """A conftest module as pytest has loaded it."""
    module = ModuleType("conftest")
    module.__file__ = str(path)
    exec(compile(text, str(path), "exec"), module.__dict__)
    return module


def chosen(discovered: Discovered, *names: str) -> list[str]:
    """The names of the providers that a run would certify."""
    return [provider.name for provider in select(discovered, names)]


def refusal(discovered: Discovered, *names: str) -> str:
    """The one line with which the choice is refused."""
    with pytest.raises(UsageError) as caught:
        select(discovered, names)
    assert "\n" not in str(caught.value)
    return str(caught.value)


def test_the_adapter_file_is_found_in_the_rootdir(place: Place) -> None:
    """conformance_adapter.py needs no configuration."""
    place.adapter_file(source("acme"))

    found = place.discover().providers["acme"]

    assert (found.origin, found.own) == ("conformance_adapter.py", True)


def test_hooks_in_a_conftest_are_found(place: Place) -> None:
    """A conftest.py with hooks is an adapter, and one without is not."""
    path = place.rootdir / "tests" / "conftest.py"

    discovered = place.discover(
        conftest(path, source("acme")), conftest(place.rootdir / "conftest.py", "x = 1")
    )

    assert discovered.providers["acme"].origin == "tests/conftest.py"
    assert not discovered.problems


def test_an_adapter_of_an_installed_distribution_is_found(place: Place) -> None:
    """The entry point group is the way for an adapter that travels with its plugin."""
    place.install("acme", source("acme"))

    found = place.discover().providers["acme"]

    assert (found.origin, found.own) == ("entry point acme = acme_adapter", False)


def test_an_editable_install_from_the_rootdir_is_the_repositorys_own(place: Place) -> None:
    """In a plugin's own repository its entry point makes it the one to certify."""
    place.install("acme", source("acme"), editable_from=place.rootdir)
    place.bundle("other", source("other"))

    assert chosen(place.discover()) == ["acme"]


def test_an_editable_install_from_elsewhere_is_not(place: Place) -> None:
    """Another repository that is installed here does not decide what is certified."""
    place.install("acme", source("acme"), editable_from=place.site)
    place.bundle("other", source("other"))

    assert chosen(place.discover()) == ["other"]


def test_bundled_adapters_are_listed_with_their_version(place: Place) -> None:
    """A bundled adapter tells whether its plugin is installed."""
    place.bundle("acme", source("acme"))
    place.bundle("gone", source("gone", "livekit-plugins-gone"))
    place.bundle("_shared", "raise AssertionError('not an adapter')")

    providers = place.discover().providers

    assert {name: p.installed_version for name, p in providers.items()} == {
        "acme": version(INSTALLED),
        "gone": None,
    }


def test_by_default_the_bundled_ones_that_are_installed_are_certified(place: Place) -> None:
    """Outside of a plugin's repository, what is installed is certified."""
    place.bundle("acme", source("acme"))
    place.bundle("gone", source("gone", "livekit-plugins-gone"))

    assert chosen(place.discover()) == ["acme"]


def test_nothing_to_certify_is_an_error(place: Place) -> None:
    """A run of nothing would pass for nothing."""
    place.bundle("gone", source("gone", "livekit-plugins-gone"))

    refused = refusal(place.discover())
    assert refused.startswith("no provider to certify: there is no conformance_adapter.py in /")


def test_the_projects_own_adapter_comes_before_a_bundled_one(place: Place) -> None:
    """A vendor that has its own adapter is certified by that."""
    place.adapter_file(source("acme"))
    place.bundle("acme", source("acme"))

    discovered = place.discover()

    assert discovered.providers["acme"].origin == "conformance_adapter.py"
    assert not discovered.problems


def test_two_adapters_of_one_name_are_refused(place: Place) -> None:
    """Which of two is meant is not guessed."""
    place.adapter_file(source("acme"))
    place.install("acme", source("acme"), editable_from=place.rootdir)

    assert refusal(place.discover()) == (
        "adapter acme: avatar_provider_manifest: two adapters have this name: "
        "conformance_adapter.py and entry point acme = acme_adapter; remove or rename one of them"
    )


def test_one_module_found_twice_is_one_adapter(place: Place) -> None:
    """An entry point may name the very file in the rootdir."""
    place.adapter_file(source("acme"))
    info = place.site / "acme-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: acme\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[avatar_conformance]\nacme = conformance_adapter\n")

    discovered = place.discover()

    assert not discovered.problems
    assert chosen(discovered) == ["acme"]


def test_an_adapter_that_cannot_be_imported_is_one_line(place: Place) -> None:
    """The line has the adapter's name, the error and its place."""
    place.adapter_file("import os\nimport no_such_module\n")

    assert refusal(place.discover()) == (
        "adapter conformance_adapter.py: importing it (conformance_adapter.py) raised "
        "ModuleNotFoundError: No module named 'no_such_module' (conformance_adapter.py line 2); "
        "make it importable"
    )


def test_an_adapter_that_exits_on_import_is_one_line(place: Place) -> None:
    """Not even SystemExit gets out."""
    place.adapter_file("raise SystemExit(3)\n")

    assert "raised SystemExit: 3" in refusal(place.discover())


def test_an_adapter_with_a_syntax_error_is_one_line(place: Place) -> None:
    """A file that does not compile is told as such."""
    place.adapter_file("def create_avatar(:\n")

    assert "raised SyntaxError: invalid syntax" in refusal(place.discover())


def test_a_file_without_hooks_is_refused(place: Place) -> None:
    """An adapter file that was left empty is told what to write."""
    place.adapter_file("")

    assert "avatar_provider_manifest: the hook is missing" in refusal(place.discover())


def test_an_installed_adapter_that_is_broken_does_not_stop_others(place: Place) -> None:
    """A problem elsewhere in the environment is shown only to those who ask for it."""
    place.install("broken", "import no_such_module\n")
    place.bundle("acme", source("acme"))

    discovered = place.discover()

    assert chosen(discovered) == ["acme"]
    assert "adapter broken: importing it" in refusal(discovered, "broken")
    assert "adapter broken: importing it" in refusal(discovered, "all")


def test_a_name_that_is_unknown_gets_the_known_ones(place: Place) -> None:
    """A misspelt --provider is one line with every name."""
    place.bundle("acme", source("acme"))
    place.bundle("zeta", source("zeta"))

    assert refusal(place.discover(), "acmee") == (
        "unknown provider 'acmee' (did you mean 'acme'?); known are: acme, zeta, all"
    )


def test_names_are_certified_once_each_in_their_order(place: Place) -> None:
    """Giving a name twice does not run it twice."""
    place.bundle("acme", source("acme"))
    place.bundle("zeta", source("zeta"))

    assert chosen(place.discover(), "zeta", "acme", "zeta") == ["zeta", "acme"]


def test_a_bundled_one_can_be_asked_for_in_a_plugins_repository(place: Place) -> None:
    """--provider overrules what the repository is."""
    place.adapter_file(source("acme"))
    place.bundle("zeta", source("zeta"))

    assert chosen(place.discover(), "zeta") == ["zeta"]


def test_a_plugin_that_is_not_installed_says_what_to_install(place: Place) -> None:
    """The line has the command that mends it."""
    place.bundle("gone", source("gone", "livekit-plugins-gone"))

    assert refusal(place.discover(), "gone") == (
        "provider gone is not installed; run: pip install livekit-plugins-gone"
    )


def test_all_fails_while_one_is_not_installed(place: Place) -> None:
    """All means all, so a gap is an error and not a shorter run."""
    place.bundle("acme", source("acme"))
    place.bundle("gone", source("gone", "livekit-plugins-gone"))
    place.bundle("lost", source("lost", "livekit-plugins-lost"))

    assert refusal(place.discover(), "all") == (
        "providers gone, lost are not installed; "
        "run: pip install livekit-plugins-gone livekit-plugins-lost"
    )


def test_all_is_every_adapter_that_was_found(place: Place) -> None:
    """In name order, so that the same environment gives the same run."""
    place.bundle("zeta", source("zeta"))
    place.bundle("acme", source("acme"))

    assert chosen(place.discover(), "all") == ["acme", "zeta"]


def test_bundled_ones_can_be_left_out(place: Place) -> None:
    """A caller that wants only its own adapters gets those."""
    place.bundle("acme", source("acme"))

    assert discover(rootdir=place.rootdir, bundled=False).providers == {}


def test_the_bundled_adapters_are_found_without_importing_livekit() -> None:
    """Listing what can be certified must stay quick, and work without the plugins."""
    program = (
        "import sys; from pathlib import Path; "
        "from conformance.plugin.discovery import discover; "
        "found = discover(rootdir=Path('/nonexistent')); "
        "assert not found.problems, found.problems; "
        "print([n for n in sys.modules if n.split('.')[0] in ('livekit', 'pytest', 'aiohttp')])"
    )

    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )

    assert done.stdout == "[]\n"


def test_an_avatar_that_the_installed_host_lacks_is_left_out(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It came with a later host: neither the default nor ``all`` takes it then."""
    monkeypatch.setattr(provider_module, "has_module", lambda distribution, module: False)
    found = discover(rootdir=tmp_path)
    assert "inference" in found.providers
    for taken in (select(found, ["all"]), select(found)):
        assert "inference" not in [provider.name for provider in taken]


def test_a_module_is_found_in_the_list_of_files() -> None:
    """By its name in the distribution; nothing is imported for it."""
    assert has_module("livekit-agents", "livekit.agents.voice.avatar")
    assert not has_module("livekit-agents", "livekit.agents.inference.nobody")
    assert has_module("not-installed-at-all", "nobody")
