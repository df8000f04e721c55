"""BIND, continued: where a provider's settings come from, and what it says of missing ones."""

from __future__ import annotations

import inspect
from collections import Counter

from livekit.agents import APIConnectOptions

from conformance.errors import exception_text
from conformance.results.outcomes import NotApplicable, ProviderRaised, Violation
from conformance.stage.environ import environ
from conformance.suite.registry import check
from conformance.suite.scene.chain import describe
from conformance.suite.scene.expect import expect, fail
from conformance.suite.scene.scene import Scene

LIVEKIT_VARIABLES = ("LIVEKIT_URL", "LIVEKIT_API_KEY", "LIVEKIT_API_SECRET")
OTHER_SERVER = (
    "wss://other.livekit.test",
    "other-key",
    "other-secret-that-is-long-enough-to-sign-with",
)


@check("BIND-08", variants=("arguments", "environment", "arguments-win"))
async def where_settings_come_from(scene: Scene, variant: str) -> None:
    """LiveKit's URL, key and secret come by keyword or environment, and keywords win."""
    await scene.start_session()
    given = scene.stage.server.credentials
    none = {"livekit_url": "", "livekit_api_key": "", "livekit_api_secret": ""}
    avatar = await scene.create(server=none if variant == "environment" else None)
    signature = inspect.signature(avatar.instance.start)
    missing = [n for n in ("agent_session", "room", *none) if not _accepts(signature, n)]
    expect(
        not missing,
        "start(agent_session, room, *, livekit_url, livekit_api_key, livekit_api_secret)",
        f"it does not take {', '.join(missing)}",
    )
    environments: dict[str, dict[str, str | None]] = {
        "arguments": dict.fromkeys(LIVEKIT_VARIABLES),
        "environment": dict(
            zip(LIVEKIT_VARIABLES, (given.url, given.api_key, given.api_secret), strict=True)
        ),
        "arguments-win": dict(zip(LIVEKIT_VARIABLES, OTHER_SERVER, strict=True)),
    }
    with environ(environments[variant]):
        await scene.start(avatar, ready=False)
    if not avatar.workers or avatar.workers[0].spec.minted:
        return
    spec = avatar.workers[0].spec
    expect(spec.url == given.url, f"the vendor is told {given.url}", f"it is told {spec.url}")
    await scene.ready(avatar)
    expect(
        avatar.workers[0].in_room,
        "the avatar joins with a token that this server accepts",
        f"it was refused: {avatar.workers[0].refused or 'not joined'}",
    )


def _accepts(signature: inspect.Signature, name: str) -> bool:
    parameters = signature.parameters
    return name in parameters or any(p.kind is p.VAR_KEYWORD for p in parameters.values())


@check("BIND-15")
async def without_retries(scene: Scene) -> None:
    """With retries set to none a healthy vendor is called once, and the start works."""
    await scene.start_session()
    avatar = await scene.create(connect_options=APIConnectOptions(max_retry=0))
    if "conn_options" not in avatar.context.asked:
        raise NotApplicable(
            "the adapter hands on no connection options (AdapterContext.conn_options())"
        )
    await scene.start(avatar)
    calls = Counter(request.call for request in avatar.backend.requests)
    again = [f"{name} {count} times" for name, count in calls.items() if count > 1]
    expect(
        bool(calls) and not again,
        "each call of start() is made once",
        ", ".join(again) or "no call is made",
        hint="range(max_retry) makes no attempt where max_retry is 0: count one attempt more",
    )


@check("BIND-09")
async def missing_settings(scene: Scene) -> None:
    """A missing credential raises the documented exception before anything is bound."""
    await scene.start_session()
    documented = scene.provider.documented_exception()
    before = scene.chain().tail
    of_room = ("livekit_url", "livekit_api_key", "livekit_api_secret")
    needed = [c.name for c in scene.manifest.credentials]
    api = scene.provider.vendor_backend(scene.adapter_context())
    if scene.manifest.capabilities.joins_room and (api is None or api.takes_token):
        needed += of_room
    for missing in needed:
        raised = await _start_without(scene, missing)
        if raised is None:
            fail(
                f"{documented.__name__} when {missing} is missing",
                "start() returned",
                hint=f"check {missing} before anything else and raise {documented.__name__}",
            )
        expect(
            scene.provider.raised_as_documented(raised),
            f"{documented.__name__} when {missing} is missing",
            exception_text(raised),
            hint=f"raise {documented.__name__}, which callers can catch",
        )
        expect(
            scene.chain().tail is before,
            f"nothing is bound when {missing} is missing",
            f"the tail is {describe(scene.chain().tail)}",
            hint="validate before binding",
        )


async def _start_without(scene: Scene, missing: str) -> Exception | None:
    of_livekit = missing.startswith("livekit_")
    try:
        avatar = await scene.create(
            f"without-{missing.replace('_', '-')}",
            withheld=None if of_livekit else missing,
            server={missing: ""} if of_livekit else None,
        )
        with environ(dict.fromkeys(LIVEKIT_VARIABLES) if of_livekit else {}):
            await scene.start(avatar, ready=False)
    except ProviderRaised as failure:
        return failure.error
    except Violation:
        raise
    except Exception as error:  # constructing may raise it too: that is what is judged
        return error
    return None
