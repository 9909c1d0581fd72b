"""gunicorn's files and command lines, and what becomes of them."""

import os
import subprocess
import sys
from collections.abc import Mapping
from pathlib import Path

import pytest

from penstock.config.judge import judge, words_for
from penstock.config.migrate.gunicorn import TAKEN, read_gunicorn, read_gunicorn_file
from penstock.config.migrate.gunicorn_names import NONE, SETTINGS
from penstock.config.migrate.written import Written
from penstock.config.registry import lookup
from penstock.config.settings import Settings

FILE = """\
import multiprocessing
import os

# where the proxy finds us
bind = f"0.0.0.0:{os.environ.get('PORT', '8000')}"
workers = int(os.environ.get("WEB_CONCURRENCY", multiprocessing.cpu_count() * 2 + 1))
worker_class = "gthread"
threads = 4
timeout = 120
graceful_timeout = 20
keepalive = 5
max_requests = 1000
max_requests_jitter = 50
accesslog = "-"
errorlog = "-"
wsgi_app = "shop.wsgi:application"
raw_env = ["DJANGO_SETTINGS_MODULE=shop.settings", "RATE=5%n"]
forwarded_allow_ips = "10.0.0.1,10.0.0.2"
statsd_host = "localhost:8125"
proc_name = named()


def post_fork(server, worker):
    server.log.info("forked")
"""


def lines(written: Written) -> list[str]:
    return [line for line in written.text.splitlines()[1:] if line and not line.startswith(("#", "["))]


def of(text: str, tmp_path: Path) -> Written:
    path = tmp_path / "gunicorn.conf.py"
    path.write_text(text)
    return read_gunicorn_file(str(path))


def of_words(*words: str, environ: Mapping[str, str] | None = None) -> Written:
    return read_gunicorn(words, environ or {})


def settings(written: Written, tmp_path: Path, **environ: str) -> Settings:
    path = tmp_path / "out.ini"
    path.write_text(written.text)
    judged = judge(words_for(str(path)), environ)
    assert judged.settings is not None, judged.findings
    return judged.settings


def test_a_file_becomes_settings(tmp_path: Path) -> None:
    got = settings(of(FILE, tmp_path), tmp_path)
    assert [(spec.protocol, spec.address) for spec in got.listeners] == [("http", "0.0.0.0:8000")]
    assert (got.module, got.threads) == ("shop.wsgi:application", "4")
    assert (got.processes_given, got.supervised, got.lazy_apps) == (2 * (os.cpu_count() or 1) + 1, True, True)
    assert (got.max_requests, got.max_requests_delta, got.worker_reload_mercy) == (1000, 50, 20.0)
    assert (got.shutdown_timeout, got.keepalive_timeout, got.access_log) == (20.0, 5.0, "stdout")
    assert got.env == ("DJANGO_SETTINGS_MODULE=shop.settings", "RATE=5%n")
    assert got.trusted_proxies == ("10.0.0.1", "10.0.0.2")


def test_the_environment_counts_where_it_runs(tmp_path: Path) -> None:
    got = settings(of(FILE, tmp_path), tmp_path, PORT="9000", WEB_CONCURRENCY="3")
    assert [spec.address for spec in got.listeners] == ["0.0.0.0:9000"]
    assert got.processes == "3"


def test_the_file_as_it_is_written(tmp_path: Path) -> None:
    written = of(FILE, tmp_path)
    text = written.text
    assert "# where the proxy finds us\nif-not-env = PORT\nbind = 0.0.0.0:8000\nendif =\n" in text
    assert (
        "processes = %(%k * 2 + 1)\nif-env = WEB_CONCURRENCY\nprocesses = $(WEB_CONCURRENCY)\nendif =" in text
    )
    assert "lazy-apps = true\n" in text
    assert "env = RATE=5%%n" in text
    assert "harakiri" not in lines(written)
    assert [finding.option for finding in written.findings] == [
        "timeout",
        "proc_name",
        "post_fork",
    ]
    places = [(finding.file.rpartition("/")[2], finding.line) for finding in written.findings]
    assert places == [("gunicorn.conf.py", line) for line in (9, 20, 23)]
    assert "# gunicorn: proc_name: its value cannot be told without running it: named()" in text


@pytest.mark.parametrize(
    ("words", "expected"),
    [
        (["-w4", "app:app"], ["module = app:app", "processes = 4", "harakiri = 30", "lazy-apps = true"]),
        (["--workers=2", "--preload", "app"], ["module = app", "processes = 2"]),
        (["-b", ":9000", "-b", "unix:/run/x.sock", "app"], ["bind = :9000", "bind = unix:/run/x.sock"]),
        (["-b", "127.0.0.1", "app"], ["bind = 127.0.0.1:8000"]),
        (["-b", "[::1]", "app"], ["bind = [::1]:8000"]),
        (["-b", "fd://3", "app"], ["bind = fd://3"]),
        (["-b", "unix:/x", "-m", "007", "app"], ["bind = unix:/x", "chmod-socket = 660", "umask = 007"]),
        (["--protocol", "uwsgi", "-b", ":1", "app"], ["uwsgi-socket = :1"]),
        (["--certfile", "c", "--keyfile", "k", "-b", ":443", "app"], ["https = :443,c,k"]),
        (["-t", "5", "app"], ["harakiri = 5"]),
        (["-t", "5", "--threads", "2", "app"], ["threads = 2"]),
        (["-k", "gevent", "app"], ["threads = 64"]),
        (["-k", "gevent", "--threads", "9", "app"], ["threads = 9"]),
        (["-D", "app"], ["daemonize = /dev/null"]),
        (["-D", "--log-file", "/var/log/x", "app"], ["daemonize = /var/log/x"]),
        (["--error-logfile", "/var/log/x", "app"], ["logto = /var/log/x"]),
        (["--access-logfile", "/a", "app"], ["access-log = /a"]),
        (["--access-logfile", "-", "app"], ["access-log = stdout"]),
        (["app"], ["disable-logging = true"]),
        (["-u", "www", "-g", "www", "app"], ["uid = www", "gid = www"]),
        (["-e", "A=1", "-e", "B=2", "app"], ["env = A=1", "env = B=2"]),
        (["--pythonpath", "/a,/b", "app"], ["pythonpath = /a", "pythonpath = /b"]),
        (["--chdir", "/srv", "-p", "/run/x", "app"], ["chdir = /srv", "pidfile = /run/x"]),
        (["--reload", "app"], ["py-autoreload = 1"]),
        (["--reload", "--reload-extra-file", "a.html", "app"], ["touch-reload = a.html"]),
        (["--control-socket", "/run/c.sock", "app"], ["control-socket = /run/c.sock"]),
        (["--no-control-socket", "--control-socket", "/run/c.sock", "app"], ["control-socket = off"]),
        (["--graceful-timeout", "9", "app"], ["shutdown-timeout = 9", "worker-reload-mercy = 9"]),
        (["--backlog", "64", "--reuse-port", "app"], ["listen = 64", "reuse-port = true"]),
        (["--limit-request-line", "8000", "app"], ["request-line = 8000"]),
        (["--limit-request-fields", "50", "app"], ["header-count = 50"]),
        (["--limit-request-field_size", "99999", "app"], ["header-bytes = 99999"]),
        (["--max-requests", "9", "--max-requests-jitter", "2", "app"], ["max-requests-delta = 2"]),
    ],
)
def test_a_command_line(words: list[str], expected: list[str]) -> None:
    written = of_words(*words)
    assert [line for line in expected if line not in lines(written)] == []
    assert all(finding.level == "warning" for finding in written.findings)


@pytest.mark.parametrize(
    ("words", "unexpected"),
    [
        (["--preload", "app"], "lazy-apps"),
        (["-k", "gthread", "app"], "harakiri"),
        (["--access-logfile", "-", "app"], "disable-logging"),
        (["--certfile", "c", "app"], "bind"),
    ],
)
def test_what_is_not_written(words: list[str], unexpected: str) -> None:
    assert not [line for line in lines(of_words(*words)) if line.startswith(unexpected)]


@pytest.mark.parametrize(
    ("words", "said"),
    [
        ([], "the application stood on gunicorn's command line: name it here"),
        (["app:make(1)"], "a factory is called without arguments here"),
        (["-k", "uvicorn.workers.UvicornWorker", "app"], "penstock serves WSGI applications, this is ASGI"),
        (["-k", "tornado", "app"], "each request has a thread here, no greenlet"),
        (["-k", "own.Worker", "app"], "a worker's class cannot be chosen; see threads"),
        (["--limit-request-line", "0", "app"], "there is always a limit; request-line sets it"),
        (["--proxy-protocol", "app"], "the PROXY protocol is not spoken in this version"),
        (["--log-level", "debug", "app"], "penstock's own log has no levels"),
        (["--control-socket-mode", "0o660", "app"], "the control socket is for its owner and root alone"),
    ],
)
def test_what_has_no_equal_is_a_note_and_a_finding(words: list[str], said: str) -> None:
    written = of_words(*words)
    assert [finding for finding in written.findings if said in finding.message]
    unwrapped = written.text.replace("\n# ", " ")
    assert said in unwrapped


def test_a_factory_without_arguments_is_the_same() -> None:
    assert "module = app:make()" in lines(of_words("app:make()"))


def test_what_there_is_nothing_to_ask_for_is_a_note_alone() -> None:
    written = of_words("--worker-tmp-dir", "/dev/shm", "app")
    assert "# gunicorn: worker_tmp_dir = /dev/shm: nothing to ask for" in written.text
    assert written.findings == ()


def test_the_order_of_sources(tmp_path: Path) -> None:
    conf = tmp_path / "c.py"
    conf.write_text("workers = 1\nthreads = 1\nbacklog = 1\n")
    environ = {"GUNICORN_CMD_ARGS": f"-c {conf} --threads 2 --backlog 2"}
    written = of_words("--backlog", "3", "app", environ=environ)
    assert {"processes = 1", "threads = 2", "listen = 3"} <= set(lines(written))


@pytest.mark.parametrize("words", [["--frobnicate"], ["-w", "many", "app"], ["-c", "no/such.py", "app"]])
def test_wrong_words_are_errors(words: list[str]) -> None:
    assert of_words(*words).findings[0].level == "error"


def test_broken_quotes_in_the_environment() -> None:
    assert (
        of_words("app", environ={"GUNICORN_CMD_ARGS": "'"}).findings[0].origin
        == "environment GUNICORN_CMD_ARGS"
    )


def test_a_file_that_is_no_python(tmp_path: Path) -> None:
    finding = of("bind = = 1\n", tmp_path).findings[0]
    assert (finding.level, finding.kind, finding.line) == ("error", "syntax", 1)


def test_the_access_log_format_in_our_words(tmp_path: Path) -> None:
    text = """access_log_format = '%(h)s %(t)s "%(r)s" %(s)s %(b)s %({x-id}i)s %({A}e)s %({v}o)s 100%n'\n"""
    written = of(text, tmp_path)
    assert (
        'log-format = %(addr) [%(ltime)] "%(method) %(uri) %(proto)" %(status) %(rsize) %(var.HTTP_X_ID) '
        "%(var.A) - 100%%n"
    ) in lines(written)
    assert "# log-format has no %({v}o)s: a - stands there" in written.text


def test_a_value_that_a_variable_decides_in_a_way_of_its_own(tmp_path: Path) -> None:
    written = of("import os\nworkers = 4 if os.getenv('BIG') else 2\n", tmp_path)
    assert "# computed from $BIG: this is what it gives without it\nprocesses = 2" in written.text


def test_a_value_that_several_variables_decide(tmp_path: Path) -> None:
    text = "import os\nbind = os.getenv('HOST', '::') + ':' + os.getenv('P', '1')\n"
    assert (
        "# computed from $HOST and $P: this is what it gives without them\nbind = :::1"
        in of(text, tmp_path).text
    )
    text = "import os\nworkers = max(2, os.cpu_count())\n"
    said = "# computed from the number of processors: this is what it gives on as many as there are here\n"
    assert said in of(text, tmp_path).text


def test_options_that_settings_become_are_there() -> None:
    assert [
        setting.becomes for setting in SETTINGS if setting.becomes and lookup(setting.becomes) is None
    ] == []


def test_every_setting_has_an_answer() -> None:
    silent = [s.name for s in SETTINGS if not s.becomes and not s.note and s.name not in TAKEN]
    assert silent == []


def test_the_table_is_gunicorns() -> None:
    script = (
        "from gunicorn.config import KNOWN_SETTINGS\nfor s in KNOWN_SETTINGS: print(s.name, *(s.cli or []))\n"
    )
    peer = Path(__file__).parents[3] / ".venv-peers" / f"gunicorn-{sys.version_info[0]}.{sys.version_info[1]}"
    if not (peer / "bin" / "python").exists():
        pytest.skip("no gunicorn beside the checkout (tools/peers.sh)")
    done = subprocess.run(
        [peer / "bin" / "python", "-c", script], capture_output=True, text=True, timeout=30, check=True
    )
    theirs = {line.split()[0]: line.split()[1:] for line in done.stdout.splitlines()}
    ours = {s.name: s.flags.split() if s.action != NONE else [] for s in SETTINGS}
    assert ours == theirs
