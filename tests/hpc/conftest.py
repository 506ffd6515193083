"""A batch system of one node and two processors, started for these tests and ended after them."""

import contextlib
import os
import re
import shutil
import socket
import subprocess
import tempfile
import time
from pathlib import Path

import pytest
from mpi4py import MPI

#: Folder with Slurm's Debian packages unpacked, where it is not installed: see .ci/slurm.
UNPACKED = os.environ.get("CHEMOMECH_SLURM")
DAEMONS = ("munged", "slurmctld", "slurmd", "slurmstepd")
ENDED = {"COMPLETED", "FAILED", "CANCELLED", "TIMEOUT", "NODE_FAIL"}
COMMANDS = ("sbatch", "scancel", "scontrol", "sinfo", "squeue")

# A job of the partition "urgent" takes the processors from one of the others, which returns to the
# queue: "gentle" has it warned by its own signal and gives it time, "abrupt" has it ended at once.
# A requeued job waits as long as credentials live (cred_expire): short here, two minutes elsewhere.
CONFIGURATION = """\
ClusterName=test
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={ports[0]}
SlurmUser={user}
SlurmdUser={user}
NodeName={host} NodeAddr=127.0.0.1 Port={ports[1]} CPUs=2
SlurmdParameters=config_overrides
CommunicationParameters=NoCtldInAddrAny,NoInAddrAny
AuthType=auth/munge
AuthInfo=socket={folder}/munge/socket,cred_expire=5
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
JobAcctGatherType=jobacct_gather/none
AccountingStorageType=accounting_storage/none
MpiDefault=none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core
SchedulerType=sched/backfill
SchedulerParameters=bf_interval=1,sched_interval=1,sched_min_interval=0,batch_sched_delay=0
PreemptType=preempt/partition_prio
PreemptMode=REQUEUE
PreemptParameters=send_user_signal
KillWait=20
PartitionName=gentle Nodes=ALL PriorityTier=1 GraceTime=60 Default=YES
PartitionName=abrupt Nodes=ALL PriorityTier=1 GraceTime=0
PartitionName=urgent Nodes=ALL PriorityTier=2
"""


class Slurm:
    """The running batch system, met through its own commands."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = os.environ | {"SLURM_CONF": str(folder / "slurm.conf")}
        # Of a job these tests may themselves run in
        for name in [name for name in self.environment if re.match("S(LURM|BATCH)_(?!CONF)", name)]:
            del self.environment[name]
        self.environment["PATH"] += ":/usr/sbin:/sbin"
        self.libraries = None
        if UNPACKED:
            self.environment["PATH"] += f":{UNPACKED}/usr/bin:{UNPACKED}/usr/sbin"
            plugin = next(Path(UNPACKED).glob("usr/lib/*/slurm*/auth_munge.so"), None)
            self.libraries = plugin and plugin.parent
        if self.libraries:
            self.environment["LD_LIBRARY_PATH"] = str(self.libraries)

    def find(self, program):
        return shutil.which(program, path=self.environment["PATH"])

    def run(self, *words, cwd=None):
        """Output of one of Slurm's commands."""
        result = subprocess.run(
            words, cwd=cwd, env=self.environment, capture_output=True, text=True, timeout=60
        )
        assert result.returncode == 0, f"{words}: {result.stderr}\n{self.tell_logs()}"
        return result.stdout.strip()

    def submit(self, *words, cwd):
        """Queue a job; its number."""
        return self.run("sbatch", "--parsable", *words, cwd=cwd)

    def show(self, job):
        """What Slurm knows of a job, or of each task of an array: field by name."""
        records = self.run("scontrol", "show", "job", "--oneliner", job).splitlines()
        return [dict(re.findall(r"(\w+)=(\S*)", record)) for record in records]

    def has_ended(self, job):
        """Whether a job, or each task of an array, is over and off the node."""
        return {record["JobState"] for record in self.show(job)} <= ENDED

    def wait_for_end(self, job, limit):
        """The states in which a job, or each task of an array, ends; number of restarts of each."""
        self.wait(lambda: self.has_ended(job), f"the end of job {job}", limit)
        records = self.show(job)
        restarts = [int(record["Restarts"]) for record in records]
        return [record["JobState"] for record in records], restarts

    def wait_while_running(self, job, is_true, limit):
        """Wait for something that a job is to do before it ends."""

        def is_true_yet():
            assert not self.has_ended(job), self.tell(job)
            return is_true()

        self.wait(is_true_yet, f"job {job}", limit)

    def wait(self, is_true, subject, limit):
        end = time.monotonic() + limit
        while not is_true():
            assert time.monotonic() < end, f"{subject}: not within {limit} s\n{self.tell_logs()}"
            time.sleep(0.3)

    def tell(self, job):
        """A job's states and what it has written, for a failing test."""
        parts = []
        for record in self.show(job):
            log = Path(record["StdOut"])
            parts.append(
                f"job {job}: {record['JobState']}, exit code {record['ExitCode']}, "
                f"{record['Restarts']} restarts"
            )
            parts.append(log.read_text() if log.exists() else "(it has written nothing)")
        return "\n".join(parts)

    def tell_logs(self):
        logs = sorted(self.folder.glob("*.log"))
        return "\n".join(f"--- {log.name}\n{log.read_text()[-3000:]}" for log in logs)


def find_ports(count):
    """Ports of the loopback interface that are free at this moment."""
    with contextlib.ExitStack() as stack:
        sockets = [stack.enter_context(socket.socket()) for _ in range(count)]
        for one in sockets:
            one.bind(("127.0.0.1", 0))
        return [one.getsockname()[1] for one in sockets]


def write_configuration(slurm):
    folder = slurm.folder
    for name in ("munge", "state", "spool"):
        (folder / name).mkdir()
    user = subprocess.run(["id", "-un"], capture_output=True, text=True, check=True).stdout.strip()
    host = socket.gethostname().split(".")[0]
    text = CONFIGURATION.format(folder=folder, user=user, host=host, ports=find_ports(2))
    if slurm.libraries:
        text += f"PluginDir={slurm.libraries}\n"
    (folder / "slurm.conf").write_text(text)
    (folder / "cgroup.conf").write_text("CgroupPlugin=disabled\n")
    key = folder / "munge/key"
    key.touch(mode=0o600)
    key.write_bytes(os.urandom(128))


@contextlib.contextmanager
def daemon(slurm, name, *arguments):
    """Run a daemon in the foreground of a session of its own; end it, and only it, at the end."""
    with (slurm.folder / f"{name}.log").open("w") as log:
        process = subprocess.Popen(
            [slurm.find(name), *arguments],
            env=slurm.environment,
            stdin=subprocess.DEVNULL,
            stdout=log,
            stderr=log,
            start_new_session=True,
        )
        try:
            yield process
        finally:
            process.terminate()
            try:
                process.wait(timeout=20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()


def start(slurm, stack):
    """Start the daemons and wait until the node takes jobs."""
    folder = slurm.folder
    write_configuration(slurm)
    munge = [f"--{what}-file={folder}/munge/{what}" for what in ("key", "pid", "log", "seed")]
    stack.enter_context(
        daemon(slurm, "munged", "--foreground", f"--socket={folder}/munge/socket", *munge)
    )
    slurm.wait((folder / "munge/socket").exists, "munged", 20)
    host = socket.gethostname().split(".")[0]
    stack.enter_context(daemon(slurm, "slurmctld", "-D"))
    stack.enter_context(daemon(slurm, "slurmd", "-D", "-N", host, "-d", slurm.find("slurmstepd")))
    stack.callback(end_jobs, slurm)
    command = ["sinfo", "--noheader", "--format=%T"]

    def is_ready():
        result = subprocess.run(command, env=slurm.environment, capture_output=True, text=True)
        return result.stdout.split() == ["idle"]

    slurm.wait(is_ready, "the node", 60)


def end_jobs(slurm):
    """Cancel what is left in the queue and wait for its processes to end."""
    command = ["squeue", "--noheader"]
    for _ in range(100):
        queue = subprocess.run(command, env=slurm.environment, capture_output=True, text=True)
        if not queue.stdout.strip():
            return
        for line in queue.stdout.splitlines():
            subprocess.run(["scancel", line.split()[0]], env=slurm.environment, check=False)
        time.sleep(0.3)


@pytest.fixture(scope="session")
def slurm():
    """Slurm, ready for jobs; skips where it is not installed or may not run, and says why."""
    if MPI.COMM_WORLD.size > 1:
        pytest.skip("the jobs start mpirun of their own")
    refuse = pytest.fail if UNPACKED else pytest.skip
    with tempfile.TemporaryDirectory(prefix="slurm-") as name, contextlib.ExitStack() as stack:
        # Everyone may look for munge's socket: munged insists.
        Path(name).chmod(0o755)
        slurm = Slurm(Path(name))
        missing = [program for program in (*DAEMONS, *COMMANDS) if not slurm.find(program)]
        if missing:
            refuse(f"NO SLURM HERE ({', '.join(missing)} not found): .ci/slurm brings one")
        try:
            start(slurm, stack)
        except (AssertionError, OSError) as error:
            refuse(f"SLURM DOES NOT START HERE: {error}")
        yield slurm
