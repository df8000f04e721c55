"""HD-13: a playback report goes to the avatar of the room that it comes from."""

from __future__ import annotations

from .mend import Mend, edits


def _of(event: str) -> tuple[str, str]:
    """The registration of the handler of one event, as it is and as it would be right."""
    call = f"RPC_PLAYBACK_{event.upper()}"
    one_line = f"register_rpc_method({call}, cls._playback_{event}_rpc_handler)"
    split = f"""\
register_rpc_method(
            {call}, cls._playback_{event}_rpc_handler
        )"""
    register = split if len(f"        room.local_participant.{one_line}") > 100 else one_line
    return (
        f"""\
        cls._playback_{event}_handlers[caller_identity] = handler

        if (
            rpc_handler := room.local_participant._rpc_handlers.get({call})
        ) and rpc_handler == cls._playback_{event}_rpc_handler:
            return

        room.local_participant.{register}
""",
        f"""\
        cls._register_in_room(room, {call}, caller_identity, handler)
""",
    )


MEND = Mend(
    edits(
        "livekit.agents.voice.avatar._datastream_io",
        _of("finished"),
        _of("started"),
        (
            """\
    @classmethod
    def _playback_finished_rpc_handler(""",
            """\
    @classmethod
    def _register_in_room(
        cls,
        room: rtc.Room,
        method: str,
        caller_identity: str,
        handler: Callable[[rtc.RpcInvocationData], str],
    ) -> None:
        \"""Let the room's own dispatcher for ``method`` know ``handler``.\"""
        dispatcher = room.local_participant._rpc_handlers.get(method)
        handlers = getattr(dispatcher, "handlers", None)
        if handlers is None:
            handlers = {}

            def dispatch(data: rtc.RpcInvocationData) -> str:
                if (registered := handlers.get(data.caller_identity)) is not None:
                    return registered(data)
                logger.warning(
                    "playback event received from unexpected participant",
                    extra={
                        "caller_identity": data.caller_identity,
                        "expected_identities": list(handlers),
                    },
                )
                return "reject"

            dispatch.handlers = handlers
            room.local_participant.register_rpc_method(method, dispatch)
        handlers[caller_identity] = handler

    @classmethod
    def _playback_finished_rpc_handler(""",
        ),
    )
)
