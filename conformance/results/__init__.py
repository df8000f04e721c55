"""Values of a run: outcomes, timelines, the ledger, the verdict; no pytest, no rendering."""
