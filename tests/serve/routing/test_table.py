"""Tables: which rules run, in which order, and what becomes of the request."""

import pytest

from penstock.serve.routing.flow import BREAK, CONTINUE
from penstock.serve.routing.safety import Overlong
from penstock.serve.routing.table import RuleErrors, compile_rules
from penstock.serve.routing.tools import Tools
from tests.serve.routing.ground import Ground

OK = b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-App: 1\r\nContent-Length: 4\r\n\r\napp\n"


@pytest.mark.parametrize(
    ("option", "variable"),
    [
        ("route", "PATH_INFO"),
        ("route-host", "HTTP_HOST"),
        ("route-uri", "REQUEST_URI"),
        ("route-qs", "QUERY_STRING"),
        ("route-remote-addr", "REMOTE_ADDR"),
        ("route-user-agent", "HTTP_USER_AGENT"),
        ("route-referer", "HTTP_REFERER"),
        ("route-remote-user", "REMOTE_USER"),
    ],
)
def test_each_option_has_its_subject(option: str, variable: str) -> None:
    ground = Ground(f"{option} = ^needle(.)$ addvar:SAID=$1")
    assert (
        ground.walk(**{"PATH_INFO": "/", variable: "needle1"} if variable != "PATH_INFO" else {}).flow
        == CONTINUE
    )
    ground.call = ground.fresh({variable: "needle1"})
    assert ground.rules.request(ground.call, ground.environ) == CONTINUE
    assert ground.environ["SAID"] == "1"


def test_a_variable_that_there_is_not_is_empty() -> None:
    assert Ground("route-referer = ^$ addvar:SAID=yes").walk().environ["SAID"] == "yes"


def test_a_regex_is_looked_for_anywhere_and_minds_case() -> None:
    ground = Ground("route = b addvar:ONE=1\nroute = B addvar:TWO=2").walk("/ab")
    assert ground.environ["ONE"] == "1" and "TWO" not in ground.environ


def test_rules_run_in_order_until_one_ends_the_walk() -> None:
    ground = Ground("route-run = addvar:A=1\nroute = ^/a last:\nroute-run = addvar:A=2")
    assert ground.walk("/a").environ["A"] == "1"
    assert ground.walk("/b").environ["A"] == "2"
    assert ground.flow == CONTINUE


def test_what_a_rule_writes_the_next_one_reads() -> None:
    ground = Ground("route = ^/a$ setpathinfo:/b\nroute = ^/b$ addvar:SAID=yes\nroute = ^/a$ addvar:SAID=no")
    assert ground.walk("/a").environ["SAID"] == "yes"


@pytest.mark.parametrize(("option", "runs_for"), [("route-if", "/a"), ("route-if-not", "/b")])
def test_a_condition_and_its_opposite(option: str, runs_for: str) -> None:
    ground = Ground(f"{option} = equal:${{PATH_INFO}};/a addvar:SAID=yes")
    for path in ("/a", "/b"):
        assert ("SAID" in ground.walk(path).environ) == (path == runs_for)


def test_the_captures_of_a_condition() -> None:
    rules = "route-if = regexp:${PATH_INFO};^/(.) addvar:SAID=$1$0\nroute-if-not = re:x;(y) addvar:T=[$1]"
    ground = Ground(rules).walk("/abc")
    assert (ground.environ["SAID"], ground.environ["T"]) == ("a/a", "[]")


# ---- goto -----------------------------------------------------------------------------------------


def test_goto_a_label() -> None:
    rules = "route = ^/a goto:end\nroute-run = addvar:A=1\nroute-label = end\nroute-run = addvar:B=1"
    ground = Ground(rules)
    assert "A" not in ground.walk("/a").environ and "B" in ground.environ
    assert "A" in ground.walk("/b").environ and "B" in ground.environ


def test_goto_a_rule_by_its_number_or_beyond_all() -> None:
    rules = "route = ^/a goto:2\nroute-run = addvar:A=1\nroute-run = addvar:B=1"
    assert "A" not in Ground(rules).walk("/a").environ
    ground = Ground(rules.replace("goto:2", "goto:77")).walk("/a")
    assert ground.flow == CONTINUE and "B" not in ground.environ


def test_goto_a_label_that_the_request_names() -> None:
    rules = "route = ^/(.*)$ goto:$1\nroute-run = addvar:A=1\nroute-label = end\nroute-run = addvar:B=1"
    assert "A" not in Ground(rules).walk("/end").environ


@pytest.mark.parametrize("label", ["nowhere", "0", "up", "1"])
def test_goto_goes_forward_only(label: str) -> None:
    ground = Ground(f"route-label = up\nroute-run = goto:{label}\nroute-run = addvar:A=1")
    assert any("x.ini:2" in line and "forward" in line for line in ground.warnings)  # at boot already
    assert ground.serve().startswith(b"HTTP/1.1 500 Internal Server Error\r\n")
    assert ground.flow == BREAK and "A" not in ground.environ


def test_the_first_of_two_labels_counts() -> None:
    rules = "route-run = goto:l\nroute-label = l\nroute-run = addvar:A=1\nroute-label = l"
    assert "A" in Ground(rules).walk().environ


def test_goto_into_rules_that_are_skipped_together() -> None:
    rules = "route = ^/x goto:in\nroute = ^/x1 addvar:A=1\nroute-label = in\nroute = ^/x addvar:B=1"
    ground = Ground(rules).walk("/x1")
    assert "A" not in ground.environ and "B" in ground.environ


# ---- Without a reply of its own -------------------------------------------------------------------


def test_a_walk_that_breaks_without_a_reply_is_answered() -> None:
    ground = Ground("route-run = break:")
    assert (
        ground.serve()
        == b"HTTP/1.1 403 Forbidden\r\nContent-Type: text/plain\r\nContent-Length: 9\r\n\r\nForbidden"
    )
    assert ground.flow == BREAK


def test_a_reply_that_was_begun_is_ended() -> None:
    ground = Ground("route-run = clearheaders:404 Gone Fishing\nroute-run = break:")
    assert ground.serve() == b"HTTP/1.1 404 Gone Fishing\r\nContent-Length: 0\r\n\r\n"
    ground = Ground("route-run = send:one\nroute-run = send:two\nroute-run = break:")
    assert ground.serve().endswith(b"\r\n\r\n3\r\none\r\n3\r\ntwo\r\n0\r\n\r\n")


# ---- Replies --------------------------------------------------------------------------------------


def test_response_rules_see_the_status_and_edit_the_head() -> None:
    ground = Ground("response-route-status = 404 addheader:X-Was: ${uwsgi[status]}")
    assert b"X-Was: 404\r\n" in ground.serve(status="404 Not Found")
    assert ground.serve() == OK


def test_response_rules_may_reply_instead() -> None:
    ground = Ground("response-route = ^/a break:403 No")
    assert ground.serve("/a") == (
        b"HTTP/1.1 403 No\r\nContent-Type: text/plain\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"
    )
    assert ground.serve("/b") == OK


def test_a_bare_break_of_a_response_rule_takes_the_body_away() -> None:
    sent = Ground("response-route-run = break:").serve()
    assert sent == b"HTTP/1.1 200 OK\r\nContent-Type: text/plain\r\nX-App: 1\r\nContent-Length: 0\r\n\r\n"


def test_response_rules_are_asked_for_a_reply_of_a_request_rule() -> None:
    ground = Ground("route-run = return:404\nresponse-route-run = addheader:X-A: b")
    assert b"X-A: b\r\n" in ground.serve()


def test_error_rules_see_the_status() -> None:
    ground = Ground("error-route-status = 403 addheader:X-Err: ${uwsgi[status]}\nroute-run = break:")
    assert b"X-Err: 403\r\n" in ground.serve()


def test_error_rules_may_reply_instead_of_the_page() -> None:
    ground = Ground("error-route-status = 403 return:418\nroute-run = break:")
    assert ground.serve().startswith(b"HTTP/1.1 418 I'm a teapot\r\n")


def test_final_rules_run_behind_the_reply_and_cannot_change_it() -> None:
    ground = Ground("final-route-status = 200 log:was ${uwsgi[status]}\nfinal-route-run = return:404")
    assert ground.serve() == OK
    assert ground.lines == ["was 200"]


def test_a_final_rule_that_fails_is_said() -> None:
    ground = Ground("final-route-run = addvar:A=b")
    ground.call = ground.fresh({})
    ground.call.environ = None  # type: ignore[assignment]  # what no rule can work with
    ground.rules.final(ground.call)
    assert ["final-route rule failed" in line for line in ground.warnings] == [True]


def test_what_cannot_be_sent_is_refused() -> None:
    ground = Ground("route = (?s)^/(.*)$ clearheaders:$1")
    assert ground.serve("/200 OK\r\nX: y").startswith(b"HTTP/1.1 400 Bad Request\r\n")
    assert len(ground.warnings) == 1


def test_a_header_with_a_line_break_is_left_out() -> None:
    sent = Ground("route = (?s)^/(.*)$ addheader:X-A: $1").serve("/a\r\nX-Evil: 1")
    assert sent == OK


@pytest.mark.parametrize(("variable", "status"), [("PATH_INFO", b"414"), ("HTTP_REFERER", b"431")])
def test_what_is_too_long_for_a_regex_is_refused(variable: str, status: bytes) -> None:
    class Short:
        pattern, groups = "x", 0

        def search(self, string: str, /) -> None:
            if len(string) > 10:
                raise Overlong(10)

    option = "route" if variable == "PATH_INFO" else "route-referer"
    ground = Ground(f"{option} = x last:", regex=lambda text: Short())
    ground.call = ground.fresh({"PATH_INFO": "/", "REQUEST_URI": "/", "QUERY_STRING": "", variable: "x" * 11})
    assert ground.rules.request(ground.call, ground.environ) == BREAK
    assert ground.sent.startswith(b"HTTP/1.1 %b " % status)


# ---- At boot --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("option", "value", "what"),
    [
        ("route", "^/a", "takes REGEX and, after a space, ACTION:ARGUMENTS"),
        ("route", "^/a last", "with its colon, not 'last'"),
        ("route", "^/a nosuch:x", "there is no action nosuch:"),
        ("route", "^/a redirec:x", "did you mean redirect: ?"),
        ("route", "^/a memcached:addr=x", "memcached: is not offered: penstock speaks to no such server"),
        ("route", "( last:", "'\\(' is no regular expression: missing \\)"),
        ("route-if", "exists last:", "a condition is NAME:ARGUMENTS"),
        ("route-if", "exist:/x last:", "there is no condition exist:; did you mean exists: ?"),
        ("route-if", "exists:/x", "takes CONDITION:ARGUMENTS and"),
        ("response-route-status", "abc last:", "a status is a number, not 'abc'"),
        ("route-run", "addvar:x", "addvar: takes NAME=TEXT, not 'x'"),
        ("route-run", "log:${metric[x]}", r"\$\{metric\[…\]\} is not offered"),
        ("route-nose", "x last:", "route-nose is no option of rules"),
        ("route-status", "x", "takes STATUS and"),
    ],
)
def test_what_is_wrong_is_said_in_a_line(option: str, value: str, what: str) -> None:
    with pytest.raises(RuleErrors, match=what) as caught:
        compile_rules([(option, value, "x.ini:7")], Tools())
    ((origin, message),) = caught.value.errors
    assert origin == "x.ini:7" and message.startswith(f"{option} = {value}: ") and "\n" not in message


def test_all_errors_come_at_once() -> None:
    with pytest.raises(RuleErrors) as caught:
        compile_rules(
            [("route-run", "x", "a:1"), ("route-run", "last:", "a:2"), ("route-run", "y:", "a:3")], Tools()
        )
    assert [origin for origin, _ in caught.value.errors] == ["a:1", "a:3"]


def test_phases_without_rules_have_no_table() -> None:
    rules = compile_rules([("final-route-run", "last:", "x")], Tools())
    assert rules.finals is not None
    assert (rules.requests, rules.responses, rules.errors) == (None, None, None)


# ---- Error rules ----------------------------------------------------------------------------------


def test_error_rules_are_asked_about_the_applications_replies() -> None:
    ground = Ground(
        "error-route-status = 404 return:410\nerror-route-run = addheader:X-Asked: ${uwsgi[status]}"
    )
    assert ground.serve(status="404 Not Found").startswith(b"HTTP/1.1 410 Gone\r\n")
    assert b"X-Asked: 200\r\n" in ground.serve()
