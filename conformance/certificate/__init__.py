"""Certificates: made by a run in a fresh environment, verified offline, compared, and tabulated.

`reading.read_json` is where every file of someone else's comes in; `loading.load_run` reads a
report or a certificate as a `conformance.report.run.Run`; `issuing.certify` makes a certificate and
`verification.verify` judges one.
"""

from __future__ import annotations
