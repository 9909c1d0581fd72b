"""gunicorn's settings by name: how the command line spells them, what they are, and what becomes of them.

Data, for gunicorn 27. Knows nothing of how a configuration file is read.
"""

from functools import cache
from typing import Any, Final, NamedTuple

NONE: Final = "none"
"""The command line has no word for it."""
HOOK, ASGI, RELAXED, HTTP2, DIRTY, TAGS, LOGGING, TLS = (
    "penstock calls no function of a configuration file",
    "penstock serves WSGI applications; this concerns ASGI",
    "requests are read strictly, and no option relaxes it",
    "HTTP/2 is not spoken in this version; let the front server speak it",
    "there are no workers beside those that serve",
    "figures are sent without tags; metrics = ADDRESS has them by worker, mount and status",
    "penstock leaves Python's logging to the application: configure it there; penstock.logging has formats",
    "Python's defaults are used; ciphers and the CA of clients may stand behind the key of https",
)
ALWAYS = "nothing to ask for: "


class Setting(NamedTuple):
    """One setting.

    ``flags``    words of the command line, between blanks
    ``action``   "text", "int", "octal", "append", "on", "off", "optional" or "none"
    ``default``  gunicorn's
    ``becomes``  the option that means the same, "" where ``translate`` or nothing knows one
    ``note``     why there is none
    """

    name: str
    flags: str
    action: str
    default: Any
    becomes: str = ""
    note: str = ""


_S = Setting
SETTINGS = (
    _S("config", "-c --config", "text", None),
    _S("wsgi_app", "", NONE, None),
    _S("bind", "-b --bind", "append", ["127.0.0.1:8000"]),
    _S("backlog", "--backlog", "int", 2048, "listen"),
    _S("workers", "-w --workers", "int", 1, "processes"),
    _S("worker_class", "-k --worker-class", "text", "sync"),
    _S("threads", "--threads", "int", 1, "threads"),
    _S("worker_connections", "--worker-connections", "int", 1000, "max-connections"),
    _S("max_requests", "--max-requests", "int", 0, "max-requests"),
    _S("max_requests_jitter", "--max-requests-jitter", "int", 0, "max-requests-delta"),
    _S("timeout", "-t --timeout", "int", 30),
    _S("graceful_timeout", "--graceful-timeout", "int", 30),
    _S("keepalive", "--keep-alive", "int", 2, "keepalive-timeout"),
    _S("limit_request_line", "--limit-request-line", "int", 4094),
    _S("limit_request_fields", "--limit-request-fields", "int", 100, "header-count"),
    _S("limit_request_field_size", "--limit-request-field_size", "int", 8190),
    _S("reload", "--reload", "on", False),
    _S("reload_engine", "--reload-engine", "text", "auto", note=f"{ALWAYS}py-autoreload knows one way"),
    _S("reload_extra_files", "--reload-extra-file", "append", [], "touch-reload"),
    _S("spew", "--spew", "on", False, note="no line of the application is traced"),
    _S("check_config", "--check-config", "on", False, note="run penstock check on this file"),
    _S("print_config", "--print-config", "on", False, note="run penstock explain on this file"),
    _S("preload_app", "--preload", "on", False),
    _S("sendfile", "--no-sendfile", "off", None, note=f"{ALWAYS}a file is sent in the way that suits it"),
    _S("reuse_port", "--reuse-port", "on", False, "reuse-port"),
    _S("chdir", "--chdir", "text", None, "chdir"),
    _S("daemon", "-D --daemon", "on", False),
    _S("raw_env", "-e --env", "append", [], "env"),
    _S("pidfile", "-p --pid", "text", None, "pidfile"),
    _S("worker_tmp_dir", "--worker-tmp-dir", "text", None, note=f"{ALWAYS}workers have no heartbeat files"),
    _S("user", "-u --user", "text", None, "uid"),
    _S("group", "-g --group", "text", None, "gid"),
    _S("umask", "-m --umask", "octal", 0),
    _S("initgroups", "--initgroups", "on", False, note=f"{ALWAYS}with uid the user's groups are taken"),
    _S("tmp_upload_dir", "", NONE, None, "spool-dir"),
    _S("secure_scheme_headers", "", NONE, None,
       note="X-Forwarded-Proto and Forwarded of trusted-proxies say the scheme; let the proxy set one"),
    _S("forwarded_allow_ips", "--forwarded-allow-ips", "text", "127.0.0.1,::1", "trusted-proxies"),
    _S("accesslog", "--access-logfile", "text", None),
    _S("disable_redirect_access_to_syslog", "--disable-redirect-access-to-syslog", "on", False),
    _S("access_log_format", "--access-logformat", "text",
       '%(h)s %(l)s %(u)s %(t)s "%(r)s" %(s)s %(b)s "%(f)s" "%(a)s"'),
    _S("errorlog", "--error-logfile --log-file", "text", "-"),
    _S("loglevel", "--log-level", "text", "info",
       note="penstock's own log has no levels; those of the application are set in the application"),
    _S("capture_output", "--capture-output", "on", False,
       note=f"{ALWAYS}what the application prints goes where the log goes"),
    _S("logger_class", "--logger-class", "text", "gunicorn.glogging.Logger"),
    _S("logconfig", "--log-config", "text", None, note=LOGGING),
    _S("logconfig_dict", "", NONE, {}, note=LOGGING),
    _S("logconfig_json", "--log-config-json", "text", None, note=LOGGING),
    _S("syslog_addr", "--log-syslog-to", "text", None),
    _S("syslog", "--log-syslog", "on", False),
    _S("syslog_prefix", "--log-syslog-prefix", "text", None),
    _S("syslog_facility", "--log-syslog-facility", "text", "user"),
    _S("enable_stdio_inheritance", "-R --enable-stdio-inheritance", "on", False,
       note=f"{ALWAYS}standard output and error are kept open"),
    _S("statsd_host", "--statsd-host", "text", None),
    _S("dogstatsd_tags", "--dogstatsd-tags", "text", "", note=TAGS),
    _S("statsd_prefix", "--statsd-prefix", "text", ""),
    _S("enable_backlog_metric", "--enable-backlog-metric", "on", False,
       note=f"{ALWAYS}socket.0.listen_queue is among the figures"),
    _S("proc_name", "-n --name", "text", None, "procname"),
    _S("default_proc_name", "", NONE, "gunicorn", note=f"{ALWAYS}procname says the name"),
    _S("pythonpath", "--pythonpath", "text", None, "pythonpath"),
    _S("paste", "--paste --paster", "text", None,
       note="write a file with application = paste.deploy.loadapp(...) and name it with wsgi-file"),
    _S("proxy_protocol", "--proxy-protocol", "optional", "off",
       note="the PROXY protocol is not spoken in this version; let the front send X-Forwarded-For"),
    _S("proxy_allow_ips", "--proxy-allow-from", "text", "127.0.0.1,::1",
       note="the PROXY protocol is not spoken in this version"),
    _S("protocol", "--protocol", "text", "http"),
    _S("uwsgi_allow_ips", "--uwsgi-allow-from", "text", "127.0.0.1,::1", "uwsgi-allow"),
    _S("keyfile", "--keyfile", "text", None),
    _S("certfile", "--certfile", "text", None),
    _S("ssl_version", "--ssl-version", "text", None, note=TLS),
    _S("cert_reqs", "--cert-reqs", "text", None, note=TLS),
    _S("ca_certs", "--ca-certs", "text", None, note=TLS),
    _S("suppress_ragged_eofs", "--suppress-ragged-eofs", "on", True, note=TLS),
    _S("do_handshake_on_connect", "--do-handshake-on-connect", "on", False, note=TLS),
    _S("ciphers", "--ciphers", "text", None, note=TLS),
    _S("http_protocols", "--http-protocols", "text", "h1", note=HTTP2),
    _S("http2_cleartext", "--http2-cleartext", "text", "off", note=HTTP2),
    _S("http2_max_concurrent_streams", "--http2-max-concurrent-streams", "int", 100, note=HTTP2),
    _S("http2_initial_window_size", "--http2-initial-window-size", "int", 65535, note=HTTP2),
    _S("http2_max_frame_size", "--http2-max-frame-size", "int", 16384, note=HTTP2),
    _S("http2_max_header_list_size", "--http2-max-header-list-size", "int", 65536, note=HTTP2),
    _S("raw_paste_global_conf", "--paste-global", "append", [], note="pass it to paste.deploy.loadapp"),
    _S("permit_obsolete_folding", "--permit-obsolete-folding", "on", False, note=RELAXED),
    _S("strip_header_spaces", "--strip-header-spaces", "on", False, note=RELAXED),
    _S("permit_unconventional_http_method", "--permit-unconventional-http-method", "on", False, note=RELAXED),
    _S("permit_unconventional_http_version", "--permit-unconventional-http-version", "on", False,
       note=RELAXED),
    _S("casefold_http_method", "--casefold-http-method", "on", False, note=RELAXED),
    _S("forwarder_headers", "--forwarder-headers", "text", "SCRIPT_NAME,PATH_INFO",
       note="a field with an underscore never reaches the environ"),
    _S("header_map", "--header-map", "text", "drop",
       note=f"{ALWAYS}a field with an underscore never reaches the environ"),
    _S("asgi_loop", "--asgi-loop", "text", "auto", note=ASGI),
    _S("asgi_lifespan", "--asgi-lifespan", "text", "auto", note=ASGI),
    _S("asgi_disconnect_grace_period", "--asgi-disconnect-grace-period", "int", 3, note=ASGI),
    _S("websocket_max_message_size", "--websocket-max-message-size", "int", 16777216, note=ASGI),
    _S("http_parser", "--http-parser", "text", "auto", note=f"{ALWAYS}there is one parser"),
    _S("root_path", "--root-path", "text", "", note="let the front server pass SCRIPT_NAME"),
    _S("dirty_apps", "--dirty-app", "append", [], note=DIRTY),
    _S("dirty_workers", "--dirty-workers", "int", 0, note=DIRTY),
    _S("dirty_timeout", "--dirty-timeout", "int", 300, note=DIRTY),
    _S("dirty_threads", "--dirty-threads", "int", 1, note=DIRTY),
    _S("dirty_graceful_timeout", "--dirty-graceful-timeout", "int", 30, note=DIRTY),
    _S("control_socket", "--control-socket", "text", None, "control-socket"),
    _S("control_socket_mode", "--control-socket-mode", "octal", 384,
       note="the control socket is for its owner and root alone"),
    _S("control_socket_disable", "--no-control-socket", "on", False),
    _S("post_fork", "", NONE, None,
       note=f"{HOOK}; what it does belongs at the top of the application's module (lazy-apps loads it after "
       "the fork)"),
    _S("post_worker_init", "", NONE, None,
       note=f"{HOOK}; what it does belongs at the end of the application's module"),
    _S("worker_exit", "", NONE, None, note=f"{HOOK}; use atexit in the application"),
    _S("pre_request", "", NONE, None, note=f"{HOOK}; wrap the application (WSGI middleware)"),
    _S("post_request", "", NONE, None, note=f"{HOOK}; wrap the application (WSGI middleware)"),
    _S("ssl_context", "", NONE, None, note=f"{HOOK}; {TLS}"),
    *(
        _S(name, "", NONE, None, note=HOOK)
        for name in (
            *("on_starting", "on_reload", "when_ready", "pre_fork", "worker_int", "worker_abort", "pre_exec"),
            *("child_exit", "nworkers_changed", "on_exit", "on_dirty_starting", "dirty_post_fork"),
            *("dirty_worker_init", "dirty_worker_exit"),
        )
    ),
)  # fmt: skip


@cache
def by_name() -> dict[str, Setting]:
    """Settings by their names."""
    return {setting.name: setting for setting in SETTINGS}
