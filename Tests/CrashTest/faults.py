"""The faults, and the plan that draws them: everything in a plan follows from its seed."""

import random
import signal
import threading
import time
from dataclasses import dataclass

from processors import FATES

SESSION_TIMEOUT = 10.0  # seconds, as in the processor


@dataclass(frozen=True)
class Kind:
    """A kind of fault: how often it is drawn, how often a worker is away in it, whether it has one victim."""

    weight: int
    absences: int
    has_victim: bool
    inject: object


@dataclass
class Fault:
    kind: str
    victim: int  # a number among the processors that run
    delay: float  # after the begin of the round, in seconds
    pause: float  # the kind's own time, in seconds
    fate: str  # what becomes of the snapshots of the one that is killed
    done: str = ""

    def __str__(self):
        return self.done or self.kind


@dataclass
class Round:
    number: int
    faults: list

    @property
    def kind(self):
        return " + ".join(fault.kind for fault in self.faults)

    @property
    def absences(self):
        return sum(KINDS[fault.kind].absences for fault in self.faults)


# --- What a fault does to a victim, if its kind has one. Each returns what happened, for the line of the round.


def kill(processors, victim, fault):
    with victim.lock:
        victim.kill()
        victim.spoil(fault.fate)
        time.sleep(fault.pause)
        victim.start()
    return f"kill -9 {victim.instance}, snapshots {fault.fate}, restarted after {fault.pause:.1f} s"


def kill_twice(processors, victim, fault):
    """The second time it is probably restoring."""
    with victim.lock:
        victim.kill()
        victim.spoil(fault.fate)
        victim.start()
        time.sleep(fault.pause)
        victim.kill()
        victim.start()
    return f"kill -9 {victim.instance} twice, {fault.pause:.1f} s apart, snapshots {fault.fate}"


def stall(processors, victim, fault):
    with victim.lock:
        victim.signal(signal.SIGSTOP)
        time.sleep(fault.pause)
        victim.signal(signal.SIGCONT)
    return f"SIGSTOP {victim.instance} for {fault.pause:.1f} s"


def zombie(processors, victim, fault):
    with victim.lock:
        victim.may_be_fenced = True
        victim.signal(signal.SIGSTOP)
        time.sleep(fault.pause)
        victim.signal(signal.SIGCONT)
        end = time.monotonic() + 3
        while victim.is_running() and time.monotonic() < end:
            time.sleep(0.05)
        outcome = "lives on"
        if not victim.is_running():
            status = victim.process.returncode
            is_fenced = processors.check_fenced(victim, status)
            outcome = f"{'was fenced' if is_fenced else 'ENDED'} (status {status}), restarted"
            victim.start()
    return f"SIGSTOP {victim.instance} for {fault.pause:.1f} s, {outcome}"


def replace(processors, victim, fault):
    """What a network that is cut in two does: the past of an instance wakes up beside its successor."""
    with victim.lock:
        victim.signal(signal.SIGSTOP)
        past = processors.replace(victim)
        time.sleep(fault.pause)
        past.send_signal(signal.SIGCONT)
        status = processors.await_fenced(victim, past)
    return (f"SIGSTOP {victim.instance}, a second one in its place, SIGCONT after {fault.pause:.1f} s: "
            + ("the first LIVES ON, killed" if status is None else f"the first ended with status {status}"))


def roll(processors, victim, fault):
    times = []
    for processor in processors.running():
        with processor.lock:
            begin = time.monotonic()
            processors.shut_down(processor)
            processor.start()
            times.append(f"{processor.instance} {time.monotonic() - begin:.1f} s")
        processor.await_ready(20)
    return f"SIGTERM roll: ended in {', '.join(times)}"


def add(processors, victim, fault):
    newcomer = processors.all[-1]
    with newcomer.lock:
        newcomer.start()
        is_ready = newcomer.await_ready(20)
    return f"added {newcomer.instance}{'' if is_ready else ', which is not ready after 20 s'}"


def remove(processors, victim, fault):
    last = processors.all[-1]
    with last.lock:
        processors.shut_down(last)
    return f"removed {last.instance} by SIGTERM"


KINDS = {
    "kill": Kind(4, 1, True, kill),
    "kill-short": Kind(3, 1, True, kill),
    "kill-long": Kind(3, 1, True, kill),
    "kill-twice": Kind(3, 2, True, kill_twice),
    "stall": Kind(2, 1, True, stall),
    "zombie": Kind(4, 1, True, zombie),
    "replace": Kind(3, 1, True, replace),
    "roll": Kind(3, 1, False, roll),
    "add": Kind(2, 0, False, add),
    "remove": Kind(2, 1, False, remove),
}

# How long the pause of a kind is, in seconds.
PAUSES = {
    "kill": (0, 0), "kill-short": (1, SESSION_TIMEOUT - 3),
    "kill-long": (SESSION_TIMEOUT + 1, SESSION_TIMEOUT + 4), "kill-twice": (0.1, 2.5),
    "stall": (1, SESSION_TIMEOUT - 3), "zombie": (SESSION_TIMEOUT + 1, SESSION_TIMEOUT + 4),
    "replace": (0.5, SESSION_TIMEOUT + 2),
}


def plan(seed, rounds, instances, overlap, kinds):
    """The rounds of a run, with faults of `kinds`. With `overlap` as its probability a round has two."""
    rng = random.Random(f"{seed}/faults")
    has_newcomer = False
    result = []

    def draw(choices):
        kind = rng.choices(choices, [KINDS[name].weight for name in choices])[0]
        low, high = PAUSES.get(kind, (0, 0))
        fate = rng.choices(list(FATES), list(FATES.values()))[0]
        return Fault(kind, rng.randrange(instances), rng.uniform(0, 0.5), rng.uniform(low, high), fate)

    for number in range(1, rounds + 1):
        choices = [kind for kind in kinds if kind != ("add" if has_newcomer else "remove")]
        faults = [draw(choices)]
        if rng.random() < overlap:
            # At least one of the two has a victim of its own, so that they do not wait for each other.
            others = [kind for kind in choices if kind != faults[0].kind and (
                KINDS[kind].has_victim or KINDS[faults[0].kind].has_victim)]
            if others:
                second = draw(others)
                second.delay += rng.uniform(0, 3)
                if second.victim == faults[0].victim:
                    second.victim = (second.victim + 1) % instances
                faults.append(second)
        for fault in faults:
            if fault.kind in ("add", "remove"):
                has_newcomer = fault.kind == "add"
        result.append(Round(number, faults))
    return result


def inject(faults, processors, meanwhile):
    """Lets the faults of a round happen, each on a thread; calls `meanwhile` until they are over."""
    failures = []

    def run(fault):
        try:
            time.sleep(fault.delay)
            fault.done = KINDS[fault.kind].inject(processors, processors.all[fault.victim], fault)
        except Exception as error:  # what goes wrong in a thread is for the main thread to tell
            failures.append(error)

    threads = [threading.Thread(target=run, args=(fault,), name=fault.kind, daemon=True) for fault in faults]
    for thread in threads:
        thread.start()
    while any(thread.is_alive() for thread in threads):
        meanwhile()
        time.sleep(0.1)
    if failures:
        raise failures[0]
