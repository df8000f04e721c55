"""The probes and their answers as a document."""

from __future__ import annotations

from .probe import TOPICS, Probe, all_probes

MEASURED_ON = "livekit-server 1.13.5 with livekit (rtc) 1.1.21"

INTRODUCTION = f"""\
# What a real LiveKit server does

The loopback room stands in for a LiveKit server. These are the questions that both were asked, one
by one, and their answers: measured on {MEASURED_ON}, everything on 127.0.0.1.
`tests/live_server/test_behaviour.py` asks them again; `python -m tests.live_server.behaviour`
writes this file. "Worker" is the participant that the question is about, "observer" another one in
the room. Lines are events in the order in which they came.
"""

NOTES = """\
## What a machine needs

The server listens on 127.0.0.1 only and hands its clients no public STUN server. The SDK's WebRTC
ignores loopback interfaces, so the machine needs one other interface that is up, with an address
and a default route, though nothing is sent there: packets from that address to 127.0.0.1 stay
inside. A network namespace with `lo` and an unconnected `veth` pair is enough; one with `lo` alone
is not: joining fails after 15 s.

## Findings that reach the checks

- Audio on its way to an avatar is lost when the avatar is removed: in a swap that closes first, 20
  to 40 ms at the seam, and more on a machine that is busy. SWAP-02 lets 60 ms pass in real time,
  and nothing on the loopback stage, whose room delivers at once.
- A worker takes 0.1 s and more to join. With one identity for both avatars, closing the old one
  right after `start()` of the new one removes the old participant, and the new one joins
  afterwards unharmed; once it has joined, it would be the one that is removed. SWAP-08 waits for
  the new one to have joined, so that both stages show it.
- Until the new one of an identity has joined, the old one takes what is sent to that identity, and
  loses it when it is evicted: a speech that begins at once after `start()` never ends (avatartalk,
  whose second participant is always called `listener`; SWAP-02, SWAP-05, SWAP-09, SWAP-14). In the
  loopback room one that takes over an identity joins after 0.15 s for that reason.
- A standard participant that publishes nothing, and comes and goes within 3 s, is never heard of.
  avatartalk's `listener` is one; whether the host takes it for the user, and closes the session
  when it leaves, depends on when it came (FAULT-09). In the loopback room it always does.
- A participant that is removed leaves 20 to 40 ms after the room API has answered, and its tracks
  go first. SWAP-08 waits half a second before it looks who is there. A sink that is bound in those
  milliseconds to the identity that leaves can meet a participant without tracks, and the host's
  own raises at every frame from then on (HD-04; seen once in seven swaps that close first).
- Who publishes nothing is unknown to the agent for up to 3 s. The host publishes no transcript
  before it knows of a user (SWAP-05), and sends no audio before it knows of the avatar that is to
  play it. A scene waits until the agent knows of both.
- An avatar that is rendered by the agent itself publishes its tracks as the agent, and waits until
  somebody subscribes. Where the plugin's `aclose()` removes the agent from the room, the new avatar
  of a swap may not have found a subscriber yet, and its audio waits for ever (bithuman-local, the
  SWAP checks that start first). On the loopback stage a subscriber is found at once.
- An RPC handler, and whatever else a room calls, runs in a copy of the context that `connect()` was
  called in: without the job and its HTTP session, where the room is connected before the job
  begins (SWAP-14). The live stage puts placeholders there.
- A `Room.connect()` that is cancelled half-way lets the SDK end the whole process by SIGTERM some
  seconds later: "FFI Panic: timed out waiting for ReadyForRoomEventRequest". The live stage lets
  such a connection come about, and ends it then.

## Not asked again by a test

Seen while measuring, and too dependent on timing, or too slow, for a test.

- The server tells a room at once about a participant that publishes, and at ticks 3 s apart about
  one that does not. One that comes and goes between two ticks is never heard of. Data reaches a
  participant all the same, from the moment its own `connect()` has returned.
- One that comes back within a tick of its leaving may be announced in two steps:
  `participant_connected` with state joined, then `participant_active` later. Then `track_published`
  can come before `participant_active`.
- `connect()` returns before the room emits `connection_state_changed(CONNECTED)` and
  `token_refreshed`. `room_updated` comes to everybody some seconds after each join and leave.
- `publish_track` returns before `local_track_published`, and `local_track_subscribed` comes when
  somebody receives it.
- `disconnected` after one's own `disconnect()` was missing in one of six runs.
- RPC: the handler has `response_timeout - 7` seconds and at least 1. A handler that returns
  something that is no string is never answered: the caller gets 1502 after the whole
  `response_timeout`. 1401 (recipient not found) was never seen.
- RPC: a recipient that leaves in mid-call before the caller has heard of it may leave the caller
  waiting for the whole `response_timeout` (1502).
- RPC: the limit of 15 kB holds for participants that the caller has not heard of, since it does not
  know yet that they speak the newer protocol.
- Refused tokens: the server's answer repeats the token, and the SDK puts it into the text of
  `ConnectError` and into a record of the logger `livekit`, level ERROR. A plugin that logs that
  exception leaks a room token.
- Signalling cut for good: others hear `participant_disconnected` (CONNECTION_TIMEOUT) after 13 s;
  the participant itself gives up after ten attempts, 8 to 27 s after the cut, with
  `disconnected(UNKNOWN_REASON)`. A killed server looks the same to everybody in the room, and
  `reconnecting` sometimes comes twice.
- A full reconnect, a lost node and a migration (`Room.simulate_scenario`) take 0.3 s. The
  participant sees `participant_disconnected` for every other, `connection_state_changed`,
  `reconnecting`, `participant_connected` and `participant_active` for every other,
  `local_track_republished` with a new SID, `connection_state_changed`, `reconnected`. Others are
  told the reasons CLIENT_INITIATED, SERVER_SHUTDOWN and MIGRATION.
- `delete_room`: everybody gets `disconnected(ROOM_DELETED)`.
- A writer that was dropped without `aclose` is never closed for the reader until the sender leaves.
"""


def document() -> str:
    """The whole of docs/server-behaviour.md."""
    probes = all_probes()
    parts = [INTRODUCTION]
    for topic in TOPICS:
        rows = [_row(probe) for probe in probes if probe.topic == topic]
        head = "| Question | Real server | Loopback room |\n|---|---|---|"
        parts.append("\n".join([f"## {topic.capitalize()}\n", head, *rows]) + "\n")
    return "\n".join([*parts, NOTES])


def _row(probe: Probe) -> str:
    if probe.only_real:
        other = f"not asked: {probe.why}"
    elif probe.loopback is None:
        other = "the same"
    else:
        other = f"{_lines(probe.loopback)}<br>({probe.why})"
    return f"| {probe.question} | {_lines(probe.real)} | {other} |"


def _lines(answer: tuple[str, ...]) -> str:
    return "<br>".join(f"`{line}`" for line in answer)
