"""The crash test: real processors on a real broker, killed, frozen, rolled and scaled under load.

Exit status: 0 nothing was lost, repeated, early, late, out of order or unaccounted for; 1 something was; 2 the test
could not run.
"""

import argparse
import gc
import json
import os
import random
import shutil
import signal
import subprocess
import sys
import time
import traceback

try:
    from confluent_kafka import KafkaException, Producer
    from confluent_kafka.admin import AdminClient
except ImportError:
    sys.exit("test-crash: needs Debian's python3-confluent-kafka (make test-crash installs it)")

import faults
import report
from checker import Checker
from load import EventSource, Load
from monitor import TOPICS, Monitor, now
from processors import Processors
from scenario import audiences, catalog, recipients
from state_topic import HEADER, StateTopic
from timeline import Timeline

INSTANCES = ("a", "b", "c", "d")  # the last one is added and removed
BASE = 3
# Milliseconds that a running system may be behind, and without being so for how long it counts as recovered; a run in
# which that does not come within so many seconds is given up.
BEHIND, CALM, GIVEN_UP = 1_000, 1_000, 150
LOAD_WAITS = 45_000  # milliseconds behind at which the load waits for the processors


class CannotRun(Exception):
    """The test has no verdict: something that it needs is not there."""


def arguments():
    parser = argparse.ArgumentParser(prog="test-crash", description=__doc__.splitlines()[0])
    parser.add_argument("--binary", required=True, help="the program tidings")
    parser.add_argument("--rounds", type=int, default=20)
    parser.add_argument("--steady", type=int, default=0, metavar="MINUTES",
                        help="instead of rounds: load without faults, and the size of the state topic each minute")
    parser.add_argument("--seed", type=int, default=None, help="draws faults and events (default: any; it is printed)")
    parser.add_argument("--rate", type=int, default=120, help="events per second")
    parser.add_argument("--partitions", type=int, default=8)
    parser.add_argument("--recipients", type=int, default=300)
    parser.add_argument("--overlap", type=float, default=0.2, help="share of the rounds with two faults")
    parser.add_argument("--kinds", default=",".join(faults.KINDS), help="the kinds of faults (default: %(default)s)")
    parser.add_argument("--property", action="append", default=[], metavar="KEY=VALUE",
                        help="a property of librdkafka for the processors; may be repeated")
    parser.add_argument("--folder", default=".build/crash", help="where logs are kept")
    parser.add_argument("--log-folder", default=os.environ.get("KAFKA_LOG_FOLDER", ""),
                        help="the broker's log.dirs, if it is on this machine: to see the state topic's size on disk")
    parser.add_argument("--keep", action="store_true", help="keep logs and topics also when all is well")
    options = parser.parse_args()
    options.kinds = [kind.strip() for kind in options.kinds.split(",")]
    for kind in options.kinds:
        if kind not in faults.KINDS:
            parser.error(f"there is no fault {kind!r}; there are: {', '.join(faults.KINDS)}")
    if "remove" in options.kinds and "add" not in options.kinds or options.kinds == ["add"]:
        parser.error("add and remove need each other")
    return options


class Run:
    def __init__(self, options, servers, seed):
        self.options, self.servers, self.seed = options, servers, seed
        self.prefix = f"crash-{seed}-{os.getpid()}"
        self.folder = os.path.abspath(os.path.join(options.folder, self.prefix))
        self.round = 0
        self.people = recipients(seed, options.recipients)
        self.audiences = audiences(seed, self.people)
        self.timeline = Timeline()
        self.checker = Checker(self.people, self.timeline, lambda: self.round)
        self.monitor = Monitor(servers, self.prefix, options.partitions, self.checker)
        self.processors = Processors(INSTANCES, os.path.abspath(options.binary), self.folder)
        self.state = StateTopic(
            servers, f"{self.prefix}.state", options.partitions, os.path.abspath(options.binary), self.folder,
            options.log_folder)
        self.load = None
        self.recoveries = []
        self.is_small = True  # whether the state topic has been within its bound
        self.last_behind = 0  # the last instant at which the processors were behind, in milliseconds since the epoch

    # --- before and after

    def prepare(self):
        os.makedirs(self.folder)
        with open(os.path.join(self.folder, "catalog.yaml"), "w", encoding="utf-8") as file:
            file.write(catalog())
        with open(os.path.join(self.folder, "tidings.yaml"), "w", encoding="utf-8") as file:
            properties = {"bootstrap.servers": self.servers}
            properties.update(text.split("=", 1) for text in self.options.property)
            file.write("kafka:\n" + "".join(f'  {key}: "{value}"\n' for key, value in properties.items())
                       + f"topics: {{ prefix: {self.prefix}, partitions: {self.options.partitions} }}\n"
                       f"processor: {{ catalog: catalog.yaml }}\n")
        self.tidings("topics", "apply")
        producer = Producer({"bootstrap.servers": self.servers, "partitioner": "murmur2_random"})
        for person in self.people:
            if person.has_record:
                producer.produce(f"{self.prefix}.recipients", json.dumps(person.record()), person.key)
        if producer.flush(30):
            raise CannotRun("the broker did not take the recipients within 30 s")
        with open(os.path.join(self.folder, "subscriptions.ndjson"), "w", encoding="utf-8") as file:
            for audience in self.audiences:
                file.writelines(json.dumps(part) + "\n" for part in audience.parts())
        self.tidings("publish", "subscriptions", "subscriptions.ndjson")

    def tidings(self, *arguments):
        """Runs a command of the program with the run's configuration to its end."""
        done = subprocess.run(
            [self.processors.all[0].binary, *arguments, "--config", "tidings.yaml"], cwd=self.folder,
            capture_output=True, text=True, check=False)
        if done.returncode != 0:
            raise CannotRun(f"tidings {' '.join(arguments)} ended with {done.returncode}: {done.stderr.strip()}")

    def start(self):
        for processor in self.processors.all[:BASE]:
            processor.start()
        for processor in self.processors.all[:BASE]:
            if not processor.await_ready(60):
                raise CannotRun(f"processor {processor.instance} is not ready after 60 s:\n"
                                + "\n".join(processor.log_tail()))
        self.monitor.start()
        self.load = Load(
            self.servers, f"{self.prefix}.events", EventSource(self.seed, self.people, self.audiences),
            self.options.rate, self.monitor.published, self.timeline.broker_stalled, lambda: self.monitor.behind(now()) > LOAD_WAITS)
        self.load.start()
        # Long enough that windows of all lengths are open.
        self.pause(5)
        if not self.await_calm():
            raise CannotRun(f"the processors do not keep up with {self.options.rate} events/s without any fault")

    def stop(self):
        """Ends the load, waits for what is open, ends the processors, and takes stock: what cannot be read to its
        end, and where the state says otherwise than the topics."""
        self.load.stop()
        deadline = time.monotonic() + 90
        while time.monotonic() < deadline:
            self.look()
            status = self.monitor.status
            if status["oldest"] is None and status["due"] is None and not self.monitor.unread():
                break
            time.sleep(0.5)
        unread = self.monitor.unread()
        self.monitor.stop()
        self.checker.finish(now())
        for processor in self.processors.running():
            self.processors.shut_down(processor)
        return unread, self.state.compare(self.checker)

    def end(self):
        if self.load:
            self.load.stopping.set()
        self.monitor.stopping.set()
        self.processors.end_all()

    def remove(self):
        topics = ("events", "recipients", "subscriptions", "engagement", "state", "delivery.email.dead-letter",
                  "delivery.inapp.dead-letter") + TOPICS
        admin = AdminClient({"bootstrap.servers": self.servers})
        for future in admin.delete_topics([f"{self.prefix}.{topic}" for topic in topics]).values():
            try:
                future.result(30)
            except KafkaException as error:
                print(f"a topic was not deleted: {error}")
        shutil.rmtree(self.folder)

    # --- while it runs

    def look(self):
        """What has to be done all the time."""
        self.processors.revive()
        if self.monitor.failure:
            raise CannotRun(f"reading the topics failed:\n{self.monitor.failure}")
        if self.load and self.load.failures:
            raise CannotRun(f"publishing failed: {self.load.failures[0]}")
        at = now()
        behind = self.monitor.behind(at)
        if behind - self.timeline.stalled(at - behind, at) > BEHIND:
            self.last_behind = at

    def pause(self, duration):
        end = time.monotonic() + duration
        while time.monotonic() < end:
            self.look()
            time.sleep(0.1)

    def await_calm(self):
        """Waits until nothing has been behind for a while; whether that came."""
        begin, began = time.monotonic(), now()
        while time.monotonic() - begin < GIVEN_UP:
            self.look()
            # What fails from here on is noticed when it has been behind for long enough.
            if now() - max(self.last_behind, began) >= CALM + BEHIND:
                return True
            time.sleep(0.05)
        return False

    def run_round(self, planned, count):
        """One round; whether the system recovered."""
        self.round = planned.number
        for processor in self.processors.all:
            processor.note(f"round {planned.number}: {planned.kind}")
        began = now()
        self.timeline.begin(planned.kind, planned.absences, began)
        faults.inject(planned.faults, self.processors, self.look)
        over = now()
        is_calm = self.await_calm()
        tally = self.monitor.status["tally"]
        bad = "  ".join(f"{kind} {tally.get(kind, 0)}" for kind in report.KINDS if tally.get(kind, 0))
        recovered = f"NOT RECOVERED after {GIVEN_UP} s"
        if is_calm:
            # Whoever was to be fenced has been by now, or rejoined.
            for processor in self.processors.all:
                processor.may_be_fenced = False
            self.timeline.end(now())
            took = max(0, self.last_behind - began) / 1000
            self.recoveries.append((planned.kind, took))
            recovered = f"took {(over - began) / 1000:.1f} s, recovered {took:.1f} s after it began"
        print(f"round {planned.number:3}/{count}  {'; '.join(map(str, planned.faults))}: {recovered}; "
              f"{tally.get('published', 0):,} published, {tally.get('singles', 0):,} singles, "
              f"{tally.get('digests', 0):,} digests; {bad or 'no violation'}", flush=True)
        return is_calm

    def run_rounds(self):
        rounds = faults.plan(
            self.seed, self.options.rounds, BASE, self.options.overlap, self.options.kinds)
        for planned in rounds:
            if not self.run_round(planned, len(rounds)):
                return False
        return True

    def run_steady(self):
        print(HEADER)
        begin = time.monotonic()
        for minute in range(self.options.steady + 1):
            self.pause(begin + 60 * minute - time.monotonic())
            sample = self.state.measure()
            print(sample.row(minute, self.monitor.status["tally"].get("published", 0)), flush=True)
            self.is_small &= (sample.excess() or 0) <= 0
        return True

    def verdict(self, is_recovered, unread, disagreements):
        """Prints what was found; whether all is well."""
        checker, tally = self.checker, self.checker.tally
        sample = self.state.measure()
        print(f"\npublished {tally['published']:,} events ({tally['repeats']:,} notifications repeated, "
              f"{tally['rejected']:,} events broken); {tally['notifications']:,} notifications, "
              f"{tally['duplicates']:,} duplicates, {tally['forwarded']:,} forwarded; "
              f"{tally['fan-outs']:,} events for audiences fanned out, {tally['audience repeats']:,} repeats of them; "
              f"{tally['singles']:,} single deliveries, {tally['digests']:,} digests; "
              f"the load waited {self.load.held:.0f} s for the processors\n")
        used, ignored = (sum(processor.log_count(text) for processor in self.processors.all if processor.process)
                         for text in (" snapshot read ", " snapshot not used"))
        print(f"restores that began with a snapshot: {used:,}; snapshots that were told to be of no use: {ignored:,}\n")
        for part in (report.conservation(checker), report.waits(self.timeline), report.recoveries(self.recoveries),
                     [HEADER, sample.row("", tally["published"])]):
            print("\n".join(part) + "\n")
        print("\n".join(report.violations(checker)))
        problems = bool(checker.violations) or not is_recovered
        for text in disagreements:
            problems = True
            print(text)
        if not self.is_small or (sample.excess() or 0) > 0:
            problems = True
            print("the state topic took more on disk than three times the live state and 64 MiB a partition")
        for instance, status, lines in self.processors.ended:
            problems = True
            print(f"processor {instance} ended by itself with status {status}:\n    " + "\n    ".join(lines))
        for instance, status, lines in self.processors.unclean:
            problems = True
            print(f"processor {instance} answered SIGTERM with status {status}:\n    " + "\n    ".join(lines))
        if self.processors.fenced_successors:
            print(f"{self.processors.fenced_successors} times a successor was fenced by its past, started again, and "
                  f"prevailed")
        for instance in self.processors.unfenced:
            problems = True
            print(f"processor {instance} was replaced, and its past lived on when it woke up")
        if unread:
            problems = True
            print(f"not readable to the end, 90 s after the load ended: {', '.join(unread)}")
        return not problems


def main():
    options = arguments()
    servers = os.environ.get("KAFKA_BOOTSTRAP_SERVERS", "")
    if not servers:
        print("test-crash: set KAFKA_BOOTSTRAP_SERVERS to a broker for tests, such as 127.0.0.1:9092", file=sys.stderr)
        return 2
    if not os.access(options.binary, os.X_OK):
        print(f"test-crash: {options.binary} is not a program: make build", file=sys.stderr)
        return 2
    seed = options.seed if options.seed is not None else random.SystemRandom().randrange(1_000_000)
    # The checker keeps millions of objects without cycles: looking for some would hold up what it measures.
    gc.disable()
    # SIGTERM ends the run like Ctrl-C: with its processes.
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(2))
    run = Run(options, servers, seed)
    print(f"crash test: seed {seed}, {options.rounds} rounds, {options.rate} events/s, topics {run.prefix}.*, "
          f"logs in {run.folder}", flush=True)
    is_well = False
    try:
        run.prepare()
        run.start()
        is_recovered = run.run_steady() if options.steady else run.run_rounds()
        unread, disagreements = run.stop()
        is_well = run.verdict(is_recovered, unread, disagreements)
    except CannotRun as error:
        print(f"test-crash: {error}", file=sys.stderr)
        return 2
    except KeyboardInterrupt:
        print("\ntest-crash: interrupted", file=sys.stderr)
        return 2
    except Exception:
        traceback.print_exc()
        return 2
    finally:
        run.end()
        if not is_well and os.path.isdir(run.folder):
            print(f"logs are in {run.folder}, topics {run.prefix}.* are kept; repeat with --seed {seed}",
                  file=sys.stderr)
    if not options.keep and is_well:
        run.remove()
    return 0 if is_well else 1


if __name__ == "__main__":
    sys.exit(main())
