"""The agent that is carried into pods is one file, of the standard library only, for Python 3.8 and later."""

from __future__ import annotations

import ast
import sys
from importlib import resources

from conformance.probe.bundle import ORDER, PACKAGE, agent_source


def test_it_parses_as_python_3_8() -> None:
    ast.parse(agent_source(), feature_version=(3, 8))


def test_it_has_no_types_at_run_time_that_python_3_8_lacks() -> None:
    """Annotations are never evaluated; an alias or a base class such as ``dict[str, int]`` would be."""
    tree = ast.parse(agent_source())
    notes = {id(n) for a in ast.walk(tree) for n in ast.walk(getattr(a, "annotation", None) or ast.Pass())}
    notes |= {id(n) for f in ast.walk(tree) for n in ast.walk(getattr(f, "returns", None) or ast.Pass())}
    evaluated = {
        node.value.id
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and id(node) not in notes
    }
    assert not evaluated & {"dict", "list", "tuple", "set", "type", "frozenset", "Callable", "Iterator", "Sequence"}


def test_it_imports_the_standard_library_only() -> None:
    modules = set()
    for node in ast.walk(ast.parse(agent_source())):
        if isinstance(node, ast.Import):
            modules |= {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            modules.add((node.module or "").split(".")[0])
    assert modules <= sys.stdlib_module_names
    assert "socket" in modules


def test_no_name_of_one_module_hides_that_of_another() -> None:
    names: list[str] = []
    for node in ast.parse(agent_source()).body:
        match node:
            case ast.ClassDef(name=name) | ast.FunctionDef(name=name):
                names.append(name)
            case ast.Assign(targets=[ast.Name(id=name)]) | ast.AnnAssign(target=ast.Name(id=name)):
                names.append(name)
    assert sorted(names) == sorted(set(names))
    assert {"Loop", "Server", "Engine", "main"} <= set(names)


def test_every_module_of_the_agent_is_in_it() -> None:
    modules = {
        file.name.removesuffix(".py") for file in resources.files(PACKAGE).iterdir() if file.name.endswith(".py")
    }
    assert modules - {"__init__"} == set(ORDER)


def test_it_fits_a_config_map_many_times_over() -> None:
    assert len(agent_source()) < 100_000
