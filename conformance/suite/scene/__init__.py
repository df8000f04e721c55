"""The scene: the session, avatars, speech and probes that checks play with."""
