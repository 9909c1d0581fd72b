"""An application under test in a folder of its own, whose code a deploy changes.

Used by the scenarios; the code itself is in ``sites/`` and, for Django, a copy of the tests' own project.
"""

import os
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path

from tests.e2e.surroundings import TOP, environment

HERE = Path(__file__).parent
APPLICATIONS = {"plain": "plain:application", "django": "shop.wsgi:application"}


def mark(number: int, code: str = "") -> str:
    """The module that a deploy changes. Its length changes too: a compiled module is told from an older
    source by seconds and length only."""
    return f"GENERATION = {number}\n{code}\n{'#' * (number % 512)}\n"


@dataclass
class Site:
    """An application in ``folder``, ``kind`` plain or django; ``deploy`` writes the code of a generation.

    Not ``eager``: as Django does by itself, its views are imported at the first request.
    """

    folder: Path
    kind: str = "plain"
    eager: bool = True

    def build(self) -> None:
        """Put the code there, generation 1."""
        if self.kind == "django":
            self.build_django()
        else:
            shutil.copy(HERE / "sites" / "plain.py", self.folder / "plain.py")
        self.deploy(1)

    def build_django(self) -> None:
        source, target = TOP / "tests" / "sites" / "django_site", self.folder / "shop"
        target.mkdir()
        for path in source.glob("*.py"):
            text = path.read_text().replace("tests.sites.django_site", "shop")
            (target / path.name).write_text(text)
        shutil.copy(HERE / "sites" / "site_urls.py", target / "site_urls.py")
        if self.eager:
            with (target / "wsgi.py").open("a") as file:
                file.write("\nimport shop.urls\n")
        with (target / "urls.py").open("a") as file:
            file.write("\nfrom shop.site_urls import identify\n")
            file.write('urlpatterns.insert(0, path("id/<str:number>", identify))\n')

    def warm(self, python: str) -> None:
        """Load it once: its database is made, its modules are compiled."""
        module = self.application.partition(":")[0]
        subprocess.run(
            [python, "-c", f"import {module}"],
            env=environ(self.folder), cwd=self.folder, check=True, timeout=60,
        )  # fmt: skip

    @property
    def mark(self) -> Path:
        """The module that a deploy changes."""
        return self.folder / "shop" / "mark.py" if self.kind == "django" else self.folder / "mark.py"

    def deploy(self, number: int, code: str = "") -> None:
        """The code of generation ``number``, with ``code`` run at import; at once, as a deploy should."""
        fresh = self.mark.with_suffix(".new")
        fresh.write_text(mark(number, code))
        fresh.replace(self.mark)

    @property
    def application(self) -> str:
        """As a server is told."""
        return APPLICATIONS[self.kind]


def environ(folder: Path) -> dict[str, str]:
    """Of the servers: compiled modules are kept, as where sites are served."""
    env = environment(DATA_DIR=str(folder), LEDGER=str(folder / "ledger"))
    env.pop("PYTHONDONTWRITEBYTECODE", None)
    env["PYTHONPATH"] = os.pathsep.join([env["PYTHONPATH"], str(folder)])
    return env
