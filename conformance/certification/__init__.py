"""The pytest run: options, plan, collection, and the writing of reports."""
