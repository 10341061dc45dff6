"""The checker: what was published against what the topics hold. It shares nothing with the processor but the formats.

It is fed, partition by partition in order, with what the broker acknowledged to the load (`published`) and with what a
read_committed consumer reads from the topics routed, decisions, rejected and delivery.* (`record`). There is no order
between topics, so that a record waits at the head of its partition until what it refers to has been read.
"""

import json
from collections import Counter, deque
from dataclasses import dataclass, field
from datetime import datetime
from heapq import heappop, heappush

from scenario import CHANNELS, TYPES, Event, attributes, expected

KINDS = ("lost", "repeated", "early", "late", "unordered", "unaccounted", "wrong")
# Clocks that count whole milliseconds differ by up to one, however well they agree.
RESOLUTION = 1
REJECTED = None  # what a broken event waits for, instead of a recipient
FANNED_OUT = ""  # what an event for an audience waits for, beside its recipients


@dataclass(slots=True)
class Publication:
    """A record of the events topic, as the broker acknowledged it; `appended` in milliseconds since the epoch."""

    event: Event
    partition: int
    offset: int
    appended: int
    waiting: set = field(default_factory=set)  # recipients for whom it has not been decided
    sent: tuple | None = None  # of a broken event: its value and headers


@dataclass
class Violation:
    kind: str
    text: str
    round: int


@dataclass(slots=True)
class Entry:
    """Something at the head of a partition: `seen` is when the consumer got it, in milliseconds since the epoch."""

    topic: str
    partition: int
    offset: int
    appended: int
    seen: int
    value: object
    headers: dict


class Notification:
    """What (tenant, source, id, recipient) names."""

    __slots__ = ("event", "is_decided")

    def __init__(self, event):
        self.event = event
        self.is_decided = False


class Window:
    __slots__ = ("id", "channel", "key", "category", "rule", "opened", "due", "members", "closed", "items")


def milliseconds(text):
    return round(datetime.fromisoformat(text).timestamp() * 1000)


def event_identity(event):
    return event.tenant, event.source, event.id


def recipient_key(tenant, name):
    return name if tenant == "default" else f"{tenant}/{name}"


class Checker:
    """Reads on with `published` and `record`, then `finish`; afterwards `violations` and `tally` are final."""

    # How long a record may wait for what it refers to, before that counts as missing.
    PATIENCE = 20_000
    LISTED = 200  # violations of a kind whose text is kept

    def __init__(self, recipients, timeline, rounds=lambda: 0):
        self.recipients = {recipient.key: recipient for recipient in recipients}
        self.timeline, self.rounds = timeline, rounds
        self.violations = []
        self.tally = Counter()
        self.streams = {}
        self.publications = {}
        self.acknowledged = {}  # partition: the last offset
        self.routes = {}
        self.fan_outs = {}  # an event for an audience: how often it was decided as fanned out; 0 if only as a repeat
        self.audience_routes = {}  # (partition, offset) in routed of such an event: its origin
        self.homes = {}
        self.positions = {}  # (topic, partition): the last input offset that was decided
        self.notifications = {}
        self.names = {}  # notification hash: (source, id), while a window holds it
        self.singles = {}
        self.windows = {}
        self.closures = {}
        self.done = set()  # ids of windows whose digest was delivered, or that came to nothing
        self.due = []
        self.last_single = {}
        self.single_numbers = Counter()
        self.last_window = {}
        self.accounts = Counter()
        self.ids = Counter()  # notifications by home partition: what the dedup table has to hold

    # --- input

    def published(self, publication):
        event = publication.event
        publication.waiting = {REJECTED} if event.is_broken else set(event.recipients)
        if event.audience:
            publication.waiting.add(FANNED_OUT)
        self.publications[publication.partition, publication.offset] = publication
        self.acknowledged[publication.partition] = publication.offset
        self.tally["published"] += 1
        if event.is_broken:
            return
        if event.audience:
            # A repeat ends in the audience's home: nobody is told of it.
            if event_identity(event) in self.fan_outs:
                return
            self.fan_outs[event_identity(event)] = 0
        for name in event.recipients:
            identity = (event.tenant, event.source, event.id, name)
            if identity in self.notifications:
                self.tally["repeats"] += 1
            else:
                self.notifications[identity] = Notification(event)
            for channel in TYPES[event.type].channels:
                self.accounts["published", channel] += 1

    def record(self, topic, partition, offset, appended, seen, value, headers=()):
        """`topic` without the prefix."""
        stream = self.streams.setdefault((topic, partition), deque())
        headers = dict(headers or ())
        items = json.loads(value) if topic == "decisions" else [value]
        for item in items:
            if topic.startswith("delivery."):
                item = json.loads(item)
            stream.append(Entry(topic, partition, offset, appended, seen, item, headers))

    def advance(self, now, is_final=False):
        """Takes in all whose references have been read; what waits too long counts as without reference."""
        progress = True
        while progress:
            progress = False
            for stream in self.streams.values():
                while stream:
                    entry = stream[0]
                    if not self._take(entry, is_final or now - entry.seen > self.PATIENCE):
                        break
                    stream.popleft()
                    progress = True
        # A stall of the broker is known when it is over.
        for text in self.timeline.late() if is_final else self.timeline.late(before=now - self.PATIENCE):
            self._fault("late", text)

    def finish(self, now):
        """Nothing more comes: what is open now stays so."""
        self.advance(now, is_final=True)
        for publication in self.publications.values():
            for name in publication.waiting:
                self._fault("lost", self._place(publication, name) + ": was never decided")
        for (channel, delivery), (identity, *_) in self.singles.items():
            self._fault("lost", f"{identity} on {channel}: decided as delivered, but delivery {delivery} is not there")
        for window in self.windows.values():
            self._fault("lost", f"window {window.id} of {window.key} on {window.channel} never closed, "
                                f"with {len(window.members)} notifications")
        for window in self.closures.values():
            self._fault("lost", f"digest {window.id} of {window.key} on {window.channel} was decided, "
                                f"but is not in the delivery topic")
        for (partition, offset), (origin, _) in self.routes.items():
            self._fault("repeated", f"routed [{partition}] @{offset}: events [{origin[0]}] @{origin[1]} was forwarded "
                                    f"twice, or this was not decided")
        for identity, count in self.fan_outs.items():
            if not count:
                self._fault("lost", f"{identity} for an audience was only decided as a repeat, or not at all")
        for text in self.balance():
            self._fault("unaccounted", text)

    # --- what is outstanding

    def oldest_undecided(self):
        """Append time of the oldest event that is not decided for all its recipients; None if all are."""
        publication = next(iter(self.publications.values()), None)
        return publication.appended if publication else None

    def oldest_due(self):
        """The instant at which the oldest window that has no digest yet is due; None without any."""
        while self.due and self.due[0][1] in self.done:
            heappop(self.due)
        return self.due[0][0] if self.due else None

    def balance(self):
        """The law, from the topics alone: accepted = delivered + suppressed + expired + open, with 0 open."""
        problems = []
        for channel in CHANNELS:
            count = {name: self.accounts[name, channel] for name in
                     ("published", "accepted", "delivered", "suppressed", "expired")}
            left = self.open(channel)
            difference = (count["accepted"] - count["delivered"] - count["suppressed"] - count["expired"] - left)
            if difference or left or count["accepted"] != count["published"]:
                problems.append(f"{channel}: {count}, open {left}, difference {difference}")
        return problems

    def open(self, channel):
        return sum(len(window.members) for window in self.windows.values() if window.channel == channel)

    # --- one entry

    def _fault(self, kind, text):
        self.tally[kind] += 1
        if self.tally[kind] <= self.LISTED:
            self.violations.append(Violation(kind, text, self.rounds()))

    def _place(self, publication, name):
        event = publication.event
        return (f"{event.tenant}/{name}, event {event.source} {event.id} ({event.type}), "
                f"events [{publication.partition}] @{publication.offset}")

    def _take(self, entry, is_final):
        """Whether the entry was dealt with; else it waits, which is no answer if `is_final`."""
        if entry.topic == "routed":
            return self._take_forward(entry, is_final)
        if entry.topic == "rejected":
            return self._take_rejection(entry, is_final)
        if entry.topic == "decisions":
            data = entry.value["data"]
            if "audience" in data:
                return self._take_fan_out(entry, data, is_final)
            return self._take_closure(entry, data) if "members" in data or "window" in data else (
                self._take_arrival(entry, data, is_final))
        data = entry.value["data"]
        take = self._take_single if data["kind"] == "single" else self._take_digest
        return take(entry, data, is_final)

    def _origin(self, entry, is_final):
        """The record of the events topic that an entry of routed or rejected goes back to; (known, publication)."""
        prefix = "tidings-origin-" if entry.topic == "routed" else "tidings-"
        try:
            origin = tuple(int(entry.headers[prefix + name]) for name in ("partition", "offset"))
        except (KeyError, ValueError):
            return True, None
        if "tidings-audience" in entry.headers and entry.headers.get("tidings-origin-topic", b"").endswith(b".routed"):
            # It comes from a step of a fan-out: to the audience's home the event itself was forwarded, too.
            origin = self.audience_routes.get(origin)
            if origin is None:
                return is_final, None
        publication = self.publications.get(origin)
        is_early = publication is None and origin[1] > self.acknowledged.get(origin[0], -1)
        return not is_early or is_final, publication

    def _take_forward(self, entry, is_final):
        known, publication = self._origin(entry, is_final)
        if not known:
            return False
        name = entry.headers["ce_recipient"].decode() if "ce_recipient" in entry.headers else FANNED_OUT
        if publication is None or name not in publication.waiting:
            self._fault("repeated", f"routed [{entry.partition}] @{entry.offset}: forwards for {name} what was "
                                    f"decided before, or never published")
            return True
        self.tally["forwarded"] += 1
        event, wanted = publication.event, {"audience": publication.event.audience}
        if name != FANNED_OUT:
            wanted = {"recipient": name}
        wanted = {f"ce_{key}": value.encode() for key, value in {**attributes(event), **wanted}.items()}
        found = {key: value for key, value in {"ce_tenant": b"default", **entry.headers}.items()
                 if key.startswith("ce_")}
        if found != wanted or entry.value != json.dumps(event.data).encode():
            self._fault("wrong", f"routed [{entry.partition}] @{entry.offset}: it is not event {event.source} {event.id} "
                                 f"for {name or event.audience}: {found}")
        self.timeline.waited("forward", publication.appended, entry.appended, entry.seen, self._at(entry))
        origin = (publication.partition, publication.offset)
        if name == FANNED_OUT:
            if origin in self.audience_routes.values():
                self._fault("repeated", f"routed [{entry.partition}] @{entry.offset}: forwarded to its audience before")
            self.audience_routes[entry.partition, entry.offset] = origin
        else:
            self.routes[entry.partition, entry.offset] = (origin, entry.appended)
        return True

    def _take_fan_out(self, entry, data, is_final):
        """An event for an audience, when all its members were served, or as a repeat."""
        topic = data["at"]["topic"].rpartition(".")[2]
        at = (entry.partition, data["at"]["offset"])
        origin = at if topic == "events" else self.audience_routes.get(at)
        publication = self.publications.get(origin)
        if publication is None and not is_final and (
                origin is None or origin[1] > self.acknowledged.get(origin[0], -1)):
            return False
        where = (f"{data['tenant']}/{data['audience']}, event {data['source']} {data['event']}, decided from {topic} "
                 f"[{at[0]}] @{at[1]} in decisions [{entry.partition}] @{entry.offset}")
        if publication is None or FANNED_OUT not in publication.waiting:
            self._fault("repeated", where + ": the record was decided before, or never published")
            return True
        event = publication.event
        if (event.tenant, event.source, event.id, event.audience) != (
                data["tenant"], data["source"], data["event"], data["audience"]):
            self._fault("wrong", where + f": the record is of event {event.source} {event.id} for {event.audience}")
        publication.waiting.discard(FANNED_OUT)
        if data["outcome"] == "duplicate":
            self.tally["audience repeats"] += 1
            if len(publication.waiting) != len(event.recipients):
                self._fault("repeated", where + ": a repeat, but members were told of it")
            publication.waiting.clear()
        else:
            self.tally["fan-outs"] += 1
            self.fan_outs[event_identity(event)] += 1
            self.ids[entry.partition] += 1
            if self.fan_outs[event_identity(event)] > 1:
                self._fault("repeated", where + ": fanned out before")
            if data["outcome"] != "fannedOut" or data.get("recipients") != len(event.recipients):
                self._fault("wrong", where + f": {data['outcome']} to {data.get('recipients')} of "
                                             f"{len(event.recipients)} members")
        if not publication.waiting:
            del self.publications[origin]
        return True

    def _take_rejection(self, entry, is_final):
        known, publication = self._origin(entry, is_final)
        if not known:
            return False
        where = f"rejected [{entry.partition}] @{entry.offset}: "
        if publication is None or REJECTED not in publication.waiting:
            self._fault("wrong", where + f"a sound or unknown record, or one that was rejected before: "
                                         f"{entry.headers.get('tidings-detail')}")
        else:
            self.tally["rejected"] += 1
            value, headers = publication.sent
            why = entry.headers.get("tidings-reason"), entry.headers.get("tidings-topic", b"").rpartition(b".")[2]
            left = {key: value for key, value in entry.headers.items() if not key.startswith("tidings-")}
            if why != (b"missingAttribute", b"events") or (entry.value, left) != (value, headers):
                self._fault("wrong", where + f"{why} of {self._place(publication, None)}, which is another record, or "
                                             f"was rejected for another reason")
            del self.publications[publication.partition, publication.offset]
        return True

    def _take_arrival(self, entry, data, is_final):
        topic = data["at"]["topic"].rpartition(".")[2]
        at = (entry.partition, data["at"]["offset"])
        origin, appended = at, None
        if topic == "routed":
            if at not in self.routes and not is_final:
                if at[1] > self.positions.get(("routed", at[0]), -1):
                    return False
            origin, appended = self.routes.pop(at, (None, None))
        publication = self.publications.get(origin)
        if publication is None and origin and origin[1] > self.acknowledged.get(origin[0], -1) and not is_final:
            return False
        name, key = data["recipient"], recipient_key(data["tenant"], data["recipient"])
        where = (f"{key}, event {data['source']} {data['event']}, decided from {topic} [{at[0]}] @{at[1]} "
                 f"in decisions [{entry.partition}] @{entry.offset}")
        for channel in data["channels"]:
            self.accounts["accepted", channel] += 1
        if self.positions.get((topic, at[0]), -1) >= at[1]:
            self._fault("unordered", where + f": after offset {self.positions[topic, at[0]]}")
        self.positions[topic, at[0]] = at[1]
        if self.homes.setdefault(key, entry.partition) != entry.partition:
            self._fault("wrong", where + f": its home was partition {self.homes[key]} before")
        identity = (data["tenant"], data["source"], data["event"], name)
        notification = self.notifications.get(identity)
        if publication is None or name not in publication.waiting or notification is None:
            self._fault("repeated", where + ": the record was decided before, or never published")
        else:
            publication.waiting.discard(name)
            if not publication.waiting:
                del self.publications[origin]
        if notification is not None:
            appended = appended or (publication.appended if publication else entry.appended)
            self.timeline.waited("decision", appended, entry.appended, entry.seen, self._at(entry))
            self._decide(entry, data, identity, notification, appended, where)
        return True

    def _decide(self, entry, data, identity, notification, appended, where):
        if set(data["channels"]) != set(TYPES[notification.event.type].channels):
            self._fault("wrong", where + f": channels {sorted(data['channels'])}")
        if data.get("duplicate"):
            self.tally["duplicates"] += 1
            if not notification.is_decided:
                self._fault("lost", where + ": taken for a duplicate, but it is the first")
            for channel, outcome in data["channels"].items():
                self.accounts["suppressed", channel] += 1
                if outcome.get("reason") != "duplicate":
                    self._fault("wrong", where + f": a duplicate with the outcome {outcome}")
            return
        self.tally["notifications"] += 1
        if notification.is_decided:
            self._fault("repeated", where + ": decided before, and not taken for a duplicate")
        notification.is_decided = True
        self.ids[entry.partition] += 1
        recipient = self.recipients[recipient_key(identity[0], identity[3])]
        event, kind = notification.event, TYPES[notification.event.type]
        for channel, outcome in data["channels"].items():
            if channel not in kind.channels:
                continue
            wanted = expected(kind, channel, recipient)
            result = outcome["outcome"]
            if event.expiry and event.expiry <= milliseconds(entry.value["time"]):
                wanted = "expired"
            if (outcome["reason"] if result == "suppressed" else result) != wanted:
                self._fault("wrong", where + f": on {channel} {outcome}, but it ought to be {wanted}")
            if result == "delivered":
                self.single_numbers[identity[0], identity[3], channel] += 1
                number = self.single_numbers[identity[0], identity[3], channel]
                self.singles[channel, outcome["delivery"]] = (identity, appended, number)
            elif result == "open":
                self._open(entry, data, channel, outcome, kind, identity, appended, where)
            elif result in ("suppressed", "expired"):
                self.accounts[result, channel] += 1

    def _open(self, entry, data, channel, outcome, kind, identity, appended, where):
        window = self.windows.get(outcome["window"])
        if window is None:
            if outcome["window"] in self.done or outcome["window"] in self.closures:
                self._fault("wrong", where + f": joins window {outcome['window']}, which is closed")
            window = Window()
            window.id, window.channel, window.category = outcome["window"], channel, kind.category
            window.key, window.rule = recipient_key(identity[0], identity[3]), kind.channels[channel]
            window.members = []
            window.opened, window.due = milliseconds(entry.value["time"]), milliseconds(outcome["until"])
            self.windows[window.id] = window
            heappush(self.due, (window.due, window.id))
            if window.due - window.opened != window.rule.window or window.opened < appended - 1_000:
                self._fault("early", where + f": its window of {window.due - window.opened} ms from {window.opened} "
                                             f"ought to have {window.rule.window} ms, from {appended} on")
        window.members.append(data["notification"])
        self.names[data["notification"], channel] = identity

    def _take_closure(self, entry, data):
        where = f"decisions [{entry.partition}] @{entry.offset}: window {data['window']}"
        window = self.windows.pop(data["window"], None)
        if window is None:
            self._fault("repeated", where + " was closed before, or never opened")
            return True
        members, late = data.get("members", []), set(data.get("expired", []))
        left = [member for member in window.members if member not in late]
        if members != left or late - set(window.members):
            kind = ("unordered" if sorted(members) == sorted(left) else
                    "lost" if set(left) - set(members) else "repeated")
            self._fault(kind, where + f" of {window.key} has other members than were put into it: "
                                      f"{len(left)} put in, {len(members)} come out")
        now = milliseconds(entry.value["time"])
        self.accounts["expired", window.channel] += len(late)
        for member in window.members:
            identity = self.names.get((member, window.channel))
            if identity is None:
                continue
            is_over = 0 < self.notifications[identity].event.expiry <= now
            if is_over and member not in late:
                self._fault("late", where + f": {identity} had expired, and is delivered")
            if member in late and not is_over:
                self._fault("lost", where + f": {identity} had not expired, and is dropped")
        if now < window.due:
            self._fault("early", where + f" closed at {now}, due at {window.due}")
        names = {member: self.names.pop((member, window.channel), None) for member in window.members}
        window.closed = len(members)
        window.items = [names[member] for member in window.members[: window.rule.items] if member not in late]
        if data["outcome"] == "delivered":
            self.closures[window.id] = window
        else:
            self.done.add(window.id)
            if members:
                self._fault("lost", where + f" had {len(members)} members, but is {data['outcome']}")
        return True

    def _check_address(self, data, channel, where):
        recipient = self.recipients.get(recipient_key(data["tenant"], data["recipient"]))
        address = recipient.email if recipient and channel == "email" else None
        if data["address"] != address:
            self._fault("wrong", where + f": goes to {data['address']}, the recipient's address is {address}")

    def _take_single(self, entry, data, is_final):
        channel, item = entry.topic.rpartition(".")[2], data["items"][0]
        identity = (data["tenant"], item["source"], item["id"], data["recipient"])
        where = f"{identity} on {channel}, {entry.topic} [{entry.partition}] @{entry.offset}"
        single = self.singles.get((channel, entry.value["id"]))
        notification = self.notifications.get(identity)
        if single is None and not is_final and (notification is None or not notification.is_decided):
            return False
        self.accounts["delivered", channel] += 1
        self.tally["singles"] += 1
        if single is None or single[0] != identity:
            self._fault("repeated", where + ": delivered before, or without a decision")
            return True
        del self.singles[channel, entry.value["id"]]
        self._check_address(data, channel, where)
        expiry = notification.event.expiry
        if expiry and milliseconds(entry.value["time"]) >= expiry:
            self._fault("late", where + ": delivered after it had expired")
        stream = (identity[0], identity[3], channel)
        if single[2] < self.last_single.get(stream, -1):
            self._fault("unordered", where + ": delivered after a later one of the same recipient")
        self.last_single[stream] = max(single[2], self.last_single.get(stream, -1))
        self.timeline.waited("immediate", single[1], entry.appended, entry.seen, self._at(entry))
        return True

    def _take_digest(self, entry, data, is_final):
        channel, window_id = entry.topic.rpartition(".")[2], data["window"]["id"]
        where = (f"{recipient_key(data['tenant'], data['recipient'])}, digest {window_id}, "
                 f"{entry.topic} [{entry.partition}] @{entry.offset}")
        window = self.closures.pop(window_id, None)
        if window is None:
            if window_id not in self.done and not is_final:
                return False
            self.accounts["delivered", channel] += data["totals"]["events"]
            self._fault("repeated", where + ": delivered before, or without a decision")
            return True
        self.done.add(window_id)
        self.tally["digests"] += 1
        self.accounts["delivered", channel] += data["totals"]["events"]
        if (recipient_key(data["tenant"], data["recipient"]), channel, entry.value["id"]) != (
                window.key, window.channel, window_id):
            self._fault("wrong", where + f": it belongs to {window.key} on {window.channel}")
        self._check_address(data, channel, where)
        if data["totals"]["events"] != window.closed:
            self._fault("wrong", where + f": totals say {data['totals']['events']}, decided were {window.closed}")
        items = [(data["tenant"], item["source"], item["id"], data["recipient"]) for item in data["items"]]
        if items != window.items:
            kind = "unordered" if sorted(items) == sorted(window.items) else "wrong"
            self._fault(kind, where + f": its items are {items}, in the order of decisions they were {window.items}")
        if entry.appended < window.due - RESOLUTION:
            self._fault("early", where + f": delivered at {entry.appended}, due at {window.due}")
        stream = (window.key, channel, window.category)
        if self.last_window.get(stream, -1) >= window.opened:
            self._fault("unordered", where + f": opened at {window.opened}, delivered after a later one")
        self.last_window[stream] = window.opened
        self.timeline.waited("digest", window.due, entry.appended, entry.seen, self._at(entry))
        return True

    def _at(self, entry):
        return f"{entry.topic} [{entry.partition}] @{entry.offset}"
