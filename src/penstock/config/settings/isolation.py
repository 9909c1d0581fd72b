"""Options: what the processes are kept from and what they keep: namespaces, roots, cgroups, rights, locks,
and their environment. Read at boot only.
"""

from penstock.config.option import INT, MODE, SIGNED, group
from penstock.config.settings.declare import flag, many, number, text


@group
class IsolationOptions:
    """Namespaces, other roots, cgroups."""

    unshare: str = text("Isolation", "unshare", "Leave these namespaces.", "NAMES")
    unshare2: str = text("Isolation", "unshare2", "Leave these namespaces later in the start.", "NAMES")
    setns: str = text(
        "Isolation", "setns", "Join the namespaces of the server on this socket.", "ADDRESS|PATH"
    )
    setns_preopen: bool = flag("Isolation", "setns-preopen", "Open namespaces before the root changes.")
    setns_socket: str = text(
        "Sockets", "setns-socket", "Lend this process's namespaces through a UNIX socket.", "ADDRESS"
    )
    setns_socket_skip: tuple[str, ...] = many(
        "Isolation", "setns-socket-skip", "Do not lend this namespace.", "NAME", aliases=("setns-skip",)
    )
    namespace: str = text(
        "Isolation", "namespace", "Run in namespaces of its own, on this root.", "FOLDER", aliases=("ns",)
    )
    namespace_net: str = text(
        "Isolation", "namespace-net", "Have a network namespace too (any value).", "NAME", aliases=("ns-net",)
    )
    namespace_keep_mount: tuple[str, ...] = many(
        "Isolation", "namespace-keep-mount", "Keep this file system mounted in the namespace.", "FOLDER"
    )
    pivot_root: str = text(
        "Isolation",
        "pivot-root",
        "Make this folder the root of the mounted file systems.",
        "NEW OLD",
        aliases=("pivot_root",),
    )
    cgroup: tuple[str, ...] = many("Isolation", "cgroup", "Join this cgroup.", "FOLDER")
    cgroup_opt: tuple[str, ...] = many("Isolation", "cgroup-opt", "Set a value of the cgroup.", "FILE=VALUE")
    cgroup_dir_mode: int = number(
        MODE, 0o700, "Isolation", "cgroup-dir-mode", "Set the mode of the cgroup's folder.", metavar="MODE"
    )
    refork: bool = flag(
        "Isolation", "refork", "Fork once more after privileges are dropped.", aliases=("re-fork",)
    )
    refork_as_root: bool = flag(
        "Isolation",
        "refork-as-root",
        "Fork once more before privileges are dropped.",
        aliases=("re-fork-as-root",),
    )
    refork_post_jail: bool = flag(
        "Isolation",
        "refork-post-jail",
        "Fork once more after the jail is entered.",
        aliases=("re-fork-post-jail",),
    )


@group
class RightsOptions:
    """Which rights are kept, and when the others are dropped."""

    cap: str = text("Privileges", "cap", "Keep these capabilities after privileges are dropped.", "NAMES")
    drop_after_init: bool = flag(
        "Privileges", "drop-after-init", "Drop privileges after plugins have started."
    )
    drop_after_apps: bool = flag(
        "Privileges", "drop-after-apps", "Drop privileges after the application is loaded."
    )
    master_as_root: bool = flag("Privileges", "master-as-root", "Let the master keep root's privileges.")
    immediate_uid: str = text(
        "Privileges", "immediate-uid", "Become this user while options are read.", "USER"
    )
    immediate_gid: str = text(
        "Privileges", "immediate-gid", "Become this group while options are read.", "GROUP"
    )
    no_initgroups: bool = flag("Privileges", "no-initgroups", "Leave the groups of the user out.")


@group
class StartOptions:
    """What a process starts with: its folder, its environment, its shell, locks, memory."""

    force_cwd: str = text("Configuration", "force-cwd", "Have reloads begin in this folder.", "FOLDER")
    binsh: tuple[str, ...] = many("Configuration", "binsh", "Run commands with this shell.", "SHELL")
    envdir: tuple[str, ...] = many(
        "Configuration", "envdir", "Set environment variables from the files of a folder.", "FOLDER"
    )
    early_envdir: tuple[str, ...] = many(
        "Configuration",
        "early-envdir",
        "Set environment variables from a folder while options are read.",
        "FOLDER",
    )
    ienv: tuple[str, ...] = many(
        "Configuration", "ienv", "Set an environment variable while options are read.", "NAME=VALUE"
    )
    unenv: tuple[str, ...] = many("Configuration", "unenv", "Unset an environment variable.", "NAME")
    flock: str = text("Processes", "flock", "End at once if another process holds this lock file.", "FILE")
    flock_wait: str = text(
        "Processes", "flock-wait", "Wait until no other process holds this lock file.", "FILE"
    )
    flock2: str = text(
        "Processes", "flock2", "End if another process holds this lock file, later in the start.", "FILE"
    )
    flock_wait2: str = text(
        "Processes", "flock-wait2", "Wait for this lock file, later in the start.", "FILE"
    )
    prio: int = number(SIGNED, 0, "Processes", "prio", "Run at this nice value.", metavar="N")
    skip_zero: bool = flag("Processes", "skip-zero", "Do not look at descriptor 0 for a socket.")
    reaper: bool = flag("Processes", "reaper", "Collect dead child processes after each request.", short="r")
    never_swap: bool = flag("Processes", "never-swap", "Lock all memory, so that it is never swapped.")
    ksm: int = number(
        INT,
        0,
        "Processes",
        "ksm",
        "Let the kernel merge equal memory pages now and then.",
        metavar="N",
        bare="1",
    )
