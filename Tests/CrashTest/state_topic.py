"""The state topic: its size by offsets and on disk, and what `tidings state inspect` reads in it."""

import json
import os
import subprocess
from dataclasses import dataclass

MIB = 1 << 20
# What a partition may take on disk beside three times the live state, in bytes.
ALLOWANCE = 64 * MIB


@dataclass
class Sample:
    """Numbers by partition. `disk` is empty where the broker's folder is not known."""

    records: list  # from the log's start to its end
    truncated: list  # before its start
    live: list  # bytes that a checkpoint would hold
    disk: list
    segments: int

    def excess(self):
        """Bytes by which the worst partition is beyond its bound; negative within it. None without a folder."""
        return max((size - 3 * live - ALLOWANCE for size, live in zip(self.disk, self.live)), default=None)

    def row(self, minute, published):
        disk = [f"{'?':>12}", f"{'?':>8}", f"{'?':>9}"]
        if self.disk:
            disk = [f"{sum(self.disk) / MIB:12.1f}", f"{max(self.disk) / MIB:8.1f}", f"{self.segments:9}"]
        excess = self.excess()
        verdict = "?" if excess is None else "within" if excess <= 0 else f"{excess / MIB:.1f} MiB beyond"
        return (f"{minute:6} {published:10,} {sum(self.records):9,} {sum(self.truncated):10,} "
                f"{sum(self.live) / MIB:9.2f} {max(self.live) / MIB:8.2f} {' '.join(disk)} {verdict:>18}")


HEADER = (f"{'minute':>6} {'published':>10} {'records':>9} {'truncated':>10} {'live MiB':>9} {'largest':>8} "
          f"{'on disk MiB':>12} {'largest':>8} {'segments':>9} {'3 x live + 64 MiB':>18}")


class StateTopic:
    def __init__(self, servers, topic, partitions, binary, folder, log_folder):
        self.servers, self.topic, self.partitions = servers, topic, partitions
        self.binary, self.folder, self.log_folder = binary, folder, log_folder

    def measure(self):
        from confluent_kafka import Consumer, TopicPartition  # what checks the checker runs without it

        client = Consumer({"bootstrap.servers": self.servers, "group.id": "unused"})
        sample = Sample([], [], [], [], 0)
        try:
            for partition in range(self.partitions):
                low, high = client.get_watermark_offsets(TopicPartition(self.topic, partition), timeout=10)
                sample.records.append(high - low)
                sample.truncated.append(low)
        finally:
            client.close()
        for partition in range(self.partitions):
            # Its status counts only where nothing moves: here it may read between two commits.
            sample.live.append(self.inspect(partition)[0].get("liveBytes", 0))
        if self.log_folder:
            for partition in range(self.partitions):
                size = 0
                for name, status in files(os.path.join(self.log_folder, f"{self.topic}-{partition}")):
                    # Blocks, not length: the index files are laid out sparse.
                    size += status.st_blocks * 512
                    sample.segments += name.endswith(".log")
                sample.disk.append(size)
        return sample

    def inspect(self, partition):
        """What the tool says of a partition, and its problem, empty if a processor would go on from there."""
        result = subprocess.run(
            [self.binary, "state", "inspect", "--config", "tidings.yaml", "--partition", str(partition), "--json"],
            cwd=self.folder, capture_output=True, text=True, timeout=120, check=False)
        try:
            found = json.loads(result.stdout)
        except ValueError:
            found = {}
        problem = "" if result.returncode == 0 and found else (
            f"state [{partition}]: inspect ended with {result.returncode}: {result.stderr.strip()} "
            f"{found.get('problems', '')}")
        return found, problem

    def compare(self, checker):
        """What the state at rest says otherwise than the topics do, as sentences."""
        problems = []
        counters = {}
        for partition in range(self.partitions):
            found, problem = self.inspect(partition)
            if problem:
                problems.append(problem)
                continue
            for name, value, wanted in (
                    ("ids", found["ids"], checker.ids[partition]), ("open windows", found["openWindows"], 0),
                    ("difference", found["difference"], 0)):
                if value != wanted:
                    problems.append(f"state [{partition}]: {value} {name}, by the topics {wanted}")
            for channel, law in found["counters"]["channels"].items():
                for name, value in law.items():
                    counters[name, channel] = counters.get((name, channel), 0) + value
        if not problems:
            problems = [f"state: {value} {name} on {channel}, by the topics {checker.accounts[name, channel]}"
                        for (name, channel), value in sorted(counters.items())
                        if value != checker.accounts[name, channel]]
        return problems


def files(folder):
    """The files of a partition; the broker may delete one while they are looked at."""
    for name in os.listdir(folder):
        try:
            yield name, os.stat(os.path.join(folder, name))
        except FileNotFoundError:
            pass
