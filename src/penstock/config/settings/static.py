"""Options: files that are served beside the application. Read at boot only.

Texts as written; ``config.site`` takes them apart.
"""

from penstock.config.option import SECONDS, group
from penstock.config.settings.declare import flag, many, number, text

GROUP = "Static files"


@group
class StaticOptions:
    """Which files are served, and which are not."""

    static_map: tuple[str, ...] = many(
        GROUP, "static-map", "Serve the files of a folder below a path.", "PATH=FOLDER"
    )
    static_map2: tuple[str, ...] = many(
        GROUP,
        "static-map2",
        "Serve the files of a folder below a path, which is a part of their name.",
        "PATH=FOLDER",
    )
    check_static: tuple[str, ...] = many(
        GROUP,
        "check-static",
        "Serve a file of this folder where one has the request's path.",
        "FOLDER",
        aliases=("static-check",),
    )
    check_static_docroot: bool = flag(
        GROUP, "check-static-docroot", "Serve a file of DOCUMENT_ROOT where one has the request's path."
    )
    static_index: tuple[str, ...] = many(GROUP, "static-index", "Serve this file for a folder.", "NAME")
    static_skip_ext: tuple[str, ...] = many(
        GROUP, "static-skip-ext", "Serve no files with this ending.", "ENDING"
    )
    static_safe: tuple[str, ...] = many(
        GROUP, "static-safe", "Allow files below this folder though they lie outside.", "FOLDER"
    )
    static_dotfiles: bool = flag(
        GROUP,
        "static-dotfiles",
        "Serve files whose name, or a folder of theirs, begins with a dot too.",
        own=True,
        note="without it they are not served, save for /.well-known/",
    )
    static_cache_paths: float = number(
        SECONDS,
        0.0,
        GROUP,
        "static-cache-paths",
        "Remember for this long where files are, and that there are none.",
        metavar="TIME",
    )


@group
class FileReplyOptions:
    """How files are sent, and what is said of them."""

    mimefile: tuple[str, ...] = many(
        GROUP, "mimefile", "Read the types of files from here.", "FILE", aliases=("mime-file",)
    )
    honour_range: bool = flag(GROUP, "honour-range", "Answer requests for a range of a file.")
    static_expires: tuple[str, ...] = many(
        GROUP, "static-expires", "Set Expires for files whose name matches.", "REGEX TIME"
    )
    static_expires_mtime: tuple[str, ...] = many(
        GROUP,
        "static-expires-mtime",
        "Set Expires for files whose name matches, counted from their change.",
        "REGEX TIME",
    )
    static_expires_type: tuple[str, ...] = many(
        GROUP, "static-expires-type", "Set Expires for files of a type.", "TYPE=TIME"
    )
    static_expires_type_mtime: tuple[str, ...] = many(
        GROUP,
        "static-expires-type-mtime",
        "Set Expires for files of a type, counted from their change.",
        "TYPE=TIME",
    )
    static_expires_uri: tuple[str, ...] = many(
        GROUP, "static-expires-uri", "Set Expires where the request's target matches.", "REGEX TIME"
    )
    static_expires_uri_mtime: tuple[str, ...] = many(
        GROUP,
        "static-expires-uri-mtime",
        "Set Expires where the request's target matches, from the file's change.",
        "REGEX TIME",
    )
    static_expires_path_info: tuple[str, ...] = many(
        GROUP, "static-expires-path-info", "Set Expires where the path matches.", "REGEX TIME"
    )
    static_expires_path_info_mtime: tuple[str, ...] = many(
        GROUP,
        "static-expires-path-info-mtime",
        "Set Expires where the path matches, from the file's change.",
        "REGEX TIME",
    )
    static_immutable: tuple[str, ...] = many(
        GROUP,
        "static-immutable",
        "Let files with a hash in their name be kept for a year; a value names them by a regex.",
        "REGEX",
        own=True,
        bare="true",
    )
    static_gzip: tuple[str, ...] = many(
        GROUP, "static-gzip", "Serve the compressed twin of files that match.", "REGEX"
    )
    static_gzip_all: bool = flag(
        GROUP, "static-gzip-all", "Serve the compressed twin of every file that has one."
    )
    static_gzip_dir: tuple[str, ...] = many(
        GROUP,
        "static-gzip-dir",
        "Serve compressed twins below this folder.",
        "FOLDER",
        aliases=("static-gzip-prefix",),
    )
    static_gzip_ext: tuple[str, ...] = many(
        GROUP,
        "static-gzip-ext",
        "Serve compressed twins of files with this ending.",
        "ENDING",
        aliases=("static-gzip-suffix",),
    )
    file_serve_mode: str = text(
        GROUP,
        "file-serve-mode",
        "Let the front server send the files (X-Accel-Redirect, X-Sendfile).",
        "MODE",
        aliases=("fileserve-mode",),
    )
    disable_sendfile: bool = flag(GROUP, "disable-sendfile", "Send files with reads and writes.")
