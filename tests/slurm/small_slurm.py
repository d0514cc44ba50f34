"""A SLURM of one node on loopback: own folder, own ports, own key; it leaves nothing behind.

For tests that need a batch system as users have it. There is no accounting, as on many a small
cluster, and no control group: a job's memory is looked at once a second, and a job that has more
than it asked for is killed. Needs Debian's ``slurm-wlm`` and ``munge``.

    python tests/slurm/small_slurm.py COMMAND...     runs a command beside it
"""

import getpass
import os
import secrets
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

# Debian keeps daemons where an ordinary user's PATH does not lead.
SYSTEM = "/usr/sbin:/sbin"
DAEMONS = ("munged", "slurmctld", "slurmd")
CLIENTS = ("sbatch", "srun", "squeue", "scancel", "sinfo", "scontrol")
_PATIENCE_S = 30

_CONF = """\
ClusterName=small
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller_port}
SlurmUser={user}
SlurmdUser={user}
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
CredType=cred/munge
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
SlurmctldLogFile={folder}/slurmctld.log
SlurmdLogFile={folder}/slurmd.log
# Whether the node is answering is asked this often, and what is finished is remembered this long.
SlurmdTimeout=60
MinJobAge=36000
KillWait=2
MpiDefault=none
SwitchType=switch/none
TaskPlugin=task/none
ProctrackType=proctrack/linuxproc
AccountingStorageType=accounting_storage/none
JobAcctGatherType=jobacct_gather/linux
JobAcctGatherFrequency=1
JobAcctGatherParams=OverMemoryKill
SchedulerType=sched/backfill
SchedulerParameters=sched_interval=5,bf_interval=5
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
SlurmdParameters=config_overrides
NodeName={host} NodeAddr=127.0.0.1 Port={node_port} CPUs={cpus} RealMemory={memory_mb}
PartitionName=main Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


class SlurmMissingError(RuntimeError):
    """SLURM is not installed."""


class SlurmFailedError(RuntimeError):
    """SLURM was started and does not answer."""


@dataclass(frozen=True)
class SmallSlurm:
    """A running SLURM: its folder, and the environment in which its commands find it."""

    folder: Path
    environment: dict[str, str]

    def call(self, *command: str) -> str:
        """Return what a command prints; it must succeed."""
        done = subprocess.run(
            command, env=self.environment, text=True, capture_output=True, check=False
        )
        if done.returncode:
            raise SlurmFailedError(f"{' '.join(command)}: {done.stderr.strip()}")
        return done.stdout

    def jobs(self) -> list[dict[str, str]]:
        """Return all jobs that the controller knows, finished ones, too, in scontrol's words."""
        records = self.call("scontrol", "--oneliner", "--all", "show", "job").splitlines()
        parsed = [dict(word.partition("=")[::2] for word in record.split()) for record in records]
        return [record for record in parsed if "JobId" in record]

    def logs(self) -> str:
        """Return the ends of the daemons' logs, to be shown where something failed."""
        parts = []
        for path in sorted(self.folder.glob("*.log")):
            lines = path.read_text(errors="replace").splitlines()[-20:]
            parts.append("\n".join([f"--- {path.name}", *lines]))
        return "\n".join(parts)


def require_installed() -> None:
    """Raise SlurmMissingError, naming them, unless all programs are there."""
    path = f"{os.environ.get('PATH', '')}:{SYSTEM}"
    missing = [name for name in (*DAEMONS, *CLIENTS) if shutil.which(name, path=path) is None]
    if missing:
        raise SlurmMissingError(
            f"SLURM is not installed: {', '.join(missing)} not found in PATH or {SYSTEM}. "
            "On Debian: apt-get install --no-install-recommends slurm-wlm munge"
        )


@contextmanager
def small_slurm(cpus: int = 2, memory_mb: int = 8000) -> Iterator[SmallSlurm]:
    """Yield a SLURM that runs while the context lasts.

    ``cpus`` and ``memory_mb`` are what it hands out, whatever the machine has.

    Raises
    ------
    SlurmMissingError
        It is not installed.
    SlurmFailedError
        It does not come up; the ends of its logs are in the message.
    """
    require_installed()
    with ExitStack() as stack:
        # Short: the path of a socket has at most 107 characters.
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="slurm-")))
        for name in ("state", "spool"):
            (folder / name).mkdir()
        _write_key(folder / "munge.key")
        controller_port, node_port = _free_ports(2)
        (folder / "slurm.conf").write_text(
            _CONF.format(
                host=socket.gethostname().partition(".")[0],
                user=getpass.getuser(),
                folder=folder,
                controller_port=controller_port,
                node_port=node_port,
                cpus=cpus,
                memory_mb=memory_mb,
            )
        )
        _write_srun(folder)
        # Control groups of another place, or none, are none of its business.
        (folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
        slurm = SmallSlurm(folder, _environment(folder))
        _start(stack, slurm, _munged(folder))
        _await(slurm, (folder / "munge.socket").exists, "munged")
        _start(stack, slurm, ["slurmctld", "-D", "-f", str(folder / "slurm.conf")])
        _start(stack, slurm, ["slurmd", "-D", "-f", str(folder / "slurm.conf")])
        stack.callback(_cancel_all, slurm)
        _await(slurm, lambda: "idle" in _node_state(slurm), "the node")
        yield slurm


def _environment(folder: Path) -> dict[str, str]:
    """Return this process's environment, in which SLURM's commands find that of the folder."""
    inherited = {k: v for k, v in os.environ.items() if not k.startswith(("SLURM_", "SBATCH_"))}
    return {
        **inherited,
        "PATH": f"{folder / 'bin'}:{os.environ.get('PATH', '')}:{SYSTEM}",
        "SLURM_CONF": str(folder / "slurm.conf"),
    }


def _write_srun(folder: Path) -> None:
    """Write an srun that knows where this SLURM is.

    Snakemake's plugin takes SLURM_CONF, as nearly all of SLURM's variables, from the environment
    of the srun inside a job, which then looks for the file of the system.
    """
    srun = folder / "bin" / "srun"
    srun.parent.mkdir()
    path = f"{os.environ.get('PATH', '')}:{SYSTEM}"
    conf, program = folder / "slurm.conf", shutil.which("srun", path=path)
    srun.write_text(f'#!/bin/sh\nSLURM_CONF={conf} exec {program} "$@"\n')
    srun.chmod(0o755)


def _write_key(path: Path) -> None:
    path.touch(mode=0o600)
    path.write_bytes(secrets.token_bytes(128))


def _munged(folder: Path) -> list[str]:
    files = {
        "key-file": "munge.key",
        "socket": "munge.socket",
        "pid-file": "munge.pid",
        "log-file": "munge.log",
        "seed-file": "munge.seed",
    }
    options = [f"--{option}={folder / name}" for option, name in files.items()]
    # It mistrusts folders below one that all may write to, as the system's temporary one is.
    return ["munged", "--foreground", "--force", *options]


def _start(stack: ExitStack, slurm: SmallSlurm, command: list[str]) -> None:
    """Start a daemon, and see to it that it is stopped, even if this process is killed."""
    output = stack.enter_context((slurm.folder / f"{command[0]}.out.log").open("w"))
    daemon = subprocess.Popen(
        ["setpriv", "--pdeathsig", "TERM", *command],
        env=slurm.environment,
        stdout=output,
        stderr=output,
        start_new_session=True,
    )
    stack.callback(_stop, daemon)


def _stop(daemon: "subprocess.Popen[bytes]") -> None:
    daemon.send_signal(signal.SIGTERM)
    try:
        daemon.wait(timeout=_PATIENCE_S)
    except subprocess.TimeoutExpired:
        daemon.kill()
        daemon.wait()


def _node_state(slurm: SmallSlurm) -> str:
    done = subprocess.run(
        ["sinfo", "--noheader", "--format=%T"],
        env=slurm.environment,
        text=True,
        capture_output=True,
        check=False,
    )
    return done.stdout


def _cancel_all(slurm: SmallSlurm) -> None:
    """End what still runs, and wait for it: a job outlives the daemon that started it."""
    try:
        slurm.call("scancel", "--user", getpass.getuser())
        _await(slurm, lambda: not slurm.call("squeue", "--noheader").strip(), "end of jobs")
    except SlurmFailedError as error:
        print(error, file=sys.stderr)


def _await(slurm: SmallSlurm, is_so: Callable[[], bool], what: str) -> None:
    for _ in range(10 * _PATIENCE_S):
        if is_so():
            return
        time.sleep(0.1)
    raise SlurmFailedError(f"{what}: nothing after {_PATIENCE_S} s\n{slurm.logs()}")


def _free_ports(number: int) -> list[int]:
    """Return ports on loopback that nobody has now."""
    with ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(number)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def main(command: list[str]) -> int:
    """Run a command beside a SLURM, and return its exit status."""
    try:
        with small_slurm() as slurm:
            return subprocess.run(command, env=slurm.environment, check=False).returncode
    except (SlurmMissingError, SlurmFailedError) as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
