"""The command line options of the pytest plugin; nothing is imported to declare them."""

from __future__ import annotations

from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import pytest


def add_options(parser: pytest.Parser) -> None:
    """Declare the command line options."""
    group = parser.getgroup("conformance", "certification of avatar plugins")
    group.addoption("--conformance", action="store_true", help="certify avatar plugins")
    group.addoption(
        "--provider",
        action="append",
        default=[],
        metavar="NAME",
        help="certify this provider, repeatable; 'all' for every one that is found",
    )
    group.addoption(
        "--requirement",
        action="append",
        default=[],
        metavar="ID-GLOB",
        help="only requirements that match, repeatable: SWAP-02, 'SWAP-*'",
    )
    group.addoption("--level", choices=("must", "should"), help="only requirements of this level")
    group.addoption(
        "--conformance-seed",
        type=int,
        metavar="N",
        help="shuffle callbacks that are ready at the same moment by this seed",
    )
    group.addoption(
        "--conformance-processes",
        type=int,
        metavar="N",
        help="judge in N forked processes, each with whole providers (Linux; as many as there are "
        "cores where nothing is said; 1: in pytest's own process)",
    )
    group.addoption(
        "--live",
        action="store_true",
        help="play on a real LiveKit server, in real time: the one that LIVEKIT_URL, "
        "LIVEKIT_API_KEY and LIVEKIT_API_SECRET name, else one that is started for the run "
        "(LIVEKIT_SERVER, or livekit-server on PATH)",
    )
    group.addoption(
        "--deployed",
        action="store_true",
        help="judge the vendor's own worker and API by ear: the plugin talks to the declared hosts "
        "with the credentials of its environment variables, on a real LiveKit server; implies "
        "--live",
    )
    group.addoption(
        "--worker",
        metavar="COMMAND",
        help="judge this worker alone, without plugin or API: it is started with LIVEKIT_URL and "
        "LIVEKIT_TOKEN in its environment; implies --deployed",
    )
    group.addoption(
        "--vendor-at",
        action="append",
        default=[],
        metavar="HOST:PORT",
        help="with --deployed, another address of the vendor's API, repeatable: one that runs here",
    )
    for name, what in (
        ("url", "play on this LiveKit server, as ws://127.0.0.1:7880; implies --live"),
        ("api-key", "its API key"),
        ("api-secret", "its API secret"),
    ):
        group.addoption(f"--livekit-{name}", metavar=name.upper(), help=what)
    group.addoption(
        "--exchange",
        choices=("plain", "switcher"),
        default="plain",
        help="who exchanges the avatars: the plugin's own calls, or the kit's AvatarSwitcher: "
        "only the checks of an exchange, without known deviations; certifies nothing",
    )
    group.addoption(
        "--no-mends",
        action="store_true",
        help="leave what a defect of livekit-agents blocks as it is, and judge nothing on a "
        "mended host",
    )
    group.addoption(
        "--conformance-controls",
        action="store_true",
        help="judge known broken providers beside each one, at checks that nobody knows before: "
        "one that passes makes that check an error (as `certify` does)",
    )
    group.addoption(
        "--no-deviations",
        action="store_true",
        help="show known deviations as the failures that they are",
    )
    group.addoption(
        "--require-tier",
        metavar="TIER",
        help="fail unless every provider has earned this tier: swap-safe, fault-safe or robust",
    )
    for name, what in (
        ("deviations", "read more known deviations from this JSON file"),
        ("report", "write the JSON report"),
        ("html", "write the HTML report"),
        ("badge", "write a badge for shields.io (JSON)"),
        ("markdown", "write a summary in Markdown"),
    ):
        group.addoption(f"--conformance-{name}", metavar="FILE", help=what)
    group.addoption(
        "--conformance-step-summary",
        action="store_true",
        help="append the Markdown summary to $GITHUB_STEP_SUMMARY",
    )
    group.addoption(
        "--conformance-annotations",
        action="store_true",
        help="print failures as annotations of GitHub Actions",
    )
