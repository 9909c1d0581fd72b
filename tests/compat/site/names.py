"""Every option, action, condition and function of uWSGI's rules, by name: what has to have a case.

Those that penstock does not offer, each of which it has to refuse at the start by its name.
"""

PHASES = ("", "response-", "error-", "final-")
SUBJECTS = (
    *("", "-host", "-uri", "-qs", "-remote-addr", "-user-agent", "-referer", "-remote-user"),
    *("-label", "-if", "-if-not", "-run"),
)
OPTIONS = (
    *(f"{phase}route{subject}" for phase in PHASES for subject in SUBJECTS),
    *(f"{phase}route-status" for phase in PHASES if phase),
    *("add-header", "rem-header", "del-header", "collect-header", "response-header-collect", "pull-header"),
    *("error-page-403", "error-page-404", "error-page-500"),
    *("mount", "manage-script-name", "vhost", "vhost-host"),
)
ACTIONS = (
    *("continue", "last", "break", "return", "break-with-status", "goto"),
    *("log", "donotlog", "logvar", "donotoffload", "chdir", "setprocname", "harakiri"),
    *("addvar", "addheader", "delheader", "remheader", "clearheaders", "resetheaders", "disableheaders"),
    *("send", "send-crnl", "flush", "fixcl", "forcecl"),
    *("setapp", "setuser", "sethome", "setfile", "setscriptname", "setmethod", "seturi", "setremoteaddr"),
    *("setpathinfo", "fixpathinfo", "setdocroot", "setscheme", "setmodifier1", "setmodifier2"),
    *("+", "-", "*", "/"),
    *("redirect", "redirect-302", "redirect-permanent", "redirect-301", "rewrite", "rewrite-last"),
    *("static", "static-next", "file", "file-next", "sendfile", "sendfile-next", "fastfile", "fastfile-next"),
    *("basicauth", "basicauth-next", "hash", "expires"),
    *("uwsgi", "proxyuwsgi", "http", "httpdumb", "proxyhttp"),
    *("cache", "cache-continue", "cachevar", "cacheset", "cachestore", "cache-store"),
    *("cacheinc", "cachedec", "cachemul", "cachediv"),
    *("chunked", "gzip", "offload", "tofile", "to-file", "template"),
)
CONDITIONS = (
    *("exists", "isfile", "isdir", "islink", "isexec"),
    *("equal", "isequal", "eq", "==", "startswith", "endswith", "contains", "contain", "regexp", "re"),
    *("ishigher", ">", "islower", "<", "ishigherequal", ">=", "islowerequal", "<="),
    *("ipv4in", "ipv6in", "empty", "lord", "incache"),
)
FUNCTIONS = (
    *("cookie", "qs", "mime", "base64", "hex", "upper", "lower", "httptime", "time[unix]", "time[micros]"),
    *(f"uwsgi[{word}]" for word in ("wid", "pid", "uuid", "status", "rtime", "lq", "rsize", "sor")),
)
WANTED = (
    *(f"option {name}" for name in OPTIONS),
    *(f"action {name}" for name in ACTIONS),
    *(f"condition {name}" for name in CONDITIONS),
    *(f"function {name}" for name in FUNCTIONS),
)
REFUSED_ACTIONS = (
    *("signal", "alarm", "httpconnect", "proxyhttpconnect"),
    *("memcached", "memcached-continue", "memcachedstore", "memcached-store"),
    *("redis", "redis-continue", "redisstore", "redis-store"),
    *("metricinc", "metricdec", "metricmul", "metricdiv", "metricset"),
    *("rpc", "call", "rpcret", "rpcblob", "rpcnext", "rpcraw", "rpcvar", "symcall", "symcall-next"),
    *("access", "cgi", "ssi", "xslt", "toxslt", "ldapauth", "ldapauth-next", "radius", "radius-next"),
    *("spnego", "spnego-next", "gridfs", "xmldir", "toupper"),
)
REFUSED_FUNCTIONS = ("metric", "geoip", "xattr", "xattr2", "math")
