from __future__ import annotations

import contextlib
import datetime
import functools
import io
import json
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from conformance.certificate.envelope import read_private_key, read_public_key
from conformance.certificate.statement import to_statement
from conformance.certificate.wheel import read_wheel
from conformance.certification.deviations_file import read_baseline
from conformance.cli import main
from conformance.errors import ConformanceError, UsageError
from conformance.report.json_report import to_json
from conformance.results.json_input import LARGEST_REPORT, Unreadable, read_json
from conformance.results.outcomes import Outcome
from tests.certificate.certificate_sample import certificate, make_wheel, use, whole_run

INPUTS = 2000
LONGEST = 60.0
"""Seconds that any one input may take, on a machine that is busy with other things."""

JUNK = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.text(max_size=20)
    | st.sampled_from(["passed", "acme", "SWAP-01", "2026.1", "2026-99-99", "\x1b[31m", "a\nb"]),
    lambda below: st.lists(below, max_size=4) | st.dictionaries(st.text(max_size=9), below),
    max_leaves=12,
)

SOON = str(datetime.date.today() + datetime.timedelta(days=100))


@functools.cache
def samples() -> dict[str, Any]:
    """A valid file of each kind, as JSON values and made small, so that a change is likely felt."""
    run = whole_run({"acme::SWAP-01": Outcome.EXPECTED_FAILURE}, deviations=[use("SWAP-01")])
    entry = {
        "requirement": "SWAP-01",
        "reason": "the vendor's API has no call for it",
        "reference": "https://example.test/1",
        "owner": "acme",
        "expires": SOON,
    }
    return {
        "report": to_json(run),
        "certificate": to_statement(certificate(run)),
        "envelope": {
            "payload": "e30=",
            "payloadType": "application/vnd.in-toto+json",
            "signatures": [{"keyid": "", "sig": "e30="}],
        },
        "deviations": {"deviations": [entry]},
    }


@st.composite
def near_misses(draw: st.DrawFn) -> bytes:
    """A valid file with one value in it exchanged, taken away, put in twice, or its text cut."""
    data = json.loads(json.dumps(samples()[draw(st.sampled_from(sorted(samples())))]))
    place, key = data, None
    for _ in range(draw(st.integers(1, 7))):
        if not isinstance(place, (dict, list)) or not place:
            break
        keys = sorted(place) if isinstance(place, dict) else range(len(place))
        holder, key = place, draw(st.sampled_from(list(keys)))
        place = holder[key]
    how = draw(st.sampled_from(["exchange", "exchange", "take", "add"]))
    if key is not None and how == "exchange":
        holder[key] = draw(JUNK)
    elif key is not None and how == "take":
        del holder[key]
    elif isinstance(data, dict):
        data[draw(st.text(max_size=9))] = draw(JUNK)
    text = json.dumps(data).encode("utf-8")
    if draw(st.integers(0, 9)) == 0:
        text = text[: draw(st.integers(0, len(text)))]
    return text


CONTENTS = (
    near_misses()
    | st.binary(max_size=200)
    | JUNK.map(lambda value: json.dumps(value).encode("utf-8"))
    | st.sampled_from(
        [b"", b" \n", b"\xef\xbb\xbf{}", b"[" * 5000, b'{"a":' * 5000, b"1" * 5000, b"NaN", b"-"]
    )
)


def _command(*arguments: str) -> Callable[[Path], None]:
    def use_it(path: Path) -> None:
        out, err = io.StringIO(), io.StringIO()
        with contextlib.redirect_stdout(out), contextlib.redirect_stderr(err):
            code = main([part.replace("FILE", str(path)) for part in arguments])
        assert code in (0, 1, 2)
        assert (code == 2) == (err.getvalue().startswith("avatar-conformance: "))
        if code == 2:
            assert err.getvalue().count("\n") == 1
            assert out.getvalue() == ""
        assert "\x1b" not in out.getvalue() + err.getvalue()

    return use_it


def _reader(read: Callable[[Path], object]) -> Callable[[Path], None]:
    def use_it(path: Path) -> None:
        with contextlib.suppress(ConformanceError):
            read(path)

    return use_it


def _wheel(path: Path) -> None:
    wheel = path.with_name("livekit_plugins_acme-1.0-py3-none-any.whl")
    wheel.write_bytes(path.read_bytes())
    _reader(read_wheel)(wheel)


READERS: dict[str, Callable[[Path], None]] = {
    "verify": _command("verify", "FILE"),
    "verify --wheel": _command("verify", "FILE", "--wheel", "FILE"),
    "diff": _command("diff", "FILE", "FILE"),
    "matrix": _command("matrix", "FILE"),
    "baseline": _command(
        *("baseline", "FILE", "--out", "FILE.out", "--overwrite"),
        *("--owner", "me", "--expires", SOON),
    ),
    "certify --wheel": _command("certify", "acme", "--wheel", "FILE", "--out", "FILE.out"),
    "wheel": _wheel,
    "public key": _reader(read_public_key),
    "private key": _reader(read_private_key),
    "deviations": _reader(lambda path: read_baseline(path, ("acme",))),
}


@pytest.mark.parametrize("reader", READERS)
@settings(
    max_examples=INPUTS // len(READERS),
    derandomize=True,
    database=None,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
@given(content=CONTENTS)
def test_no_file_makes_a_traceback(
    reader: str, content: bytes, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Whatever is in a file, it is read or refused in one line, in bounded time."""
    path = tmp_path_factory.getbasetemp() / "fuzz.json"
    path.write_bytes(content)
    began = time.monotonic()
    READERS[reader](path)
    assert time.monotonic() - began < LONGEST


@pytest.mark.parametrize("reader", [name for name in READERS if name != "wheel"])
def test_no_path_makes_a_traceback(reader: str, tmp_path: Path) -> None:
    """A file that is missing, a directory, a device, a name that no file can have."""
    for path in (tmp_path / "none", tmp_path, Path("/dev/zero"), Path("a\0b"), Path("x" * 5000)):
        READERS[reader](path)


def test_a_huge_file_is_refused_unread(tmp_path: Path) -> None:
    """100 MB are refused by their size, whatever is in them."""
    path = tmp_path / "huge.json"
    with path.open("wb") as file:
        file.write(b'{"subjects":[')
        file.truncate(100_000_000)
    for limit in (LARGEST_REPORT, 2**20):
        with pytest.raises(Unreadable, match="is larger than"):
            read_json(path, limit=limit)
    for reader in ("verify", "diff", "matrix", "baseline", "public key", "private key"):
        READERS[reader](path)
    READERS["deviations"](path)


def test_a_file_of_a_million_values_is_refused(tmp_path: Path) -> None:
    """A file within the size that would take minutes to validate is refused as well."""
    path = tmp_path / "many.json"
    path.write_bytes(b'{"why_partial":[' + b"0," * 1_100_000 + b"0]}")
    with pytest.raises(Unreadable, match="holds more than 1,000,000 values"):
        read_json(path)


def test_a_damaged_wheel_is_refused(tmp_path: Path) -> None:
    """Each part of a zip file cut off or changed is one line, or the wheel is still one."""
    whole = make_wheel(tmp_path)
    data = whole.read_bytes()
    for position in range(0, len(data), 7):
        for damaged in (data[:position], data[:position] + b"\xff" + data[position + 1 :]):
            whole.write_bytes(damaged)
            with contextlib.suppress(ConformanceError):
                read_wheel(whole)


def test_a_wheel_that_unpacks_to_much_is_not_unpacked(tmp_path: Path) -> None:
    """Of the metadata no more than a mebibyte is read."""
    path = make_wheel(tmp_path)
    name = "livekit_plugins_acme-1.0.dist-info/METADATA"
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, b"Name: x\n" + b"\0" * 200_000_000)
    with pytest.raises(UsageError, match="name another distribution"):
        read_wheel(path)
