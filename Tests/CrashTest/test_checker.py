"""The checker can fail: each kind of violation, put into a log that is sound otherwise, is reported as that kind."""

import json
import os
import tempfile
import unittest
from copy import deepcopy
from types import SimpleNamespace

from checker import Checker, Publication
from processors import Processors
from scenario import CHANNELS, TYPES, Event, Recipient, attributes, rfc3339
from state_topic import MIB, Sample, StateTopic
from timeline import BOUND, GRACE, Timeline

START = 1_800_000_000_000
ADA = Recipient("default", "ada", email="ada@example.org")
EVE = Recipient("default", "eve", email="eve@example.org")
BOB = Recipient("acme", "bob", email="bob@example.org", opt_out=frozenset({("two", "email")}))
PEOPLE = {person.name: person for person in (ADA, BOB, EVE)}


def forward_of(event):
    """Headers of a forwarded event, besides whence and whither."""
    return {f"ce_{name}": value.encode() for name, value in attributes(event).items()}


class Log:
    """A small run as lists of records, which a test spoils before it is checked."""

    def __init__(self):
        self.published, self.routed, self.decisions, self.rejected = [], [], [], []
        self.deliveries = {"email": [], "inapp": []}
        self.number = 0

    def publish(self, event, at, partition=0):
        offset = sum(1 for record in self.published if record.partition == partition)
        self.published.append(Publication(event, partition, offset, at))
        return self.published[-1]

    def decide(self, publication, name, at, channels, topic="events", offset=None, duplicate=False):
        event = publication.event
        data = {
            "tenant": event.tenant, "recipient": name, "source": event.source, "event": event.id, "type": event.type,
            "notification": f"{event.source}{event.id}{name}",
            "at": {"topic": f"x.{topic}", "offset": publication.offset if offset is None else offset},
            "channels": channels}
        if duplicate:
            data["duplicate"] = True
        self.decisions.append((at, [{"time": rfc3339(at), "data": data}]))

    def deliver(self, publication, name, channel, at):
        """An immediate delivery; what the decision says of it."""
        event = publication.event
        delivery = f"s-{event.source}-{event.id}-{name}-{channel}"
        data = {"tenant": event.tenant, "recipient": name, "channel": channel, "kind": "single",
                "address": PEOPLE[name].email if channel == "email" else None,
                "totals": {"events": 1}, "items": [{"source": event.source, "id": event.id}]}
        self.deliveries[channel].append((at, {"id": delivery, "time": rfc3339(at), "data": data}))
        return {"outcome": "delivered", "delivery": delivery}

    def route(self, event, at, origin, name=None, partition=0, topic="events"):
        """A record of routed: to a recipient, or to an audience's home; its offset."""
        headers = {"tidings-origin-topic": f"x.{topic}".encode(), "tidings-origin-partition": str(partition).encode(),
                   "tidings-origin-offset": str(origin).encode(), **forward_of(event)}
        headers["ce_recipient" if name else "ce_audience"] = (name or event.audience).encode()
        self.routed.append((at, headers, json.dumps(event.data).encode()))
        return len(self.routed) - 1

    def fan_out(self, event, at, offset, outcome="fannedOut"):
        """The decision on an event for an audience that was forwarded to its home."""
        data = {"tenant": event.tenant, "audience": event.audience, "source": event.source, "event": event.id,
                "type": event.type, "at": {"topic": "x.routed", "offset": offset}, "outcome": outcome}
        if outcome == "fannedOut":
            data["recipients"] = len(event.recipients)
        self.decisions.append((at, [{"time": rfc3339(at), "data": data}]))

    def close(self, window, channel, publications, name, at, due):
        events = [publication.event for publication in publications]
        self.decisions.append((at, [{"time": rfc3339(at), "data": {
            "tenant": events[0].tenant, "recipient": name, "channel": channel, "window": window,
            "outcome": "delivered", "delivery": window, "events": len(events),
            "members": [f"{event.source}{event.id}{name}" for event in events]}}]))
        address = PEOPLE[name].email if channel == "email" else None
        limit = TYPES[events[0].type].channels[channel].items
        self.deliveries[channel].append((at, {"id": window, "time": rfc3339(at), "data": {
            "tenant": events[0].tenant, "recipient": name, "channel": channel, "kind": "digest",
            "address": address, "window": {"id": window, "due": rfc3339(due)}, "totals": {"events": len(events)},
            "items": [{"source": event.source, "id": event.id} for event in events[:limit]]}}))

    def check(self):
        """What the checker makes of it: the kinds that it reports."""
        checker = Checker([ADA, BOB, EVE], Timeline())
        for publication in deepcopy(self.published):
            checker.published(publication)
        # Deliveries first: the order between topics must not matter.
        for channel, records in self.deliveries.items():
            for offset, (at, value) in enumerate(records):
                checker.record(f"delivery.{channel}", 0, offset, at, at, json.dumps(value))
        for offset, (at, value) in enumerate(self.decisions):
            checker.record("decisions", 0, offset, at, at, json.dumps(value))
        for topic, records in (("routed", self.routed), ("rejected", self.rejected)):
            for offset, (at, headers, value) in enumerate(records):
                checker.record(topic, 0, offset, at, at, value, headers)
        checker.advance(START)
        checker.finish(START)
        return checker


def sound():
    """Two windows of ada's, an immediate delivery each, a repeat, a forward to bob, a broken event."""
    log = Log()
    for round_number in range(2):
        begin = START + 10_000 * round_number
        due = begin + 2_010
        window = f"w{round_number}"
        members = []
        for index in range(3):
            event = Event("default", "/s", f"{round_number}{index}", "crash.two", ("ada",))
            at = begin + 100 * index
            record = log.publish(event, at)
            members.append(record)
            log.decide(record, "ada", begin + 10 if index == 0 else at + 10, {
                "inapp": log.deliver(record, "ada", "inapp", at + 10),
                "email": {"outcome": "open", "window": window, "until": rfc3339(due)}})
        again = log.publish(members[0].event, begin + 400)
        suppressed = {"outcome": "suppressed", "reason": "duplicate"}
        log.decide(again, "ada", begin + 410, {"inapp": suppressed, "email": suppressed}, duplicate=True)
        log.close(window, "email", members, "ada", due + 5, due)
    event = Event("acme", "/s", "shared", "crash.two", ("bob",))
    record = log.publish(event, START + 20_000, partition=1)
    log.route(event, START + 20_010, 0, "bob", partition=1)
    log.decide(record, "bob", START + 20_020, {
        "inapp": log.deliver(record, "bob", "inapp", START + 20_020),
        "email": {"outcome": "suppressed", "reason": "optedOut"}}, topic="routed", offset=0)
    broken = log.publish(Event("acme", "/s", "broken", "crash.two", (), is_broken=True), START + 21_000, partition=1)
    broken.sent = (b"{}", {"ce_id": b"broken"})
    log.rejected.append((START + 21_010, {
        "ce_id": b"broken", "tidings-reason": b"missingAttribute", "tidings-topic": b"x.events",
        "tidings-partition": b"1", "tidings-offset": b"1"}, b"{}"))
    return log


def set_expiry(log, identifier, expiry):
    next(record for record in log.published if record.event.id == identifier).event.expiry = expiry


def audience():
    """A sound log, and an event for an audience of two, read away from its home, with a repeat."""
    log = sound()
    event = Event("default", "/s", "all", "crash.now", ("ada", "eve"), audience="board:1")
    at = START + 22_000
    record, again = (log.publish(event, at + index, partition=2) for index in range(2))
    there, repeat = (log.route(event, at + 10 + index, record.offset + index, partition=2) for index in range(2))
    for name in event.recipients:
        offset = log.route(event, at + 20, there, name, topic="routed")
        log.routed[offset][1]["tidings-audience"] = b"board:1"
        log.decide(record, name, at + 30, {"inapp": log.deliver(record, name, "inapp", at + 30)}, "routed", offset)
    log.fan_out(event, at + 20, there)
    log.fan_out(again.event, at + 20, repeat, "duplicate")
    return log


class LogTestCase(unittest.TestCase):
    def kinds(self, log):
        return sorted({violation.kind for violation in log.check().violations})


class CheckerTests(LogTestCase):
    def test_a_sound_log_has_no_violations(self):
        checker = sound().check()
        self.assertEqual([violation.text for violation in checker.violations], [])
        self.assertEqual(checker.tally["digests"], 2)
        self.assertEqual(checker.tally["singles"], 7)
        self.assertEqual(checker.tally["duplicates"], 2)
        self.assertEqual(checker.tally["repeats"], 2)
        self.assertEqual(checker.tally["rejected"], 1)
        self.assertIsNone(checker.oldest_undecided())
        self.assertIsNone(checker.oldest_due())

    def test_a_single_delivery_that_is_missing_is_lost(self):
        log = sound()
        del log.deliveries["inapp"][1]
        self.assertEqual(self.kinds(log), ["lost", "unaccounted"])

    def test_a_digest_that_is_missing_is_lost(self):
        log = sound()
        del log.deliveries["email"][1]
        self.assertEqual(self.kinds(log), ["lost", "unaccounted"])

    def test_an_event_that_nobody_decided_is_lost(self):
        log = sound()
        log.publish(Event("default", "/s", "forgotten", "crash.now", ("ada",)), START + 30_000)
        self.assertEqual(self.kinds(log), ["lost", "unaccounted"])

    def test_one_recipient_of_a_forwarded_event_who_is_left_out_is_lost(self):
        log = sound()
        event = Event("default", "/s", "many", "crash.now", ("ada", "eve"))
        record = log.publish(event, START + 30_000)
        log.decide(record, "ada", START + 30_010, {"inapp": log.deliver(record, "ada", "inapp", START + 30_010)})
        self.assertEqual(self.kinds(log), ["lost", "unaccounted"])

    def test_a_first_arrival_that_is_taken_for_a_duplicate_is_lost(self):
        log = sound()
        record = log.publish(Event("default", "/s", "first", "crash.now", ("ada",)), START + 30_000)
        log.decide(record, "ada", START + 30_010, {"inapp": {"outcome": "suppressed", "reason": "duplicate"}},
                   duplicate=True)
        self.assertEqual(self.kinds(log), ["lost"])

    def test_a_window_that_never_closes_is_lost(self):
        log = sound()
        del log.deliveries["email"][1]
        log.decisions = [entry for entry in log.decisions if entry[1][0]["data"].get("window") != "w1"]
        self.assertEqual(self.kinds(log), ["lost", "unaccounted"])

    def test_a_member_that_is_missing_from_its_digest_is_lost(self):
        log = sound()
        closure = next(e for e in log.decisions if e[1][0]["data"].get("window") == "w1")
        del closure[1][0]["data"]["members"][1]
        self.assertIn("lost", self.kinds(log))

    def test_a_single_delivery_that_is_there_twice_is_repeated(self):
        log = sound()
        log.deliveries["inapp"].append(log.deliveries["inapp"][0])
        self.assertEqual(self.kinds(log), ["repeated", "unaccounted"])

    def test_a_digest_that_is_there_twice_is_repeated(self):
        log = sound()
        log.deliveries["email"].append(log.deliveries["email"][0])
        self.assertEqual(self.kinds(log), ["repeated", "unaccounted"])

    def test_a_repeat_that_is_delivered_is_repeated(self):
        log = sound()
        record = log.publish(log.published[0].event, START + 30_000)
        log.decide(record, "ada", START + 30_010, {
            "inapp": log.deliver(record, "ada", "inapp", START + 30_010),
            "email": {"outcome": "open", "window": "w9", "until": rfc3339(START + 32_010)}})
        log.close("w9", "email", [record], "ada", START + 32_020, START + 32_010)
        self.assertEqual(self.kinds(log), ["repeated"])

    def test_a_record_that_is_decided_twice_is_repeated(self):
        log = sound()
        suppressed = {"outcome": "suppressed", "reason": "duplicate"}
        log.decide(log.published[0], "ada", START + 30_010, {"inapp": suppressed, "email": suppressed},
                   duplicate=True)
        self.assertEqual(self.kinds(log), ["repeated", "unaccounted", "unordered"])

    def test_a_forward_that_is_there_twice_is_repeated(self):
        log = sound()
        log.routed.append(log.routed[0])
        self.assertEqual(self.kinds(log), ["repeated"])

    def test_a_digest_that_is_delivered_before_it_is_due_is_early(self):
        log = sound()
        at, digest = log.deliveries["email"][0]
        log.deliveries["email"][0] = (at - 7, digest)
        self.assertEqual(self.kinds(log), ["early"])

    def test_a_window_that_is_shorter_than_the_catalog_says_is_early(self):
        log = sound()
        for _, decisions in log.decisions:
            window = decisions[0]["data"].get("channels", {}).get("email", {})
            if window.get("window") == "w1":
                window["until"] = rfc3339(START + 10_000 + 1_500)
        self.assertEqual(self.kinds(log), ["early"])

    def test_a_digest_that_is_delivered_beyond_the_bound_is_late(self):
        log = sound()
        at, digest = log.deliveries["email"][0]
        log.deliveries["email"][0] = (at + GRACE, digest)
        self.assertEqual(self.kinds(log), ["late"])

    def test_an_immediate_delivery_beyond_the_bound_is_late(self):
        log = sound()
        at, single = log.deliveries["inapp"][6]
        log.deliveries["inapp"][6] = (at + GRACE, single)
        self.assertEqual(self.kinds(log), ["late"])

    def test_an_expired_member_that_is_delivered_in_a_digest_is_late(self):
        log = sound()
        set_expiry(log, "11", START + 10_000 + 2_015)  # the instant at which its window is closed
        self.assertEqual(self.kinds(log), ["late"])
        set_expiry(log, "11", START + 10_000 + 2_016)
        self.assertEqual(self.kinds(log), [])

    def test_a_member_that_is_dropped_as_expired_and_is_not_is_lost(self):
        log = sound()
        closure = next(e for e in log.decisions if e[1][0]["data"].get("window") == "w1")[1][0]["data"]
        closure["expired"] = [closure["members"].pop(1)]
        digest = log.deliveries["email"][1][1]["data"]
        digest["totals"]["events"] -= 1
        del digest["items"][1]
        self.assertEqual(self.kinds(log), ["lost"])
        set_expiry(log, "11", START + 10_000 + 2_016)
        self.assertEqual(self.kinds(log), ["lost"])
        set_expiry(log, "11", START + 10_000 + 2_015)
        self.assertEqual(self.kinds(log), [])

    def test_singles_of_one_recipient_that_change_places_are_unordered(self):
        log = sound()
        singles = log.deliveries["inapp"]
        singles[0], singles[1] = singles[1], singles[0]
        self.assertEqual(self.kinds(log), ["unordered"])

    def test_items_of_a_digest_that_change_places_are_unordered(self):
        log = sound()
        log.deliveries["email"][0][1]["data"]["items"].reverse()
        self.assertEqual(self.kinds(log), ["unordered"])

    def test_digests_of_one_recipient_that_change_places_are_unordered(self):
        log = sound()
        digests = log.deliveries["email"]
        (first, _), (second, _) = digests
        digests[:] = [(second, digests[1][1]), (second + 1, digests[0][1])]
        self.assertIn("unordered", self.kinds(log))

    def test_decisions_out_of_the_order_of_their_input_are_unordered(self):
        log = sound()
        log.decisions[1], log.decisions[2] = log.decisions[2], log.decisions[1]
        self.assertIn("unordered", self.kinds(log))

    def test_totals_that_differ_from_the_decisions_break_the_conservation_law(self):
        log = sound()
        log.deliveries["email"][0][1]["data"]["totals"]["events"] += 1
        self.assertEqual(self.kinds(log), ["unaccounted", "wrong"])

    def test_a_channel_that_is_left_out_breaks_the_conservation_law(self):
        log = sound()
        del log.decisions[-1][1][0]["data"]["channels"]["email"]
        self.assertEqual(self.kinds(log), ["unaccounted", "wrong"])

    def test_a_delivery_to_somebody_who_opted_out_is_wrong(self):
        log = sound()
        record = next(record for record in log.published if record.event.id == "shared")
        log.decisions[-1][1][0]["data"]["channels"]["email"] = log.deliver(record, "bob", "email", START + 20_020)
        self.assertEqual(self.kinds(log), ["wrong"])

    def test_a_delivery_to_another_address_is_wrong(self):
        for channel, index, address in (
                ("email", 0, "mallory@example.org"), ("inapp", 0, ADA.email), ("email", 0, None)):
            log = sound()
            log.deliveries[channel][index][1]["data"]["address"] = address
            self.assertEqual(self.kinds(log), ["wrong"], (channel, address))

    def test_a_forward_of_another_event_is_wrong(self):
        for name, value in (("ce_id", b"other"), ("ce_source", b"/t"), ("ce_type", b"crash.now"),
                            ("ce_expirytime", b"2026-03-01T08:30:00Z"), ("ce_recipients", b"bob,eve")):
            log = sound()
            log.routed[0][1][name] = value
            self.assertEqual(self.kinds(log), ["wrong"], name)
        log = sound()
        at, headers, _ = log.routed[0]
        log.routed[0] = (at, headers, b'{"n": 2}')
        self.assertEqual(self.kinds(log), ["wrong"])

    def test_a_rejection_that_is_not_of_its_record_is_wrong(self):
        for name, value in (("ce_id", b"other"), ("tidings-reason", b"notJSON"), ("tidings-topic", b"x.recipients")):
            log = sound()
            log.rejected[0][1][name] = value
            self.assertEqual(self.kinds(log), ["wrong"], name)
        log = sound()
        at, headers, _ = log.rejected[0]
        log.rejected[0] = (at, headers, b"")
        self.assertEqual(self.kinds(log), ["wrong"])

    def test_a_broken_event_that_is_rejected_twice_or_never_is_reported(self):
        log = sound()
        log.rejected.append(log.rejected[0])
        self.assertEqual(self.kinds(log), ["wrong"])
        log.rejected.clear()
        self.assertEqual(self.kinds(log), ["lost"])


class AudienceTests(LogTestCase):
    """What can go wrong with an event for an audience."""

    def test_a_sound_log_has_no_violations(self):
        checker = audience().check()
        self.assertEqual([violation.text for violation in checker.violations], [])
        self.assertEqual(checker.tally["fan-outs"], 1)
        self.assertEqual(checker.tally["audience repeats"], 1)
        self.assertEqual(checker.tally["singles"], 9)
        self.assertIsNone(checker.oldest_undecided())

    def test_a_member_who_is_left_out_is_lost(self):
        log = audience()
        del log.routed[-1], log.deliveries["inapp"][-1], log.decisions[-3]
        self.assertEqual(self.kinds(log), ["lost", "unaccounted"])

    def test_a_member_who_is_served_twice_is_repeated(self):
        log = audience()
        log.routed.append(log.routed[-1])
        self.assertEqual(self.kinds(log), ["repeated"])

    def test_a_repeat_that_is_fanned_out_is_repeated(self):
        log = audience()
        _, headers, value = log.routed[-1]
        headers = dict(headers, **{"tidings-origin-offset": str(len(log.routed) - 3).encode()})
        log.routed.append((START + 22_020, headers, value))
        self.assertEqual(self.kinds(log), ["repeated"])

    def test_an_event_whose_fan_out_never_ends_is_lost(self):
        log = audience()
        del log.decisions[-2]
        self.assertEqual(self.kinds(log), ["lost"])

    def test_an_event_that_is_fanned_out_to_too_few_is_wrong(self):
        log = audience()
        log.decisions[-2][1][0]["data"]["recipients"] = 1
        self.assertEqual(self.kinds(log), ["wrong"])

    def test_an_event_that_is_decided_as_a_repeat_alone_is_lost(self):
        log = audience()
        event = Event("default", "/s", "none", "crash.now", ("ada", "eve"), audience="board:1")
        record = log.publish(event, START + 23_000, partition=2)
        log.fan_out(
            event, START + 23_020, log.route(event, START + 23_010, record.offset, partition=2), "duplicate")
        self.assertEqual(self.kinds(log), ["lost", "unaccounted"])

    def test_an_event_that_is_forwarded_to_its_audience_twice_is_repeated(self):
        log = audience()
        log.routed.append(log.routed[1])
        self.assertEqual(self.kinds(log), ["repeated"])


class TimelineTests(unittest.TestCase):
    def late(self, timeline, start, written, readable=None):
        timeline.waited("immediate", start, written, readable or written, "somewhere")
        return list(timeline.late()) != []

    def test_without_a_fault_a_second_is_allowed(self):
        timeline = Timeline()
        self.assertFalse(self.late(timeline, START, START + GRACE))
        self.assertTrue(self.late(timeline, START, START + GRACE + 1))

    def test_while_a_worker_is_away_the_bound_of_the_design_is_allowed(self):
        timeline = Timeline()
        timeline.begin("kill", 1, START + 500)
        self.assertFalse(self.late(timeline, START, START + GRACE + BOUND))
        self.assertTrue(self.late(timeline, START, START + GRACE + BOUND + 1))
        self.assertTrue(self.late(timeline, START, START + 600, START + GRACE + BOUND + 1))

    def test_after_the_recovery_a_second_is_allowed_again(self):
        timeline = Timeline()
        timeline.begin("kill", 1, START)
        timeline.end(START + 5_000)
        self.assertTrue(self.late(timeline, START + 5_001, START + 6_500))

    def test_what_the_broker_itself_stood_still_is_taken_off(self):
        timeline = Timeline()
        timeline.broker_stalled(START + 100, START + 2_000)
        timeline.broker_stalled(START + 150, START + 2_100)
        self.assertFalse(self.late(timeline, START, START + GRACE + 2_000))
        self.assertTrue(self.late(timeline, START, START + GRACE + 2_001))
        self.assertTrue(self.late(timeline, START + 3_000, START + 4_001))

    def test_an_instance_that_is_added_is_no_excuse(self):
        timeline = Timeline()
        timeline.begin("add", 0, START)
        self.assertTrue(self.late(timeline, START + 1, START + 1_500))


class FencingTests(unittest.TestCase):
    """Which ends of a process that slept count as what they ought to be."""

    def ended(self, status, *lines, may_be_fenced=True):
        with tempfile.TemporaryDirectory() as folder:
            processors = Processors(("a",), "", folder)
            processor = processors.all[0]
            processor.note("another process has taken this one's place")
            processor.log_start = os.path.getsize(processor.log_path)
            for line in lines:
                processor.note(line)
            processor.process = SimpleNamespace(returncode=status, poll=lambda: status)
            processor.is_wanted, processor.may_be_fenced = True, may_be_fenced
            processor.start = lambda: None
            processors.revive()
            return [status for _, status, _ in processors.ended]

    FENCED = "tidings: consuming: (FENCED_INSTANCE_ID): another process has taken this one's place; are two"

    def test_one_that_was_fenced_says_so_and_ends_with_status_1(self):
        self.assertEqual(self.ended(1, self.FENCED), [])

    def test_a_trap_is_no_fencing(self):
        for status in (-5, -4, -11, 0, 2):
            self.assertEqual(self.ended(status, self.FENCED), [status])

    def test_another_fault_is_no_fencing(self):
        self.assertEqual(self.ended(1, "tidings: x.state [3]: a hole"), [1])
        self.assertEqual(self.ended(1), [1])

    def test_one_that_did_not_sleep_must_not_be_fenced(self):
        self.assertEqual(self.ended(1, self.FENCED, may_be_fenced=False), [1])


class StateTests(unittest.TestCase):
    """What `tidings state inspect` says, against the accounts of a checker."""

    def problems(self, problem="", **changes):
        checker = sound().check()
        names = ("accepted", "delivered", "suppressed", "expired", "open")
        found = {
            "ids": checker.ids[0], "openWindows": 0, "difference": 0,
            "counters": {"channels": {
                channel: {name: checker.accounts[name, channel] for name in names} for channel in CHANNELS}}}
        found.update(changes)
        state = StateTopic("", "x.state", 1, "", "", "")
        state.inspect = lambda partition: (found, problem)
        return state.compare(checker)

    def test_a_state_that_agrees_with_the_topics_is_no_problem(self):
        self.assertEqual(self.problems(), [])

    def test_a_state_that_disagrees_is_reported(self):
        law = {"accepted": 1, "delivered": 1, "suppressed": 0, "expired": 0, "open": 0}
        for changes in ({"ids": 1}, {"openWindows": 1}, {"difference": 1}, {"problem": "a hole"},
                        {"counters": {"channels": {"email": law, "inapp": law}}}):
            self.assertNotEqual(self.problems(**changes), [], changes)

    def test_a_topic_beyond_its_bound_is_noticed(self):
        self.assertLessEqual(Sample([1], [0], [10 * MIB], [94 * MIB], 6).excess(), 0)
        self.assertEqual(Sample([1, 1], [0, 0], [10 * MIB, MIB], [94 * MIB, 68 * MIB], 6).excess(), MIB)


if __name__ == "__main__":
    unittest.main()
