"""``penstock migrate``: what is written where."""

import subprocess
import sys
from pathlib import Path

import pytest

from penstock.cli.verbs import run
from tests.e2e.surroundings import environment

INI = "[uwsgi]\n# mine\nwsgi = app\nthunder-lock = true\nlegion = x\n"
TIDY = "[uwsgi]\n# mine\nmodule = app\n# dropped: thunder-lock = true (accepting needs no lock here)\n"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    monkeypatch.delenv("GUNICORN_CMD_ARGS", raising=False)
    (tmp_path / "app.ini").write_text(INI)
    return tmp_path


def test_to_standard_output_with_the_findings_beside_it(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate", "app.ini"]) == 0
    out, err = capsys.readouterr()
    assert out.startswith(TIDY)
    assert err.startswith("app.ini:5: warning: legion = x: dropped: ")
    assert err.count("\n") == 1


def test_to_a_file_that_is_not_written_over(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate", "app.ini", "-o", "new.ini"]) == 0
    assert (folder / "new.ini").read_text().startswith(TIDY)
    assert run(["migrate", "app.ini", "-o", "app.ini"]) == 1
    assert (folder / "app.ini").read_text() == INI
    assert "app.ini is there already; --force writes over it" in capsys.readouterr().err
    assert run(["migrate", "app.ini", "--output", "app.ini", "--force"]) == 0
    assert (folder / "app.ini").read_text().startswith(TIDY)


def test_in_another_format(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate", "--format", "yaml", "app.ini"]) == 0
    assert capsys.readouterr().out.startswith("uwsgi:\n  # mine\n  module: app\n")


def test_a_command_line_of_either(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate", "--", "uwsgi", "--http", ":8000", "-w", "app"]) == 0
    assert capsys.readouterr().out == "[uwsgi]\nhttp = :8000\nmodule = app\n"
    assert run(["migrate", "--", "/usr/bin/gunicorn", "-b", ":8000", "app"]) == 0
    assert "\nbind = :8000\n" in capsys.readouterr().out


def test_a_gunicorn_file(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (folder / "gunicorn.conf.py").write_text("wsgi_app = 'app'\nthreads = 3\nopen('ran', 'w')\n")
    assert run(["migrate", "gunicorn.conf.py"]) == 0
    assert "\nthreads = 3\n" in capsys.readouterr().out
    assert not (folder / "ran").exists()


@pytest.mark.parametrize("file", ["none.ini", "none.py"])
def test_what_cannot_be_read_is_status_1(file: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate", file]) == 1
    out, err = capsys.readouterr()
    assert out == "" and "No such file" in err


def test_bytes_that_are_no_text(folder: Path) -> None:
    (folder / "latin.ini").write_bytes(b"[uwsgi]\n# caf\xe9\nmodule = app\n")
    script = "import sys; from penstock.cli.verbs import run; sys.exit(run(sys.argv[1:]))"
    env = environment(PYTHONIOENCODING="utf-8:strict")

    def done(*words: str) -> subprocess.CompletedProcess[bytes]:
        command = [sys.executable, "-c", script, *words]
        return subprocess.run(command, cwd=folder, env=env, capture_output=True, timeout=30, check=False)

    migrated = done("migrate", "latin.ini")
    assert (migrated.returncode, migrated.stdout) == (0, b"[uwsgi]\n# caf\xe9\nmodule = app\n")
    (folder / "latin.ini").write_bytes(b"[uwsgi]\nmodule = caf\xe9\nvaccum = \0\n")
    for verb in ("check", "explain", "migrate"):
        refused = done(verb, "latin.ini")
        assert refused.returncode == 1 and b"Traceback" not in refused.stderr


def test_what_cannot_be_written_is_status_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(["migrate", "app.ini", "-o", "no/such/out.ini"]) == 1
    assert "no/such/out.ini: No such file or directory" in capsys.readouterr().err
