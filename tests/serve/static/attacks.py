"""Paths that try to get what is not to be served: what stands behind the mount point, as sent."""

from collections.abc import Iterator
from urllib.parse import quote

SLASHES = ("/", "//", "%2f", "%2F", "\\", "%5c", "/./", "/%2e/")
DOTS = ("..", "%2e%2e", ".%2e", "%2E.", "%2e%2E")
TARGETS = ("secret.txt", "site-evil/x.txt", "site.bak")
FAR = ("private/key.pem", "secret.txt")
LINKS = (
    *("out", "out_far", "out_absolute", "out_chain", "out_bak", "out_by_in", "dir/out_again", "dir/deep/out"),
    *("out_dir/key.pem", "out_dir/", "out_dir", "out_dir/dir/b.txt", "out_dir_absolute/key.pem"),
    *("out_dir_absolute/", "out_dir_absolute/dir/b.txt", "out_slash/key.pem", "out_evil/x.txt"),
    *("out_evil_absolute/x.txt", "in_dir/out_again", "in_dir/deep/out", "in_absolute_dir/out_again"),
    *("in_absolute_dir/deep/out", "loop", "loop_1", "loop_2", "loop/a.txt", "nowhere", "nowhere/a.txt"),
    *("slash/etc/passwd", "slash/etc/hostname", "slash", "slash/", "passwd", "zero", "tty", "fifo", "socket"),
    *("proc/etc/passwd", "proc_cwd/pyproject.toml", "proc_fd/0", "proc_fd/1", "proc_environ", "file_slash"),
)
HIDDEN = (
    *(".env", ".git/config", "dir/.htpasswd", ".hidden/x.txt", "%2eenv", "/.env", "./.env", "//.env"),
    *("dir/../.env", "dir//.htpasswd", "%2egit%2fconfig", "in_dir/.htpasswd", "in_absolute_dir/.htpasswd"),
    *(".git", ".git/", ".", "..", "...", "....", ".../", "%2e", "%2e%2e", "..;/", "..;/secret.txt"),
    *(".well-known/../../secret.txt", ".well-known/../.env", ".well-knownx", ".WELL-KNOWN/x", ".well-known"),
)
ODD = (
    *("a.txt%00", "a.txt%00.png", "%00", "secret.txt%00a.txt", "..%00/secret.txt", "dir%00/b.txt"),
    *(
        "a.txt/",
        "a.txt/.",
        "a.txt//",
        "a.txt/..",
        "a.txt/../a.txt",
        "a.txt/x",
        "a.txt%2f",
        "a.txt/index.html",
    ),
    *(
        "a" * 255,
        "a" * 256,
        "a" * 5000,
        "a/" * 2500,
        "../" * 1500,
        "dir/" * 1300,
        "./" * 3000 + "../secret.txt",
    ),
    *(
        "back\\slash.txt",
        "dir\\b.txt",
        "dir%5cb.txt",
        "..\\..\\secret.txt",
        "\\..\\secret.txt",
        "C:\\x",
        "C:/x",
    ),
    *("%c0%ae%c0%ae/secret.txt", "%c0%ae%c0%ae%c0%afsecret.txt", "%e0%80%ae%e0%80%ae/secret.txt"),
    *(
        "%252e%252e/secret.txt",
        "%252e%252e%252fsecret.txt",
        "%25%32%65%25%32%65/secret.txt",
        "%uff0e%uff0e/x",
    ),
    *("..%c0%af..%c0%afsecret.txt", "..%ef%bc%8fsecret.txt", "%ef%bc%8e%ef%bc%8e/secret.txt", "..%u2215x"),
    *("%2e%2e%2f%2e%2e%2f%2e%2e%2fetc%2fpasswd", "file:///etc/passwd", "~/x", "~root/.bashrc", "$HOME/x"),
    *(
        "etc/passwd",
        "/etc/passwd",
        "//etc/passwd",
        "%2fetc%2fpasswd",
        "a.txt%0d%0aX:%20y",
        "a.txt%0a",
        "*",
        "?",
    ),
    *("site", "site/a.txt", "www/secret.txt", "-evil/x.txt", "%20", "%09", "a.txt%20", "%20a.txt", "A.TXT"),
    *("a.txt:stream", "a.txt::$DATA", "a.txt~", "a.txt%ff", "%ff%fe", "%80", "dev/zero", "proc/self/environ"),
    *(
        "dir/deep/../../../secret.txt",
        "dir/%2e%2e/%2e%2e/secret.txt",
        "dir/./../../secret.txt",
        "sp ace.txt/..",
    ),
    *(
        "in_dir/../../secret.txt",
        "in_absolute_dir/../../secret.txt",
        "out_dir/../secret.txt",
        "slash/../etc/x",
    ),
)


def climbs() -> Iterator[str]:
    """Ways up: each spelling of dots with each of slashes, from several depths."""
    for dots in DOTS:
        for slash in SLASHES:
            for target in TARGETS:
                yield f"{dots}{slash}{target}"
            for target in FAR:
                yield f"{dots}{slash}{dots}{slash}{target}"
            yield f"dir{slash}{dots}{slash}{dots}{slash}secret.txt"
            yield f"{slash}{dots}{slash}secret.txt"
            yield f"nowhere{slash}{dots}{slash}{dots}{slash}secret.txt"


def deep(top: str) -> Iterator[str]:
    """Ways to a path from "/" on."""
    for depth in (3, 8, 16):
        yield "../" * depth + "etc/passwd"
        yield "%2e%2e%2f" * depth + "etc%2fpasswd"
        yield "../" * depth + top.lstrip("/") + "/secret.txt"
    for path in (f"{top}/secret.txt", f"{top}/private/key.pem", f"{top}/www/site/.env"):
        yield path
        yield quote(path, safe="")
        yield "/" + path


def attacks(top: str) -> list[str]:
    """All of them, each once. ``top`` is the folder around all."""
    return list(dict.fromkeys((*climbs(), *deep(top), *LINKS, *HIDDEN, *ODD)))
