"""The processors of a run: real processes of the real program, told apart by instance and ended by process id."""

import os
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.request


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


# What may become of snapshots while their process is away, with how often it does.
FATES = {"kept": 5, "lost": 1, "torn": 1, "rotten": 1, "foreign": 1, "old": 1}


# How a process says that another one has taken its place.
FENCED = "another process has taken this one's place"


class Processor:
    """One instance and, while it runs, its process. Faults hold `lock` while they are at work on it."""

    SNAPSHOTS = "10s"
    STOP_PATIENCE = 35  # a processor has 30 s to drain

    def __init__(self, instance, binary, folder):
        self.instance, self.binary, self.folder = instance, binary, folder
        self.port = free_port()
        self.process = None
        self.is_wanted = False  # whether it ought to run: what ends meanwhile did so by itself
        self.may_be_fenced = False  # it was asleep past the session time-out, or replaced, and it is not calm yet
        self.lock = threading.RLock()
        self.state_folder = os.path.join(folder, f"{instance}.state")
        self.log_path = os.path.join(folder, f"{instance}.log")
        self.log_start = 0  # where the log of the present process begins

    def start(self):
        with open(self.log_path, "ab") as log:
            self.log_start = log.tell()
            # In a group of its own: Ctrl-C is for the test, which ends its processes itself.
            self.process = subprocess.Popen(
                [self.binary, "processor", "--config", "tidings.yaml", "--set", f"processor.instance={self.instance}",
                 "--set", f"metrics.port={self.port}", "--set", f"processor.stateDirectory={self.state_folder}",
                 "--set", f"processor.snapshotInterval={self.SNAPSHOTS}"],
                cwd=self.folder, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True)
        self.is_wanted, self.may_be_fenced = True, False

    def note(self, text):
        """Puts a line of the test's into the log, so that what the process says can be told apart by round."""
        with open(self.log_path, "a", encoding="utf-8") as log:
            log.write(f"==== {text}\n")

    def spoil(self, fate):
        """What becomes of the snapshots while the process is away: one of `FATES`."""
        os.makedirs(self.state_folder, exist_ok=True)
        paths = [entry.path for entry in sorted(os.scandir(self.state_folder), key=lambda entry: entry.name)
                 if entry.name.endswith(".snapshot")]
        if fate == "lost":
            shutil.rmtree(self.state_folder)
        elif fate == "torn":
            for path in paths:
                os.truncate(path, os.path.getsize(path) * 2 // 3)
        elif fate == "rotten":
            for path in paths:
                with open(path, "r+b") as file:
                    file.seek(os.path.getsize(path) // 2)
                    file.write(b"tidings")
        elif fate == "foreign" and len(paths) > 1:
            # Each partition finds the snapshot of another.
            for path, other in zip(paths, paths[1:] + paths[:1]):
                os.rename(path, other + ".other")
            for path in paths:
                os.rename(path + ".other", path)
        elif fate == "old":
            kept = self.state_folder + ".kept"
            if os.path.isdir(kept):
                shutil.rmtree(self.state_folder)
                os.rename(kept, self.state_folder)
            else:
                shutil.copytree(self.state_folder, kept)

    def signal(self, number):
        if self.is_running():
            self.process.send_signal(number)

    def is_running(self):
        return self.process is not None and self.process.poll() is None

    def kill(self):
        self.is_wanted = False
        self.signal(signal.SIGKILL)
        self.process.wait()

    def terminate(self):
        """SIGTERM and the wait for the end; the exit status, or None if it had to be killed."""
        self.is_wanted = False
        self.signal(signal.SIGTERM)
        try:
            return self.process.wait(self.STOP_PATIENCE)
        except subprocess.TimeoutExpired:
            self.kill()
            return None

    def is_ready(self):
        try:
            with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/readyz", timeout=1) as answer:
                return answer.status == 200
        except OSError:
            return False

    def await_ready(self, patience):
        """Whether it became ready in time; at once if it ends meanwhile."""
        end = time.monotonic() + patience
        while time.monotonic() < end and self.is_running():
            if self.is_ready():
                return True
            time.sleep(0.1)
        return False

    def has_spoken(self):
        """Whether the present process has written anything yet."""
        return os.path.getsize(self.log_path) > self.log_start

    def was_fenced(self, status, since):
        """Whether an end is that of a process that was fenced, and said so behind this place of the log."""
        with open(self.log_path, "rb") as log:
            log.seek(since)
            return status == 1 and FENCED.encode() in log.read()

    def log_count(self, text):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return sum(text in line for line in log)

    def log_tail(self, lines=5):
        with open(self.log_path, encoding="utf-8", errors="replace") as log:
            return [line.rstrip() for line in log.readlines()[-lines:]]


class Processors:
    """All instances of a run."""

    def __init__(self, instances, binary, folder):
        self.all = [Processor(instance, binary, folder) for instance in instances]
        # What processes did without being told, and not because they were fenced: (instance, status, last lines).
        self.ended = []
        self.unclean = []  # SIGTERMs that were not answered by an end with status 0 in time
        self.unfenced = []  # instances whose past did not end when it woke beside its successor
        self.fenced_successors = 0
        self.past = []  # processes that were replaced

    def running(self):
        return [processor for processor in self.all if processor.is_wanted]

    def check_fenced(self, processor, status, since=None):
        """Keeps in `ended` what ought to have been fenced, and ended for another reason; whether it was fenced."""
        is_fenced = processor.was_fenced(status, processor.log_start if since is None else since)
        if not is_fenced:
            self.ended.append((processor.instance, status, processor.log_tail()))
        return is_fenced

    def revive(self):
        """Starts again what ended by itself. The one that slept past its session may be fenced."""
        for processor in self.all:
            if processor.is_wanted and not processor.is_running() and processor.lock.acquire(blocking=False):
                try:
                    if processor.is_wanted and not processor.is_running():
                        status = processor.process.returncode
                        if processor.may_be_fenced:
                            self.check_fenced(processor, status)
                        else:
                            self.ended.append((processor.instance, status, processor.log_tail()))
                        processor.start()
                finally:
                    processor.lock.release()

    def shut_down(self, processor):
        """SIGTERM; anything but an end in order is kept in `unclean`.

        A program that is still being loaded has no handler for signals: the system ends it, and nothing had begun.
        """
        status = processor.terminate()
        if status == -signal.SIGTERM and not processor.has_spoken():
            return status
        if status != 0:
            self.unclean.append((processor.instance, status, processor.log_tail()))
        return status

    def replace(self, processor):
        """Starts a second process of an instance whose first one is asleep; the first one."""
        past = processor.process
        self.past.append(past)
        processor.port = free_port()
        processor.start()
        return past

    def await_fenced(self, processor, past, patience=20):
        """Waits until a process that has been replaced ends by itself: its status, or None if it had to be killed.

        One that slept for longer than a transaction may last starts over as if it were the newest, and fences its
        successor. That one is started again, as a supervisor does, and has to prevail.
        """
        end, since = time.monotonic() + patience, processor.log_start
        while past.poll() is None and time.monotonic() < end:
            if not processor.is_running():
                self.check_fenced(processor, processor.process.returncode)
                processor.start()
                self.fenced_successors += 1
            time.sleep(0.1)
        if past.poll() is None:
            self.unfenced.append(processor.instance)
            past.kill()
            past.wait()
            return None
        self.check_fenced(processor, past.returncode, since)
        # Both may have ended over it.
        processor.may_be_fenced = True
        return past.returncode

    def end_all(self, patience=5):
        """Ends every process of the run, asleep or not."""
        for past in self.past:
            if past.poll() is None:
                past.kill()
                past.wait()
        for processor in self.all:
            processor.is_wanted = False
            processor.signal(signal.SIGCONT)
            processor.signal(signal.SIGTERM)
        end = time.monotonic() + patience
        for processor in self.all:
            while processor.is_running() and time.monotonic() < end:
                time.sleep(0.05)
            if processor.is_running():
                processor.kill()
