"""Options: many servers on one host, and what each of them has to do with the emperor. Read at boot only."""

from penstock.config.option import INT, MILLISECONDS, SECONDS, group
from penstock.config.settings.declare import flag, many, number, text


@group
class EmperorOptions:
    """A server for each file: where the files are, and how their servers are started and ended."""

    emperor: tuple[str, ...] = many(
        "Emperor", "emperor", "Start a server for each configuration file of a folder.", "FOLDER|GLOB"
    )
    early_emperor: bool = flag("Processes", "early-emperor", "Start the emperor before anything else.")
    emperor_extra_extension: tuple[str, ...] = many(
        "Emperor",
        "emperor-extra-extension",
        "Take files with this ending for configurations too.",
        "ENDING",
        aliases=("emperor-extra-ext",),
    )
    emperor_freq: float = number(
        SECONDS, 3.0, "Emperor", "emperor-freq", "Look at the vassals' files this often.", metavar="TIME"
    )
    emperor_nofollow: bool = flag("Emperor", "emperor-nofollow", "Watch a link itself, not what it leads to.")
    emperor_tyrant: bool = flag("Emperor", "emperor-tyrant", "Run each vassal as the owner of its file.")
    emperor_tyrant_nofollow: bool = flag(
        "Emperor", "emperor-tyrant-nofollow", "Take the owner of a link itself."
    )
    emperor_tyrant_initgroups: bool = flag(
        "Emperor", "emperor-tyrant-initgroups", "Give a vassal all groups of its user."
    )
    emperor_cap: str = text(
        "Emperor",
        "emperor-cap",
        "Leave vassals these capabilities.",
        "NAMES",
        aliases=("vassals-cap", "vassal-cap"),
    )
    emperor_wrapper: str = text("Emperor", "emperor-wrapper", "Start vassals with this program.", "PROGRAM")
    emperor_wrapper_override: tuple[str, ...] = many(
        "Emperor",
        "emperor-wrapper-override",
        "Start vassals with this program, where it is there.",
        "PROGRAM",
    )
    emperor_wrapper_fallback: tuple[str, ...] = many(
        "Emperor",
        "emperor-wrapper-fallback",
        "Start vassals with this program when the other fails.",
        "PROGRAM",
    )
    emperor_magic_exec: bool = flag(
        "Emperor", "emperor-magic-exec", "Run configuration files that are programs."
    )
    emperor_on_demand_extension: str = text(
        "Emperor",
        "emperor-on-demand-extension",
        "Start a vassal at the first connection to the socket this file names.",
        "ENDING",
        aliases=("emperor-on-demand-ext",),
    )
    emperor_on_demand_directory: str = text(
        "Emperor",
        "emperor-on-demand-directory",
        "Start a vassal at the first connection to its socket in this folder.",
        "FOLDER",
        aliases=("emperor-on-demand-dir",),
    )
    emperor_on_demand_exec: str = text(
        "Emperor",
        "emperor-on-demand-exec",
        "Ask this program for the socket that starts a vassal.",
        "COMMAND",
    )
    emperor_throttle: float = number(
        MILLISECONDS,
        1.0,
        "Emperor",
        "emperor-throttle",
        "Wait this long before a failing vassal starts again.",
        metavar="MS",
    )
    emperor_max_throttle: float = number(
        MILLISECONDS,
        180.0,
        "Emperor",
        "emperor-max-throttle",
        "Wait at most this long before a failing vassal starts again.",
        metavar="MS",
    )
    emperor_no_blacklist: bool = flag(
        "Emperor", "emperor-no-blacklist", "Go on starting vassals that keep failing."
    )
    emperor_curse_tolerance: float = number(
        SECONDS,
        30.0,
        "Emperor",
        "emperor-curse-tolerance",
        "Kill a vassal that does not end within this time.",
        metavar="TIME",
    )
    emperor_required_heartbeat: float = number(
        SECONDS,
        30.0,
        "Emperor",
        "emperor-required-heartbeat",
        "Restart a vassal that is silent for this long.",
        metavar="TIME",
    )
    emperor_graceful_shutdown: bool = flag(
        "Emperor", "emperor-graceful-shutdown", "Let vassals finish their requests at the end."
    )
    emperor_broodlord: int = number(
        INT, 0, "Emperor", "emperor-broodlord", "Let vassals ask for helpers of their own.", metavar="N"
    )
    emperor_stats: str = text(
        "Emperor",
        "emperor-stats",
        "Publish the emperor's statistics on this address.",
        "ADDRESS",
        aliases=("emperor-stats-server",),
    )
    emperor_pidfile: str = text(
        "Emperor", "emperor-pidfile", "Write the emperor's number to this file.", "FILE"
    )
    emperor_procname: str = text("Emperor", "emperor-procname", "Set the emperor's title.", "TEXT")


@group
class VassalOptions:
    """What those servers are given, and what one of them tells its emperor."""

    vassals_include: tuple[str, ...] = many(
        "Emperor", "vassals-include", "Let every vassal include this file.", "FILE"
    )
    vassals_include_before: tuple[str, ...] = many(
        "Emperor",
        "vassals-include-before",
        "Let every vassal include this file before its own options.",
        "FILE",
    )
    vassals_inherit: tuple[str, ...] = many(
        "Emperor", "vassals-inherit", "Let every vassal inherit this file.", "FILE"
    )
    vassals_inherit_before: tuple[str, ...] = many(
        "Emperor",
        "vassals-inherit-before",
        "Let every vassal inherit this file before its own options.",
        "FILE",
    )
    vassals_set: tuple[str, ...] = many(
        "Emperor",
        "vassals-set",
        "Set an option or placeholder for every vassal.",
        "KEY=VALUE",
        aliases=("vassal-set",),
    )
    vassals_start_hook: str = text(
        "Emperor", "vassals-start-hook", "Run this command when a vassal starts.", "COMMAND"
    )
    vassals_stop_hook: str = text(
        "Emperor", "vassals-stop-hook", "Run this command when a vassal ends.", "COMMAND"
    )
    heartbeat: float = number(
        SECONDS,
        0.0,
        "Emperor",
        "heartbeat",
        "Tell the emperor this often that the vassal lives.",
        metavar="TIME",
    )
    vassal_sos: float = number(
        SECONDS,
        0.0,
        "Emperor",
        "vassal-sos",
        "Ask the emperor for help when all workers are busy for this long.",
        metavar="TIME",
    )
    vassal_sos_backlog: int = number(
        INT,
        0,
        "Emperor",
        "vassal-sos-backlog",
        "Ask the emperor for help when this many connections wait.",
        metavar="N",
    )
    hook_emperor_start: tuple[str, ...] = many(
        "Emperor", "hook-emperor-start", "Do this when a vassal starts.", "ACTION"
    )
    hook_emperor_stop: tuple[str, ...] = many(
        "Emperor", "hook-emperor-stop", "Do this when a vassal ends.", "ACTION"
    )
    hook_emperor_reload: tuple[str, ...] = many(
        "Emperor", "hook-emperor-reload", "Do this when a vassal reloads.", "ACTION"
    )
    hook_emperor_lost: tuple[str, ...] = many(
        "Emperor", "hook-emperor-lost", "Do this when a vassal is lost.", "ACTION"
    )
    hook_as_emperor: tuple[str, ...] = many(
        "Emperor", "hook-as-emperor", "Do this in the emperor when a vassal starts.", "ACTION"
    )
    hook_as_emperor_before_vassal: tuple[str, ...] = many(
        "Emperor", "hook-as-emperor-before-vassal", "Do this in the emperor before a vassal starts.", "ACTION"
    )
    hook_as_vassal: tuple[str, ...] = many(
        "Emperor", "hook-as-vassal", "Do this in a vassal before it starts.", "ACTION"
    )
    hook_as_vassal_before_drop: tuple[str, ...] = many(
        "Emperor", "hook-as-vassal-before-drop", "Do this in a vassal before it drops privileges.", "ACTION"
    )
    hook_as_on_config_vassal: tuple[str, ...] = many(
        "Hooks",
        "hook-as-on-config-vassal",
        "Do this in a vassal that is started by its configuration.",
        "ACTION",
    )
    hook_as_on_demand_vassal: tuple[str, ...] = many(
        "Hooks", "hook-as-on-demand-vassal", "Do this in a vassal that is started on demand.", "ACTION"
    )
    exec_as_emperor: tuple[str, ...] = many(
        "Emperor", "exec-as-emperor", "Run this command in the emperor when a vassal starts.", "COMMAND"
    )
    exec_as_vassal: tuple[str, ...] = many(
        "Emperor", "exec-as-vassal", "Run this command in a vassal before it starts.", "COMMAND"
    )
    mount_as_emperor: tuple[str, ...] = many(
        "Emperor",
        "mount-as-emperor",
        "Mount a file system in the emperor when a vassal starts.",
        "TYPE SOURCE FOLDER",
    )
    mount_as_vassal: tuple[str, ...] = many(
        "Emperor",
        "mount-as-vassal",
        "Mount a file system in a vassal before it starts.",
        "TYPE SOURCE FOLDER",
    )
    umount_as_emperor: tuple[str, ...] = many(
        "Emperor", "umount-as-emperor", "Unmount a file system in the emperor when a vassal starts.", "FOLDER"
    )
    umount_as_vassal: tuple[str, ...] = many(
        "Emperor", "umount-as-vassal", "Unmount a file system in a vassal before it starts.", "FOLDER"
    )
