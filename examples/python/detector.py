#!/usr/bin/env python3
"""A detector of virtual machines stuck in an error status; it speaks stuckvm's protocol 1 (docs/protocol.md)."""
import heapq
import json
import re
import sys
from datetime import datetime, timedelta

WORDS = "CrashLoopBackOff Unknown Unschedulable ErrImagePull ImagePullBackOff PvcNotFound DataVolumeError"
ERRORS = {**{word: word for word in WORDS.split()},  # the cluster spells two of them in another way
          "ErrorUnschedulable": "Unschedulable", "ErrorPvcNotFound": "PvcNotFound"}
HEALTHY = {"", *"Stopped Provisioning Starting Running Paused Stopping Terminating Migrating WaitingForVolumeBinding "
           "WaitingForReceiver".split()}
UNITS = {"h": 3600 * 10**9, "m": 60 * 10**9, "s": 10**9, "ms": 10**6, "us": 10**3, "ns": 1}
EPOCH = datetime(1970, 1, 1)


def to_time(text):  # in whole nanoseconds: floats would lose the last digits
    since = datetime.fromisoformat(text[:19]) - EPOCH
    return (since.days * 86400 + since.seconds) * 10**9 + int(text[20:-1].ljust(9, "0"))


def to_text(at):
    return (EPOCH + timedelta(seconds=at // 10**9)).isoformat() + f".{at % 10**9:09}".rstrip("0").rstrip(".") + "Z"


def to_duration(text):
    parts = re.findall(r"(\d+)\.?(\d*)(h|ms|m|us|s|ns)", text)
    return sum(int(whole + part) * UNITS[unit] // 10 ** len(part) for whole, part, unit in parts)


class Detector:
    def __init__(self, start):
        self.threshold = to_duration(start["threshold"])
        self.thresholds = {ERRORS[word]: to_duration(own) for word, own in start.get("thresholds", {}).items()}
        self.newest, self.closed, self.opened, episodes = start.get("restore") or (-1, -1, 0, [])
        self.episodes = {tuple(name): episode for name, episode in episodes}  # the open ones, by namespace and name
        self.deadlines = sorted((episode["deadline"], episode["number"], name) for name, episode in self.episodes.items())

    def snapshot(self):
        return [self.newest, self.closed, self.opened, list(self.episodes.items())]

    def input(self, line):
        at, advance, self.alerts, self.unknown = to_time(line["at"]), "advance" in line, [], []
        if at < self.newest or at <= self.closed:
            raise ValueError(f"{to_text(at)} is too late: the input has come to {to_text(self.newest)}")
        self.newest, self.closed = at, at if advance else self.closed
        while (deadline := self.next()) and deadline < at + advance:  # at one instant observations count before deadlines
            episode = self.episodes[self.deadlines[0][2]]
            episode["firing"] = episode["status"]
            self.alert(deadline, "firing", self.deadlines[0][2], episode)
        for seen in line.get("relist", [] if advance else [line]):
            self.observe(at, (seen["namespace"], seen["name"]), seen["uid"], seen.get("status"))
        if "relist" in line:
            listed = {(seen["namespace"], seen["name"], seen["uid"]) for seen in line["relist"]}
            for name in sorted(name for name, episode in self.episodes.items() if (*name, episode["uid"]) not in listed):
                self.end(at, name)

    def next(self):
        while self.deadlines:
            deadline, number, name = self.deadlines[0]
            episode = self.episodes.get(name)
            if episode and episode["number"] == number and not episode["firing"] and deadline < 2**64:
                return deadline
            heapq.heappop(self.deadlines)  # it has ended or fired, or there is no such instant

    def observe(self, at, name, uid, word):
        status, episode = ERRORS.get(word), self.episodes.get(name)
        if word is None:  # deleted; perhaps another one, of which nobody knows any more
            return self.end(at, name) if episode and episode["uid"] == uid else None
        if episode and (status is None or episode["uid"] != uid):  # another uid: deleted and made anew
            episode = self.end(at, name)
        if status is None:
            self.unknown += [word] if word not in HEALTHY and word not in self.unknown else []
        elif episode:
            episode["status"] = status
        else:
            self.opened, deadline = self.opened + 1, at + self.thresholds.get(status, self.threshold)
            self.episodes[name] = {"uid": uid, "since": at, "deadline": deadline, "number": self.opened,
                                   "status": status, "firing": None}
            heapq.heappush(self.deadlines, (deadline, self.opened, name))

    def end(self, at, name):
        episode = self.episodes.pop(name)
        if episode["firing"]:
            self.alert(at, "resolved", name, episode)

    def alert(self, at, kind, name, episode):
        self.alerts.append({"type": "alert", "alert": {
            "at": to_text(at), "alert": kind, "namespace": name[0], "name": name[1], "uid": episode["uid"],
            "status": episode["firing"], "since": to_text(episode["since"])}})


def answer(detector, seq, line):
    try:
        detector.input(line)
    except ValueError as error:
        return [{"type": "error", "seq": seq, "error": str(error)}]
    upcoming = detector.next() and to_text(detector.next())
    return [*detector.alerts, {"type": "done", "seq": seq, "next": upcoming, "unknown": detector.unknown}]


def main(make=Detector):
    for message in map(json.loads, sys.stdin):
        if message["type"] == "start":
            detector = make(message)
            said = [{"type": "hello", "protocol": 1, "name": "python", "capabilities": ["snapshot", "thresholds"]}]
        elif message["type"] == "input":
            said = answer(detector, message["seq"], message["input"])
        elif message["type"] == "snapshot":
            said = [{"type": "snapshot", "data": detector.snapshot()}]
        else:
            return
        print("\n".join(map(json.dumps, said)), flush=True)


if __name__ == "__main__":
    main()
