"""Options: where to serve HTTPS, with which certificates. Read at boot only."""

from penstock.config.option import group
from penstock.config.settings.declare import flag, many

GROUP = "TLS"
PARTS = "ADDRESS,CERT,KEY[,...]"


@group
class TlsOptions:
    """Sockets that speak TLS."""

    https: tuple[str, ...] = many(
        GROUP, "https", "Serve HTTPS on this address, with certificate and key.", PARTS
    )
    https_socket: tuple[str, ...] = many(
        GROUP, "https-socket", "The same: HTTPS straight from the worker, no router process.", PARTS
    )
    https_export_cert: bool = flag(
        GROUP, "https-export-cert", "Give the application the client's certificate, in HTTPS_CC."
    )
