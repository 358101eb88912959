"""The mappings as they would be if nobody could ask for a lineage: what its verbs cost when nobody does.

The sources of the mappings are compiled a second time, with the verbs that only hand on origins taken out:
`derived(value, source)` becomes `value`, `join(", ", parts)` becomes `", ".join(parts)`, and what is done only
`if TRACING.on` goes. Such mappings make the same documents.
"""

from __future__ import annotations

import ast
import sys
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec, PathFinder, SourceFileLoader
from types import CodeType, ModuleType
from typing import Any

_PACKAGES = ("trialconv_mappings", "trialconv.lineage")
#: What these give is their first argument.
_HANDED_ON = {"derived", "derived_each", "parsed", "filled", "counted"}


class _Erasing(ast.NodeTransformer):
    """Takes the verbs of lineage out of a module."""

    def visit_Attribute(self, node: ast.Attribute) -> ast.expr:
        self.generic_visit(node)
        if node.attr == "on" and isinstance(node.value, ast.Name) and node.value.id == "TRACING":
            return ast.copy_location(ast.Constant(value=False), node)
        return node

    def visit_IfExp(self, node: ast.IfExp) -> ast.expr:
        self.generic_visit(node)
        return node.orelse if _is_false(node.test) else node.body if _is_true(node.test) else node

    def visit_BoolOp(self, node: ast.BoolOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.And):
            if any(_is_false(value) for value in node.values):
                return ast.copy_location(ast.Constant(value=False), node)
            node.values = [value for value in node.values if not _is_true(value)] or node.values[:1]
        return node.values[0] if len(node.values) == 1 else node

    def visit_UnaryOp(self, node: ast.UnaryOp) -> ast.expr:
        self.generic_visit(node)
        if isinstance(node.op, ast.Not) and _is_false(node.operand):
            return ast.copy_location(ast.Constant(value=True), node)
        return node

    def visit_If(self, node: ast.If) -> ast.stmt | list[ast.stmt]:
        self.generic_visit(node)
        if _is_false(node.test):
            return node.orelse or ast.copy_location(ast.Pass(), node)
        return node.body if _is_true(node.test) else node

    def visit_Call(self, node: ast.Call) -> ast.expr:
        self.generic_visit(node)
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if any(isinstance(argument, ast.Starred) for argument in node.args[:2]):
            return node
        if name in _HANDED_ON or name == "at_once":
            return node.args[0]
        if name in ("join", "taken_apart", "substituted", "numbered"):
            return ast.copy_location(_plainly(name, node.args), node)
        if name == "remembered":
            node.func = ast.copy_location(ast.Name("lru_cache", ast.Load()), node.func)
        return node


def _plainly(name: str, arguments: list[ast.expr]) -> ast.expr:
    """Return what a verb does to a text, without the verb."""
    if name == "numbered":
        return ast.Call(ast.Name("enumerate", ast.Load()), [*arguments, ast.Constant(value=1)], [])
    if name == "taken_apart":
        return ast.Call(arguments[0], arguments[1:], [])
    method = ast.Attribute(arguments[0], "join" if name == "join" else "sub", ast.Load())
    return ast.Call(method, arguments[1:], [])


def _is_false(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is False


def _is_true(node: ast.expr) -> bool:
    return isinstance(node, ast.Constant) and node.value is True


class _Loader(SourceFileLoader):
    """Compiles a module without the verbs, and keeps no compiled file."""

    def get_code(self, fullname: str) -> CodeType:
        tree = ast.parse(self.get_data(self.path), self.path)
        if not fullname.startswith("trialconv.lineage.values"):
            tree = _Erasing().visit(tree)
            needed = ast.ImportFrom("functools", [ast.alias("lru_cache")], 0)
            future = [at for at, node in enumerate(tree.body) if _is_future(node)]
            tree.body.insert(future[-1] + 1 if future else 1, needed)
        return compile(ast.fix_missing_locations(tree), self.path, "exec", dont_inherit=True)


def _is_future(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "__future__"


class _Finder(MetaPathFinder):
    """Finds the modules of the mappings for the loader."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not _is_ours(fullname):
            return None
        spec = PathFinder.find_spec(fullname, path, target)
        if spec is not None and isinstance(spec.loader, SourceFileLoader):
            spec.loader = _Loader(fullname, spec.loader.path)
        return spec


def _is_ours(name: str) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in _PACKAGES)


class Erased:
    """The second set of modules. What is imported while it is in place comes without the verbs."""

    def __init__(self) -> None:
        self._finder: Any = _Finder()
        self._modules: dict[str, ModuleType] = {}

    @contextmanager
    def in_place(self) -> Iterator[None]:
        """Put the modules into the places of the usual ones."""
        usual = {name: module for name, module in sys.modules.items() if _is_ours(name)}
        for name in usual:
            del sys.modules[name]
        sys.modules.update(self._modules)
        sys.meta_path.insert(0, self._finder)
        try:
            yield
        finally:
            sys.meta_path.remove(self._finder)
            self._modules = {name: module for name, module in sys.modules.items() if _is_ours(name)}
            for name in self._modules:
                del sys.modules[name]
            sys.modules.update(usual)
