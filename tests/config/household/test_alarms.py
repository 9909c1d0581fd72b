"""What alarms are written like, what is refused and why, and what options say together."""

import pytest

from penstock.config.household.alarms import (
    ABSENT,
    Alarm,
    Post,
    Readable,
    Remark,
    parse,
    parse_readable,
    parse_rule,
    remarks,
)

READ = [
    ("ops cmd:/bin/page me", Alarm("ops", "cmd", "/bin/page me")),
    ("ops   cmd:mail -s 'a: b' x", Alarm("ops", "cmd", "mail -s 'a: b' x")),
    ("l log:", Alarm("l", "log", "")),
    ("l log:watch out", Alarm("l", "log", "watch out")),
    ("m mule:2", Alarm("m", "mule", "2")),
    ("m mule:2nd", Alarm("m", "mule", "2")),
    ("m mule:any", Alarm("m", "mule", "0")),
    ("w http://example.org:81/a;b", Alarm("w", "post", post=Post(url="http://example.org:81/a;b"))),
    ("w https://example.org", Alarm("w", "post", post=Post(url="https://example.org"))),
    ("w curl:example.org/x", Alarm("w", "post", post=Post(url="http://example.org/x"))),
]


@pytest.mark.parametrize(("text", "alarm"), READ)
def test_what_an_alarm_is(text: str, alarm: Alarm) -> None:
    assert parse(text) == alarm


def test_curl_has_words_of_its_own() -> None:
    text = (
        "w curl:smtps://mail.example.org;mail_to=a@x,b@x;mail_from=c@x;auth_user=u;auth_pass=p=q;"
        "subject=it is on fire;timeout=7;conn_timeout=2;ssl_insecure=1;ssl=true"
    )
    post = parse(text).post
    assert post == Post(
        url="smtps://mail.example.org",
        user="u",
        password="p=q",
        timeout=7,
        connect=2,
        insecure=True,
        secure=True,
        subject="it is on fire",
        to="a@x,b@x",
        sender="c@x",
    )
    assert parse("w curl:url=http://a.example/;method=PUT").post == Post(
        url="http://a.example/", method="PUT"
    )
    assert parse("w curl:http://a.example/").post == Post(url="http://a.example/")


@pytest.mark.parametrize("kind", ABSENT)
def test_what_uwsgi_has_and_we_have_not_is_named(kind: str) -> None:
    alarm = parse(f"a {kind}:whatever")
    assert (alarm.kind, alarm.absent) == ("", ABSENT[kind])


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("ops", "NAME KIND:ARGUMENT"),
        ("ops cmd", "NAME KIND:ARGUMENT"),
        ("ops :x", "NAME KIND:ARGUMENT"),
        ("ops cmd: ", "a command"),
        ("ops pager:x", "no kind of alarm 'pager'"),
        ("ops http:/nowhere", "a host"),
        ("ops curl:", "a URL"),
        ("ops curl:ftp://example.org/x", "not ftp"),
        ("ops curl:http://example.org;mailto=x", "mailto is none of"),
        ("ops curl:smtp://example.org", "mail_to"),
        ("ops http://example.org:x/", "Port"),
        ("ops http://example.org/a b", "without blanks"),
    ],
)
def test_what_is_refused(text: str, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        parse(text)


@pytest.mark.parametrize(
    ("pattern", "line", "matches"),
    [
        ("^ERROR", b"ERROR\n", True),
        ("^ERROR", b"an ERROR\n", False),
        ("done$", b"done\n", True),
        ("a b", b"x a b\n", True),
        ("ü", "für\n".encode(), True),
        (r"(?i)oom\b", b"OOM killer\n", True),
        (r"\\Z", b"\\Z\n", True),
        ("gr(?:a|e)y.*[0-9]{2,}", b"grey 12\n", True),
    ],
)
def test_a_rule(pattern: str, line: bytes, matches: bool) -> None:
    rule = parse_rule(f"a,b {pattern}")
    assert rule.names == ("a", "b")
    assert bool(rule.pattern.search(line)) is matches


@pytest.mark.parametrize(
    "pattern", ["(", "[[:alpha:]]+", r"\h", r"end\Z", r"\Z", r"\Qx\E", r"\p{L}", "(?<name>x)", "(?R)", ""]
)
def test_a_pattern_that_is_wrong_or_pcres_alone(pattern: str) -> None:
    with pytest.raises(ValueError, match=r"regular expression|write \$|NAME REGEX"):
        parse_rule(f"a {pattern}")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("a 3 the disk", Readable("a", 3, 1, "the disk")),
        ("a 3:8 x", Readable("a", 3, 8, "x")),
        ("a 3:0 x", Readable("a", 3, 1, "x")),
    ],
)
def test_a_descriptor(text: str, found: Readable) -> None:
    assert parse_readable(text) == found


@pytest.mark.parametrize("text", ["a", "a 3", "a x y", "a 3:b y"])
def test_what_is_no_descriptor(text: str) -> None:
    with pytest.raises(ValueError, match="NAME FD"):
        parse_readable(text)


def test_names_that_are_not_there() -> None:
    values = {
        "alarm": ["a log:", "a log:twice", "nobody xmpp:x", "broken"],
        "log_alarm": ["a,b x", "a ["],
        "not_log_alarm": ["c x"],
        "alarm_fd": ["d 3 x"],
        "alarm_backlog": ["e"],
        "alarm_segfault": ["a"],
    }
    assert list(remarks(values)) == [
        Remark("alarm", "a log:twice", "there is an alarm a already, and the first one counts"),
        Remark("alarm", "nobody xmpp:x", f"it is never raised: {ABSENT['xmpp']}"),
        Remark("log_alarm", "a,b x", "there is no alarm b", True),
        Remark("not_log_alarm", "c x", "there is no alarm c", True),
        Remark("alarm_fd", "d 3 x", "there is no alarm d", True),
        Remark("alarm_backlog", "e", "there is no alarm e"),
    ]


def test_without_any_alarm_nothing_is_raised_and_the_server_starts() -> None:
    found = list(remarks({"log_alarm": ["a x"], "alarm_backlog": ["a"]}))
    assert [(remark.field, remark.fatal) for remark in found] == [
        ("log_alarm", False),
        ("alarm_backlog", False),
    ]
    assert list(remarks({})) == []
