from __future__ import annotations

import json
import os
import zipfile
from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from conformance.certificate.environment import CommandInstaller, Environment, scrubbed
from conformance.certificate.integrity import (
    changes_against_record,
    changes_against_wheel,
    record_digest,
    unknown_files,
)
from conformance.certificate.isolated_run import SubprocessTrial
from conformance.certificate.issuing import Issued, Request, certify
from conformance.certificate.kit_wheel import repack
from conformance.certificate.list_providers import Found, Survey
from conformance.certificate.loading import load
from conformance.certificate.signing import sign
from conformance.certificate.verification import verify
from conformance.certificate.wheel import read_wheel
from conformance.cli import main
from conformance.errors import UsageError
from conformance.results.outcomes import Outcome
from conformance.results.tiers import Tier
from tests.certificate.certificate_sample import (
    DIST,
    NOW,
    FakeInstaller,
    FakeIsolatedRun,
    make_wheel,
    whole_run,
)


def issue(tmp_path: Path, trial: FakeIsolatedRun | None = None, **changes: Any) -> Issued:
    """Certify a wheel with nothing installed and a run that is given."""
    values: dict[str, Any] = {
        "distribution": DIST,
        "out": tmp_path / "out",
        "wheel": make_wheel(tmp_path / "dist"),
        **changes,
    }
    installer = values.pop("installer", FakeInstaller())
    return certify(Request(**values), installer, trial or FakeIsolatedRun(whole_run()), now=NOW)


def written(tmp_path: Path) -> list[str]:
    """What is in the output directory."""
    return sorted(path.name for path in (tmp_path / "out").iterdir())


def test_a_wheel_is_certified_and_verifies(tmp_path: Path) -> None:
    """A clean run gives a certificate, which is signed and verifies against wheel and key."""
    key = Ed25519PrivateKey.generate()
    trial = FakeIsolatedRun(whole_run(variants=True), origin="livekit_plugins_acme.adapter")
    issued = issue(tmp_path, trial, url="https://example.test/run/1")
    assert written(tmp_path) == [
        "livekit-plugins-acme-1.0.badge.json",
        "livekit-plugins-acme-1.0.intoto.jsonl",
        "livekit-plugins-acme-1.0.report.json",
    ]
    assert issued.path is not None
    sign(issued.path, key)
    assert issued.path.read_text("utf-8").count("\n") == 1
    wheel = tmp_path / "dist" / "livekit_plugins_acme-1.0-py3-none-any.whl"
    verification = verify(issued.path, wheel=wheel, key=key.public_key(), now=NOW)
    assert verification.certified
    assert {verdict.state for verdict in verification.verdicts} == {"ok"}
    loaded = load(issued.path)
    assert loaded.certificate is not None
    assert loaded.certificate.tier is Tier.ROBUST
    assert loaded.certificate.url == "https://example.test/run/1"


def test_without_a_wheel_the_indexs_is_certified(tmp_path: Path) -> None:
    """The subject is the wheel that was downloaded."""
    installer = FakeInstaller(make_wheel(tmp_path / "index"))
    issued = issue(tmp_path, wheel=None, installer=installer, host="1.8.0")
    assert issued.certificate is not None
    assert issued.certificate.wheel == "livekit_plugins_acme-1.0-py3-none-any.whl"
    assert installer.installed[-1] == "livekit-agents==1.8.0"


def test_a_failed_run_gives_evidence_against_the_wheel(tmp_path: Path) -> None:
    """A complete run that fails is written, of tier none, and does not verify."""
    issued = issue(tmp_path, FakeIsolatedRun(whole_run({"acme::SWAP-01": Outcome.FAILED})))
    assert issued.certificate is not None
    assert issued.certificate.tier is Tier.NONE
    assert issued.path is not None
    assert not verify(issued.path, now=NOW, allow_unsigned=True).certified


@pytest.mark.parametrize(
    ("trial", "reason"),
    [
        (FakeIsolatedRun(whole_run(skipped=["acme::SWAP-01"])), "acme: 1 checks not run"),
        (FakeIsolatedRun(whole_run({"acme::SWAP-01": Outcome.ERROR})), "is an error of the kit"),
        (
            FakeIsolatedRun(
                whole_run(),
                lambda at: (at / "conformance/suite/registry.py").write_text("pass\n") and None,
            ),
            "the suite was tampered with: conformance/suite/registry.py has been changed",
        ),
        (
            FakeIsolatedRun(
                whole_run(), lambda at: (at / "conformance/new.py").write_text("1\n") and None
            ),
            "conformance/new.py does not belong to the kit",
        ),
        (
            FakeIsolatedRun(whole_run(), lambda at: (at / "conformance/errors.py").unlink()),
            "conformance/errors.py is gone",
        ),
    ],
)
def test_some_runs_certify_nothing(tmp_path: Path, trial: FakeIsolatedRun, reason: str) -> None:
    """A partial run, an error, a tampered suite: the report is kept, no certificate is written.

    Nor is there a badge that says anything else.
    """
    issued = issue(tmp_path, trial)
    assert issued.certificate is None
    assert reason in issued.nothing_because[0]
    assert written(tmp_path) == ["livekit-plugins-acme-1.0.report.json"]


@pytest.mark.parametrize(
    ("trial", "changes", "message"),
    [
        (FakeIsolatedRun(whole_run(version="2.0")), {}, "made with version 2.0, the wheel is 1.0"),
        (FakeIsolatedRun(whole_run(kit="9.9")), {}, "made with kit 9.9, this is 0.1.0"),
        (FakeIsolatedRun(whole_run(names=("beta",))), {}, "about other providers"),
        (
            FakeIsolatedRun(whole_run(), names=()),
            {},
            "no adapter for livekit-plugins-acme; give one",
        ),
        (
            FakeIsolatedRun(whole_run(), problems=("adapter acme: wrong",)),
            {},
            "adapter acme: wrong",
        ),
        (None, {"providers": ("beta",)}, "has no provider 'beta'; known are: acme"),
        (None, {"distribution": "livekit-plugins-beta"}, "is no wheel of livekit-plugins-beta"),
        (None, {"distribution": "-r x"}, "'-r x' is no distribution"),
        (None, {"adapter": "none.py"}, "--adapter none.py: cannot be read"),
    ],
)
def test_what_cannot_be_certified_is_one_line(
    tmp_path: Path, trial: FakeIsolatedRun | None, changes: dict[str, Any], message: str
) -> None:
    """A run about something else, a missing adapter, a wrong name: nothing is written."""
    with pytest.raises(UsageError, match=message) as caught:
        issue(tmp_path, trial, **changes)
    assert "\n" not in str(caught.value)
    assert not list(tmp_path.glob("out/*"))


def test_an_out_that_cannot_be_written_is_told_before_the_run(tmp_path: Path) -> None:
    """Nobody waits for a run whose result has nowhere to go."""
    blocker = tmp_path / "file"
    blocker.write_text("")
    for out in (blocker, blocker / "below"):
        with pytest.raises(UsageError, match="cannot be written to"):
            issue(tmp_path, out=out)


def test_a_file_where_the_certificate_would_be_is_one_line(tmp_path: Path) -> None:
    """A directory in the way leaves nothing half-written."""
    (tmp_path / "out" / "livekit-plugins-acme-1.0.intoto.jsonl").mkdir(parents=True)
    with pytest.raises(UsageError, match="it is a directory"):
        issue(tmp_path)
    assert not list(tmp_path.glob("out/.*"))


def test_an_adapters_file_is_put_where_the_run_finds_it(tmp_path: Path) -> None:
    """--adapter FILE.py becomes the run's conformance_adapter.py, and nothing else is there."""
    adapter = tmp_path / "mine.py"
    adapter.write_text("pass\n")
    trial = FakeIsolatedRun(whole_run())
    issue(tmp_path, trial, adapter=str(adapter))
    assert trial.folder_had == ("conformance_adapter.py",)


def test_a_run_sees_no_credential_and_no_option(tmp_path: Path) -> None:
    """Only what names no secret and steers no tool gets through."""
    surroundings = {
        "PATH": "/bin",
        "LANG": "C.UTF-8",
        "HOME": "/home/me",
        "ANAM_API_KEY": "secret",
        "LIVEKIT_API_SECRET": "secret",
        "PYTEST_ADDOPTS": "-k nothing",
        "PYTHONPATH": "/tmp/evil",
        "GITHUB_TOKEN": "secret",
        "HTTPS_PROXY": "http://user:secret@proxy",
    }
    given = scrubbed(tmp_path, surroundings)
    assert given == {
        "PATH": "/bin",
        "LANG": "C.UTF-8",
        "HOME": str(tmp_path),
        "PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1",
        "PYTHONDONTWRITEBYTECODE": "1",
    }


@pytest.mark.parametrize(
    ("member", "message"),
    [
        ("conformance/suite/registry.py", "belongs to avatar-conformance"),
        ("livekit/agents/voice/io.py", "belongs to livekit-agents"),
        ("livekit_plugins_acme-1.0.data/purelib/_pytest/main.py", "belongs to pytest"),
        ("pluggy.py", "belongs to pluggy"),
        ("acme.pth", "which Python runs unasked"),
        ("sitecustomize.py", "which Python runs unasked"),
        ("pytest-9.0.dist-info/RECORD", "the metadata of others"),
        ("livekit_plugins_acme-1.0.data/purelib/acme.pth", "which Python runs unasked"),
        ("livekit_plugins_acme-1.0.data/platlib/sitecustomize.py", "which Python runs unasked"),
        ("livekit_plugins_acme-1.0.data/purelib/conformance/x.py", "belongs to avatar-conf"),
        ("livekit_plugins_acme-1.0.data/data/lib/x.pth", "outside the package directory"),
        ("livekit_plugins_acme-1.0.data/scripts/python", "outside the package directory"),
        ("livekit_plugins_acme-1.0.data/headers/x.h", "outside the package directory"),
        ("./acme.pth", "no plain path"),
        ("acme/../acme.pth", "no plain path"),
        ("/etc/passwd", "no plain path"),
        ("acme\\x.py", "no plain path"),
        ("acme\x1b[2J.py", "no plain path"),
        ("Conformance/suite/x.py", "belongs to avatar-conformance"),
        ("usercustomize/__init__.py", "which Python runs unasked"),
        ("sitecustomize.cpython-311-x86_64-linux-gnu.so", "which Python runs unasked"),
        ("conformance.cpython-311-x86_64-linux-gnu.so", "belongs to avatar-conformance"),
        ("acme_avatar/__pycache__/x.cpython-311.pyc", "bytecode"),
    ],
)
def test_a_wheel_that_reaches_into_other_packages_is_refused(
    tmp_path: Path, member: str, message: str
) -> None:
    """A plugin may not bring parts of what judges it."""
    with pytest.raises(UsageError, match=message):
        read_wheel(make_wheel(tmp_path, {member: "x"}))


@pytest.mark.parametrize(
    ("entry_points", "message"),
    [
        ("[pytest11]\nacme = acme_avatar", "a plugin of pytest"),
        ("[console_scripts]\npython3 = acme_avatar:main", "the place of a tool"),
        ("[console_scripts]\n../x = acme_avatar:main", "outside the scripts' directory"),
        ("no section", "cannot be read"),
    ],
)
def test_entry_points_that_no_plugin_needs_are_refused(
    tmp_path: Path, entry_points: str, message: str
) -> None:
    """No plugin of pytest comes with what pytest judges, and no script named like a tool."""
    members = {"livekit_plugins_acme-1.0.dist-info/entry_points.txt": entry_points}
    with pytest.raises(UsageError, match=message):
        read_wheel(make_wheel(tmp_path, members))


@pytest.mark.parametrize("name", ["helper.pth", "sitecustomize.py"])
def test_a_dependency_that_runs_unasked_is_refused_before_the_run(
    tmp_path: Path, name: str
) -> None:
    """A file that Python runs at its start is refused, whichever distribution brings it."""
    helper = make_wheel(tmp_path, {name: "import os"}, name="helper")
    trial = FakeIsolatedRun(whole_run())
    with pytest.raises(UsageError, match=f"refused: {name}, which Python runs unasked"):
        issue(tmp_path, trial, adapter=str(helper))
    assert trial.folder_had == ()


def test_a_dependency_that_changes_the_kit_is_refused_before_the_run(tmp_path: Path) -> None:
    """The kit's files are compared before anything of the plugin runs, and again afterwards."""
    helper = make_wheel(tmp_path, {"conformance/errors.py": "pass\n"}, name="helper")
    with pytest.raises(UsageError, match=r"refused: conformance/errors.py has been changed"):
        issue(tmp_path, FakeIsolatedRun(whole_run()), adapter=str(helper))


def test_an_adapter_in_the_place_of_the_kits_own_is_refused(tmp_path: Path) -> None:
    """A wheel may not answer for itself where the kit has an adapter, unless the caller says so."""

    class Own(FakeIsolatedRun):
        def survey(self, environment: Environment, distribution: str, folder: Path) -> Survey:
            return Survey((Found("anam", DIST, "1.0", "entry point anam = x", "0" * 64),), ())

    trial = Own(whole_run(names=("anam",)))
    with pytest.raises(UsageError, match="takes the place of the kit's own adapter for anam"):
        issue(tmp_path, trial)
    assert issue(tmp_path, trial, adapter=DIST).certificate is not None


def test_files_are_named_by_the_wheel(tmp_path: Path) -> None:
    """What the judged environment calls the distribution is no part of a path."""

    class Elsewhere(FakeIsolatedRun):
        def survey(self, environment: Environment, distribution: str, folder: Path) -> Survey:
            return Survey((Found("acme", "../../x", "1.0", "bundled", "0" * 64),), ())

    with pytest.raises(UsageError, match="is not of livekit-plugins-acme"):
        issue(tmp_path, Elsewhere(whole_run()))


def test_a_plugins_own_files_are_its_own(tmp_path: Path) -> None:
    """The usual namespace of plugins, and names that only begin alike, are fine."""
    members = {
        "livekit/plugins/acme/__init__.py": "",
        "conformance_adapter.py": "",
        "pytest_acme/x.py": "",
    }
    wheel = read_wheel(make_wheel(tmp_path, members))
    assert (wheel.distribution, wheel.version) == (DIST, "1.0")


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        ("acme.whl", b"x", "is not named like a wheel"),
        ("acme-1.0-py3-none-any.whl", b"x", "is no wheel: File is not a zip file"),
        ("acme-1.0-py3-none-any.whl", b"", "is no wheel"),
    ],
)
def test_a_file_that_is_no_wheel_is_one_line(
    tmp_path: Path, name: str, content: bytes, message: str
) -> None:
    """A wheel is known by its name, its form and its metadata."""
    path = tmp_path / name
    path.write_bytes(content)
    with pytest.raises(UsageError, match=message):
        read_wheel(path)


def test_a_wheel_under_another_name_is_refused(tmp_path: Path) -> None:
    """File name and metadata must agree on distribution and version."""
    path = make_wheel(tmp_path)
    other = path.rename(path.with_name("other-1.0-py3-none-any.whl"))
    with pytest.raises(UsageError, match="name another distribution"):
        read_wheel(other)
    other = other.rename(other.with_name("livekit_plugins_acme-2.0-py3-none-any.whl"))
    with pytest.raises(UsageError, match="give another version"):
        read_wheel(other)


def installed_kit(site_packages: Path, version: str = "0.1.0") -> Path:
    """A kit of one module, as pip installs it."""
    info = site_packages / f"avatar_conformance-{version}.dist-info"
    info.mkdir(parents=True)
    (site_packages / "conformance").mkdir()
    module = site_packages / "conformance" / "__init__.py"
    module.write_text("__version__ = '0.1.0'\n")
    (info / "METADATA").write_text(f"Name: avatar-conformance\nVersion: {version}\n")
    rows = [
        f"{path.relative_to(site_packages).as_posix()},{record_digest(path.read_bytes())},1"
        for path in (module, info / "METADATA")
    ]
    rows += ["../../bin/avatar-conformance,sha256=x,1", "conformance/__pycache__/a.pyc,,"]
    (info / "RECORD").write_text("\n".join([*rows, f"{info.name}/RECORD,,", ""]))
    return module


def test_an_installed_kit_is_packed_again(tmp_path: Path) -> None:
    """The wheel has the files of the installation, without script and bytecode, and a RECORD."""
    site_packages = tmp_path / "lib" / "python" / "site-packages"
    installed_kit(site_packages)
    record = next(site_packages.glob("*.dist-info")) / "RECORD"
    record.write_text(record.read_text().replace("../../bin/avatar-conformance,sha256=x,1\n", ""))
    wheel = repack(site_packages, tmp_path)
    with zipfile.ZipFile(wheel) as archive:
        assert sorted(archive.namelist()) == [
            "avatar_conformance-0.1.0.dist-info/METADATA",
            "avatar_conformance-0.1.0.dist-info/RECORD",
            "conformance/__init__.py",
        ]
        archive.extractall(tmp_path / "again")
    assert list(changes_against_record(tmp_path / "again", ["avatar-conformance"])) == []
    assert list(changes_against_wheel(tmp_path / "again", wheel)) == []


def test_a_kit_that_was_changed_is_not_packed(tmp_path: Path) -> None:
    """An edited check is seen by the RECORD of the installed kit, and so is an added one."""
    module = installed_kit(tmp_path / "edited")
    module.write_text("__version__ = '0.1.0'  # passes everything\n")
    with pytest.raises(UsageError, match=r"__init__\.py has been changed"):
        repack(tmp_path / "edited", tmp_path)
    module = installed_kit(tmp_path / "added")
    assert list(unknown_files(tmp_path / "added", ["conformance/__init__.py"])) == []
    module.with_name("more.py").write_text("")
    assert list(unknown_files(tmp_path / "added", ["conformance/__init__.py"])) == [
        "conformance/more.py does not belong to the kit"
    ]


def test_the_command_says_where_and_what(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The command prints report, certificate, tier and expiry, and exits by the tier."""
    from conformance.certificate import environment
    from conformance.certificate import isolated_run as trial

    outcomes: dict[str, Outcome] = {}
    monkeypatch.setattr(environment.CommandInstaller, "at_hand", lambda: FakeInstaller())
    monkeypatch.setattr(trial, "SubprocessTrial", lambda say: FakeIsolatedRun(whole_run(outcomes)))
    wheel = make_wheel(tmp_path / "dist")
    command = ["certify", DIST, "--wheel", str(wheel), "--out", str(tmp_path / "out")]
    assert main(command) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[0] for line in lines] == ["report", "tier", "certificate", "expires"]
    outcomes["acme::SWAP-01"] = Outcome.FAILED
    assert main(command) == 1
    assert "not certified: acme::SWAP-01 failed: no tail is bound" in capsys.readouterr().err
    outcomes["acme::SWAP-01"] = Outcome.ERROR
    assert main(command) == 1
    assert "certifies nothing: acme::SWAP-01 is an error" in capsys.readouterr().err
    assert main([*command, "--days", "9000"]) == 2
    assert main(["certify", DIST, "--wheel", "none.whl"]) == 2
    assert main(["sign", "none.jsonl", "--key", "none.pem"]) == 2


@pytest.mark.installs
def test_a_real_run_in_a_real_environment(tmp_path: Path) -> None:
    """A tiny wheel, a fresh environment, the real suite in a process of its own: a certificate.

    The provider is the kit's reference one under another name. Needs a package index.
    """
    if os.environ.get("AVATAR_CONFORMANCE_OFFLINE"):
        pytest.skip("told that there is no package index")
    adapter = (
        "from conformance.plugin import hookimpl\n"
        "from conformance.reference import adapter as reference\n"
        "create_avatar = reference.create_avatar\n"
        "vendor_backend = reference.vendor_backend\n"
        "@hookimpl\n"
        "def avatar_provider_manifest():\n"
        "    return {**reference.avatar_provider_manifest(), 'name': 'acme',\n"
        "            'distribution': 'livekit-plugins-acme'}\n"
    )
    info = "livekit_plugins_acme-1.0.dist-info"
    wheel = make_wheel(
        tmp_path / "dist",
        {
            "acme_avatar/adapter.py": adapter,
            f"{info}/entry_points.txt": "[avatar_conformance]\nacme = acme_avatar.adapter\n",
        },
    )
    said: list[str] = []
    request = Request(DIST, tmp_path / "out", wheel, days=3)
    issued = certify(request, CommandInstaller.at_hand(), SubprocessTrial(said.append))
    report = json.loads(issued.report.read_text("utf-8"))
    assert [subject["name"] for subject in report["subjects"]] == ["host", "endpoint", "acme"]
    assert not [line for line in issued.nothing_because if "tampered" in line]
    assert [line for line in said if line.startswith("acme (livekit-plugins-acme 1.0): ")], said
    assert [line for line in said if line.startswith("network: ")], said
    if issued.path is not None:
        verdicts = {v.name: v.state for v in verify(issued.path, wheel=wheel).verdicts}
        assert {verdicts[n] for n in ("schema", "wheel", "validity", "ledger", "revision")} == {
            "ok"
        }
