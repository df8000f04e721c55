"""Makes up arguments for a constructor, as values and as the source that an adapter has."""

from __future__ import annotations

import enum
import typing
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from conformance.plugin.context import AdapterContext

from .plugin_class import Parameter, is_made_of_fields, parameters_of, plain_kind

Make = Callable[[AdapterContext, str], Any]


@dataclass(frozen=True)
class Argument:
    """An argument: its source in the adapter, and what makes it for a run.

    ``make`` takes the run's context and a suffix, which is another one in a run that is to show
    what depends on the argument. ``secrets`` are the credentials in it, ``imports`` the classes
    that its source names, ``question`` what could not be told.
    """

    name: str
    source: str
    make: Make
    secrets: tuple[str, ...] = ()
    imports: tuple[type, ...] = ()
    question: str = ""


def argument_for(parameter: Parameter) -> Argument:
    """An argument for a parameter, made up by its type, or by its name where it has none."""
    name, kind = parameter.name, plain_kind(parameter.kind)
    if parameter.is_secret:
        return Argument(
            name, f'context.secret("{name}") or None', lambda c, _: c.secret(name) or None, (name,)
        )
    if is_made_of_fields(kind):
        return _made(name, kind)
    if typing.get_origin(kind) is typing.Literal:
        return _fixed(name, typing.get_args(kind)[0])
    if isinstance(kind, type) and issubclass(kind, enum.Enum):
        member = next(iter(kind))
        return Argument(name, f"{kind.__name__}.{member.name}", lambda *_: member, (), (kind,))
    if kind is int and name.endswith("rate"):
        return _fixed(name, 16000)
    for plain, value in ((bool, True), (int, 1), (float, 1.0), (list, []), (dict, {})):
        if kind is plain or typing.get_origin(kind) is plain:
            return _fixed(name, value)
    if kind in (str, object, typing.Any) or not isinstance(kind, type) or kind.__name__ == "_empty":
        word = name.strip("_").replace("_", "-")
        return Argument(name, f'"{word}-1"', lambda _, suffix: f"{word}-{suffix}")
    shown = getattr(kind, "__name__", str(kind))
    return Argument(name, "None", lambda *_: None, question=f"it is a {shown}: what does it take")


def arguments_for(parameter: Parameter) -> Iterator[Argument]:
    """Every argument that there is for a parameter that takes one of a few values, else one."""
    kind = plain_kind(parameter.kind)
    if typing.get_origin(kind) is not typing.Literal:
        yield argument_for(parameter)
        return
    for value in typing.get_args(kind):
        yield _fixed(parameter.name, value)


def _fixed(name: str, value: Any) -> Argument:
    return Argument(name, repr(value).replace("'", '"'), lambda *_: value)


def _made(name: str, kind: type) -> Argument:
    inner = [argument_for(each) for each in parameters_of(kind) if each.required]
    inside = ", ".join(f"{each.name}={each.source}" for each in inner)

    def make(context: AdapterContext, suffix: str) -> Any:
        return kind(**{each.name: each.make(context, suffix) for each in inner})

    return Argument(
        name,
        f"{kind.__name__}({inside})",
        make,
        tuple(secret for each in inner for secret in each.secrets),
        (kind, *(cls for each in inner for cls in each.imports)),
        "; ".join(filter(None, (each.question for each in inner))),
    )


@dataclass(frozen=True)
class Draft:
    """What is known so far of how an avatar is made.

    ``variables`` are the environment variables that it is given, each with the name of its
    credential; ``identity`` and ``options`` the parameters for the participant's identity and for
    the host's connection options.
    """

    arguments: tuple[Argument, ...] = ()
    variables: Mapping[str, str] = field(default_factory=dict)
    identity: str | None = None
    options: str | None = None
    answers: Mapping[str, Mapping[str, Any]] = field(default_factory=dict)

    @property
    def credentials(self) -> list[dict[str, Any]]:
        """The credentials of the manifest."""
        named = [{"name": name, "environment": var} for var, name in self.variables.items()]
        given = [name for argument in self.arguments for name in argument.secrets]
        return [*named, *({"name": name} for name in dict.fromkeys(given))]
