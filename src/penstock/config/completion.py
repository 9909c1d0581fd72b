"""Completion of the command line for bash, zsh and fish, as text made from the registry.

What is completed is what penstock acts on; uWSGI's other names are taken all the same. Read when somebody
asks; a start never comes here.
"""

from penstock.config.consistency import LOOPS, MODES
from penstock.config.option import FLAG, Option
from penstock.config.registry import declared
from penstock.config.settings.sizing import ALGORITHMS
from penstock.config.site.replies import WAYS

SHELLS = ("bash", "zsh", "fish")
VERBS = {
    "check": "Find everything that is wrong with a configuration",
    "explain": "Show the effective configuration and what each option does",
    "migrate": "Write a configuration anew, tidied",
    "ctl": "Command a server that runs",
    "top": "Watch a server that runs",
    "routes": "Show what the rules of a configuration make of a request",
    "options": "Search the options",
    "schema": "Write the JSON schema of configuration files",
    "completion": "Write the completion of a shell",
    "man": "Write the manual page",
}
CHOICES = {
    "access-log": ("auto", "stdout", "stderr", "off"),
    "cheaper-algo": ALGORITHMS,
    "compress": WAYS,
    "event-loop": LOOPS,
    "file-serve-mode": ("nginx", "x-sendfile"),
    "harakiri-mode": MODES,
    "protocol": ("uwsgi", "http"),
}
FILES = ("FILE", "PATH", "ADDRESS")
"""What the names of values are of which a file may be one."""
SOURCES = ("ini", "yaml", "json", "xml", "toml", "include")
"""Words of the configuration language that name a file."""
ALSO = (("help", "Show the common options; --help all shows every one"), ("version", "Show the version"))


def completion(shell: str) -> str:
    """The script for a shell. Raises ValueError for one that is not known."""
    if shell not in SHELLS:
        raise ValueError(f"{', '.join(SHELLS)} are known")
    return {"bash": bash, "zsh": zsh, "fish": fish}[shell]()


def long_names() -> list[tuple[str, Option]]:
    """Every name with its option."""
    return [(name, option) for option in declared() for name in option.names]


def takes(option: Option) -> str:
    """What completes an option's value: "" for a flag, ``files``, ``folders``, ``choices`` or ``other``."""
    if option.kind == FLAG or option.bare is not None:
        return ""
    if option.name in CHOICES:
        return "choices"
    return {"FOLDER": "folders"}.get(option.metavar, "files" if option.metavar in FILES else "other")


def bash() -> str:
    """For bash, without the bash-completion package."""
    by_need: dict[str, list[str]] = {"files": [f"--{name}" for name in SOURCES]}
    for name, option in long_names():
        if takes(option) in ("files", "folders", "other"):
            by_need.setdefault(takes(option), []).append(f"--{name}")
    words = [f"--{name}" for name, _ in long_names()] + [f"--{name}" for name in SOURCES]
    words += [f"--{name}" for name, _ in ALSO]
    cases = [
        f'        {"|".join(by_need["files"])}) COMPREPLY=($(compgen -f -- "$word")); return ;;',
        f'        {"|".join(by_need["folders"])}) COMPREPLY=($(compgen -d -- "$word")); return ;;',
        f"        {'|'.join(by_need['other'])}) COMPREPLY=(); return ;;",
    ]
    for name, values in CHOICES.items():
        cases.append(
            f'        --{name}) COMPREPLY=($(compgen -W "{" ".join(values)}" -- "$word")); return ;;'
        )
    return "\n".join(
        (
            "# bash completion of penstock: source this, or put it in a folder of bash-completion.",
            "_penstock() {",
            "    local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]}",
            "    case $before in",
            *cases,
            "    esac",
            "    case $word in",
            f'        -*) COMPREPLY=($(compgen -W "{" ".join(words)}" -- "$word")) ;;',
            f'        *) COMPREPLY=($(compgen -W "{" ".join(VERBS)}" -f -- "$word")) ;;',
            "    esac",
            "}",
            "complete -o filenames -F _penstock penstock",
            "",
        )
    )


def zsh() -> str:
    """For zsh, by ``_arguments``."""
    acts = {"files": "_files", "folders": "_files -/", "other": " "}
    specs = []
    for name, option in long_names():
        action = acts.get(takes(option), f"({' '.join(CHOICES.get(option.name, ()))})")
        tail = f":{option.metavar}:{action}" if takes(option) else ""
        equals = "=" if takes(option) else ""
        specs.append(f"    '*--{name}{equals}[{_zsh(option.help)}]{tail}'")
    specs += [f"    '*--{name}=[Read this file]:FILE:_files'" for name in SOURCES]
    specs += [f"    '--{name}[{_zsh(text)}]'" for name, text in ALSO]
    specs += ["    '1:verb or application:_penstock_first'", "    '*:file:_files'"]
    verbs = [f"        '{verb}:{_zsh(text)}'" for verb, text in VERBS.items()]
    return "\n".join(
        (
            "#compdef penstock",
            "_penstock_first() {",
            "    local -a verbs=(",
            *verbs,
            "    )",
            "    _describe 'verb' verbs",
            "    _files",
            "}",
            "_arguments -s \\",
            " \\\n".join(specs),
            "",
        )
    )


def fish() -> str:
    """For fish."""
    needs = {"": "", "files": " -r -F", "folders": " -x -a '(__fish_complete_directories)'", "other": " -x"}
    lines = ["# fish completion of penstock"]
    for verb, text in VERBS.items():
        lines.append(f"complete -c penstock -n __fish_use_subcommand -a {verb} -d '{_fish(text)}'")
    for name, option in long_names():
        short = f" -s {option.short}" if option.short and name == option.name else ""
        need = needs.get(takes(option), f" -x -a '{' '.join(CHOICES.get(option.name, ()))}'")
        lines.append(f"complete -c penstock{short} -l {name}{need} -d '{_fish(option.help)}'")
    lines += [f"complete -c penstock -l {name} -r -F -d 'Read this file'" for name in SOURCES]
    lines += [f"complete -c penstock -l {name} -d '{_fish(text)}'" for name, text in ALSO]
    return "\n".join((*lines, ""))


def _zsh(text: str) -> str:
    """Text within a spec, which is quoted by apostrophes and ends at a bracket or a colon."""
    for mark in "\\[]:":
        text = text.replace(mark, "\\" + mark)
    return text.replace("'", "'\\''")


def _fish(text: str) -> str:
    return text.replace("\\", "\\\\").replace("'", "\\'")
