"""The files behind modules: the application's and the packages', none that nobody edits; and those of a
failed import."""

import importlib
import importlib.util
import os
import sys
from collections.abc import Iterator
from pathlib import Path
from types import ModuleType

import pytest

from penstock.process import sourcefiles
from penstock.process.sourcefiles import NewFiles, error_files, source_files


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder to import from; what came from it is forgotten afterwards."""
    monkeypatch.syspath_prepend(str(tmp_path))
    yield tmp_path
    for name, module in list(sys.modules.items()):
        if sourcefiles.file_of(module).startswith(str(tmp_path)) or name.startswith("made_"):
            del sys.modules[name]


def imported(folder: Path, name: str, text: str = "") -> str:
    path = folder / f"{name}.py"
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)
    importlib.invalidate_caches()
    importlib.import_module(name)
    return str(path)


def test_the_applications_own_come_first_and_the_library_not_at_all(folder: Path) -> None:
    own = imported(folder, "made_own")
    found = source_files()
    assert own in found
    packages = [path for path in found if "site-packages" in path]
    assert packages, "pytest is one"
    assert found.index(own) < found.index(packages[0])
    assert not [path for path in found if path.endswith(("importlib/__init__.py", "process/sourcefiles.py"))]
    assert len(set(found)) == len(found)
    assert all(os.path.isabs(path) for path in found)


def test_modules_can_be_left_out(folder: Path) -> None:
    one = imported(folder, "made_one")
    (folder / "made_pack").mkdir()
    (folder / "made_pack" / "__init__.py").write_text("")
    (folder / "made_pack" / "inner.py").write_text("")
    importlib.import_module("made_pack.inner")
    package, inner = (str(folder / "made_pack" / name) for name in ("__init__.py", "inner.py"))
    assert {one, package, inner} <= set(source_files())
    assert {one, package, inner} & set(source_files(["made_one"])) == {package, inner}
    assert {one, package, inner} & set(source_files(["made_pack"])) == {one, inner}, "as uWSGI: exactly it"
    assert {one, package, inner} & set(source_files(["made_pack.*"])) == {one, package}


def test_compiled_files_stand_for_their_source_and_made_up_names_for_nothing(folder: Path) -> None:
    for name, path in (("made_c", str(folder / "old.pyc")), ("made_s", "<string>"), ("made_n", None)):
        module = ModuleType(name)
        module.__file__ = path
        sys.modules[name] = module
    found = source_files()
    assert str(folder / "old.py") in found
    assert not [path for path in found if "<" in path]


def test_a_module_that_loads_itself_when_looked_at_stays_asleep(folder: Path) -> None:
    (folder / "made_lazy.py").write_text("raise RuntimeError('it was loaded')")
    spec = importlib.util.spec_from_file_location("made_lazy", folder / "made_lazy.py")
    assert spec is not None and spec.loader is not None
    spec.loader = importlib.util.LazyLoader(spec.loader)
    module = importlib.util.module_from_spec(spec)
    sys.modules["made_lazy"] = module
    spec.loader.exec_module(module)
    assert str(folder / "made_lazy.py") in source_files()


class Strange:
    """What some packages put into sys.modules."""

    __slots__ = ()

    def __getattr__(self, name: str) -> object:
        raise RuntimeError(name)


def test_what_is_no_module_at_all_does_no_harm(folder: Path) -> None:
    sys.modules["made_strange"] = Strange()  # type: ignore[assignment]  # it is what this is about
    assert source_files()


def test_a_mistake_in_the_text_is_where_it_is_put_right(folder: Path) -> None:
    (folder / "made_wrong.py").write_text("def x(:\n")
    outer = folder / "made_outer.py"
    outer.write_text("import made_wrong\n")
    with pytest.raises(SyntaxError) as caught:
        importlib.import_module("made_outer")
    found = error_files(caught.value)
    assert str(folder / "made_wrong.py") in found
    assert str(outer) in found
    assert not {str(folder / "made_wrong.py"), str(outer)} & set(source_files())


def test_an_errors_causes_count_too(folder: Path) -> None:
    (folder / "made_low.py").write_text("def fall():\n    raise KeyError(1)\n")
    (folder / "made_high.py").write_text(
        "import made_low\n"
        "try:\n    made_low.fall()\n"
        "except KeyError as error:\n    raise RuntimeError('no') from error\n"
    )
    with pytest.raises(RuntimeError) as caught:
        importlib.import_module("made_high")
    assert {str(folder / "made_low.py"), str(folder / "made_high.py")} <= set(error_files(caught.value))
    assert error_files(None) == []


def test_new_files_are_told_once_a_second_and_once(folder: Path) -> None:
    told: list[list[str]] = []
    first = imported(folder, "made_first")
    new = NewFiles(told.append, ["made_third"], known=[first])
    new.tick(100.0)
    assert told and first not in told[0], "everything but what is known"
    told.clear()
    second = imported(folder, "made_second")
    imported(folder, "made_third")
    new.tick(100.9)
    assert told == []
    new.tick(101.0)
    assert told == [[second]]
    new.tick(102.0)
    new.tick(103.0)
    assert told == [[second]]
