"""What earlier published plugins send otherwise than the newest: one module for each vendor.

An adapter describes the newest version; ``as_installed`` here makes that the description of the
version that is installed. Versions from 1.6.0 on are described.
"""

from __future__ import annotations
