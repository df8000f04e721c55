from __future__ import annotations

import shutil
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

import conformance
from conformance.errors import KitError
from conformance.requirements import load_catalogue
from conformance.resources import schema, schemas_dir, templates_dir

CHECKOUT = Path(conformance.__file__).resolve().parent.parent


def test_in_a_checkout_they_are_beside_the_package() -> None:
    """What is edited in a checkout is what is used."""
    if not (CHECKOUT / "pyproject.toml").is_file():
        pytest.skip("this is an installed kit, not a checkout")

    assert schemas_dir() == CHECKOUT / "schemas"
    assert templates_dir() == CHECKOUT / "templates"


def test_a_schema_is_read_by_its_name() -> None:
    """Callers name a schema and know of no file."""
    assert schema("manifest")["title"] == "Manifest of an avatar provider"


def test_an_unknown_schema_names_the_known_ones() -> None:
    """A wrong name is one line."""
    with pytest.raises(KitError, match=r"no schema 'manifesto'; there are: .*manifest"):
        schema("manifesto")


def build_wheel(into: Path) -> Path:
    """Build the kit's wheel from a copy of the checkout."""
    copy = into / "copy"
    copy.mkdir()
    for name in ("conformance", "vendor_adapters", "schemas", "templates"):
        ignored = shutil.ignore_patterns("__pycache__")
        shutil.copytree(CHECKOUT / name, copy / name, ignore=ignored)
    for name in ("pyproject.toml", "README.md", "LICENSE"):
        shutil.copy(CHECKOUT / name, copy / name)
    subprocess.run(
        [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(into / "dist")],
        cwd=copy,
        check=True,
        capture_output=True,
    )
    return next((into / "dist").glob("*.whl"))


def test_in_a_wheel_they_are_found_the_same(tmp_path: Path) -> None:
    """An installed kit finds its schemas, its templates and the requirements' data."""
    pytest.importorskip("hatchling", reason="building the wheel needs hatchling")
    if not (CHECKOUT / "pyproject.toml").is_file():
        pytest.skip("this is an installed kit, not a checkout")
    site = tmp_path / "site"
    with zipfile.ZipFile(build_wheel(tmp_path)) as wheel:
        wheel.extractall(site)
    program = (
        "from conformance.resources import schema, schemas_dir, templates_dir; "
        "from conformance.requirements import load_catalogue; "
        "print(schemas_dir(), templates_dir(), schema('manifest')['title'], len(load_catalogue()))"
    )

    done = subprocess.run(
        [sys.executable, "-P", "-c", program]
        if sys.version_info >= (3, 11)
        else [sys.executable, "-c", program],
        cwd=tmp_path,
        env={"PYTHONPATH": str(site)},
        check=True,
        capture_output=True,
        text=True,
    )

    package = site / "conformance"
    assert done.stdout.split(" ", 2)[:2] == [str(package / "schemas"), str(package / "templates")]
    count = len(load_catalogue())
    assert done.stdout.endswith(f"Manifest of an avatar provider {count}\n")
