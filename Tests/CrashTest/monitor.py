"""Reads the output topics read_committed all the time and hands them to the checker, on a thread of its own."""

import threading
import time
import traceback
from queue import Empty, SimpleQueue

from confluent_kafka import Consumer, KafkaError, KafkaException, TopicPartition

TOPICS = ("routed", "decisions", "rejected", "delivery.email", "delivery.inapp")


def now():
    return int(time.time() * 1000)


class Monitor:
    """Owns the checker while it runs: what others may know is in `status`, a value that is replaced."""

    def __init__(self, servers, prefix, partitions, checker):
        self.servers, self.prefix, self.checker = servers, prefix, checker
        self.partitions = [TopicPartition(f"{prefix}.{topic}", partition, 0)
                           for topic in TOPICS for partition in range(partitions)]
        self.publications = SimpleQueue()
        self.ends = {}  # where the consumer has found the end of a partition
        self.status = {"oldest": None, "due": None, "tally": {}, "read": 0}
        self.failure = None
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name="monitor")

    def start(self):
        self.thread.start()

    def stop(self):
        self.stopping.set()
        if self.thread.is_alive():
            self.thread.join()

    def published(self, publication):
        """Called by the load's thread."""
        self.publications.put(publication)

    def behind(self, at):
        """How far the processors are behind, in milliseconds: of events to be decided and windows to be closed."""
        status = self.status
        waits = [at - instant for instant in (status["oldest"], status["due"]) if instant is not None]
        return max([0] + waits)

    def unread(self):
        """Partitions of which something is not read yet: not there, or in a transaction that is still open."""
        client = Consumer({
            "bootstrap.servers": self.servers, "group.id": "unused", "isolation.level": "read_uncommitted"})
        try:
            found = []
            for partition in self.partitions:
                _, high = client.get_watermark_offsets(partition, timeout=10)
                if self.ends.get((partition.topic, partition.partition), 0) < high:
                    found.append(f"{partition.topic} [{partition.partition}]")
            return found
        finally:
            client.close()

    def _run(self):
        consumer = Consumer({
            "bootstrap.servers": self.servers, "group.id": "unused", "isolation.level": "read_committed",
            "enable.auto.commit": False, "enable.auto.offset.store": False, "enable.partition.eof": True,
            "auto.offset.reset": "error", "fetch.wait.max.ms": 50, "check.crcs": True})
        try:
            consumer.assign(self.partitions)
            while not self.stopping.is_set():
                self._turn(consumer)
        except Exception:  # the main thread ends the run with it
            self.failure = traceback.format_exc()
        finally:
            consumer.close()

    def _turn(self, consumer):
        messages = consumer.consume(500, timeout=0.05)
        seen = now()
        try:
            while True:
                self.checker.published(self.publications.get_nowait())
        except Empty:
            pass
        count = self.status["read"]
        for message in messages:
            error = message.error()
            if error is None:
                count += 1
                self.checker.record(
                    message.topic()[len(self.prefix) + 1:], message.partition(), message.offset(),
                    message.timestamp()[1], seen, message.value(), message.headers())
            elif error.code() == KafkaError._PARTITION_EOF:
                self.ends[message.topic(), message.partition()] = message.offset()
            elif error.code() in (KafkaError.OFFSET_OUT_OF_RANGE, KafkaError._AUTO_OFFSET_RESET) or error.fatal():
                raise KafkaException(error)
        self.checker.advance(seen)
        self.status = {
            "oldest": self.checker.oldest_undecided(), "due": self.checker.oldest_due(),
            "tally": dict(self.checker.tally), "read": count}
