"""What a run says: the ledger, the verdict, and one module for each report."""

from __future__ import annotations
