"""What the published plugins get wrong, each found by a failing check: one module for each vendor.

``shared`` has what goes wrong alike in several of them.
"""

from __future__ import annotations
