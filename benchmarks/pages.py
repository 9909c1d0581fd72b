"""The documentation's share of a report: ``docs/benchmarks.md``, its plot, and README's short table.

Writes between markers only, so that prose around them stays. Each Python version has a block of its own in
the page; README's block is that of the run that was asked to write it.
"""

import re
import shutil
from pathlib import Path

from benchmarks.peers import TOP
from benchmarks.report import Results, markdown

PAGE = TOP / "docs" / "benchmarks.md"
README = TOP / "README.md"
START = """# Benchmarks

Penstock beside its peers, measured in one run on one machine by one command:

```sh
make bench                   # with python3
make bench PYTHON=python3.13 # another
```

Read the ratios rather than the figures: they move less from machine to machine. What penstock loses stands
here as well as what it wins. `benchmarks/peers.py` has every server's command line, `benchmarks/scenarios.py`
the loads, and the environments and reports stay in `.venv-peers/` and `benchmarks/results/`.
"""
# The families of README's table, and who stands for each: the cheapest that was measured.
FAMILIES = {
    "penstock": ("penstock", "penstock-uwsgi"),
    "penstock, compiled": ("penstock-compiled", "penstock-compiled-uwsgi"),
    "granian": ("granian",),
    "gunicorn": ("gunicorn", "gunicorn-uwsgi"),
    "uWSGI": ("uwsgi-http", "uwsgi-http11", "uwsgi"),
    "waitress": ("waitress",),
    "uvicorn + a2wsgi": ("uvicorn",),
}
SHORT = {
    "browser": "Hello, 10 varied headers",
    "browser-log": "the same, access log on",
    "close": "Hello, a new connection each",
    "uwsgi": "uwsgi behind nginx",
    "flask": "Flask, JSON",
    "django": "Django, a page",
    "big": "100 KB reply",
    "stream": "1,000 chunks",
    "upload": "1 MB upload",
}


def between(text: str, mark: str, block: str) -> str:
    """``text`` with what stands between ``<!-- mark -->`` and ``<!-- /mark -->`` replaced, or added."""
    opening, closing = f"<!-- {mark} -->", f"<!-- /{mark} -->"
    whole = f"{opening}\n{block.strip()}\n{closing}"
    pattern = re.compile(rf"{re.escape(opening)}.*?{re.escape(closing)}", re.DOTALL)
    if pattern.search(text):
        return pattern.sub(lambda _: whole, text)
    return f"{text.rstrip()}\n\n{whole}\n"


def picture(results: Results) -> str:
    """The plot's name in ``docs/``."""
    return f"benchmarks-{results.about['tag']}.png"


def page(results: Results, text: str, plotted: bool) -> str:
    """The page's text with this run's block."""
    name = results.about["python"]
    image = f"![Server CPU per request]({picture(results)})\n\n" if plotted else ""
    block = f"## {name}\n\n{image}{markdown(results, '###')}"
    return between(text, f"bench {results.about['tag']}", block)


def lowest(results: Results, scenario: str, names: tuple[str, ...]) -> str:
    """The least CPU per request among ``names``."""
    values = [value for name in names if (value := results.figure(scenario, name, "cpu")) is not None]
    return f"{min(values):,.0f}" if values else "-"


def short(results: Results, plotted: bool) -> str:
    """README's block: CPU per request by scenario and server."""
    about = results.about
    lines = [f"| CPU µs/request | {' | '.join(FAMILIES)} |", f"|---|{'--:|' * len(FAMILIES)}"]
    for name, title in SHORT.items():
        if any(scenario.name == name for scenario in results.scenarios()):
            cells = " | ".join(lowest(results, name, names) for names in FAMILIES.values())
            lines.append(f"| {title} | {cells} |")
    image = f"![Server CPU per request](docs/{picture(results)})\n\n" if plotted else ""
    link = "[docs/benchmarks.md](docs/benchmarks.md)"
    where = f"{about['date']}, {about['python']}, {about['cpu']}, {about['cores']} cores; all of it: {link}."
    return "\n".join(lines) + f"\n\n{image}{where}"


def write(results: Results, plot: Path | None) -> list[Path]:
    """Bring the page, the plot and README up to date; the files that were written."""
    text = PAGE.read_text() if PAGE.exists() else START
    PAGE.write_text(page(results, text, plot is not None))
    README.write_text(between(README.read_text(), "bench", short(results, plot is not None)))
    written = [PAGE, README]
    if plot is not None:
        written.append(PAGE.with_name(picture(results)))
        shutil.copyfile(plot, written[-1])
    return written
