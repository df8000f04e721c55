"""By what each broken worker of the tests is caught."""

from __future__ import annotations

CAUGHT = {
    "plays-on-after-the-clear": ("WORK-06", "the segment was still heard"),
    "reports-early": ("WORK-05", "before the last block was heard"),
    "never-reports": ("WORK-05", "it was never reported"),
    "reports-the-pushed-position": ("WORK-07", "reported is 4.8"),
    "deaf-after-a-lost-end": ("WORK-10", "nothing of it was heard"),
    "drops-the-first-200-ms": ("WORK-03", "blocks 0 to "),
    "repeats-a-block": ("WORK-03", "was heard twice"),
    "leaves-untold": ("WORK-01", "it left "),
    "stays-after-the-agent": ("WORK-15", "it is still in the room"),
    "wrong-identity": ("WORK-01", "it never came; in the room is somebody-else"),
    "no-video": ("WORK-02", "no picture was seen"),
    "comes-back-when-removed": ("WORK-13", "it came back"),
    "takes-its-identity-back": ("WORK-14", "joined again and sent it away"),
}
"""For each fault the requirement that it fails, and what is said of it."""
