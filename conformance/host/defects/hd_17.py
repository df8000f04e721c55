"""HD-17: the class keeps no sink alive that nothing else holds, and neither does the room."""

from __future__ import annotations

from .mend import Mend, edits

MEND = Mend(
    edits(
        "livekit.agents.voice.avatar._datastream_io",
        ("import time\n", "import time\nimport weakref\n"),
        (
            "        cls._playback_finished_handlers[caller_identity] = handler\n",
            "        cls._hold(cls._playback_finished_handlers, caller_identity, handler)\n",
        ),
        (
            "        cls._playback_started_handlers[caller_identity] = handler\n",
            "        cls._hold(cls._playback_started_handlers, caller_identity, handler)\n",
        ),
        (
            """\
            self._room_connected_fut.set_result(None)

    @classmethod
    def _register_playback_finished_rpc(""",
            """\
            self._room_connected_fut.set_result(None)
            self._room.off("connection_state_changed", self._handle_connection_state_changed)

    @staticmethod
    def _hold(
        handlers: dict[str, Callable[[rtc.RpcInvocationData], str]],
        identity: str,
        handler: Callable[[rtc.RpcInvocationData], str],
    ) -> None:
        \"""Keep a sink's handler for as long as something else keeps the sink.\"""

        def forget(_: object) -> None:
            if handlers.get(identity) is held:
                del handlers[identity]

        method = weakref.WeakMethod(handler, forget)

        def held(data: rtc.RpcInvocationData) -> str:
            alive = method()
            return "reject" if alive is None else alive(data)

        handlers[identity] = held

    @classmethod
    def _register_playback_finished_rpc(""",
        ),
        (
            """\
        self._room.on("connection_state_changed", self._handle_connection_state_changed)
        if self._room.isconnected():
            self._room_connected_fut.set_result(None)
""",
            """\
        if self._room.isconnected():
            self._room_connected_fut.set_result(None)
        else:
            self._room.on("connection_state_changed", self._handle_connection_state_changed)
""",
        ),
    )
)
