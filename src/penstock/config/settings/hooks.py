"""Options: what is done at the phases of a life: hooks, commands, mounts, files, and what is waited for.

Texts as written; ``config.household`` takes them apart. Read at boot only.
"""

from penstock.config.option import SECONDS, group
from penstock.config.settings.declare import many, number


@group
class HookOptions:
    """What is done at the phases of the life of the processes: one action of the table each."""

    hook_asap: tuple[str, ...] = many("Hooks", "hook-asap", "Do this as soon as options are read.", "ACTION")
    hook_pre_jail: tuple[str, ...] = many(
        "Hooks", "hook-pre-jail", "Do this before the jail or namespace is entered.", "ACTION"
    )
    hook_post_jail: tuple[str, ...] = many(
        "Hooks", "hook-post-jail", "Do this after the jail or namespace is entered.", "ACTION"
    )
    hook_in_jail: tuple[str, ...] = many(
        "Hooks", "hook-in-jail", "Do this inside the jail or namespace.", "ACTION"
    )
    hook_as_root: tuple[str, ...] = many(
        "Hooks", "hook-as-root", "Do this before privileges are dropped.", "ACTION"
    )
    hook_as_user: tuple[str, ...] = many(
        "Hooks", "hook-as-user", "Do this after privileges are dropped.", "ACTION"
    )
    hook_pre_app: tuple[str, ...] = many(
        "Hooks", "hook-pre-app", "Do this before the application is loaded.", "ACTION"
    )
    hook_post_app: tuple[str, ...] = many(
        "Hooks", "hook-post-app", "Do this after the application is loaded.", "ACTION"
    )
    hook_post_fork: tuple[str, ...] = many(
        "Hooks", "hook-post-fork", "Do this in each worker after its fork.", "ACTION"
    )
    hook_accepting: tuple[str, ...] = many(
        "Hooks", "hook-accepting", "Do this when each worker starts to accept.", "ACTION"
    )
    hook_accepting1: tuple[str, ...] = many(
        "Hooks", "hook-accepting1", "Do this when the first worker starts to accept.", "ACTION"
    )
    hook_accepting_once: tuple[str, ...] = many(
        "Hooks",
        "hook-accepting-once",
        "Do this when each worker starts to accept for the first time.",
        "ACTION",
    )
    hook_accepting1_once: tuple[str, ...] = many(
        "Hooks",
        "hook-accepting1-once",
        "Do this when the first worker starts to accept for the first time.",
        "ACTION",
    )
    hook_master_start: tuple[str, ...] = many(
        "Hooks", "hook-master-start", "Do this when the master starts.", "ACTION"
    )
    hook_touch: tuple[str, ...] = many("Hooks", "hook-touch", "Do this when a file changes.", "FILE ACTION")
    hook_as_mule: tuple[str, ...] = many("Hooks", "hook-as-mule", "Do this in each mule.", "ACTION")
    hook_as_user_atexit: tuple[str, ...] = many(
        "Hooks", "hook-as-user-atexit", "Do this at the end.", "ACTION"
    )


@group
class CommandOptions:
    """Commands, files and mounts at those phases."""

    exec_asap: tuple[str, ...] = many(
        "Hooks", "exec-asap", "Run this command as soon as options are read.", "COMMAND"
    )
    exec_pre_jail: tuple[str, ...] = many(
        "Hooks", "exec-pre-jail", "Run this command before the jail or namespace is entered.", "COMMAND"
    )
    exec_post_jail: tuple[str, ...] = many(
        "Hooks", "exec-post-jail", "Run this command after the jail or namespace is entered.", "COMMAND"
    )
    exec_in_jail: tuple[str, ...] = many(
        "Hooks", "exec-in-jail", "Run this command inside the jail or namespace.", "COMMAND"
    )
    exec_as_root: tuple[str, ...] = many(
        "Hooks", "exec-as-root", "Run this command before privileges are dropped.", "COMMAND"
    )
    exec_as_user: tuple[str, ...] = many(
        "Hooks", "exec-as-user", "Run this command after privileges are dropped.", "COMMAND"
    )
    exec_pre_app: tuple[str, ...] = many(
        "Hooks", "exec-pre-app", "Run this command before the application is loaded.", "COMMAND"
    )
    exec_post_app: tuple[str, ...] = many(
        "Hooks", "exec-post-app", "Run this command after the application is loaded.", "COMMAND"
    )
    exec_as_user_atexit: tuple[str, ...] = many(
        "Hooks", "exec-as-user-atexit", "Run this command at the end.", "COMMAND"
    )
    mount_asap: tuple[str, ...] = many(
        "Hooks", "mount-asap", "Mount a file system as soon as options are read.", "TYPE SOURCE FOLDER"
    )
    mount_pre_jail: tuple[str, ...] = many(
        "Hooks",
        "mount-pre-jail",
        "Mount a file system before the jail or namespace is entered.",
        "TYPE SOURCE FOLDER",
    )
    mount_post_jail: tuple[str, ...] = many(
        "Hooks",
        "mount-post-jail",
        "Mount a file system after the jail or namespace is entered.",
        "TYPE SOURCE FOLDER",
    )
    mount_in_jail: tuple[str, ...] = many(
        "Hooks", "mount-in-jail", "Mount a file system inside the jail or namespace.", "TYPE SOURCE FOLDER"
    )
    mount_as_root: tuple[str, ...] = many(
        "Hooks", "mount-as-root", "Mount a file system before privileges are dropped.", "TYPE SOURCE FOLDER"
    )
    umount_asap: tuple[str, ...] = many(
        "Hooks", "umount-asap", "Unmount a file system as soon as options are read.", "FOLDER"
    )
    umount_pre_jail: tuple[str, ...] = many(
        "Hooks", "umount-pre-jail", "Unmount a file system before the jail or namespace is entered.", "FOLDER"
    )
    umount_post_jail: tuple[str, ...] = many(
        "Hooks", "umount-post-jail", "Unmount a file system after the jail or namespace is entered.", "FOLDER"
    )
    umount_in_jail: tuple[str, ...] = many(
        "Hooks", "umount-in-jail", "Unmount a file system inside the jail or namespace.", "FOLDER"
    )
    umount_as_root: tuple[str, ...] = many(
        "Hooks", "umount-as-root", "Unmount a file system before privileges are dropped.", "FOLDER"
    )
    file_write: tuple[str, ...] = many(
        "Hooks", "file-write", "Write a file at the start, file=content.", "FILE=TEXT"
    )


@group
class WaitOptions:
    """What a start waits for."""

    wait_for_interface: tuple[str, ...] = many(
        "Hooks",
        "wait-for-interface",
        "Wait for a network interface before the start.",
        "NAME",
        aliases=("wait-interface", "wait-for-iface", "wait-iface"),
    )
    wait_for_interface_timeout: float = number(
        SECONDS,
        60.0,
        "Hooks",
        "wait-for-interface-timeout",
        "Wait this long for a network interface.",
        metavar="TIME",
        aliases=("wait-interface-timeout", "wait-for-iface-timeout", "wait-iface-timeout"),
    )
    wait_for_fs: tuple[str, ...] = many(
        "Hooks",
        "wait-for-fs",
        "Wait for a file or folder before the start.",
        "PATH",
        aliases=("wait-for-file", "wait-for-dir"),
    )
    wait_for_mountpoint: tuple[str, ...] = many(
        "Hooks", "wait-for-mountpoint", "Wait for a file system to be mounted before the start.", "FOLDER"
    )
    wait_for_fs_timeout: float = number(
        SECONDS, 60.0, "Hooks", "wait-for-fs-timeout", "Wait this long for a file or folder.", metavar="TIME"
    )
    wait_for_socket: tuple[str, ...] = many(
        "Hooks", "wait-for-socket", "Wait for a server to listen on an address before the start.", "ADDRESS"
    )
    wait_for_socket_timeout: float = number(
        SECONDS,
        60.0,
        "Hooks",
        "wait-for-socket-timeout",
        "Wait this long for a server to listen.",
        metavar="TIME",
    )
