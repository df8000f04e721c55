"""A plugin's source as functions that call each other."""

from __future__ import annotations

import ast
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

from .sources import Package


@dataclass(frozen=True, eq=False)
class Function:
    """A function or a method, with the class that it is in."""

    node: ast.FunctionDef | ast.AsyncFunctionDef
    owner: ast.ClassDef | None
    module: str

    @property
    def name(self) -> str:
        """Its name."""
        return self.node.name

    def parameters(self) -> list[str]:
        """Those that can be given by position, without ``self``."""
        arguments = self.node.args
        names = [argument.arg for argument in (*arguments.posonlyargs, *arguments.args)]
        return names[1:] if self.owner is not None and names[:1] == ["self"] else names

    def annotations(self) -> Mapping[str, ast.expr | None]:
        """Every parameter with its annotation."""
        arguments = self.node.args
        every = (*arguments.posonlyargs, *arguments.args, *arguments.kwonlyargs)
        return {argument.arg: argument.annotation for argument in every if argument.arg != "self"}

    def default(self, name: str) -> ast.expr | None:
        """The default of a parameter, or None where it has none."""
        arguments = self.node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        pairs: list[tuple[ast.arg, ast.expr | None]] = list(
            zip(reversed(positional), reversed(arguments.defaults), strict=False)
        )
        pairs += zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True)
        return next((default for argument, default in pairs if argument.arg == name), None)

    def assigned(self, name: str) -> Iterator[ast.expr]:
        """What is assigned to a local name, in the order of the source."""
        for node, _ in self.statements():
            if isinstance(node, ast.Assign):
                targets = node.targets
            elif isinstance(node, ast.AnnAssign):
                targets = [node.target]
            else:
                continue
            if node.value is not None and name in [ast.unparse(target) for target in targets]:
                yield node.value

    def statements(self) -> Iterator[tuple[ast.stmt, bool]]:
        """Every statement, and whether it is always run; not those of functions inside."""
        yield from _statements(self.node.body, always=True)

    def returns(self) -> ast.expr | None:
        """What a function that calls nobody and waits for nothing returns."""
        if isinstance(self.node, ast.AsyncFunctionDef):
            return None
        values = [n.value for n, _ in self.statements() if isinstance(n, ast.Return) and n.value]
        return values[-1] if values else None

    def calls(self) -> Iterator[ast.Call]:
        """Every call in it; not those in functions inside."""
        inside = {
            id(node)
            for inner in ast.walk(self.node)
            if isinstance(inner, (ast.FunctionDef, ast.AsyncFunctionDef)) and inner != self.node
            for node in ast.walk(inner)
        }
        for node in ast.walk(self.node):
            if isinstance(node, ast.Call) and id(node) not in inside:
                yield node


@dataclass(frozen=True)
class Program:
    """All of a plugin."""

    package: Package

    @cached_property
    def functions(self) -> tuple[Function, ...]:
        """Every function and method."""
        return tuple(
            function
            for source in self.package.sources
            for function in _functions(source.tree, None, source.module)
        )

    @cached_property
    def _by_name(self) -> Mapping[str, list[Function]]:
        found: dict[str, list[Function]] = {}
        for function in self.functions:
            found.setdefault(function.name, []).append(function)
        return found

    @cached_property
    def _calls(self) -> Mapping[str, list[tuple[Function, ast.Call]]]:
        found: dict[str, list[tuple[Function, ast.Call]]] = {}
        for function in self.functions:
            for call in function.calls():
                name = ast.unparse(call.func).rpartition(".")[2]
                found.setdefault(name, []).append((function, call))
        return found

    @cached_property
    def constants(self) -> Mapping[tuple[str, str], ast.Constant]:
        """The constants at the top of the modules, by module and name."""
        found: dict[tuple[str, str], ast.Constant] = {}
        for source in self.package.sources:
            for node in source.tree.body:
                targets = node.targets if isinstance(node, ast.Assign) else []
                targets = [node.target] if isinstance(node, ast.AnnAssign) else targets
                value = getattr(node, "value", None)
                for target in targets:
                    if isinstance(target, ast.Name) and isinstance(value, ast.Constant):
                        found.setdefault((source.module, target.id), value)
        return found

    def named(self, name: str) -> list[Function]:
        """The functions of that name."""
        return self._by_name.get(name, [])

    def calls(self, name: str) -> list[tuple[Function, ast.Call]]:
        """The calls of whatever has that name, and where they are."""
        return self._calls.get(name, [])

    def callers(self, callee: Function) -> Iterator[tuple[Function, ast.Call]]:
        """Who calls a function, as far as names tell."""
        for caller, call in self.calls(callee.name):
            on_itself = ast.unparse(call.func) == f"self.{callee.name}"
            if caller is not callee and (not on_itself or caller.owner is callee.owner):
                yield caller, call

    def attribute(
        self, owner: ast.ClassDef | None, name: str
    ) -> Iterator[tuple[Function, ast.expr]]:
        """What is assigned to an attribute of ``self``, and where."""
        for function in self.functions:
            if owner is not None and function.owner is owner:
                for value in function.assigned(f"self.{name}"):
                    yield function, value

    def constant(self, name: str, module: str) -> ast.Constant | None:
        """A constant of that name, of that module first."""
        if (module, name) in self.constants:
            return self.constants[module, name]
        return next((value for (_, n), value in self.constants.items() if n == name), None)


def string(node: ast.AST | None) -> str | None:
    """The value of a string literal, or None where the node is something else."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    return None


def _functions(tree: ast.AST, owner: ast.ClassDef | None, module: str) -> Iterator[Function]:
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef)):
            yield Function(node, owner, module)
            yield from _functions(node, owner, module)
        elif isinstance(node, ast.ClassDef):
            yield from _functions(node, node, module)
        else:
            yield from _functions(node, owner, module)


def _statements(body: list[ast.stmt], *, always: bool) -> Iterator[tuple[ast.stmt, bool]]:
    for node in body:
        yield node, always
        if isinstance(node, (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)):
            continue
        certain = always and isinstance(node, (ast.With, ast.AsyncWith, ast.Try, ast.For))
        for name in ("body", "orelse", "finalbody"):
            yield from _statements(getattr(node, name, []), always=certain)
        for handler in getattr(node, "handlers", []):
            yield from _statements(handler.body, always=False)
