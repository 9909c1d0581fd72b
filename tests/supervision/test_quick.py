"""The scenarios in short: a reload, a broken deploy, a death of each kind, under a load that counts.

The long ones have the marker ``supervision`` (``test_scenarios``) and scripts of their own.
"""

import random
import signal
import time
from pathlib import Path

import pytest

from tests.cases import turns
from tests.supervision.broken import DEPLOYS, accept, refuse
from tests.supervision.kills import judge, kill_prototypes, kill_workers, lanes_of, orphans, settled
from tests.supervision.load import Load
from tests.supervision.place import running
from tests.supervision.proc import descriptors
from tests.supervision.reloads import WAYS, Course, changed_over, reload, stale
from tests.supervision.scene import Scene


@pytest.fixture
def scene(tmp_path: Path) -> Scene:
    # pytest's folders are closed to others, and nothing here runs as somebody else.
    return Scene("quick", tmp_path, quiet=True)


@pytest.mark.parametrize("how", turns(["hup", "chain"], "chain"))
def test_reloads_lose_nothing(scene: Scene, how: str) -> None:
    way, course = WAYS[how], Course()
    with running(scene.folder / "site", options=dict(way.options)) as place:
        with Load(place.lanes(query="sleep=0.01"), scene.folder, rate=120) as load:
            load.wait_for(30)
            for number in (2, 3):
                course.reloads.append((reload(place, way, number), number if way.fresh else 1))
                time.sleep(0.2)
        scene.count(load)
        assert stale(load.records(), course) == 0
        assert place.ends() == 0
    scene.look_into_logs()
    assert scene.wrongs == []


def test_a_broken_deploy_changes_nothing(scene: Scene) -> None:
    deploy = next(one for one in DEPLOYS if one.name == "an error at import")
    with running(scene.folder / "site") as place:
        place.extra["ini"] = (place.folder / "app.ini").read_text()
        with Load(place.lanes(), scene.folder, rate=80) as load:
            load.wait_for(20)
            refuse(scene, place, deploy, 2)
            accept(scene, place, 3)
        scene.count(load)
        assert {record.generation for record in load.records()} == {1, 3}
        assert place.ends() == 0
    scene.look_into_logs()
    assert scene.wrongs == []


def test_deaths_touch_nobody_else(scene: Scene) -> None:
    chance = random.Random(5)
    with running(scene.folder / "site") as place:
        before = {"descriptors": descriptors(place.pid), "zombies": 0}
        with Load(lanes_of(place), scene.folder, rate=120) as load:
            load.wait_for(30)
            kills = kill_workers(scene, place, load, 4, chance)
        judge(scene, place, load, kills)
        settled(scene, place, before)
        with Load(lanes_of(place), scene.folder, rate=120) as calm:
            calm.wait_for(30)
            kill_prototypes(scene, place, 2, chance)
        scene.count(calm)
        settled(scene, place, before)
        orphans(scene, place)
    scene.look_into_logs()
    assert scene.wrongs == []


def test_a_reload_after_a_reload_that_is_not_done(scene: Scene) -> None:
    with running(scene.folder / "site") as place:
        old = place.crew()
        with Load(place.lanes(), scene.folder, rate=80) as load:
            load.wait_for(20)
            for number in (2, 3, 4):
                place.site.deploy(number)
                place.send(signal.SIGHUP)
                time.sleep(0.03)
            until = time.monotonic() + 20
            while time.monotonic() < until:
                if changed_over(place, old) and load.records()[-1].generation == 4:
                    break
                time.sleep(0.1)
            time.sleep(0.3)
        scene.count(load)
        assert load.records()[-1].generation == 4
        assert place.ends() == 0
    scene.look_into_logs()
    assert scene.wrongs == []
