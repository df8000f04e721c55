"""The baseline: a file of known deviations beside those that the adapters list."""

from __future__ import annotations

from datetime import date
from pathlib import Path
from typing import Any

from conformance.errors import UsageError
from conformance.plugin.schema_errors import first_problem
from conformance.results.deviation import Deviation, specifier_problem
from conformance.results.json_input import read_json

_LARGEST = 2**20


def read_baseline(path: Path, providers: tuple[str, ...]) -> dict[str, tuple[Deviation, ...]]:
    """The deviations in a file, by provider; raises `UsageError` for a file that is wrong.

    Each has the fields of ``schemas/deviations.schema.json`` and may have ``provider``; without
    that it is about the provider of the run, which must then be the only one.
    """
    data = read_json(path, limit=_LARGEST)
    named = _split_providers(path, data)
    bare = {**data, "deviations": [entry for _, entry in named]} if named is not None else data
    problem = first_problem("deviations", bare) if isinstance(bare, dict) else None
    if problem is not None or named is None:
        wrong, mend = problem or ("it holds no list of deviations", 'write {"deviations": [...]}')
        raise UsageError(f"{path.name}: {wrong}; {mend}")
    found: dict[str, list[Deviation]] = {}
    for index, (provider, entry) in enumerate(named):
        where = f"{path.name}: deviations[{index}]"
        if provider is None and len(providers) != 1:
            raise UsageError(f"{where} says no provider; add one of: {', '.join(providers)}")
        name = provider or providers[0]
        found.setdefault(name, []).append(_deviation(where, entry))
    return {name: tuple(deviations) for name, deviations in found.items()}


def _split_providers(path: Path, data: Any) -> list[tuple[str | None, Any]] | None:
    entries = data.get("deviations") if isinstance(data, dict) else None
    if not isinstance(entries, list):
        return None
    named: list[tuple[str | None, Any]] = []
    for index, entry in enumerate(entries):
        if not isinstance(entry, dict):
            named.append((None, entry))
            continue
        provider = entry.get("provider")
        if provider is not None and not isinstance(provider, str):
            raise UsageError(f"{path.name}: deviations[{index}].provider must be a name")
        named.append((provider, {k: v for k, v in entry.items() if k != "provider"}))
    return named


def _deviation(where: str, data: Any) -> Deviation:
    try:
        deviation = Deviation.from_json(data)
    except ValueError as error:
        raise UsageError(f"{where}.expires: {error}; give a day YYYY-MM-DD") from None
    for field in ("host", "plugin"):
        wrong = specifier_problem(getattr(deviation, field))
        if wrong is not None:
            raise UsageError(f"{where}.{field}: {wrong}; give a specifier like '>=1.8,<1.9'")
    out_of_bounds = deviation.problem(date.today())
    if out_of_bounds is not None:
        raise UsageError(f"{where}: {'; '.join(out_of_bounds)}")
    return deviation
