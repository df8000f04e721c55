"""The deployed avatar: a vendor's own worker on a real LiveKit server, judged by ear."""
