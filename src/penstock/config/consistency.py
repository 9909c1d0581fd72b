"""What options say together: values that cannot be, alone or beside others, and values that are put right.

Called by ``assemble`` once every option is read. It knows fields and their values, not where they are from.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence, Set
from typing import Any, NamedTuple

from penstock.config.finding import ERROR, WARNING
from penstock.config.listening import answering
from penstock.config.option import settings_of
from penstock.config.settings import Settings, asking
from penstock.config.structured import looked_through

Values = Mapping[str, Any]
LOOPS = ("auto", "uvloop", "asyncio")
MODES = ("request", "process")
NOT_EMPTY = ("uid", "gid", "immediate_uid", "immediate_gid")
DESCRIPTORS = ("reload_on_fd", "brutal_reload_on_fd")
ZERO_IS_NONE = (
    *("check_interval", "mem_collector_freq", "worker_reload_mercy"),
    *("stats_pusher_default_freq", "rsyslog_packet_size"),
    *("carbon_freq", "carbon_timeout", "carbon_retry_delay"),
)
"""Fields whose 0 counts as not given: uWSGI has its default for them then."""
ALARM_RULES = ("log-alarm", "not-log-alarm")
RULES = re.compile("(?:response-|error-|final-)?route(?:-[a-z-]+)?")
"""Options that are rules of routing, whose order among each other counts."""
BESIDE: Mapping[str, tuple[str, ...]] = {
    **dict.fromkeys(("stats_http", "stats_minified", "stats_no_cores"), ("stats",)),
    "stats_pusher_default_freq": ("stats_push",),
    "metrics_dir_restore": ("metrics_dir",),
    "logformat_strftime": ("log_format",),
    "status_auth": ("status_page",),
    "otel_service_name": ("otel",),
    **dict.fromkeys(("carbon_freq", "carbon_id", "carbon_root", "carbon_idle_avg"), ("carbon",)),
    **dict.fromkeys(("carbon_no_workers", "carbon_use_metrics"), ("carbon",)),
}
"""Fields that do nothing alone, and those of which one is needed beside them."""
Given = tuple[str, str, str]
"""An option, a value of it, and where that is from."""


class Slip(NamedTuple):
    """Something that is wrong: ``option`` by its name, ``text`` what is to be said, ``value`` where it is
    one of many that the option keeps."""

    option: str
    text: str
    value: str | None = None
    level: str = ERROR


def slips(values: Values, given: Set[str]) -> Iterator[Slip]:
    """Everything that is wrong. ``given``: the options that were."""
    yield from alone(values, given)
    yield from texts(values)
    yield from sizes(values)
    yield from memory(values)
    yield from unsupervised(values, given)
    yield from unanswered(values, given)
    yield from idle(values)
    for name, text, said, doubtful in looked_through(values):
        yield Slip(name, said, text, WARNING if doubtful else ERROR)


def alone(values: Values, given: Set[str]) -> Iterator[Slip]:
    """Values that cannot be, whatever else is said."""
    get = values.get
    if get("loop", "auto") not in LOOPS:
        yield Slip("event-loop", "auto, uvloop or asyncio is expected")
    if get("queue", 1) < 1:
        yield Slip("request-queue", "a number from 1 is expected")
    if get("harakiri_mode", "request") not in MODES:
        yield Slip("harakiri-mode", "request or process is expected")
    if get("start_timeout", 1.0) <= 0:
        yield Slip("start-timeout", "a time above 0 is expected")
    if not (get("warmup") or "/").startswith("/"):
        yield Slip("warmup", "a path is expected, such as /health")
    for name in NOT_EMPTY:
        if option_of(name) in given and not values[name]:
            yield Slip(option_of(name), "a name or a number is expected")


def texts(values: Values) -> Iterator[Slip]:
    """Entries of lists that cannot be."""
    for header in values.get("add_header", ()):
        if ":" not in header:
            yield Slip("add-header", "'Name: value' is expected", header)
    for pair in values.get("env", ()):
        if pair.startswith("=") or not pair:
            yield Slip("env", "NAME=VALUE is expected", pair)
    for name in DESCRIPTORS:
        for text in values.get(name, ()):
            if not text.strip()[:1].isdecimal():
                yield Slip(option_of(name), "the number of a descriptor is expected", text)


def sizes(values: Values) -> Iterator[Slip]:
    """Numbers of workers that do not go together, by uWSGI's rules. What ``auto`` comes to is not known
    here."""
    least, first = values.get("cheaper", 0), values.get("cheaper_initial", 0)
    processes = values.get("processes", "")
    most = None if processes == "auto" else int(processes or 1)
    if least and most is not None and least >= most:
        yield Slip("cheaper", f"a number below processes is expected, and that is {most}")
    elif least and 0 < first < least:
        yield Slip("cheaper-initial", f"below cheaper: {least} workers are started", level=WARNING)
    elif least and most is not None and first > most:
        yield Slip("cheaper-initial", f"above processes: {most} workers are started", level=WARNING)
    if values.get("cheaper_step") == 0:
        yield Slip("cheaper-step", "no worker would ever be added: read as 1", level=WARNING)
    yield from busyness(values)


def busyness(values: Values) -> Iterator[Slip]:
    """Two marks of which one has to be below the other."""
    fields = ("cheaper_busyness_min", "cheaper_busyness_max")
    low, high = (values.get(name, getattr(Settings, name)) for name in fields)
    if low >= high:
        (name, *_) = (name for name in fields if name in values)
        text = f"idle below {low} % and busy above {high} %: workers come and go for nothing"
        yield Slip(option_of(name), text, level=WARNING)


def memory(values: Values) -> Iterator[Slip]:
    """The two limits of memory that sizing goes by."""
    soft, hard = values.get("cheaper_rss_limit_soft", 0), values.get("cheaper_rss_limit_hard", 0)
    if hard and hard <= soft:
        yield Slip("cheaper-rss-limit-hard", "more than cheaper-rss-limit-soft is expected")
    elif hard and not soft:
        yield Slip("cheaper-rss-limit-hard", "needs cheaper-rss-limit-soft beside it, as in uWSGI")


def unsupervised(values: Values, given: Set[str]) -> Iterator[Slip]:
    """``master = false`` beside what cannot be done without one."""
    if "master" in given and not values["master"] and (names := asking(values)):
        text = f"workers are supervised all the same: {option_of(names[0])} asks for it"
        yield Slip("master", text, level=WARNING)


def unanswered(values: Values, given: Set[str]) -> Iterator[Slip]:
    """Files or rules, and no application, which nobody asked to leave out."""
    if values.get("need_app") is False and not {"need-app", "emperor", "http-to"} & given:
        text = "no application is named: what no file and no rule answers is answered 500"
        yield from (Slip(option_of(name), text, None, WARNING) for name in answering(values)[:1])


def idle(values: Values) -> Iterator[Slip]:
    """Options that say how something is done which nothing asks for."""
    for name, need in BESIDE.items():
        if values.get(name) and not any(values.get(other) for other in need):
            text = f"has no effect without {' or '.join(option_of(other) for other in need)}"
            yield Slip(option_of(name), text, level=WARNING)


def before(name: str, other: str, order: Iterable[Given]) -> tuple[int, ...]:
    """How many values of the ``other`` option stand before each one of ``name``."""
    found, count = [], 0
    for given, _, _ in order:
        count += given == other
        found += [count] * (given == name)
    return tuple(found)


def passing(values: Values, order: Iterable[Given]) -> Iterator[Given]:
    """``http-to`` as a rule of routing, from where it stands."""
    if values.get("http_to"):
        from penstock.config.site.listeners import rules

        for text, rule in rules(values):
            origin = next(where for name, value, where in order if (name, value) == ("http-to", text))
            yield "route-run", rule, origin


def put_right(values: dict[str, Any], order: Sequence[Given] = ()) -> None:
    """Values that stand for others: 0 where it is no value, and numbers that uWSGI corrects; and the order
    between options where it counts, from ``order`` of all that keep every value."""
    put_in_order(values, order)
    for name in ZERO_IS_NONE:
        if values.get(name) == 0:
            del values[name]
    if values.get("cheaper_step") == 0:
        values["cheaper_step"] = 1
    least, first = values.get("cheaper", 0), values.get("cheaper_initial", 0)
    if least and first:
        processes = values.get("processes", "")
        most = first if processes == "auto" else int(processes or 1)
        values["cheaper_initial"] = max(least, min(first, most))


def put_in_order(values: dict[str, Any], order: Sequence[Given]) -> None:
    """What is said by several options together, in the order in which they stand."""
    if values.get("not_log_alarm"):
        values["alarm_rules"] = tuple(dict.fromkeys(rule[:2] for rule in order if rule[0] in ALARM_RULES))
    if rules := (*passing(values, order), *(rule for rule in order if RULES.fullmatch(rule[0]))):
        values["rules"] = rules
    if values.get("mules") and values.get("mule"):
        values["mules_before"] = before("mules", "mule", order)


def option_of(field: str) -> str:
    """The option's name for a field."""
    option = settings_of(Settings)[field].option
    return option.name if option else field.replace("_", "-")
