"""When which fault was at work, how long recipients waited then, and how long they may."""

from dataclasses import dataclass

# Design §5.7: session time-out, transaction time-out, the broker's scan for transactions; in milliseconds.
BOUND = 10_000 + 10_000 + 10_000
# On top of that, and alone where nobody was away.
GRACE = 1_000
STAGES = ("forward", "decision", "immediate", "digest")
QUIET = "no fault"


@dataclass
class Episode:
    """One round's faults, from the injection to the recovery, in milliseconds since the epoch."""

    kind: str
    absences: int  # how often a worker was away: killed, stopped or shut down
    began: int
    ended: int = 1 << 62


@dataclass
class Longest:
    """The longest waits of a kind: until a record was appended, and until a read_committed consumer had it."""

    written: int = 0
    readable: int = 0


class Timeline:
    def __init__(self):
        self.episodes = []
        self.longest = {}  # (kind of fault, stage): Longest
        self.suspects = []
        self.stalls = []  # [start, end] of intervals without acknowledgement from the broker

    def begin(self, kind, absences, now):
        self.episodes.append(Episode(kind, absences, now))

    def end(self, now):
        self.episodes[-1].ended = now

    def during(self, start, end):
        """The episodes that overlap an interval."""
        found = []
        for episode in reversed(self.episodes):
            if episode.ended < start - 120_000:
                break
            if episode.began <= end and episode.ended >= start:
                found.append(episode)
        return found

    def waited(self, stage, start, written, readable, place):
        """Counts a wait from `start`; one that is longer than what is known to have happened meanwhile is kept."""
        episodes = self.during(start, max(written, readable))
        kind = episodes[0].kind if episodes else QUIET
        longest = self.longest.get((kind, stage))
        if longest is None:
            longest = self.longest[kind, stage] = Longest()
        longest.written = max(longest.written, written - start)
        longest.readable = max(longest.readable, readable - start)
        absences = sum(episode.absences for episode in episodes)
        # Without a fault the consumer's own pace is not what is measured.
        end = max(written, readable) if absences else written
        allowed = GRACE + BOUND * absences
        if end - start > allowed:
            self.suspects.append((stage, start, end, allowed, kind, place))

    def broker_stalled(self, start, end):
        """The broker left an event of the load without acknowledgement between two instants."""
        last = self.stalls[-1] if self.stalls else None
        if last and start <= last[1]:
            last[1] = max(last[1], end)
        else:
            self.stalls.append([start, end])

    def stalled(self, start, end):
        """For how long of an interval the broker did not answer the load, in milliseconds."""
        return sum(max(0, min(end, stall[1]) - max(start, stall[0])) for stall in self.stalls)

    def late(self, before=1 << 62):
        """The waits that ended before an instant and were too long, also when the broker's own stalls are taken off."""
        due = [suspect for suspect in self.suspects if suspect[2] < before]
        self.suspects = [suspect for suspect in self.suspects if suspect[2] >= before]
        for stage, start, end, allowed, kind, place in due:
            allowed += self.stalled(start, end)
            if end - start > allowed:
                yield f"{place}: {stage} took {end - start} ms, allowed were {allowed} ms ({kind})"
