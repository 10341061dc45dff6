"""What is published, and what ought to become of it: types, recipients and events of the crash test.

The load draws from here, and the checker reads here what to expect. Nothing in it knows the processor's code.
"""

import random
import time
from dataclasses import dataclass, field

CHANNELS = ("email", "inapp")


@dataclass(frozen=True)
class Rule:
    """How a type is delivered on one channel: at once, or with the others of a window (milliseconds)."""

    window: int = 0
    items: int = 10
    mandatory: bool = False


@dataclass(frozen=True)
class EventType:
    name: str
    category: str
    channels: dict
    weight: int


TYPES = {
    kind.name: kind
    for kind in (
        EventType("crash.now", "now", {"inapp": Rule()}, 20),
        EventType("crash.mail", "mail", {"email": Rule(mandatory=True)}, 10),
        EventType("crash.two", "two", {"inapp": Rule(), "email": Rule(window=2_000, items=3)}, 25),
        # Two types of one category share their windows.
        EventType("crash.seven.a", "seven", {"email": Rule(window=7_000, items=20), "inapp": Rule(window=7_000)}, 15),
        EventType("crash.seven.b", "seven", {"email": Rule(window=7_000, items=20)}, 10),
        EventType("crash.twenty", "twenty", {"inapp": Rule(), "email": Rule(window=20_000, items=5)}, 20),
    )
}


def catalog():
    """The catalog of these types, as YAML."""
    lines = ["unknownTypes: reject", "types:"]
    for kind in TYPES.values():
        lines += [f"  {kind.name}:", f"    category: {kind.category}", '    title: "{{id}}"', "    channels:"]
        for channel, rule in kind.channels.items():
            policy = "policy: immediate"
            if rule.window:
                policy = f"policy: digest, window: {rule.window}ms, items: {rule.items}"
            mandatory = ", mandatory: true" if rule.mandatory else ""
            lines.append(f"      {channel}: {{ {policy}{mandatory} }}")
    return "\n".join(lines) + "\n"


@dataclass(frozen=True)
class Recipient:
    tenant: str
    name: str
    has_record: bool = True
    email: str = ""
    opt_out: frozenset = frozenset()  # of (category, channel)

    @property
    def key(self):
        return self.name if self.tenant == "default" else f"{self.tenant}/{self.name}"

    def record(self):
        """The value of the recipient's record."""
        value = {"optOut": [{"category": category, "channel": channel} for category, channel in sorted(self.opt_out)]}
        if self.email:
            value["email"] = self.email
        return value


def recipients(seed, count):
    """The recipients of a run: the same names in two tenants; some without a record or address, some opted out."""
    rng = random.Random(f"{seed}/recipients")
    result = []
    for number in range(count):
        tenant, name = ("default", "acme")[number % 2], f"r{number // 2}"
        kind = rng.random()
        if kind < 0.03:
            result.append(Recipient(tenant, name, has_record=False))
        elif kind < 0.06:
            result.append(Recipient(tenant, name))
        else:
            opt_out = frozenset()
            if kind < 0.12:
                category = rng.choice(("now", "two", "seven", "mail", "*"))
                opt_out = frozenset({(category, rng.choice(("email", "inapp", "*")))})
            result.append(Recipient(tenant, name, email=f"{tenant}.{name}@example.org", opt_out=opt_out))
    return result


@dataclass(frozen=True)
class Audience:
    """Somebody who names it notifies all of `members`, names within its tenant."""

    tenant: str
    name: str
    members: tuple

    PARTS = 3

    def parts(self):
        """Lines for `tidings publish subscriptions`. Who is in two parts is notified once."""
        for part in range(self.PARTS):
            members = self.members[part :: self.PARTS] + self.members[:2]
            yield {"tenant": self.tenant, "audience": self.name, "part": str(part), "recipients": list(members)}


def audiences(seed, people):
    """The audiences of a run: in each tenant one of some, and one of nearly all."""
    rng = random.Random(f"{seed}/audiences")
    result = []
    for tenant in sorted({person.tenant for person in people}):
        names = [person.name for person in people if person.tenant == tenant]
        for name, count in (("team:1", 20), ("board:1", len(names) * 9 // 10)):
            result.append(Audience(tenant, name, tuple(rng.sample(names, min(count, len(names))))))
    return result


def expected(kind, channel, recipient):
    """What becomes of a notification that does not expire: `delivered`, `open`, or the reason for suppressing it."""
    rule = kind.channels[channel]
    out = {(c, k) for c in (kind.category, "*") for k in (channel, "*")}
    if not rule.mandatory and recipient.opt_out & out:
        return "optedOut"
    if channel == "email" and not recipient.email:
        return "noAddress"
    return "open" if rule.window else "delivered"


@dataclass(slots=True)
class Event:
    """One event; `recipients` are names within its tenant: with an audience, its members. A repeat is the same object,
    published again."""

    tenant: str
    source: str
    id: str
    type: str
    recipients: tuple
    expiry: int = 0  # milliseconds since the epoch; 0: never
    is_broken: bool = False
    audience: str = ""
    data: dict = field(default_factory=dict)


def attributes(event):
    """The attributes of an event as it is published, but for whom it is for."""
    result = {
        "specversion": "1.0", "id": event.id, "source": event.source, "type": event.type, "tenant": event.tenant,
        "actor": f"a{len(event.id)}"}
    if event.expiry:
        result["expirytime"] = rfc3339(event.expiry)
    return result


def rfc3339(milliseconds):
    """An instant, as CloudEvents write it."""
    seconds, rest = divmod(milliseconds, 1000)
    return time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(seconds)) + f".{rest:03d}Z"
