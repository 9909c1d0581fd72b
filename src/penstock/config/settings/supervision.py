"""Options: the processes, who looks after them, and how they are commanded and named. Read at boot only."""

from penstock.config.option import FLAG, INT, LIST, MEGABYTES, SECONDS, TEXT, group, opt
from penstock.config.settings.declare import within

GROUP = "Processes"

_o = within(GROUP)


@group
class SupervisionOptions:
    """How many processes serve, and what their supervisor does for them."""

    master: bool = opt(
        False,
        _o(
            "master",
            FLAG,
            "Supervise the workers from a process of its own. More than one worker always is, and so is "
            "what an option needs that replaces, watches or commands workers.",
            short="M",
            bare="true",
        ),
    )
    processes: str = opt(
        "",
        _o("processes", TEXT, "Worker processes; auto: by processors and memory. 1 without it.",
           short="p", aliases=("workers",), metavar="N|auto"),
    )  # fmt: skip
    lazy_apps: bool = opt(
        False,
        _o("lazy-apps", FLAG, "Load the application in each worker, not before the fork.", bare="true"),
    )
    lazy: bool = opt(
        False, _o("lazy", FLAG, "The same, and a reload replaces the workers only.", bare="true")
    )
    start_timeout: float = opt(
        60.0,
        _o("start-timeout", SECONDS, "Time that new workers have to load the application and be ready.",
           own=True, metavar="TIME"),
    )  # fmt: skip
    warmup: str = opt(
        "",
        _o("warmup", TEXT, "Path that each new worker asks the application for before it is ready.",
           own=True, metavar="URI"),
    )  # fmt: skip
    control_socket: str = opt(
        "",
        _o("control-socket", TEXT, "UNIX socket on which penstock ctl commands the server; off: none.",
           own=True, metavar="PATH"),
    )  # fmt: skip
    master_fifo: tuple[str, ...] = opt(
        (), _o("master-fifo", LIST, "Take commands of one letter from a named pipe.", metavar="PATH")
    )
    no_orphans: bool = opt(
        False,
        _o("no-orphans", FLAG, "Kill workers whose supervisor is gone; without it they finish what runs.",
           bare="true"),
    )  # fmt: skip
    die_on_no_workers: bool = opt(
        False, _o("die-on-no-workers", FLAG, "End the server when no worker is left.", bare="true")
    )
    check_interval: float = opt(
        1.0, _o("check-interval", SECONDS, "The supervisor looks around this often.", metavar="TIME")
    )
    forkbomb_delay: float = opt(
        2.0,
        _o("forkbomb-delay", SECONDS, "Wait this long when new workers die before they answer anything.",
           metavar="TIME"),
    )  # fmt: skip


@group
class TitleOptions:
    """What the processes are called in lists of processes."""

    auto_procname: bool = opt(
        False, _o("auto-procname", FLAG, "Give every process a telling title.", bare="true")
    )
    procname_master: str = opt("", _o("procname-master", TEXT, "Title of the supervisor.", metavar="TEXT"))
    procname_prefix: str = opt(
        "", _o("procname-prefix", TEXT, "Put this before the title of every process.", metavar="TEXT")
    )
    procname_prefix_spaced: str = opt(
        "",
        _o("procname-prefix-spaced", TEXT, "Put this and a blank before the title of every process.",
           metavar="TEXT"),
    )  # fmt: skip
    procname_append: str = opt(
        "", _o("procname-append", TEXT, "Put this after the title of every process.", metavar="TEXT")
    )


@group
class BoundOptions:
    """What the processes may have of the machine."""

    chroot: str = opt(
        "",
        _o("chroot", TEXT, "Make this folder the root of the file system.", group="Isolation",
           metavar="FOLDER"),
    )  # fmt: skip
    limit_as: int = opt(
        0, _o("limit-as", MEGABYTES, "Limit the address space, in MB.", group="Limits", metavar="MB")
    )
    limit_nproc: int = opt(
        0, _o("limit-nproc", INT, "Limit the number of processes of the user.", group="Limits", metavar="N")
    )
    max_fd: int = opt(0, _o("max-fd", INT, "Raise the limit of open files.", group="Limits", metavar="N"))
    cpu_affinity: int = opt(0, _o("cpu-affinity", INT, "Pin each worker to so many processors.", metavar="N"))
