"""The size of the state topic: by offsets and, where the broker's folder can be read, on disk."""

import os
from dataclasses import dataclass

from confluent_kafka import Consumer, TopicPartition

# What a partition's state may take on disk: three times the live state and this (bytes).
ALLOWANCE = 64 << 20
ID_BYTES = 16


@dataclass
class Sample:
    records: int  # from the log's start to its end, in all partitions
    truncated: int  # before its start
    disk: list  # bytes by partition; empty where the folder is not known
    segments: int
    ids: dict  # by partition

    @property
    def live(self):
        """The least that the live state can be, in bytes: the ids alone. Open windows come on top."""
        return ID_BYTES * sum(self.ids.values())

    def excess(self):
        """Bytes by which the largest partition is beyond its bound; negative within it. None without a folder."""
        if not self.disk:
            return None
        return max(size - 3 * ID_BYTES * self.ids.get(partition, 0) - ALLOWANCE
                   for partition, size in enumerate(self.disk))


def measure(servers, topic, partitions, log_folder, ids):
    client = Consumer({"bootstrap.servers": servers, "group.id": "unused"})
    records = truncated = segments = 0
    try:
        for partition in range(partitions):
            low, high = client.get_watermark_offsets(TopicPartition(topic, partition), timeout=10)
            records += high - low
            truncated += low
    finally:
        client.close()
    disk = []
    if log_folder:
        for partition in range(partitions):
            size = 0
            for name, status in files(os.path.join(log_folder, f"{topic}-{partition}")):
                # Blocks, not length: the index files are laid out sparse.
                size += status.st_blocks * 512
                segments += name.endswith(".log")
            disk.append(size)
    return Sample(records, truncated, disk, segments, dict(ids))


def files(folder):
    """The files of a partition; the broker may delete one while they are looked at."""
    for name in os.listdir(folder):
        try:
            yield name, os.stat(os.path.join(folder, name))
        except FileNotFoundError:
            pass


HEADER = (f"{'minute':>6} {'published':>10} {'records':>9} {'truncated':>10} {'ids MiB':>8} {'on disk MiB':>12} "
          f"{'largest':>8} {'segments':>9} {'3 x ids + 64 MiB':>17}")


def row(minute, published, sample):
    mib = 1 << 20
    disk = [f"{sum(sample.disk) / mib:12.1f}", f"{max(sample.disk) / mib:8.1f}", f"{sample.segments:9}"] if (
        sample.disk) else [f"{'?':>12}", f"{'?':>8}", f"{'?':>9}"]
    excess = sample.excess()
    verdict = "?" if excess is None else "within" if excess <= 0 else f"{excess / mib:.1f} MiB beyond"
    return (f"{minute:6} {published:10,} {sample.records:9,} {sample.truncated:10,} {sample.live / mib:8.2f} "
            f"{' '.join(disk)} {verdict:>17}")
