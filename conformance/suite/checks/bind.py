"""BIND: starting a provider."""

from __future__ import annotations

from typing import Any

import jwt
from livekit.agents.metrics.base import AvatarMetrics
from livekit.agents.voice import avatar as host_avatar

from conformance import host
from conformance.results.outcomes import Finding, NotApplicable, Violation
from conformance.stage.faults import SLOW
from conformance.suite.registry import check
from conformance.suite.scene.audio_evidence import audio_evidence
from conformance.suite.scene.chain import Chain, describe, same
from conformance.suite.scene.expect import audio_difference, expect, seconds
from conformance.suite.scene.room_tokens import SIX_HOURS, RoomToken
from conformance.suite.scene.scene import AGENT, ROOM, Scene
from conformance.suite.scene.silence import nothing_heard, silence

KEEP_WRAPPERS = (
    "bind with `agent_session.output.replace_audio_tail(sink)`; "
    "`agent_session.output.audio = sink` replaces the whole chain"
)
ONE_TAIL_HINT = "build one sink in start() and bind it once, after the vendor's API has accepted"
BEHALF_HINT = (
    "mint with .with_kind('agent'), "
    ".with_attributes({ATTRIBUTE_PUBLISH_ON_BEHALF: job_ctx.local_participant_identity}) "
    "and VideoGrants(room_join=True, room=room.name)"
)


@check("BIND-01")
async def binds_exactly_one_tail(scene: Scene) -> None:
    """``start()`` binds exactly one tail."""
    await scene.start_session()
    before = scene.chain()
    with host.watch_bindings(scene.session.output) as bindings:
        await scene.started()
    after = scene.chain()
    expect(
        after.tail is not before.tail,
        "a tail of the provider is bound after start()",
        f"the tail is still {describe(before.tail)}",
        hint="start() must bind the avatar's sink with output.replace_audio_tail(sink)",
    )
    expect(
        len(bindings) <= 1,
        "start() binds one tail, once",
        f"it bound {len(bindings)} times: {', '.join(bindings)}",
        hint=ONE_TAIL_HINT,
    )


@check("BIND-02")
async def keeps_the_wrappers(scene: Scene) -> None:
    """Started mid-session, wrappers, listeners and the transcript output stay as they were."""
    await scene.start_session(record=True)
    before = scene.chain()
    await scene.started()
    kept(before, scene.chain())
    speech = scene.say(1.0)
    await scene.spoken(speech)
    expect(
        len(scene.ear.finished) == 1,
        "a listener that was on session.output.audio before start() hears the next segment finish",
        f"it heard {len(scene.ear.finished)} of 1",
        hint=KEEP_WRAPPERS,
    )


def kept(before: Chain, after: Chain) -> None:
    """Fail unless wrappers, listeners and transcript output are the very same objects."""
    expect(
        same(before.wrappers, after.wrappers),
        f"the wrappers stay: {before.labels()}",
        f"the wrappers were replaced: {after.labels()}",
        hint=KEEP_WRAPPERS,
    )
    for (name, listening), (_, now) in zip(before.listeners, after.listeners, strict=False):
        lost = [f for f in listening if f not in now]
        expect(
            not lost,
            f"every listener of {name} stays",
            f"{len(lost)} of {len(listening)} were removed",
            hint=KEEP_WRAPPERS,
        )
    expect(
        before.transcription is after.transcription,
        "session.output.transcription stays the same object",
        "it was replaced",
        hint="leave session.output.transcription alone: the synchronizer is built around it",
    )


@check("BIND-03")
async def started_before_the_session(scene: Scene) -> None:
    """Started before the session, the session's wrappers end up above the provider's tail."""
    avatar = await scene.start(await scene.create(), ready=False)
    bound = scene.chain().tail
    expect(
        bound is not None,
        "start() before AgentSession.start() binds a tail",
        "session.output.audio is None",
        hint="bind in start() whatever the state of the session; the session wraps it later",
    )
    await scene.start_session(tail_before=False, record=True)
    chain = scene.chain()
    expect(
        chain.tail is bound and len(chain.wrappers) >= 1,
        f"the session's wrappers above {describe(bound)}",
        f"the chain is {chain.labels()}",
    )
    await scene.ready(avatar)
    speech = scene.say(1.0)
    await scene.spoken(speech)
    expect(
        avatar.pcm == speech.pcm,
        "the first speech reaches the avatar whole",
        f"it received {audio_difference(speech.pcm, avatar.pcm, speech.sample_rate)}",
    )


@check("BIND-04")
async def audio_format(scene: Scene) -> None:
    """Audio reaches the worker in the declared format, sample for sample."""
    await scene.start_session()
    avatar = await scene.started()
    speech = scene.say(1.5)
    try:
        await scene.spoken(speech)
    except Violation:
        if not nothing_heard(scene):
            raise
    if nothing_heard(scene):
        raise Violation(silence(scene))
    expect(
        len(avatar.heard) == 1,
        "the avatar receives the speech as one segment",
        f"it received {len(avatar.heard)} segments",
        hint="end the stream on flush(), and only then",
    )
    heard = avatar.heard[0]
    declared = (speech.sample_rate, scene.manifest.channels)
    expect(
        (heard.sample_rate, heard.channels) == declared,
        f"audio at {declared[0]} Hz with {declared[1]} channel(s), as declared",
        f"{heard.sample_rate} Hz with {heard.channels} channel(s)",
        hint="give the sink the sample rate that the manifest declares",
    )
    expect(
        avatar.pcm == speech.pcm,
        "the samples that were pushed, one for one",
        f"{audio_difference(speech.pcm, avatar.pcm, speech.sample_rate)}",
    )
    _judge_pause(scene)


def _judge_pause(scene: Scene) -> None:
    tail = scene.chain().tail
    can_pause = tail is not None and tail.can_pause
    claimed = scene.manifest.capabilities.pause
    expect(
        can_pause or not claimed,
        "a tail that can pause, as the manifest claims (pause)",
        "its can_pause is False",
        hint="take the capability out of the manifest, or let the sink say that it can pause",
    )
    if can_pause and not claimed:
        scene.notes.append("unclaimed: the manifest can declare the capability pause")


@check("BIND-05")
async def room_token(scene: Scene) -> None:
    """The avatar's room token says who it is, for whom it publishes, and allows no more."""
    await scene.start_session()
    avatar = await scene.started()
    tokens = [worker.spec.token for worker in avatar.workers]
    if not scene.manifest.capabilities.joins_room and not tokens:
        return
    if tokens and all(worker.spec.minted for worker in avatar.workers):
        raise NotApplicable("the vendor mints the room token itself")
    expect(bool(tokens), "start() sends the vendor a room token", "it sent none")
    credentials = scene.stage.server.credentials
    for encoded in tokens:
        try:
            token = RoomToken.read(encoded, credentials)
        except jwt.InvalidTokenError as error:
            raise Violation(
                Finding("a token signed with the LiveKit key and secret", str(error), BEHALF_HINT)
            ) from None
        own = avatar.identity or avatar.context.identity
        _judge_token(token, own if encoded == tokens[0] else None)


def _judge_token(token: RoomToken, identity: str | None) -> None:
    behalf = host.publish_on_behalf_attribute()
    who = f"the token of {token.identity!r}"
    if identity is not None:
        expect(token.identity == identity, f"identity {identity!r}", f"{token.identity!r}")
    expect(
        token.grants.get("room") == ROOM and bool(token.grants.get("roomJoin")),
        f"{who} joins the agent's room only",
        f"room {token.grants.get('room')!r}, roomJoin {token.grants.get('roomJoin')!r}",
        hint=BEHALF_HINT,
    )
    expect(
        token.kind == "agent",
        f"{who} is of kind 'agent'",
        f"kind {token.kind or 'standard'!r}",
        hint=BEHALF_HINT,
    )
    expect(
        token.attributes.get(behalf) == AGENT,
        f"{who} has {behalf} = {AGENT!r}",
        f"{token.attributes.get(behalf)!r}",
        hint=BEHALF_HINT,
    )
    expect(
        not token.excessive,
        f"{who} has no grant that an avatar needs not",
        f"it has {', '.join(token.excessive)}",
        hint=BEHALF_HINT,
    )
    expect(
        token.lifetime <= SIX_HOURS,
        f"{who} is valid for 6 h at most",
        f"{token.lifetime / 3600:.1f} h",
        hint="leave the token's ttl at its default",
    )


@check("BIND-06")
async def identity_before_start(scene: Scene) -> None:
    """``avatar_identity`` is usable before ``start()`` and is what the backend receives."""
    await scene.start_session()
    avatar = await scene.create()
    identity = avatar.identity
    expect(
        bool(identity),
        "avatar_identity is a name before start()",
        "there is none" if identity is None else repr(identity),
        hint="give the avatar session a property avatar_identity",
    )
    if avatar.context.identity is not None:
        expect(
            identity == avatar.context.identity,
            f"the identity that was asked for, {avatar.context.identity!r}",
            repr(identity),
            hint="take the identity as a constructor argument and return it unchanged",
        )
    declared = scene.manifest.identity
    if declared is not None:
        own = (await scene.create("default", identity=None)).identity
        expect(
            own == declared,
            f"the identity that the manifest declares as the default, {declared!r}",
            repr(own),
            hint="declare the default that the plugin has; leave `identity` out of the manifest "
            "where each instance draws one of its own",
        )
    await scene.start(avatar)
    expect(
        avatar.identity == identity,
        f"avatar_identity is still {identity!r} after start()",
        repr(avatar.identity),
    )
    if avatar.workers:
        joined = [worker.identity for worker in avatar.workers]
        expect(
            identity in joined,
            f"the backend receives a token for {identity!r}",
            f"it received tokens for {', '.join(map(repr, joined))}",
        )


@check("BIND-07")
async def builds_on_the_base_class(scene: Scene) -> None:
    """The provider is an `AvatarSession` of the host, and its join is measured."""
    metrics: list[AvatarMetrics] = []

    def collect(event: Any) -> None:
        if isinstance(event.metrics, AvatarMetrics) and event.metrics.avatar_joined_time:
            metrics.append(event.metrics)

    await scene.start_session()
    scene.session.on("metrics_collected", collect)
    avatar = await scene.create()
    expect(
        isinstance(avatar.instance, host_avatar.AvatarSession),
        "a subclass of livekit.agents.voice.avatar.AvatarSession",
        f"{type(avatar.instance).__mro__[1].__name__} is its base",
        hint="derive from AvatarSession and call `await super().start(agent_session, room)`",
    )
    expect(
        avatar.instance.provider not in ("", "unknown"),
        "`provider` names the vendor",
        repr(avatar.instance.provider),
        hint="override the `provider` property",
    )
    await scene.start(avatar)
    await scene.clock.sleep(1.0)
    scene.session.off("metrics_collected", collect)
    joined = sorted(map(repr, avatar.identities))
    expect(
        len(metrics) == 1,
        "one AvatarMetrics with avatar_joined_time on the session once the avatar has joined",
        f"{len(metrics)} of them {seconds(1.0)} after {', '.join(joined) or 'nobody'} joined; "
        f"avatar_identity is {avatar.identity!r}",
        hint="call `await super().start(agent_session, room)` first thing in start()"
        if not metrics and avatar.identity in avatar.identities
        else "",
    )


@check("BIND-10")
async def slow_start(scene: Scene) -> None:
    """Speech during a slow ``start()`` is neither lost nor heard twice."""
    await scene.start_session()
    before = scene.before
    avatar = await scene.create()
    if scene.provider.vendor_backend(avatar.context) is not None:
        avatar.backend.inject(SLOW)
    speech = scene.say(9.0, paced=True)
    await scene.clock.sleep(1.01)
    await scene.start(avatar, ready=False)
    await scene.spoken(speech)
    await scene.clock.sleep(1.0)
    assert before is not None
    both = before.pcm + avatar.pcm
    expect(
        both == speech.pcm,
        "the old tail and the new avatar together hear every frame once, in order",
        f"together they heard {audio_difference(speech.pcm, both, speech.sample_rate)}; "
        + audio_evidence(scene, speech, avatar),
    )
    expect(
        len(scene.ear.finished) == 1,
        "playback_finished once for the segment",
        f"{len(scene.ear.finished)} times",
    )
