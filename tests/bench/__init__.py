"""What the kit costs, measured side by side with what it stands on: ``python -m tests.bench``."""
