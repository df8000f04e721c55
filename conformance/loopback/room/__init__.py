"""A LiveKit room in memory: server, participants, tracks, streams, RPC and the room API."""
