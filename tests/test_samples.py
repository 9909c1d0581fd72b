"""The samples of ``configs/``: one for each format, all meaning the same, none with a word to say of it."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from penstock.config.assemble import assemble
from penstock.config.finding import Finding
from penstock.config.language.collect import collect
from penstock.config.settings import Settings

CONFIGS = Path(__file__).parents[1] / "configs"
FORMATS = ("ini", "yaml", "xml", "json", "toml")
SAMPLES = (*FORMATS, "env")


def variables() -> dict[str, str]:
    """penstock.env, as ``docker --env-file`` and systemd's EnvironmentFile= read it."""
    lines = (CONFIGS / "penstock.env").read_text().splitlines()
    return dict(line.split("=", 1) for line in lines if line and not line.startswith("#"))


def read(kind: str) -> tuple[Settings, list[Finding]]:
    """The settings of one sample, and what is said about it."""
    if kind == "env":
        collected = collect([], variables())
    else:
        collected = collect([f"--{kind}", str(CONFIGS / f"penstock.{kind}")], {})
    return assemble(collected.options, collected.findings), collected.findings


@pytest.fixture(scope="module")
def ini() -> Settings:
    return read("ini")[0]


@pytest.mark.parametrize("kind", SAMPLES)
def test_nothing_is_to_be_said_about_a_sample(kind: str) -> None:
    settings, findings = read(kind)
    assert findings == [] and settings.notices == ()


def meaning(settings: Settings) -> Iterator[tuple[str, object]]:
    """Every setting, without the places that the values are from."""
    for name, value in settings.as_data().items():
        yield name, [entry[:2] for entry in value] if name == "listeners" else value


@pytest.mark.parametrize("kind", SAMPLES)
def test_every_sample_means_the_same(kind: str, ini: Settings) -> None:
    assert dict(meaning(read(kind)[0])) == dict(meaning(ini))


def test_what_they_mean(ini: Settings) -> None:
    assert [(spec.address, spec.protocol) for spec in ini.listeners] == [("/run/penstock/app.sock", "uwsgi")]
    assert ini.module == "shop.wsgi:application" and ini.chdir == "/srv/shop"
    assert (ini.uid, ini.gid, ini.chmod_socket) == ("shop", "www-data", 0o660)
    assert (ini.processes_given, ini.thread_count, ini.harakiri, ini.supervised) == (4, 8, 30, True)
    assert ini.env_pairs == (("DJANGO_SETTINGS_MODULE", "shop.settings"),)


def test_every_sample_names_the_same_options() -> None:
    """Not one more in one of them that happens to be a default."""
    named = json.loads((CONFIGS / "penstock.json").read_text())["uwsgi"]
    for kind in SAMPLES:
        text = (CONFIGS / f"penstock.{kind}").read_text()
        wanted = [f"UWSGI_{name.upper().replace('-', '_')}=" if kind == "env" else name for name in named]
        assert [name for name in wanted if name not in text] == [], kind


def test_the_samples_are_for_the_same_machine_as_the_unit_and_nginx(ini: Settings) -> None:
    unit, front = ((CONFIGS / name).read_text() for name in ("penstock.service", "nginx-uwsgi-unix.conf"))
    assert ini.listeners[0].address in front and ini.listeners[0].address in unit
    assert (
        f"User={ini.uid}" in unit and f"Group={ini.gid}" in unit and f"WorkingDirectory={ini.chdir}" in unit
    )
