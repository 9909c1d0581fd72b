"""Certificates and keys: what is said of those that are of no use, and what a reload does with them."""

import os
import shutil
import ssl
import subprocess
import sys
from pathlib import Path

import pytest

from penstock.config.assemble import from_keywords
from penstock.config.settings import Settings
from penstock.core.errors import StartError
from penstock.process import certificates
from penstock.process.certificates import contexts, in_file, problems, read, renewed
from tests.cases import each
from tests.e2e.daemons import NOBODY, ROOT
from tests.e2e.secure import CERTIFICATES, copied, install, pair

TOP = Path(__file__).parents[2]


def settings(*words: str, **more: str) -> Settings:
    """With a listener for each of the words, which stand behind its address."""
    addresses = [f"127.0.0.1:{8443 + at},{word}" for at, word in enumerate(words)]
    return from_keywords({"https": addresses, **more}, application=True)


def words(name: str) -> str:
    """Certificate, key and more by their names among those of the tests; what is none of them as it is."""
    found = [
        str(CERTIFICATES / one) if len(one.strip("!")) > 1 and "." in one else one for one in name.split(",")
    ]
    return ",".join("!" + one.replace("!", "") if "!" in one else one for one in found)


BROKEN = {
    "none.pem,server.key": "the certificate {}/none.pem cannot be read: No such file or directory",
    "server.pem,none.key": "the key {}/none.key cannot be read: No such file or directory",
    "server.pem,server.key,,none.pem": "the client CA {}/none.pem cannot be read: No such file or directory",
    "server.pem,renewed.key": "the key {0}/renewed.key is not that of the certificate {0}/server.pem",
    "server.pem,encrypted.key": "the key {}/encrypted.key is encrypted; remove its password",
    "server.key,server.key": "there is no certificate in {}/server.key (PEM is expected)",
    "server.pem,server.pem": "there is no private key in {}/server.pem (PEM is expected)",
    "server.pem,server.key,NONSENSE": "OpenSSL knows no such ciphers: NONSENSE",
    "server.pem,server.key,,client.key": "there is no certificate in {}/client.key (PEM is expected)",
    "server.pem,.": "the key . cannot be read: Is a directory",
}


@each(BROKEN)
def test_what_is_of_no_use_is_named(case: str) -> None:
    said = settings(words(case))
    text = BROKEN[case].format(CERTIFICATES)
    with pytest.raises(StartError) as raised:
        read(said)
    spec = said.listeners[0]
    assert str(raised.value).startswith(f"https = {spec.address} (keyword argument): {text}")
    ((found, problem, doubtful),) = problems(said)
    assert found == spec and problem.startswith(text) and not doubtful


def test_a_file_of_garbage_between_the_right_words_is_named(tmp_path: Path) -> None:
    (tmp_path / "a.pem").write_text("-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n")
    said = settings(f"{tmp_path}/a.pem,{CERTIFICATES}/server.key")
    with pytest.raises(StartError, match=r"the certificate .*/a.pem or the key .*/server.key cannot be used"):
        read(said)
    (tmp_path / "b.pem").write_bytes(bytes(5 << 20))
    with pytest.raises(StartError, match="too large"):
        read(settings(f"{tmp_path}/b.pem,{CERTIFICATES}/server.key"))


def test_a_pipe_is_not_waited_for(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "a.pem")
    with pytest.raises(StartError, match="is no file"):
        read(settings(f"{tmp_path}/a.pem,{CERTIFICATES}/server.key"))


def test_relative_names_are_of_the_folder_of_the_start(tmp_path: Path) -> None:
    install(tmp_path, "server")
    said = settings("site.pem,site.key")
    found = read(said, str(tmp_path))
    assert found == {name: (tmp_path / name).read_bytes() for name in ("site.pem", "site.key")}
    assert contexts(said, found).keys() == {"127.0.0.1:8443,site.pem,site.key"}


def test_contexts_are_safe_and_each_listener_has_its_own() -> None:
    said = settings(
        pair(), words("server.pem,server.key,,!ca.pem"), words("server.pem,server.key,HIGH,ca.pem")
    )
    found = list(contexts(said, read(said)).values())
    assert [one.verify_mode for one in found] == [ssl.CERT_NONE, ssl.CERT_REQUIRED, ssl.CERT_OPTIONAL]
    for one in found:
        assert one.minimum_version is ssl.TLSVersion.TLSv1_2
        assert one.options & ssl.OP_NO_RENEGOTIATION and one.options & ssl.OP_NO_COMPRESSION


def test_nothing_is_read_where_nothing_speaks_tls() -> None:
    said = from_keywords({"http": "127.0.0.1:8000"}, application=True)
    assert read(said) == {} and contexts(said, {}) == {} and list(problems(said)) == []


def test_a_reload_reads_them_anew(tmp_path: Path) -> None:
    said = settings(copied(tmp_path))
    old = read(said)
    install(tmp_path, "renewed")
    told: list[str] = []
    assert (
        renewed(said, "", old, told.append)[f"{tmp_path}/site.pem"]
        == (CERTIFICATES / "renewed.pem").read_bytes()
    )
    assert told == []
    (tmp_path / "site.key").unlink()
    with pytest.raises(StartError, match="No such file"):
        renewed(said, "", old, told.append)


def test_in_a_jail_those_from_before_stay(tmp_path: Path) -> None:
    said = settings(copied(tmp_path), chroot=str(tmp_path))
    old = read(said)
    shutil.copy(CERTIFICATES / "renewed.pem", tmp_path / "site.pem")
    (tmp_path / "site.key").unlink()
    told: list[str] = []
    assert renewed(said, "", old, told.append) == old, "both, or they would not belong together"
    (line,) = told
    assert "site.key cannot be read: No such file or directory; what was read before stays" in line
    with pytest.raises(StartError, match="No such file"):
        renewed(said, "", {}, told.append)


@ROOT
def test_what_may_not_be_read_any_more_stays_with_a_warning(tmp_path: Path) -> None:
    """In a process of its own: what rights this one has is other tests' affair, too."""
    program = "import sys; from tests.process.test_certificates import read_by_nobody as f; f(sys.argv[1])"
    command = [sys.executable, "-c", program, str(tmp_path)]
    done = subprocess.run(command, cwd=TOP, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


def read_by_nobody(folder: str) -> None:
    tmp_path = Path(folder)
    said = settings(copied(tmp_path))
    tmp_path.chmod(0o755)
    for above in (tmp_path.parent, tmp_path.parent.parent):
        above.chmod(0o755)
    old = read(said)
    told: list[str] = []
    os.seteuid(NOBODY.pw_uid)
    try:
        found = renewed(said, "", old, told.append)
        doubts = [doubtful for _, _, doubtful in problems(said)]
    finally:
        os.seteuid(0)
    assert found == old and len(told) == 1 and "Permission denied; what was read before stays" in told[0]
    assert doubts == [True], "whoever checks may not be whoever starts"


def test_openssl_finds_what_is_in_memory_and_nothing_stays() -> None:
    with in_file(b"words") as path:
        assert Path(path).read_bytes() == b"words" and path.startswith("/proc/self/fd/")
    with in_file(b"words", shown="/not/shown") as path:
        assert Path(path).read_bytes() == b"words" and Path(path).stat().st_mode & 0o777 == 0o600
    assert not Path(path).exists()


def test_a_prototype_has_them_for_all_that_it_forks() -> None:
    said = settings(pair())
    try:
        certificates.prepare(said, read(said))
        assert list(certificates.known) == [said.listeners[0].address]
        with pytest.raises(StartError, match="https"):
            certificates.prepare(said, {})
    finally:
        certificates.prepare(from_keywords({}, application=True), {})
    assert certificates.known == {}
