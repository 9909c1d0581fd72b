"""Options: what is done to replies on their way out, and where they come from when the application has no
part in them: pages of errors, caches, redirects, other servers. Read at boot only.
"""

from penstock.config.option import INT, LIST, SECONDS, SIZE, TEXT, Option, group, opt
from penstock.config.settings.declare import flag, many, number

GROUP = "HTTP"
TYPES = ("text/*", "*/*json", "*/*xml", "*/*javascript")
"""What is text by its name, and gets much shorter."""


@group
class ReplyOptions:
    """Headers, pages of errors and compression."""

    rem_header: tuple[str, ...] = many(
        GROUP, "rem-header", "Leave a header out of every reply.", "NAME", aliases=("del-header",)
    )
    collect_header: tuple[str, ...] = many(
        GROUP,
        "collect-header",
        "Copy a header of the reply to a request variable.",
        "NAME VARIABLE",
        aliases=("response-header-collect",),
    )
    pull_header: tuple[str, ...] = many(
        GROUP, "pull-header", "Move a header of the reply to a request variable.", "NAME VARIABLE"
    )
    security_headers: bool = flag(
        GROUP,
        "security-headers",
        "Add the headers that keep a browser from the usual attacks, where a reply has them not.",
        own=True,
    )
    error_page_403: tuple[str, ...] = many(
        GROUP, "error-page-403", "Show this page where the server refuses.", "FILE"
    )
    error_page_404: tuple[str, ...] = many(
        GROUP, "error-page-404", "Show this page where the server finds nothing.", "FILE"
    )
    error_page_500: tuple[str, ...] = many(
        GROUP, "error-page-500", "Show this page where the server fails.", "FILE"
    )
    error_page_intercept: bool = flag(
        GROUP, "error-page-intercept", "Show those pages for the application's replies too.", own=True
    )
    http_auto_gzip: bool = flag(
        GROUP, "http-auto-gzip", "Compress replies that ask for it with uWSGI-Encoding."
    )
    compress: tuple[str, ...] = many(
        GROUP, "compress", "Compress replies in these ways: gzip, br, zstd.", "WAYS", own=True
    )
    compress_min_size: int = number(
        SIZE,
        1024,
        GROUP,
        "compress-min-size",
        "Leave replies shorter than this as they are.",
        own=True,
        metavar="BYTES",
    )
    compress_types: tuple[str, ...] = opt(
        TYPES,
        Option(
            "compress-types",
            LIST,
            GROUP,
            "Types of replies to compress; * for any.",
            own=True,
            metavar="TYPES",
        ),
    )


@group
class ElsewhereOptions:
    """Requests that another address, another name or another server is meant for."""

    http_to_https: tuple[str, ...] = many(
        GROUP, "http-to-https", "Redirect plain HTTP requests on this address to HTTPS.", "ADDRESS[,PORT]"
    )
    http_to: tuple[str, ...] = many(
        GROUP, "http-to", "Pass requests to this server, by the uwsgi protocol.", "ADDRESS"
    )
    http_var: tuple[str, ...] = many(
        GROUP, "http-var", "Add a variable to every request that comes to --http.", "NAME=VALUE"
    )
    vhost: bool = flag("Application", "vhost", "Choose the application by the server's name.")
    vhost_host: bool = flag("Application", "vhost-host", "Choose the application by the Host header.")


@group
class CacheOptions:
    """Stores that all processes share."""

    cache: int = number(
        INT, 0, "Caching", "cache", "Make a cache with room for this many items.", metavar="N"
    )
    cache_blocksize: int = number(
        SIZE,
        65536,
        "Caching",
        "cache-blocksize",
        "Set how large an item of the cache may be.",
        metavar="BYTES",
    )
    cache_expire_freq: float = number(
        SECONDS, 3.0, "Caching", "cache-expire-freq", "Look for expired items this often.", metavar="TIME"
    )
    cache_no_expire: bool = flag("Caching", "cache-no-expire", "Leave items that have expired in the cache.")
    cache2: tuple[str, ...] = many(
        "Caching", "cache2", "Make a cache with a name and options of its own.", "KEY=VALUE,..."
    )
    add_cache_item: tuple[str, ...] = many(
        "Caching", "add-cache-item", "Put this item in the cache at the start.", "[CACHE ]KEY=VALUE"
    )
    load_file_in_cache: tuple[str, ...] = many(
        "Caching", "load-file-in-cache", "Put this file in the cache at the start.", "[CACHE ]FILE"
    )
    load_file_in_cache_gzip: tuple[str, ...] = many(
        "Caching",
        "load-file-in-cache-gzip",
        "Put this file in the cache at the start, compressed.",
        "[CACHE ]FILE",
    )
    check_cache: str | None = opt(
        None,
        Option(
            "check-cache",
            TEXT,
            "Caching",
            "Answer from the cache where it has the path.",
            bare="",
            metavar="NAME",
        ),
    )
