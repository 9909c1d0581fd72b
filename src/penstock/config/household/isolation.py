"""What the texts of the isolation options mean: namespaces, capabilities, roots, cgroups, mounts to keep.

Pure: read while options are checked, and again by the process that acts on them. It asks the system nothing.
"""

NAMESPACES = {
    "fs": 0x00020000, "mnt": 0x00020000, "mount": 0x00020000, "ns": 0x00020000,
    "uts": 0x04000000, "ipc": 0x08000000, "user": 0x10000000, "pid": 0x20000000, "net": 0x40000000,
    "files": 0x00000400, "sysvsem": 0x00040000, "cgroup": 0x02000000, "time": 0x00000080,
}  # fmt: skip
"""uWSGI's names of what ``unshare`` can leave, and the kernel's numbers (CLONE_*, unshare(2)); ``cgroup`` and
``time`` are ours. Its ``io`` and ``parent`` are none that Linux can leave."""
NEW_MOUNTS, NEW_PID, NEW_USER = NAMESPACES["fs"], NAMESPACES["pid"], NAMESPACES["user"]
CAPABILITIES = (
    "chown", "dac_override", "dac_read_search", "fowner", "fsetid", "kill", "setgid", "setuid", "setpcap",
    "linux_immutable", "net_bind_service", "net_broadcast", "net_admin", "net_raw", "ipc_lock", "ipc_owner",
    "sys_module", "sys_rawio", "sys_chroot", "sys_ptrace", "sys_pacct", "sys_admin", "sys_boot", "sys_nice",
    "sys_resource", "sys_time", "sys_tty_config", "mknod", "lease", "audit_write", "audit_control", "setfcap",
    "mac_override", "mac_admin", "syslog", "wake_alarm", "block_suspend", "audit_read", "perfmon", "bpf",
    "checkpoint_restore",
)  # fmt: skip
"""Names of capabilities in the order of their numbers (capabilities(7)), as uWSGI writes them."""
MOST = 63  # the number of the last capability that the kernel's interface has room for


def namespaces(text: str) -> int:
    """The kernel's flags for ``unshare = fs,pid``; 0 for "". Raises ValueError for a name that is none."""
    flags = 0
    for name in words(text):
        if name not in NAMESPACES:
            raise ValueError(
                f"namespaces, of {', '.join(sorted(NAMESPACES))}, with commas between, not {name!r}"
            )
        flags |= NAMESPACES[name]
    return flags


def capabilities(text: str) -> tuple[int, ...]:
    """The numbers of ``cap = setgid,fowner``, each once; () for "". Raises ValueError for a name that is
    none; uWSGI leaves such a one out and goes on without it."""
    found = []
    for name in words(text):
        if name.isascii() and name.isdecimal() and int(name[:3]) <= MOST and len(name) <= 3:
            found.append(int(name))
        elif name in CAPABILITIES:
            found.append(CAPABILITIES.index(name))
        else:
            raise ValueError(f"capabilities (setgid, net_bind_service, ... or numbers), not {name!r}")
    if text and not found:
        raise ValueError("at least one capability")
    return tuple(dict.fromkeys(found))


def words(text: str) -> list[str]:
    """What stands between commas, without what is empty."""
    return [word for word in (part.strip() for part in text.split(",")) if word]


def pivot(text: str) -> tuple[str, str]:
    """``pivot-root = NEW OLD``: the new root, and where in it the old one goes, relative to it. Raises
    ValueError unless there are two."""
    new, _, old = text.strip().partition(" ")
    old = old.strip().lstrip("/")
    if not new or not old:
        raise ValueError("the new root, a blank, and where in it the old root goes")
    return new, old


def cgroup_option(text: str) -> tuple[str, str]:
    """``cgroup-opt = FILE=VALUE``, a colon in place of the first equals sign where there is none. Raises
    ValueError without either, and for a file that is not in the cgroup's own folder."""
    name, mark, value = text.partition("=")
    if not mark:
        name, mark, value = text.partition(":")
    name = name.strip()
    if not mark or not name or "/" in name:
        raise ValueError("FILE=VALUE, a file of the cgroup's folder")
    return name, value.strip()


def own_root(text: str) -> tuple[str, str]:
    """``namespace = FOLDER`` or ``FOLDER:HOSTNAME``. Raises ValueError for a folder that is not absolute."""
    folder, _, hostname = text.partition(":")
    if not folder.startswith("/"):
        raise ValueError("an absolute folder, and perhaps a colon and a host name")
    return folder.rstrip("/") or "/", hostname


def kept_mount(text: str, root: str) -> tuple[str, str]:
    """``namespace-keep-mount = SOURCE`` or ``SOURCE:TARGET``: what is mounted, and where below the new root,
    both absolute. A source below ``root`` is found at the same place of it. Raises ValueError."""
    source, _, target = text.partition(":")
    if not target:
        target = source.removeprefix(root) if root != "/" and source.startswith(f"{root}/") else source
    if not source.startswith("/") or not target.startswith("/"):
        raise ValueError("an absolute folder, and perhaps a colon and where it is to be")
    return source, target
