"""The runner: how one check of one subject is played and judged."""
