"""Finding the application: a module, a file, a factory; and the interpreter's surroundings it expects.

Runs once at start, in the process that will serve. It imports the application's code; nothing else does.
"""

import importlib
import importlib.util
import os
import re
import sys
from collections.abc import Iterable, Iterator, Sequence
from types import ModuleType
from typing import Any, NamedTuple

from penstock.config.site import mounts
from penstock.core.errors import NO_APPLICATION, StartError
from penstock.serve.wsgi.call import Application
from penstock.serve.wsgi.mounts import OWN_PAGE

DEFAULTS = ("application", "app")
FOLDER_FILES = ("wsgi.py", "app.py", "application.py", "main.py")


class Source(NamedTuple):
    """Where the application is.

    ``module``    ``pkg.mod``, ``pkg.mod:callable`` or ``pkg.mod:factory()`` (uWSGI's ``module``)
    ``file``      path of a Python file (uWSGI's ``wsgi-file``)
    ``callable``  the name in it; "" for ``application``, then ``app``
    ``code``      Python that makes it (uWSGI's ``eval``), where neither of the first two is given
    ``folder``    instead of all these: a folder whose ``wsgi.py``, ``app.py``, ``application.py`` or
                  ``main.py`` it is, and from which it imports before anywhere else
    """

    module: str = ""
    file: str = ""
    callable: str = ""
    code: str = ""
    folder: str = ""


def prepare_path(pythonpath: Sequence[str], virtualenv: str = "") -> None:
    """Enter a virtual environment (see ``virtualenv``), and put ``pythonpath`` (globs are expanded) and the
    folder that we are in before all others.

    Raises StartError when the environment cannot be used.
    """
    if virtualenv:
        from penstock.serve.wsgi.virtualenv import enter

        enter(virtualenv)
    put_first(os.getcwd())
    if pythonpath:
        from glob import glob
    for entry in pythonpath:
        for folder in sorted(glob(entry)) or [entry]:
            put_first(absolute(folder))


def put_first(folder: str) -> None:
    """The front of sys.path, once."""
    if folder in sys.path:
        sys.path.remove(folder)
    sys.path.insert(0, folder)


def absolute(path: str) -> str:
    """A path from the root: without ``.``, but with ``..``, for what stands before it may be a link."""
    from pathlib import Path  # 5 ms of a start, which mostly goes without

    return str(Path(path).absolute())


def load(source: Source) -> Application:
    """Import the application. Raises StartError with exit code 22 and the reason.

    An exception from the application's own import is the StartError's ``__cause__``.
    """
    if source.folder or source.file:
        where = source.file or file_in(source.folder)
        module, name = load_file(where), ""
    elif source.code and not source.module:
        module, name, where = load_code(source.code), "", "eval"
    else:
        path, _, name = source.module.partition(":")
        module, where = load_module(path), path
    return pick(module, where, name or source.callable)


def load_module(path: str) -> ModuleType:
    """Import a module by its dotted name. Raises StartError, with the import's own error as its cause."""
    if path.endswith(".py") or "/" in path:
        raise StartError(f"module {path}: this is a file; use --wsgi-file {path}", NO_APPLICATION)
    try:
        return importlib.import_module(path)
    except ModuleNotFoundError as error:
        if error.name and (path == error.name or path.startswith(error.name + ".")):
            places = f"{os.getcwd()} or on the Python path"
            raise StartError(
                f"module {path}: there is no module named {error.name} in {places}", NO_APPLICATION
            ) from error
        raise StartError(f"module {path}: {error}", NO_APPLICATION) from error
    except KeyboardInterrupt:
        raise  # not the application's fault: whoever starts us wants the start to end
    except BaseException as error:
        raise StartError(f"module {path}: its import raised {error!r}", NO_APPLICATION) from error


def load_file(path: str) -> ModuleType:
    """Run a Python file under the name that uWSGI gives it (``uwsgi_file_`` and its path)."""
    if not os.path.isfile(path):
        raise StartError(f"wsgi-file {path}: there is no such file", NO_APPLICATION)
    name = "uwsgi_file_" + re.sub(r"[/.]", "_", path.removesuffix(".py"))
    spec = importlib.util.spec_from_file_location(name, absolute(path))
    if spec is None or spec.loader is None:
        # Any ending will do (django.wsgi): it is Python because the operator says so.
        from importlib.machinery import SourceFileLoader

        loader = SourceFileLoader(name, absolute(path))
        spec = importlib.util.spec_from_loader(name, loader)
    if spec is None or spec.loader is None:
        raise StartError(f"wsgi-file {path}: it cannot be loaded as Python", NO_APPLICATION)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    try:
        spec.loader.exec_module(module)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise StartError(f"wsgi-file {path}: running it raised {error!r}", NO_APPLICATION) from error
    return module


def file_in(folder: str) -> str:
    """The application's file in a folder, which is put before all others on the path. Raises StartError."""
    from pathlib import Path

    for name in FOLDER_FILES:
        path = Path(folder) / name
        if path.is_file():
            put_first(absolute(folder))
            return str(path)
    raise StartError(f"folder {folder}: there is no {', '.join(FOLDER_FILES)} in it", NO_APPLICATION)


def taken(folder: str) -> Iterator[tuple[str, str]]:
    """The modules beside an application in its folder that it will not get, because another one of the same
    name is loaded already, with that one's file: all applications share one interpreter."""
    from pathlib import Path

    here = Path(folder).absolute()
    for path in sorted(here.glob("*")):  # none where the folder cannot be listed
        name = path.stem if path.suffix == ".py" else path.name
        loaded = getattr(sys.modules.get(name), "__file__", None)
        if loaded and path.name not in FOLDER_FILES and here not in Path(loaded).absolute().parents:
            yield name, loaded


def load_code(code: str) -> ModuleType:
    """Run the code of an option in a module of its own. Raises StartError, with its error as the cause."""
    module = ModuleType("uwsgi_eval_config")
    sys.modules[module.__name__] = module
    try:
        exec(compile(code, "<eval>", "exec"), module.__dict__)
    except KeyboardInterrupt:
        raise
    except BaseException as error:
        raise StartError(f"eval: running it raised {error!r}", NO_APPLICATION) from error
    return module


def mount_source(text: str, name: str = "") -> tuple[str, Source]:
    """The mount point and the source of ``/point=target`` (uWSGI's ``mount``): a file, a folder,
    ``module:callable`` or a module; ``name`` is the callable where the target does not say it.

    Raises StartError for a text that is none; what it names is looked for by ``load``.
    """
    try:
        point, _, _, target = mounts.parse(text)
    except ValueError as error:
        raise StartError(f"mount {text}: {error}", NO_APPLICATION) from error
    if target.endswith((".py", ".wsgi")):
        return point, Source(file=target, callable=name)
    if "/" in target and os.path.isdir(target):
        return point, Source(folder=target, callable=name)
    return point, Source(module=target, callable=name)


def pick(module: ModuleType, where: str, name: str) -> Application:
    """The callable ``name`` in ``module``: dotted names and a factory's ``()`` are understood."""
    factory = name.endswith("()")
    bare = name.removesuffix("()")
    names: Iterable[str] = (bare,) if bare else DEFAULTS
    for candidate in names:
        found = find(module, candidate)
        if found is None:
            continue
        if factory:
            try:
                found = found()
            except KeyboardInterrupt:
                raise
            except BaseException as error:
                raise StartError(f"{where}: {name} raised {error!r}", NO_APPLICATION) from error
        if not callable(found):
            raise StartError(
                f"{where}: {candidate} is not callable but {type(found).__name__}", NO_APPLICATION
            )
        application: Application = found
        return application
    wanted = " or ".join(names)
    raise StartError(f"{where}: there is no {wanted} in it", NO_APPLICATION)


def find(module: ModuleType, dotted: str) -> Any:
    """An attribute by a dotted name, or None."""
    found: Any = module
    for part in dotted.split("."):
        found = getattr(found, part, None)
        if found is None:
            return None
    return found


def no_application(environ: dict[str, Any], start_response: Any) -> list[bytes]:
    """What answers when no application could be loaded and none is needed (uWSGI goes on like this)."""
    environ[OWN_PAGE] = True
    body = b"500 Internal Server Error: no application was loaded; the start of the log says why\n"
    start_response(
        "500 Internal Server Error",
        [("Content-Type", "text/plain"), ("Content-Length", str(len(body)))],
    )
    return [body]
