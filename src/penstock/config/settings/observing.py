"""Options: what can be seen of a server from outside: figures, health, times, traces. Read at boot only."""

from penstock.config.option import INT, SECONDS, group, opt
from penstock.config.settings.declare import flag, many, number, text, within

GROUP = "Stats and metrics"
REPORTING = (
    *("stats", "stats_push", "carbon", "enable_metrics", "metric", "metric_threshold", "metrics_dir"),
)
"""Fields that ask for figures as uWSGI tells them."""
PATHS = ("health_live", "health_ready", "metrics_path", "status_page")
"""Fields of paths that the loop answers, each its own; the last may be an address instead."""

_o = within(GROUP)


@group
class StatsOptions:
    """uWSGI's document of statistics, its metrics, and who is sent either."""

    stats: str = text(GROUP, "stats", "Publish statistics as JSON on this address.", "ADDRESS",
                      aliases=("stats-server",))  # fmt: skip
    stats_http: bool = flag(GROUP, "stats-http", "Publish statistics by HTTP.")
    stats_minified: bool = flag(
        GROUP, "stats-minified", "Publish statistics without white space.", aliases=("stats-min",)
    )
    stats_no_cores: bool = flag(GROUP, "stats-no-cores", "Leave threads out of the statistics.")
    stats_no_metrics: bool = flag(GROUP, "stats-no-metrics", "Leave metrics out of the statistics.")
    stats_push: tuple[str, ...] = many(
        GROUP, "stats-push", "Send figures there: socket, statsd or file.", "KIND:ARGUMENT"
    )
    stats_pusher_default_freq: float = number(
        SECONDS, 3.0, GROUP, "stats-pusher-default-freq", "Send them this often.",
        aliases=("stats-pushers-default-freq",), metavar="TIME",
    )  # fmt: skip
    statsd_all_gauges: bool = flag(GROUP, "statsd-all-gauges", "Send statsd every metric as a gauge.")
    statsd_no_workers: bool = flag(GROUP, "statsd-no-workers", "Send statsd nothing about single workers.")
    enable_metrics: bool = flag(
        GROUP, "enable-metrics", "Keep uWSGI's metrics, for stats and who is sent them."
    )
    metric: tuple[str, ...] = many(GROUP, "metric", "Add a metric of your own.", "NAME|KEY=VALUE,...")
    metric_threshold: tuple[str, ...] = many(
        GROUP, "metric-threshold", "Raise an alarm, or do something, when a metric reaches a value.",
        "KEY=VALUE,...", aliases=("metric-alarm", "alarm-metric"),
    )  # fmt: skip
    metrics_dir: str = text(
        GROUP, "metrics-dir", "Keep a file for each metric in this folder.", "FOLDER", aliases=("metric-dir",)
    )
    metrics_dir_restore: bool = flag(
        GROUP, "metrics-dir-restore", "Begin with the values of those files.", aliases=("metric-dir-restore",)
    )
    metrics_no_cores: bool = flag(GROUP, "metrics-no-cores", "Keep no metrics of single threads.")
    nagios: bool = flag(GROUP, "nagios", "Print for Nagios whether the server answers, and do nothing else.")
    py_tracebacker: str = text(
        "Python", "py-tracebacker", "Show the stacks of a process to whoever connects to a socket.", "PREFIX"
    )


@group
class CarbonOptions:
    """What is sent to Graphite."""

    carbon: tuple[str, ...] = many(GROUP, "carbon", "Send figures to this Graphite server.", "ADDRESS")
    carbon_freq: float = number(SECONDS, 60.0, GROUP, "carbon-freq", "Send them this often.", metavar="TIME")
    carbon_hostname_dots: str = text(
        GROUP, "carbon-hostname-dots", "Replace the dots of the host's name by this.", "TEXT"
    )
    carbon_id: str = text(
        GROUP, "carbon-id", "Name of this server; that of its first socket without it.", "NAME"
    )
    carbon_idle_avg: str = text(
        GROUP, "carbon-idle-avg", "Average time of an idle worker: last, zero or none.", "WHICH"
    )
    carbon_max_retry: int = number(INT, 1, GROUP, "carbon-max-retry", "Try this often again.", metavar="N")
    carbon_name_resolve: bool = flag(
        GROUP,
        "carbon-name-resolve",
        "Look the server's address up by name.",
        aliases=("carbon-resolve-names",),
    )
    carbon_no_workers: bool = flag(GROUP, "carbon-no-workers", "Send nothing about single workers.")
    carbon_retry_delay: float = number(
        SECONDS, 7.0, GROUP, "carbon-retry-delay", "Wait this long before trying again.", metavar="TIME"
    )
    carbon_root: str = text(GROUP, "carbon-root", "Begin of all names; uwsgi without it.", "NAME")
    carbon_timeout: float = number(
        SECONDS, 3.0, GROUP, "carbon-timeout", "Wait this long for the server.", metavar="TIME"
    )
    carbon_use_metrics: bool = flag(GROUP, "carbon-use-metrics", "Send all metrics, by their names.")


@group
class SightOptions:
    """Metrics, health and times for whoever operates the server."""

    metrics: str = text(
        GROUP, "metrics", "Listen here for scrapes of /metrics, and for health (extra: metrics).", "ADDRESS",
        own=True,
    )  # fmt: skip
    metrics_path: str = text(
        GROUP, "metrics-path", "Path of the metrics on the application's own sockets.", "PATH", own=True
    )
    health_live: str = opt(
        "/-/live",
        _o("health-live", "text", "Path that says whether the server lives; off: none.", own=True,
           metavar="PATH"),
    )  # fmt: skip
    health_ready: str = opt(
        "/-/ready",
        _o("health-ready", "text", "Path that says whether it takes requests; off: none.", own=True,
           metavar="PATH"),
    )  # fmt: skip
    lame_duck: float = number(
        SECONDS, 0.0, GROUP, "lame-duck",
        "Time in which a server that is told to leave serves on, while it says that it is not ready.",
        own=True, metavar="TIME",
    )  # fmt: skip
    status_page: str = text(
        GROUP, "status-page", "Address of a page for browsers, or its path on the application's sockets.",
        "ADDRESS|PATH", own=True,
    )  # fmt: skip
    status_auth: str = text(
        GROUP, "status-auth", "user:password for that page, or a file of them; without it loopback alone.",
        "WHO|FILE", own=True,
    )  # fmt: skip
    server_timing: bool = flag(
        GROUP, "server-timing", "Tell clients the request's phases in Server-Timing.", own=True
    )
    request_id: str = opt(
        "auto",
        _o("request-id", "text", "Header of the request's id; off: none; auto: X-Request-ID if it is logged.",
           own=True, metavar="NAME"),
    )  # fmt: skip
    otel: str = text(
        GROUP, "otel", "Send traces by OpenTelemetry, to this URL or where its variables say (extra: otel).",
        "URL", own=True, bare="true",
    )  # fmt: skip
    otel_service_name: str = text(
        GROUP, "otel-service-name", "Name of the service in those traces.", "NAME", own=True
    )
