"""The application's own virtual environment: its packages on the path, behind the standard library and before
whatever penstock was installed with.

Used by ``loader`` once at start, on the main thread. It changes this interpreter; it starts no other.
"""

import os
import site
import sys
from pathlib import Path

from penstock.core.errors import StartError

OURS = f"python{sys.version_info.major}.{sys.version_info.minor}"
CONFIG = "pyvenv.cfg"  # PEP 405


def enter(virtualenv: str) -> None:
    """Make the environment in the folder ``virtualenv`` the application's: its packages, those that its
    .pth files name, and ``sys.prefix``. As in uWSGI, ``sys.executable`` stays what it is.

    Raises StartError when there is none, and when it is for another Python.
    """
    root = Path(os.path.abspath(virtualenv))
    try:
        config = _config(root, virtualenv)
        folders = _packages(root, virtualenv, config)
    except OSError as error:
        raise StartError(f"virtualenv {virtualenv}: {error.filename}: {error.strerror}") from error
    if root.samefile(sys.prefix):
        return  # we run in it: Python has done all this
    if config.get("include-system-site-packages", "").lower() == "true":
        base = os.path.dirname(config.get("home", "")) or sys.base_prefix
        folders += [folder for folder in site.getsitepackages([base]) if os.path.isdir(folder)]
    _add(folders)
    sys.prefix = sys.exec_prefix = str(root)


def _config(root: Path, given: str) -> dict[str, str]:
    """What pyvenv.cfg says, nothing without one. Raises StartError."""
    if not root.is_dir():
        raise StartError(f"virtualenv {given}: there is no such folder")
    try:
        lines = (root / CONFIG).read_text(errors="replace").splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in lines)
    return {name.strip().lower(): value.strip() for name, _, value in pairs}


def _packages(root: Path, given: str, config: dict[str, str]) -> list[str]:
    """Its folders of packages for our Python. Raises StartError."""
    folders = [root / lib / OURS / "site-packages" for lib in dict.fromkeys(("lib", sys.platlibdir))]
    found = [str(folder) for folder in folders if folder.is_dir()]
    others = _others(root, config, bool(found))
    if found and not others:
        return found
    if others:
        raise StartError(
            f"virtualenv {given} is for {', '.join(others)}, but penstock runs on {OURS}; "
            "install penstock with that Python, or make the environment anew"
        )
    raise StartError(f"virtualenv {given}: it has no lib/{OURS}/site-packages")


def _others(root: Path, config: dict[str, str], has_ours: bool) -> list[str]:
    """The Pythons that it is for instead of ours: as it says itself, else as its folders do."""
    version = config.get("version") or config.get("version_info") or ""
    minor = "python" + ".".join(version.split(".")[:2]) if version else OURS
    if minor != OURS:
        return [minor]
    return [] if has_ours else sorted(path.name for path in root.glob("lib/python*") if path.name != OURS)


def _add(folders: list[str]) -> None:
    """Put the folders, and what their .pth files add, behind the standard library.

    Behind it, because packages may carry names of its modules (old backports do); where Python itself puts
    them as well.
    """
    before = [entry for entry in sys.path if entry not in folders]
    sys.path[:] = before
    for folder in folders:
        site.addsitedir(folder)
    added = [entry for entry in sys.path if entry not in before]
    library = os.path.dirname(os.__file__)
    place = max((at + 1 for at, entry in enumerate(before) if _within(entry, library)), default=0)
    sys.path[:] = [*before[:place], *added, *before[place:]]


def _within(entry: str, library: str) -> bool:
    """Whether an entry of the path is the standard library's, without the packages that lie below it."""
    return entry in (library, os.path.join(library, "lib-dynload"))
