"""Every action and condition by name: the module that has it, or why there is none here.

Read at boot only; a module is imported when a rule first uses one of its names, so that a server pays for
the actions it uses. It does not know what they do.
"""

from importlib import import_module
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from penstock.serve.routing.tools import Builder, Condition

ACTIONS = {
    "core": "continue last break return break-with-status log donotlog logvar"
    " addheader delheader remheader clearheaders resetheaders disableheaders send send-crnl chdir setprocname"
    " harakiri",
    "variables": "addvar setapp setuser sethome setfile setscriptname setmethod seturi setremoteaddr"
    " setpathinfo fixpathinfo setdocroot setscheme setmodifier1 setmodifier2 + - * /",
    "lengths": "fixcl forcecl",
    "anyway": "flush offload donotoffload",
    "redirect": "redirect redirect-302 redirect-permanent redirect-301",
    "rewrite": "rewrite rewrite-last",
    "files": "static static-next file file-next sendfile sendfile-next fastfile fastfile-next",
    "basicauth": "basicauth basicauth-next",
    "expires": "expires",
    "hash": "hash",
    "transform": "chunked gzip tofile to-file template",
    "proxy": "uwsgi proxyuwsgi http httpdumb proxyhttp httpconnect proxyhttpconnect",
    "cache": "cache cache-continue cachevar cacheset cachestore cache-store cacheinc cachedec cachemul"
    " cachediv",
}
"""Names of actions by the module of this package that builds them (its ``ACTIONS``); ``goto`` is no one's
but the table's."""

CONDITIONS = {
    "paths": "exists isfile isdir islink isexec",
    "texts": "equal isequal eq == startswith endswith contains contain regexp re empty lord",
    "numbers": "ishigher > islower < ishigherequal >= islowerequal <=",
    "addresses": "ipv4in ipv6in",
    "cached": "incache",
}
"""Names of conditions by the module of ``conditions`` that builds them (its ``CONDITIONS``)."""

REASONS = {
    "penstock speaks to no such server; do it in the application, or in the server in front": "memcached"
    " memcached-continue memcachedstore memcached-store redis redis-continue redisstore redis-store radius"
    " radius-next ldapauth ldapauth-next spnego spnego-next gridfs",
    "there are no functions to call by RPC here": "rpc call rpcret rpcblob rpcnext rpcraw rpcvar",
    "it calls a C function inside uWSGI": "symcall symcall-next",
    "rules cannot send uWSGI's signals here": "signal",
    "rules cannot raise alarms here; log: a line, and raise the alarm with log-alarm": "alarm",
    "rules cannot change metrics here": "metricinc metricdec metricmul metricdiv metricset",
    "uWSGI has it as a plugin of its own, and penstock has none": "cgi cgihelper ssi xslt toxslt xmldir"
    " toupper fcgi fcgiauth access",
}
"""Why there is no such action here, and the names of uWSGI's actions for which that is so."""


def builder_of(name: str) -> "Builder":
    """What builds the action of that name. Raises ValueError."""
    module = MODULES.get(name)
    if module is None:
        raise ValueError(why(name, "action", MODULES))
    found: Builder = import_module(f"penstock.serve.routing.actions.{module}").ACTIONS[name]
    return found


def condition_of(name: str) -> "Condition":
    """What builds the condition of that name. Raises ValueError."""
    module = TESTS.get(name)
    if module is None:
        raise ValueError(why(name, "condition", TESTS))
    found: Condition = import_module(f"penstock.serve.routing.conditions.{module}").CONDITIONS[name]
    return found


def why(name: str, kind: str, known: dict[str, str]) -> str:
    """Why there is no such action or condition, in one line."""
    if name in REFUSED and kind == "action":
        return f"{name}: is not offered: {REFUSED[name]}"
    from difflib import get_close_matches

    near = get_close_matches(name, [*known, "goto"] if kind == "action" else known, 1)
    return f"there is no {kind} {name}:" + (f"; did you mean {near[0]}: ?" if near else "")


def by_name(modules: dict[str, str]) -> dict[str, str]:
    """The same table the other way round."""
    return {name: module for module, names in modules.items() for name in names.split()}


MODULES = by_name(ACTIONS)
TESTS = by_name(CONDITIONS)
REFUSED = by_name(REASONS)
