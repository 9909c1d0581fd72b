"""Walking by hand against two that know: the system's own realpath, and the kernel's check."""

import os
import shutil
import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from penstock.serve.static.opening import PEEK, probe
from penstock.serve.static.roots import Means, Root, is_below, names_of
from tests.serve.static.sites import Said, write

NAMES = ("a", "b", "c", "f")
PARTS = st.sampled_from((*NAMES, "..", ".", "", "root", "out"))
TEXTS = st.builds(
    lambda start, parts, end: f"{start}{'/'.join(parts)}{end}" or ".",
    st.sampled_from(("", "", "{top}/", "{top}/./root" + "/", "{top}/out/", "/")),
    st.lists(PARTS, max_size=5),
    st.sampled_from(("", "", "/")),
)
SPOTS = st.sampled_from(("a", "b", "a/b", "b/a", "a/c", "c", "a/b/c", "../out/a", "../out/c"))
LINKS = st.dictionaries(SPOTS, TEXTS, min_size=1, max_size=6)
PATHS = st.lists(st.sampled_from(NAMES), min_size=1, max_size=4)


def make(top: Path, links: dict[str, str]) -> None:
    """A root, a folder beside it, and links in both."""
    for folder in ("root", "out"):
        write(top / folder / "f", b"")
    for name, text in sorted(links.items()):
        path = top / "root" / name
        if not os.path.realpath(path.parent).startswith(f"{os.path.realpath(top)}/"):
            continue  # by a link that leads out of the test
        try:
            write(path.parent / "f", b"")
            path.symlink_to(text.format(top=top))
        except OSError:  # another link stands in the way
            continue


def truly(root: bytes, parts: list[bytes]) -> tuple[bytes, ...] | None:
    """Where a path leads by the system's word; None where to nothing, or to what lies outside."""
    path = b"/".join((root, *parts))
    try:
        os.stat(path)  # realpath takes "file/" for a path
        names = names_of(os.path.realpath(path, strict=True))
    except OSError:
        return None
    return names if is_below(names, names_of(root)) else None


def found(root: Root, parts: list[bytes]) -> tuple[bytes, ...] | None:
    """The same by us."""
    try:
        fd, names = root.open(parts, PEEK, named=True)
    except OSError:
        return None
    os.close(fd)
    return names


@settings(max_examples=40, deadline=None)
@given(LINKS, st.lists(PATHS, min_size=4, max_size=12))
def test_all_say_the_same(links: dict[str, str], paths: list[list[str]]) -> None:
    top = Path(tempfile.mkdtemp())
    try:
        make(top, links)
        path = os.fsencode(top / "root")
        roots = [Root(path, Means(opener, Said())) for opener in (None, probe())]
        for names in paths:
            parts = [os.fsencode(name) for name in names]
            expected = truly(path, parts)
            assert [found(root, parts) for root in roots] == [expected, expected], (links, names)
    finally:
        shutil.rmtree(top)
