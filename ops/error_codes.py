"""Every stable error code, read from the source: its kind of error, its sentence and its hint.

A code comes from

- a construction of an error class of :mod:`archive.errors`, or of a subclass in any module, with ``code=`` as
  a text, as one of two texts, or with the class's own ``default_code``;
- a function that receives the code and makes such an error with it: each call that passes a code;
- a missing stream of the ledger (``<kind>_not_found``);
- :func:`api.problems.problem`, for codes that occur only over HTTP.
"""

import ast
from collections.abc import Container, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from api import problems
from archive import errors
from archive.errors import ArchiveError
from archive.records.ledger.streams import KINDS

PACKAGES = ("archive", "recorder", "search", "api", "ops")
ROOTS = {
    name: value
    for name, value in vars(errors).items()
    if isinstance(value, type) and issubclass(value, ArchiveError)
}
"""The classes at the root of the error tree, by name."""

_PASSED_ON = "<passed on>"


@dataclass(frozen=True, slots=True, order=True)
class ErrorUse:
    """One place that raises a code. ``kind`` is the underlying class of :mod:`archive.errors`."""

    code: str
    kind: str
    sentence: str
    hint: str


@dataclass(frozen=True, slots=True, order=True)
class HttpCode:
    """A code that occurs only over HTTP."""

    code: str
    status: int
    sentence: str
    hint: str


@dataclass(frozen=True, slots=True)
class _Kind:
    """An error class in the source. ``sentence`` and ``hint`` are "" where its callers give them."""

    kind: str
    default_code: str
    sentence: str
    hint: str
    explained: str


def error_uses(root: Path) -> Iterator[ErrorUse]:
    """Every use of a code in the five packages below ``root``, and every class's own code."""
    modules = [
        ast.parse(path.read_text("utf-8"))
        for package in PACKAGES
        for path in sorted((root / package).rglob("*.py"))
    ]
    kinds = _kinds(modules)
    found = [use for module in modules for use in _uses_in(module, kinds)]
    used = {use.code for use in found}
    streams = [
        ErrorUse(f"{kind}_not_found", "NotFound", f"there is no {kind.replace('_', ' ')} …", "")
        for kind in KINDS
    ]
    classes = [
        ErrorUse(kind.default_code, kind.kind, kind.sentence or kind.explained, kind.hint)
        for name, kind in kinds.items()
        if name != ArchiveError.__name__
    ]
    yield from found
    yield from (use for use in (*streams, *classes) if use.code not in used)


def http_codes(root: Path) -> Iterator[HttpCode]:
    """Every code outside the error tree: refusals by the framework, and by the layers in front of it."""
    for status, (code, detail, hint) in problems.OF_FRAMEWORK.items():
        yield HttpCode(code, status, detail, hint)
    modules = [ast.parse(path.read_text("utf-8")) for path in sorted((root / "api").rglob("*.py"))]
    constants = {
        _name(node.targets[0]): node.value
        for module in modules
        for node in module.body
        if isinstance(node, ast.Assign) and isinstance(node.value, ast.Constant)
    }
    for module in modules:
        for node in ast.walk(module):
            if isinstance(node, ast.FunctionDef):
                yield from _problems_of(module, node, constants)


def _problems_of(
    module: ast.Module, function: ast.FunctionDef, constants: dict[str, ast.Constant]
) -> Iterator[HttpCode]:
    """The problems that a function makes with its own code, or with codes from its callers."""
    for node in ast.walk(function):
        match node:
            case ast.Call(args=[ast.Constant(value=int(status)), code, detail]) if (
                _name(node.func) == "problem"
            ):
                hint = next((_text(one.value) for one in node.keywords if one.arg == "hint"), "")
                told = _raised(function)
                if isinstance(code, ast.Name) and code.id in told:
                    for call in _calls(module, {function.name}):
                        for text in _texts(call.args[told.index(code.id)]):
                            said = call.args[told.index(_name(detail))] if _name(detail) in told else detail
                            yield HttpCode(text, status, _text(said), hint)
                else:
                    for text in _texts(constants.get(_name(code), code)):
                        yield HttpCode(text, status, _text(detail), hint)


def _kinds(modules: list[ast.Module]) -> dict[str, _Kind]:
    """Every error class by its name, the roots included."""
    kinds = {
        name: _Kind(name, kind.default_code, "", "", (kind.__doc__ or "").splitlines()[0])
        for name, kind in ROOTS.items()
    }
    waiting = [node for module in modules for node in ast.walk(module) if isinstance(node, ast.ClassDef)]
    while True:
        later = []
        for node in waiting:
            above = next((kinds[name] for base in node.bases if (name := _name(base)) in kinds), None)
            if above is None or node.name in kinds:
                later.append(node)
            else:
                kinds[node.name] = _kind(node, above)
        if len(later) == len(waiting):
            return kinds
        waiting = later


def _kind(node: ast.ClassDef, above: _Kind) -> _Kind:
    code, sentence, hint = above.default_code, above.sentence, above.hint
    for inner in ast.walk(node):
        match inner:
            case (
                ast.Assign(targets=[target], value=ast.Constant(value=str(text)))
                | ast.AnnAssign(target=target, value=ast.Constant(value=str(text)))
            ) if _name(target) == "default_code":
                code = text
            case ast.Assign(targets=[ast.Attribute(attr="hint")], value=value):
                hint = _text(value)
            case ast.Call(func=ast.Attribute(attr="__init__"), args=[first, *_], keywords=keywords):
                # A value that is only passed through is found at the caller that gives it.
                sentence = above.sentence if isinstance(first, ast.Name) else _text(first)
                given = next((one.value for one in keywords if one.arg == "hint"), None)
                if given is not None and not isinstance(given, ast.Name):
                    hint = _text(given)
    return _Kind(above.kind, code, sentence, hint, (ast.get_docstring(node) or "").split("\n\n")[0])


def _uses_in(module: ast.Module, kinds: dict[str, _Kind]) -> Iterator[ErrorUse]:
    for node in ast.walk(module):
        match node:
            case ast.FunctionDef() | ast.AsyncFunctionDef():
                told = _raised(node)
                for call in _calls(node, kinds):
                    for use in _uses(call, kinds):
                        if use.code == _PASSED_ON:
                            yield from _passed_on(module, node, told, call, use)
            case ast.Call() if _name(node.func) in kinds:
                yield from (use for use in _uses(node, kinds) if use.code != _PASSED_ON)
            case ast.Call(func=ast.Name(id="kind")):  # one of two classes, chosen just before
                yield from (use for use in _uses(node, kinds) if use.code != _PASSED_ON)


def _uses(call: ast.Call, kinds: dict[str, _Kind]) -> Iterator[ErrorUse]:
    kind = kinds.get(_name(call.func), kinds["Unavailable"])
    named = {keyword.arg: keyword.value for keyword in call.keywords}
    code = named.get("code")
    codes = [kind.default_code] if code is None else _texts(code)
    if isinstance(code, ast.Name):
        codes = [_PASSED_ON]
    sentence = kind.sentence or (_text(call.args[0]) if call.args else "")
    hint = _text(named.get("hint")) or kind.hint
    for text in codes:
        yield ErrorUse(code=text, kind=kind.kind, sentence=sentence, hint=hint)


def _calls(node: ast.AST, names: Container[str]) -> Iterator[ast.Call]:
    for inner in ast.walk(node):
        if isinstance(inner, ast.Call) and _name(inner.func) in names:
            yield inner


def _raised(function: ast.FunctionDef | ast.AsyncFunctionDef) -> list[str]:
    every = function.args
    return [one.arg for one in (*every.posonlyargs, *every.args, *every.kwonlyargs)]


def _passed_on(
    module: ast.Module,
    function: ast.FunctionDef | ast.AsyncFunctionDef,
    told: list[str],
    call: ast.Call,
    use: ErrorUse,
) -> Iterator[ErrorUse]:
    """The codes that calls in the same module pass to a function, which makes the error."""
    name = next(_name(one.value) for one in call.keywords if one.arg == "code")
    if name not in told:
        return
    at = told.index(name) - (told[:1] == ["self"])
    for node in ast.walk(module):
        if isinstance(node, ast.Call) and _name(node.func) == function.name:
            given = next((one.value for one in node.keywords if one.arg == name), None)
            if given is None and at < len(node.args):
                given = node.args[at]
            for text in _texts(given) if given is not None else ():
                yield ErrorUse(text, use.kind, use.sentence, use.hint)


def _texts(node: ast.expr) -> list[str]:
    """The texts that an expression can be: itself, or one of two; none if it is computed."""
    match node:
        case ast.Constant(value=str(text)):
            return [text]
        case ast.IfExp(body=yes, orelse=no):
            return [*_texts(yes), *_texts(no)]
        case _:
            return []


def _text(node: ast.expr | None) -> str:
    """A text or f-string as a template; ``…`` for each computed part."""
    match node:
        case None:
            return ""
        case ast.Constant(value=str(text)):
            return text
        case ast.JoinedStr(values=parts):
            return "".join(_text(part) if isinstance(part, ast.Constant) else "…" for part in parts)
        case ast.BinOp(left=left, op=ast.Add(), right=right):
            return _text(left) + _text(right)
        case _:
            return "…"


def _name(node: Any) -> str:
    return str(getattr(node, "id", getattr(node, "attr", "")))
