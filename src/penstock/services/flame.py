"""Profiles as files: collapsed stacks for other tools, and a flame graph that a browser shows by itself.

Runs in ``penstock ctl``. It does not know how stacks are sampled: it is given how often each was seen.
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from html import escape
from typing import Any
from zlib import crc32

Stack = tuple[str, ...]
"""Labels of functions, outermost first."""

WIDTH, LINE, TOP = 1200, 18, 64  # pixels: of the picture, of a function, of the heading
LEAST = 0.0005  # of all samples, below which a function is not drawn
CHARACTER = 6.6  # pixels of a letter
LABEL = 200  # characters of a function's name that are kept


def stacks_of(profile: Mapping[str, Any]) -> dict[Stack, int]:
    """How often each stack was seen, from a worker's answer; what makes no sense of it is left out."""
    labels = profile.get("labels")
    found: dict[Stack, int] = {}
    if not isinstance(labels, list):
        return found
    for entry in profile.get("stacks") or []:
        match entry:
            case [int(count), *at] if count > 0 and all(type(i) is int and 0 <= i < len(labels) for i in at):
                stack = tuple(clean(str(labels[i])) for i in at)
                found[stack] = found.get(stack, 0) + count
    return found


def clean(label: str) -> str:
    """A label as neither a line of text, nor XML, nor UTF-8 can be broken by it."""
    return "".join("_" if c == ";" or not c.isprintable() else c for c in label[:LABEL])


def collapsed(stacks: Mapping[Stack, int]) -> str:
    """A line for each stack: its functions with semicolons between them, and how often it was seen."""
    lines = sorted(f"{';'.join(stack) or '(no stack)'} {count}" for stack, count in stacks.items())
    return "".join(f"{line}\n" for line in lines)


# ---- The picture ----------------------------------------------------------------------------------------


@dataclass
class Node:
    """A function below those that called it: how often it was seen, and what it called."""

    label: str
    count: int = 0
    below: dict[str, "Node"] = field(default_factory=dict)


def tree_of(stacks: Mapping[Stack, int]) -> Node:
    """All stacks as one tree."""
    root = Node("all")
    for stack, count in stacks.items():
        node = root
        node.count += count
        for label in stack:
            node = node.below.setdefault(label, Node(label))
            node.count += count
    return root


def boxes(node: Node, least: float, depth: int = 0, at: int = 0) -> Iterator[tuple[Node, int, int]]:
    """Each node that is not too narrow, with its depth and how many samples are left of it."""
    waiting = [(node, depth, at)]
    while waiting:
        node, depth, at = waiting.pop()
        yield node, depth, at
        for below in sorted(node.below.values(), key=lambda one: one.label):
            if below.count >= least:
                waiting.append((below, depth + 1, at))
            at += below.count


def svg(stacks: Mapping[Stack, int], title: str) -> str:
    """A flame graph: the outermost functions at the top, below each what it called, as wide as it was seen
    often. Click to look closer, type to search; without scripts it is a picture with tooltips."""
    root = tree_of(stacks)
    total = max(1, root.count)
    drawn = list(boxes(root, total * LEAST))
    height = TOP + LINE * (1 + max(depth for _, depth, _ in drawn)) + LINE
    pieces = [HEAD.format(width=WIDTH, height=height, title=escape(title), style=STYLE)]
    pieces += [box(node, depth, at, total) for node, depth, at in drawn]
    pieces.append(f"</g>\n<script><![CDATA[{SCRIPT}]]></script>\n</svg>\n")
    return "".join(pieces)


def box(node: Node, depth: int, at: int, total: int) -> str:
    """One function."""
    scale = WIDTH / total
    x, width, y = at * scale, node.count * scale, TOP + depth * LINE
    told = f"{node.label}: {node.count} samples, {100 * node.count / total:.2f} %"
    return (
        f'<g class="f" data-x="{at / total:.6f}" data-w="{node.count / total:.6f}" data-d="{depth}">'
        f"<title>{escape(told)}</title>"
        f'<rect x="{x:.1f}" y="{y}" width="{max(0.5, width - 0.5):.1f}" height="{LINE - 1}" rx="2" '
        f'fill="{color(node.label)}"/>'
        f'<text x="{x + 4:.1f}" y="{y + 13}">{escape(fitting(short(node.label), width))}</text></g>\n'
    )


def short(label: str) -> str:
    """``module:name:line`` for a narrow place: the name first."""
    module, _, rest = label.partition(":")
    name, _, line = rest.rpartition(":")
    return f"{name}  {module}:{line}" if name else label


def fitting(text: str, width: float) -> str:
    """As much of it as there is room for."""
    room = int((width - 8) / CHARACTER)
    if room < 3:
        return ""
    return text if len(text) <= room else text[: room - 1] + "…"


def color(label: str) -> str:
    """The functions of one package alike, so that an eye finds them again."""
    package = label.partition(":")[0].partition(".")[0]
    shade = crc32(label.encode()) % 12
    return f"hsl({crc32(package.encode()) % 360} 65% {66 + shade}%)"


HEAD = """<?xml version="1.0" encoding="UTF-8"?>
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="100%" \
preserveAspectRatio="xMinYMin" font-family="ui-monospace, Menlo, Consolas, monospace" font-size="11">
<style>{style}</style>
<rect width="100%" height="100%" class="paper"/>
<text x="8" y="20" class="title">{title}</text>
<text x="8" y="38" class="note" id="told">Width is time in that function and what it calls. \
Click one to look closer, the top bar to go back; type to search.</text>
<text x="8" y="56" class="note" id="found"></text>
<g id="flames">
"""

STYLE = """
.paper{fill:#fff}.title{font-size:15px;font-weight:600;fill:#222}.note{fill:#555}
.f{cursor:pointer}.f text{fill:#1a1a1a;pointer-events:none}.f:hover rect{stroke:#222}
.f.hit rect{fill:#d6219c}.f.hit text{fill:#fff}.f.past rect{opacity:.45}
"""

SCRIPT = """
"use strict";
const width = 1200, letter = 6.6;
const frames = [...document.querySelectorAll(".f")].map(g => ({
  g, x: +g.dataset.x, w: +g.dataset.w, d: +g.dataset.d,
  rect: g.querySelector("rect"), text: g.querySelector("text"),
  label: g.querySelector("title").textContent,
}));
const told = document.getElementById("told"), found = document.getElementById("found");
const note = told.textContent;
let query = "";

function short(label) {
  const function_ = label.slice(0, label.lastIndexOf(": "));
  const first = function_.indexOf(":"), last = function_.lastIndexOf(":");
  if (first < 0 || first === last) return function_;
  return function_.slice(first + 1, last) + "  " + function_.slice(0, first) + function_.slice(last);
}

function show(focus) {
  const end = focus.x + focus.w;
  for (const f of frames) {
    const above = f.d < focus.d && f.x <= focus.x + 1e-9 && f.x + f.w >= end - 1e-9;
    const inside = f.d >= focus.d && f.x >= focus.x - 1e-9 && f.x + f.w <= end + 1e-9;
    f.g.style.display = above || inside ? "" : "none";
    f.g.classList.toggle("past", above);
    const x = above ? 0 : (f.x - focus.x) / focus.w * width;
    const w = above ? width : f.w / focus.w * width;
    f.rect.setAttribute("x", x);
    f.rect.setAttribute("width", Math.max(0.5, w - 0.5));
    f.text.setAttribute("x", x + 4);
    const room = Math.floor((w - 8) / letter), text = short(f.label);
    f.text.textContent = room < 3 ? "" : text.length <= room ? text : text.slice(0, room - 1) + "…";
  }
}

function search() {
  const word = query.toLowerCase();
  let share = 0, covered = -1;
  for (const f of [...frames].sort((a, b) => a.x - b.x || a.d - b.d)) {
    const hit = word !== "" && f.d > 0 && f.label.toLowerCase().includes(word);
    f.g.classList.toggle("hit", hit);
    if (hit && f.x + f.w > covered + 1e-9) {
      share += f.x + f.w - Math.max(f.x, covered);
      covered = f.x + f.w;
    }
  }
  const part = (share * 100).toFixed(1);
  found.textContent = word ? `search: ${query}  (${part} % of all samples; Esc ends it)` : "";
}

for (const f of frames) {
  f.g.addEventListener("click", () => show(f));
  f.g.addEventListener("mouseover", () => { told.textContent = f.label; });
  f.g.addEventListener("mouseout", () => { told.textContent = note; });
}
document.addEventListener("keydown", event => {
  if (event.ctrlKey || event.metaKey || event.altKey) return;
  if (event.key === "Escape") query = "";
  else if (event.key === "Backspace") query = query.slice(0, -1);
  else if (event.key.length === 1) query += event.key;
  else return;
  event.preventDefault();
  search();
});
"""
