"""The files of the cases in ``statics``: folders, links, names and twins, all with one old time stamp.

Made in the folder of each server before it starts. Old, so that each server's Last-Modified is the same and
none is taken for a file that was changed just now.
"""

import gzip
import os
import time
from pathlib import Path

WRITTEN = 784111777  # Sun, 06 Nov 1994 08:49:37 GMT, in seconds since the epoch
BIG = 300_000  # bytes; more than either server sends at once
ENDINGS = (
    *("x.css", "x.txt", "x.one", "x.two", "x.both", "x.odd-one", "x.gz", "x.none", "x.commented", "x.tail"),
    *("x.alone", "x.blank", "x.crlf", "x.comment", "x.#", "x.kept", "x.keptm", "two.css.none", "css", "x."),
    "none.css/x",
)
SETTLES = 2.1  # seconds
TEXTS = {
    "st/a.txt": "alpha\n",
    "st/b.txt": "second\n",
    "st/page.html": "<p>page</p>\n",
    "st/style.css": "p {}\n",
    "st/UPPER.CSS": "P {}\n",
    "st/code.js": "let a = 1\n",
    "st/noending": "no ending\n",
    "st/odd.ending-of-none": "odd\n",
    "st/two.tar.gz": "no archive\n",
    "st/empty.txt": "",
    "st/with blank.txt": "blank\n",
    "st/100%.txt": "percent\n",
    "st/plus+.txt": "plus\n",
    "st/semi;colon.txt": "semicolon\n",
    "st/back\\slash.txt": "backslash\n",
    "st/.hidden.txt": "hidden\n",
    "st/.folder/x.txt": "in a hidden folder\n",
    "st/.well-known/acme.txt": "challenge\n",
    "st/sub/c.txt": "in a folder\n",
    "st/sub/index.html": "<p>index of sub</p>\n",
    "st/sub/default.htm": "<p>not this one</p>\n",
    "st/other/default.htm": "<p>default of other</p>\n",
    "st/bare/x.txt": "no index here\n",
    "st/strange/index.html/x.txt": "the index is a folder\n",
    "st/strange/default.htm": "<p>default of strange</p>\n",
    "st/code.php": "<?php secret ?>\n",
    "st/code.inc": "secret\n",
    "st/skipped/index.php": "<?php secret ?>\n",
    f"st/{'n' * 200}.txt": "a long name\n",
    "st-evil/x.txt": "beside the root\n",
    "st2/a.txt": "the other alpha\n",
    "st2/only.txt": "only in the second\n",
    "secret.txt": "outside\n",
    "outside/index.html": "<p>outside</p>\n",
    "safe/s.txt": "safe\n",
    "safe-evil/x.txt": "beside what is safe\n",
    "check/checked.txt": "checked\n",
    "check/first/x.txt": "by check-static\n",
    "check2/also.txt": "also checked\n",
    "map/first/x.txt": "by static-map\n",
    "map/first/y.txt": "by static-map, y\n",
    "whole/first/y.txt": "by static-map2, y\n",
    "whole/first/z.txt": "by static-map2, z\n",
    "whole/map2~/a.txt": "with its whole path\n",
    "any/anywhere.txt": "anywhere\n",
    **{f"endings/{name}": f"{name}\n" for name in ENDINGS},
    "linked/one.txt": "one\n",
    "linked/two.txt": "two\n",
}
TWINS = (
    *("st/style.css", "st/code.js", "st/page.html", "st/late.css", "st/quiet.css"),
    *("tw/x.css", "tw/y.foo", "tw/z-re.bar", "tw-two/x.css", "tw-two/y.foo"),
)
LINKS = {
    "st/to_a.txt": "a.txt",
    "st/to_sub": "sub",
    "st/chain.txt": "to_a.txt",
    "st/to_none.txt": "none.txt",
    "st/loop.txt": "loop.txt",
    "st/out.txt": "../secret.txt",
    "st/out": "..",
    "st/round.txt": "../st/a.txt",
    "st/evil.txt": "../st-evil/x.txt",
    "st/evil": "../st-evil",
    "st/to_safe.txt": "../safe/s.txt",
    "st/to_safe": "../safe",
    "st/to_safe_evil.txt": "../safe-evil/x.txt",
    "st/plain.txt": "code.php",
    "st/away/index.html": "../../secret.txt",
    "st/away/default.htm": "../page.html",
    "st/null": "/dev/null",
    "current": "st",
    "linked/link.txt": "one.txt",
    "endings/link.txt": "x.css",
    "tw/to.css": "x.css",
    "tw-two/to.css": "x.css",
}


def plant(folder: Path) -> None:
    """Make all of it."""
    for name, text in TEXTS.items():
        write(folder / name, text.encode())
    write(folder / "st/big.bin", bytes(range(256)) * (BIG // 256))
    for name in TWINS:
        write(folder / name, f"{name} as it is, {'and more of it, ' * 9}\n".encode())
        write(folder / f"{name}.gz", gzip.compress(f"{name} by gzip\n".encode(), mtime=0))
        if not name.endswith((".js", ".bar")):
            write(folder / f"{name}.br", f"{name} by br\n".encode())
    for name, target in {**LINKS, "st/absolute.txt": str(folder / "st/sub/c.txt")}.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.symlink_to(target)
    os.mkfifo(folder / "st/fifo")


def plant_and_wait(folder: Path) -> None:
    """The same, and not just now: a file that was changed a moment ago has no strong validator."""
    plant(folder)
    time.sleep(SETTLES)


def write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    os.utime(path, (WRITTEN, WRITTEN))
