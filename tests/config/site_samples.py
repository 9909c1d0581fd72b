"""The same for files, rules, replies and caches."""

RULES = ("", "-host", "-uri", "-qs", "-remote-addr", "-remote-user", "-user-agent", "-referer")
"""How the names of rules end whose first word is a regex."""


def rules(phase: str, status: bool) -> dict[str, tuple[str, object]]:
    """All rules of one phase."""
    texts = dict.fromkeys(RULES, "^/a log:a")
    texts |= {"-if": "empty:${HTTP_X} log:a", "-if-not": "empty:${HTTP_X} log:a"}
    texts |= {"-run": "log:a", "-label": "end"} | ({"-status": "200 log:a"} if status else {})
    return {f"{phase}route{ending}": (text, (text,)) for ending, text in texts.items()}


SITE: dict[str, tuple[str, object]] = {
    "static-map": ("/static=/srv/static", ("/static=/srv/static",)),
    "static-map2": ("/media=/srv", ("/media=/srv",)),
    "check-static": ("/srv/www", ("/srv/www",)),
    "check-static-docroot": ("true", True),
    "static-index": ("index.html", ("index.html",)),
    "static-skip-ext": (".php", (".php",)),
    "static-safe": ("/srv/shared", ("/srv/shared",)),
    "static-dotfiles": ("true", True),
    "static-cache-paths": ("30", 30.0),
    "mimefile": ("/srv/mime.types", ("/srv/mime.types",)),
    "honour-range": ("true", True),
    **dict.fromkeys(
        (
            *("static-expires", "static-expires-mtime", "static-expires-uri", "static-expires-uri-mtime"),
            *("static-expires-path-info", "static-expires-path-info-mtime"),
        ),
        (r"\.css$ 3600", (r"\.css$ 3600",)),
    ),
    **dict.fromkeys(
        ("static-expires-type", "static-expires-type-mtime"), ("text/css=3600", ("text/css=3600",))
    ),
    "static-immutable": (r"\.hashed\.", (r"\.hashed\.",)),
    "static-gzip": (r"\.css$", (r"\.css$",)),
    "static-gzip-all": ("true", True),
    "static-gzip-dir": ("/srv/static", ("/srv/static",)),
    "static-gzip-ext": (".css", (".css",)),
    "file-serve-mode": ("nginx", "nginx"),
    "disable-sendfile": ("true", True),
    **rules("", status=False),
    **rules("response-", status=True),
    **rules("error-", status=True),
    **rules("final-", status=True),
    "proxy-timeout": ("2m", 120.0),
    "trace-routes": ("true", True),
    "router-list": ("true", True),
    "proxy-connect-timeout": ("500ms", 0.5),
    "rem-header": ("Server", ("Server",)),
    "collect-header": ("X-Kind KIND", ("X-Kind KIND",)),
    "pull-header": ("X-Kind KIND", ("X-Kind KIND",)),
    "security-headers": ("true", True),
    "error-page-403": ("/srv/403.html", ("/srv/403.html",)),
    "error-page-404": ("/srv/404.html", ("/srv/404.html",)),
    "error-page-500": ("/srv/500.html", ("/srv/500.html",)),
    "error-page-intercept": ("true", True),
    "http-auto-gzip": ("true", True),
    "compress": ("br, gzip", ("br", "gzip")),
    "compress-min-size": ("2k", 2048),
    "compress-types": ("text/*, application/json", ("text/*", "application/json")),
    "http-to-https": (":8004,8443", (":8004,8443",)),
    "https": (":8443,a.pem,a.key", (":8443,a.pem,a.key",)),
    "https-socket": (":8444,a.pem,a.key,HIGH,!ca.pem", (":8444,a.pem,a.key,HIGH,!ca.pem",)),
    "https-export-cert": ("true", True),
    "http-to": ("127.0.0.1:3031", ("127.0.0.1:3031",)),
    "http-var": ("KIND=public", ("KIND=public",)),
    "vhost": ("true", True),
    "vhost-host": ("true", True),
    "cache": ("100", 100),
    "cache-blocksize": ("4096", 4096),
    "cache-expire-freq": ("10", 10.0),
    "cache-no-expire": ("true", True),
    "cache2": ("name=pages,items=100", ("name=pages,items=100",)),
    "add-cache-item": ("greeting=hello", ("greeting=hello",)),
    "load-file-in-cache": ("/srv/page.html", ("/srv/page.html",)),
    "load-file-in-cache-gzip": ("/srv/page.html", ("/srv/page.html",)),
    "check-cache": ("pages", "pages"),
}
