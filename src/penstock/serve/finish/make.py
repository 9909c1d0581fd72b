"""What is done to every reply, from the settings.

Runs once, in the process that serves, before it serves. What nothing asks for is not imported.
"""

from collections.abc import Callable
from typing import TYPE_CHECKING

from penstock.config.settings import Settings
from penstock.core.errors import StartError

if TYPE_CHECKING:
    from penstock.serve.finish.compression import Compression
    from penstock.serve.finish.finish import Finish
    from penstock.serve.finish.pages import Pages

SECURITY = (
    ("X-Content-Type-Options", "nosniff"),
    ("X-Frame-Options", "SAMEORIGIN"),
    ("Referrer-Policy", "strict-origin-when-cross-origin"),
    ("Cross-Origin-Opener-Policy", "same-origin"),
)
"""``security-headers``: what keeps browsers from guessing types, framing, telling addresses to other sites
and sharing a window with them. No Content-Security-Policy: what it may say only the application knows."""
SECURITY_HTTPS = (("Strict-Transport-Security", "max-age=31536000"),)
"""The same where the request came by https: a year, this host alone."""


ASKING = (
    *("rem_header", "collect_header", "pull_header", "security_headers", "compress", "http_auto_gzip"),
    *("error_page_403", "error_page_404", "error_page_500"),
)
"""The options that ask for something, by their fields."""


def make_finish(settings: Settings, warn: Callable[[str, str], None]) -> "Finish | None":
    """What the settings want done; None where nothing asks for it. Rules are put in by whoever compiles them
    (``dataclasses.replace``, of ``Finish()`` where this is None). ``warn``: called with (key, text).

    Raises StartError for an option that cannot be acted on.
    """
    if not settings.any_of(ASKING):
        if settings.error_page_intercept:
            warn("error-page-intercept", "error-page-intercept: there is no error-page-403, -404 or -500")
        return None
    from penstock.serve.finish.finish import Finish

    return Finish(
        removed=frozenset(name.lower() for name in settings.rem_header),
        noted=noted(settings),
        secured=absent(settings, SECURITY),
        secured_https=absent(settings, SECURITY_HTTPS),
        pages=pages(settings, warn),
        intercept=settings.error_page_intercept,
        compression=compression(settings),
    )


def noted(settings: Settings) -> tuple[tuple[str, str, bool], ...]:
    """``pull-header`` and ``collect-header``; what is pulled is not there to be collected, as in uWSGI."""
    made: list[tuple[str, str, bool]] = []
    texts = [("pull-header", text, False) for text in settings.pull_header]
    texts += [("collect-header", text, True) for text in settings.collect_header]
    if not texts:
        return ()
    from penstock.config.site import replies

    for option, text, sent in texts:
        try:
            header, variable = replies.noted(text)
        except ValueError as error:
            raise StartError(f"{option} {text}: {error}") from error
        made.append((header.lower(), variable, sent))
    return tuple(made)


def absent(settings: Settings, fields: tuple[tuple[str, str], ...]) -> tuple[tuple[str, str], ...]:
    """Those of ``security-headers`` that ``add-header`` does not set already."""
    if not settings.security_headers:
        return ()
    added = {header.partition(":")[0].strip().lower() for header in settings.add_header}
    return tuple(field for field in fields if field[0].lower() not in added)


def pages(settings: Settings, warn: Callable[[str, str], None]) -> "Pages | None":
    """The pages of errors; a file that cannot be read now is said."""
    files = {403: settings.error_page_403, 404: settings.error_page_404, 500: settings.error_page_500}
    given = {code: paths for code, paths in files.items() if paths}
    if not given:
        return None
    from penstock.serve.finish.pages import Pages

    made = Pages(given)
    for code, paths in given.items():
        if made.read(code) is None:
            named = ", ".join(paths)
            warn(f"error-page-{code}", f"error-page-{code} {named}: not there yet, or no page; text is sent")
    return made


def compression(settings: Settings) -> "Compression | None":
    """``compress`` and ``http-auto-gzip``."""
    marked = settings.http_auto_gzip
    if not (settings.compress or marked):
        return None
    from penstock.config.site import replies
    from penstock.serve.finish.coders import coder_of
    from penstock.serve.finish.compression import Compression, types_of

    try:
        ways = frozenset(replies.way(text) for text in settings.compress)
        coders = {way: coder_of(way) for way in (*ways, *(("gzip",) if marked else ()))}
        types = types_of([replies.kind(text) for text in settings.compress_types])
    except ValueError as error:
        raise StartError(f"compress: {error}") from error
    return Compression(coders, ways, marked, settings.compress_min_size, types)
