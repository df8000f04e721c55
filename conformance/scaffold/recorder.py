"""Runs a plugin until it works, and then otherwise, to learn what its vendor's API is.

Nothing is read from its source: each finding is something that a run has shown.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any

from conformance.errors import exception_text

from .arguments import Argument, Draft, argument_for, arguments_for
from .plugin_class import Parameter, PluginClass, import_path
from .recording import ENDINGS, LIVEKIT, OTHER_RATE, Recording, Take, record

ANOTHER = "another"
IDENTITY = "recorded-identity"
_MOST_TRIES = 60
_MOST_OPTIONAL = 24
_SIMPLE = ("str", "int", "float", "bool")
_NOT_TRIED = re.compile(r"url|endpoint|host$|conn_options|identity|participant_name|http_session")
_OTHER_KINDS: tuple[Any, ...] = ({}, 1, [], True)

Answers = dict[str, dict[str, Any]]


@dataclass
class Findings:
    """What the runs have shown. ``base`` is the first that worked, ``others`` all that did."""

    plugin: PluginClass
    draft: Draft
    base: Recording
    others: list[Recording] = field(default_factory=list)
    endings: Mapping[str, Recording] = field(default_factory=dict)
    needed: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    """The fields without which the start does not work, by call."""
    ignored: frozenset[str] = frozenset()
    """The calls whose answer is not even decoded, and may be anything."""
    any_rate: bool = False
    exception: str | None = None
    untried: tuple[str, ...] = ()

    @property
    def works(self) -> bool:
        """Whether a start has worked."""
        return self.base.works

    @property
    def why_not(self) -> str:
        """Why no start has worked, in one line."""
        error = self.base.error
        said = exception_text(error) if error is not None else self.base.problem
        return " ".join(said.split()) or "start() returned, and bound nothing"

    @property
    def identity(self) -> str | None:
        """The default of the participant's identity, where every instance has the same."""
        own = {run.identities[:1] for run in (self.base, *self.endings.values())}
        return self.base.identities[0] if self.base.identities and len(own) == 1 else None


def explore(plugin: PluginClass) -> Findings:
    """Find out how an avatar is made and started, and what its vendor is asked."""
    draft, base = _first_that_works(plugin)
    found = Findings(plugin, draft, base)
    found.exception = _exception(plugin, draft)
    if not base.works:
        return found
    found.draft = draft = _without_what_is_not_needed(plugin, draft)
    found.draft = draft = _with_identity(plugin, draft)
    found.base = record(plugin, Take(draft))
    found.exception = _exception(plugin, draft) or found.exception
    another = record(plugin, Take(draft, suffix=ANOTHER, identity=IDENTITY))
    faster = record(plugin, Take(draft, rate=OTHER_RATE))
    found.any_rate = faster.heard_rate == OTHER_RATE
    found.endings = {
        ending: record(plugin, Take(draft, ending=ending))
        for ending in ENDINGS
        if ending != "close"
    }
    found.others = [another, *_with_optional_arguments(found)]
    found.others += [each for each in found.endings.values() if each.works]
    found.needed = {call: tuple(_needed_of(found, call)) for call in draft.answers}
    called = {call.key for call in found.base.calls if not call.is_socket}
    found.ignored = frozenset(call for call in called if _is_ignored(found, call))
    return found


def _first_that_works(plugin: PluginClass) -> tuple[Draft, Recording]:
    """Add what a run was found to lack, and run again, until it works or nothing is left to add."""
    required = tuple(argument_for(each) for each in plugin.parameters if each.required)
    first = Draft(required, options=_options(plugin))
    best = (first, record(plugin, Take(first)))
    # what nothing asks for is given when all else has failed: it may choose another mode
    ahead = [*_next_drafts(plugin, *best), *_with_any_argument(plugin, first)][::-1]
    tried = {_key(first)}
    while ahead and len(tried) < _MOST_TRIES:
        draft = ahead.pop()
        if _key(draft) in tried:
            continue
        tried.add(_key(draft))
        run = record(plugin, Take(draft))
        if _progress(run) >= _progress(best[1]):
            best = (draft, run)
        following = list(_next_drafts(plugin, draft, run))
        if run.works:
            ahead.clear()  # what is left to add is what it reads of answers
        ahead += following[::-1]
    return best


def _key(draft: Draft) -> str:
    sources = sorted((each.name, each.source) for each in draft.arguments)
    return repr((sources, sorted(draft.variables), draft.answers))


def _with_any_argument(plugin: PluginClass, draft: Draft) -> Iterator[Draft]:
    free = [p for p in plugin.parameters if not (p.required or _NOT_TRIED.search(p.name))]
    for parameter in sorted(free, key=lambda each: not each.name.endswith("_id")):
        argument = argument_for(parameter)
        if not (parameter.is_secret or argument.question):
            yield replace(draft, arguments=(*draft.arguments, argument))


def _progress(run: Recording) -> tuple[bool, int, int]:
    read = sum(len(paths) for paths in run.reads.read.values())
    return run.works, len(run.calls), read


def _next_drafts(plugin: PluginClass, draft: Draft, last: Recording) -> Iterator[Draft]:
    answers = _with_what_was_read(draft.answers, last)
    if answers != draft.answers:
        yield replace(draft, answers=answers)
    if last.works:
        return
    said = " ".join(_messages(last.error))
    unset = [v for v in last.variables if v not in draft.variables and not v.endswith("_URL")]
    named = [variable for variable in unset if variable in said]
    given = {argument.name for argument in draft.arguments}
    wanted = [
        each
        for each in plugin.parameters
        if each.name not in given and re.search(rf"\b{each.name}\b", said)
    ]
    beside = [v for v in unset for each in wanted if v.lower().endswith(each.name)]
    for variables in (named, beside):
        if variables:
            yield _with_variables(plugin, draft, variables)
    wanted.sort(key=lambda each: (each.is_secret, not each.name.endswith("_id")))
    for argument in (each for parameter in wanted for each in arguments_for(parameter)):
        yield replace(draft, arguments=(*draft.arguments, argument))
    if unset:
        yield _with_variables(plugin, draft, unset)
    elif not wanted:
        yield from _other_kinds(draft)


def _with_variables(plugin: PluginClass, draft: Draft, variables: list[str]) -> Draft:
    names = {each.name for each in plugin.parameters}
    new = {}
    for variable in variables:
        steps = variable.lower().split("_")
        tails = ["_".join(steps[start:]) for start in range(len(steps))]
        known = next((tail for tail in tails if tail in names), None)
        new[variable] = known or "_".join(steps[1:]) or variable.lower()
    return replace(draft, variables={**draft.variables, **new})


def _with_what_was_read(
    answers: Mapping[str, Mapping[str, Any]], last: Recording
) -> Mapping[str, Mapping[str, Any]]:
    full: Answers = {call: _copied(answer) for call, answer in answers.items()}
    asked = {call: list(paths) for call, paths in last.reads.read.items()}
    newest = next((call.key for call in reversed(last.calls)), None)
    for missing in _missing_fields(last.error):
        if newest is not None:
            asked.setdefault(newest, []).append(missing)
    for call, paths in asked.items():
        host = call.split(" ", 1)[1].partition("/")[0]
        for path in sorted(paths, key=len):
            target = full.setdefault(call, {})
            for step in path[:-1]:
                inner = target.get(step)
                target[step] = target = inner if isinstance(inner, dict) else {}
            target.setdefault(path[-1], _placeholder(path[-1], host))
    return full


def _placeholder(name: str, host: str) -> str:
    word = name.strip("_").replace("_", "-")
    if name.lower().endswith("url"):
        scheme = "wss" if re.search(r"ws|socket", name, re.IGNORECASE) else "https"
        return f"{scheme}://{host}/{word}"
    return f"recorded-{word}"


def _missing_fields(error: BaseException | None) -> Iterator[tuple[str, ...]]:
    """What a library that validates answers says is missing; others are seen to read it."""
    while error is not None:
        errors = getattr(error, "errors", None)
        if callable(errors):
            for each in errors():
                if isinstance(each, dict) and each.get("type") == "missing":
                    yield tuple(str(step) for step in each["loc"])
        error = error.__cause__ or error.__context__


def _other_kinds(draft: Draft) -> Iterator[Draft]:
    """The draft with one field of an answer of another type, each in turn."""
    for call, answer in draft.answers.items():
        for name, value in answer.items():
            if isinstance(value, str):
                for other in _OTHER_KINDS:
                    yield replace(draft, answers={**draft.answers, call: {**answer, name: other}})


def _without_what_is_not_needed(plugin: PluginClass, draft: Draft) -> Draft:
    for variable in list(draft.variables):
        fewer = replace(
            draft, variables={k: v for k, v in draft.variables.items() if k != variable}
        )
        if len(draft.variables) > 1 and record(plugin, Take(fewer)).works:
            draft = fewer
    return draft


def _with_identity(plugin: PluginClass, draft: Draft) -> Draft:
    """The draft with the parameter that the identity in the room token comes from."""
    for parameter in plugin.parameters:
        if "identity" in parameter.name:
            with_it = replace(draft, identity=parameter.name)
            if IDENTITY in record(plugin, Take(with_it, identity=IDENTITY)).identities:
                return with_it
    return draft


def _with_optional_arguments(found: Findings) -> Iterator[Recording]:
    """Runs with one more argument each; what a run does not bear is left out."""
    given = {argument.name for argument in found.draft.arguments}
    tried: list[str] = []
    for parameter in found.plugin.parameters:
        if parameter.name in given or parameter.is_secret or _NOT_TRIED.search(parameter.name):
            continue
        argument = argument_for(parameter)
        if argument.question or argument.imports or len(tried) >= _MOST_OPTIONAL:
            continue
        tried.append(parameter.name)
        more = replace(found.draft, arguments=(*found.draft.arguments, argument))
        run = record(found.plugin, Take(more))
        if run.works and _same_calls(run, found.base):
            yield run
    found.untried = tuple(
        each.name
        for each in found.plugin.parameters
        if each.name not in {*given, *tried, found.draft.identity, found.draft.options}
    )


def _same_calls(run: Recording, base: Recording) -> bool:
    return [c.key for c in run.calls][:1] == [c.key for c in base.calls][:1]


def _needed_of(found: Findings, call: str) -> Iterator[str]:
    for name in found.draft.answers[call]:
        answers = {k: _copied(v) for k, v in found.draft.answers.items()}
        del answers[call][name]
        run = record(found.plugin, Take(found.draft, answers=answers))
        if not run.works or len(_at_start(run)) < len(_at_start(found.base)):
            yield name


def _is_ignored(found: Findings, call: str) -> bool:
    if call in found.base.reads.decoded:
        return False
    run = record(found.plugin, Take(found.draft, spoilt=call))
    return run.works and call not in run.reads.decoded


def _at_start(run: Recording) -> list[str]:
    return [call.key for call in run.calls if call.phase == "start"]


def _exception(plugin: PluginClass, draft: Draft) -> str | None:
    """What is raised where a credential is missing, as the import path of its class."""
    for name in (*(each["name"] for each in draft.credentials), LIVEKIT):
        error = record(plugin, Take(draft, withheld=name)).error
        if error is not None:
            return import_path(type(error))
    return None


def _options(plugin: PluginClass) -> str | None:
    return next((p.name for p in plugin.parameters if _is_connect_options(p)), None)


def _is_connect_options(parameter: Parameter) -> bool:
    return parameter.name == "conn_options" or "APIConnectOptions" in str(parameter.kind)


def _messages(error: BaseException | None) -> Iterator[str]:
    while error is not None:
        yield str(error)
        error = error.__cause__ or error.__context__


def _copied(value: Any) -> Any:
    return {k: _copied(v) for k, v in value.items()} if isinstance(value, dict) else value


__all__ = ["Argument", "Findings", "explore"]
