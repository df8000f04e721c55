"""Make every page that is made, anew: ``python -m tests.docs [REPORT.json]``.

What is made from the code, the quickstart's texts and pictures, and the published plugins from
REPORT, or from a run of its own.
"""

from __future__ import annotations

import runpy

from . import published, quickstart

runpy.run_module("tests.docs.pages", run_name="__main__")
quickstart.main()
raise SystemExit(published.main())
