"""Certificates: made by a run in a fresh environment, and verified offline.

`issuing.certify` makes a certificate, `verification.verify` judges one, and `loading.load` reads a
report or a certificate as a `conformance.results.run.Run`.
"""

from __future__ import annotations
