"""The load: a steady stream of events, a tenth of them repeats, published all the time."""

import json
import random
import threading
import time
from dataclasses import replace

from confluent_kafka import Producer

from checker import Publication
from scenario import TYPES, Event, attributes


class EventSource:
    """Draws events by seed. Their order does not depend on the time at which they are asked for."""

    REPEATS = 0.10
    HISTORY = 50_000
    # Each brings as many notifications as its audience has members.
    AUDIENCES = 0.004

    def __init__(self, seed, recipients, audiences=()):
        self.rng = random.Random(f"{seed}/events")
        self.by_tenant = {}
        for recipient in recipients:
            self.by_tenant.setdefault(recipient.tenant, []).append(recipient)
        self.tenants = sorted(self.by_tenant)
        self.audiences = list(audiences)
        self.kinds = list(TYPES.values())
        self.weights = [kind.weight for kind in self.kinds]
        self.history = []
        self.number = 0

    def next(self, now):
        """The next event and whether it is published with its recipient's key (else it lands anywhere)."""
        rng = self.rng
        if self.history and rng.random() < self.REPEATS:
            event = self._repeat()
        else:
            event = self._new(now)
        return event, (len(event.recipients) == 1 or event.audience != "") and rng.random() < 0.85

    def _repeat(self):
        rng = self.rng
        # Mostly of what went out just before, sometimes of long ago.
        index = -1 - int(rng.expovariate(0.01)) if rng.random() < 0.8 else rng.randrange(len(self.history))
        event = self.history[max(index, -len(self.history))]
        if len(event.recipients) > 1 and not event.audience and rng.random() < 0.3:
            # To one of its recipients: its home hears of it on another way than before.
            return replace(event, recipients=(rng.choice(event.recipients),))
        return event

    def _new(self, now):
        rng = self.rng
        self.number += 1
        tenant = rng.choice(self.tenants)
        people = self.by_tenant[tenant]
        count = rng.randint(2, 6) if rng.random() < 0.15 else 1
        names = tuple(person.name for person in rng.sample(people, count))
        audience, length = "", 300
        if self.audiences and rng.random() < self.AUDIENCES:
            chosen = rng.choice(self.audiences)
            # Long enough that not all members are served in one step.
            tenant, names, audience, length = chosen.tenant, chosen.members, chosen.name, 3_000
        # The same id from two sources is two events.
        event = Event(
            tenant, f"/crash/{self.number % 2}", str(self.number // 2),
            rng.choices(self.kinds, self.weights)[0].name, names,
            data={"n": self.number, "text": "x" * rng.randint(0, length)}, audience=audience)
        kind = rng.random()
        if kind < 0.005 and not audience:
            return replace(event, is_broken=True)
        if kind < 0.015:
            event.expiry = now - 60_000
        elif kind < 0.03:
            event.expiry = now + rng.randint(1_000, 15_000)
        self.history.append(event)
        if len(self.history) > self.HISTORY:
            del self.history[: self.HISTORY // 2]
        return event


def encode(event, structured):
    """Value and headers in one of the two modes of the Kafka protocol binding."""
    named = attributes(event)
    if event.is_broken:
        pass  # names no recipient
    elif event.audience:
        named["audience"] = event.audience
    elif len(event.recipients) == 1:
        named["recipient"] = event.recipients[0]
    else:
        named["recipients"] = ",".join(event.recipients)
    if structured:
        value = json.dumps({**named, "data": event.data})
        return value.encode(), {"content-type": b"application/cloudevents+json"}
    headers = {f"ce_{name}": value.encode() for name, value in named.items()}
    return json.dumps(event.data).encode(), {**headers, "content-type": b"application/json"}


class Load:
    """Publishes on a thread of its own and tells `on_published` of every record that the broker has taken."""

    SLOW = 500  # milliseconds without acknowledgement that count as a stall of the broker

    def __init__(self, servers, topic, source, rate, on_published, on_stall, is_behind):
        self.producer = Producer({
            "bootstrap.servers": servers, "enable.idempotence": True, "linger.ms": 5,
            "partitioner": "murmur2_random"})
        self.topic, self.source, self.rate = topic, source, rate
        self.on_published, self.on_stall, self.is_behind = on_published, on_stall, is_behind
        self.failures = []
        self.count = 0
        self.held = 0.0  # seconds for which the load waited for the processors
        self.stopping = threading.Event()
        self.thread = threading.Thread(target=self._run, name="load")

    def start(self):
        self.thread.start()

    def stop(self):
        """Ends the load. All that was published is acknowledged then, or is in `failures`."""
        self.stopping.set()
        if self.thread.is_alive():
            self.thread.join()
        if self.producer.flush(60) > 0:
            self.failures.append("the broker did not acknowledge all events within 60 s")

    def _run(self):
        step = 0.02
        owed, last = 0.0, time.monotonic()
        while not self.stopping.wait(step):
            now = time.monotonic()
            if self.is_behind():
                self.held += now - last
            else:
                owed = min(owed + (now - last) * self.rate, self.rate)
            last = now
            while owed >= 1:
                owed -= 1
                self._publish()
            self.producer.poll(0)

    def _publish(self):
        sent = int(time.time() * 1000)
        event, is_keyed = self.source.next(sent)
        value, headers = encode(event, structured=self.count % 5 == 0)
        self.count += 1
        key = None
        if is_keyed:
            name = event.audience or event.recipients[0]
            key = name if event.tenant == "default" else f"{event.tenant}/{name}"

        def acknowledged(error, message):
            if error is not None:
                self.failures.append(f"event {event.source} {event.id}: {error}")
            else:
                acknowledged_at = int(time.time() * 1000)
                if acknowledged_at - sent > self.SLOW:
                    self.on_stall(sent, acknowledged_at)
                self.on_published(
                    Publication(event, message.partition(), message.offset(), message.timestamp()[1],
                                sent=(value, headers) if event.is_broken else None))

        self.producer.produce(self.topic, value, key, headers=headers, on_delivery=acknowledged)
