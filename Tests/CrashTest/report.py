"""What the run found, in words and tables."""

from checker import KINDS
from scenario import CHANNELS
from timeline import BOUND, GRACE, QUIET, STAGES

SHOWN = 5  # violations of a kind that are printed


def seconds(milliseconds):
    return f"{milliseconds / 1000:.2f}"


def violations(checker):
    """One line of counts, then the first violations of each kind."""
    lines = ["  ".join(f"{kind} {checker.tally[kind]}" for kind in KINDS)]
    for kind in KINDS:
        found = [violation for violation in checker.violations if violation.kind == kind]
        lines += [f"  {kind}, round {violation.round}: {violation.text}" for violation in found[:SHOWN]]
        if checker.tally[kind] > SHOWN:
            lines.append(f"  ... and {checker.tally[kind] - SHOWN:,} more {kind}")
    return lines


def conservation(checker):
    """accepted = delivered + suppressed + expired + open, from the topics alone."""
    names = ("published", "accepted", "delivered", "suppressed", "expired")
    lines = [f"{'channel':10}" + "".join(f"{name:>12}" for name in names + ("open", "difference"))]
    for channel in CHANNELS:
        count = [checker.accounts[name, channel] for name in names]
        left = checker.open(channel)
        count += [left, count[1] - sum(count[2:]) - left]
        lines.append(f"{channel:10}" + "".join(f"{number:12,}" for number in count))
    return lines


def waits(timeline):
    """The longest waits beyond what the policy says, by kind of fault: until written, and until readable."""
    kinds = sorted({kind for kind, _ in timeline.longest}, key=lambda kind: (kind != QUIET, kind))
    lines = ["longest wait in seconds: until the record was written / until a read_committed consumer had it",
             f"{'':34}" + "".join(f"{stage:>16}" for stage in STAGES)]

    def row(name, longest):
        cells = [f"{seconds(one.written)} / {seconds(one.readable)}" if one else "-" for one in longest]
        return f"{name:34}" + "".join(f"{cell:>16}" for cell in cells)

    for kind in kinds:
        lines.append(row(kind, [timeline.longest.get((kind, stage)) for stage in STAGES]))
    stalls = [end - start for start, end in timeline.stalls]
    return lines + [
        f"bound: {GRACE / 1000:.0f} s where no worker was away, {(BOUND + GRACE) / 1000:.0f} s per absence otherwise "
        f"(session + transaction time-out + broker's scan + {GRACE / 1000:.0f} s), and the broker's own stalls",
        f"the broker left the load's own events without acknowledgement: {len(stalls)} times, "
        f"{seconds(max(stalls, default=0))} s at most, {seconds(sum(stalls))} s in all",
        f"longest of all: written {seconds(max((one.written for one in timeline.longest.values()), default=0))} s, "
        f"readable {seconds(max((one.readable for one in timeline.longest.values()), default=0))} s"]


def recoveries(rows):
    """Times to recovery by kind of fault; `rows` are (kind, seconds)."""
    by_kind = {}
    for kind, time in rows:
        by_kind.setdefault(kind, []).append(time)
    lines = [f"{'seconds from injection to recovery':44}{'rounds':>8}{'median':>8}{'longest':>9}"]
    for kind, times in sorted(by_kind.items()):
        times.sort()
        lines.append(f"{kind:44}{len(times):8}{times[len(times) // 2]:8.1f}{times[-1]:9.1f}")
    return lines
