"""The API server's own account of who asked for what, when: its audit log, at level Metadata."""

import collections
import datetime
import json

# Requests that last (watches) count when they begin, all others when they are answered.
POLICY = {"apiVersion": "audit.k8s.io/v1", "kind": "Policy", "omitStages": ["RequestReceived"],
          "rules": [{"level": "Metadata"}]}


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Entry:
    def __init__(self, event):
        about = event.get("objectRef", {})
        self.user = event["user"]["username"]
        self.agent = event.get("userAgent", "").split("/")[0]
        self.verb = event["verb"]
        self.resource = about.get("resource", "") + ("/" + about["subresource"] if "subresource" in about else "")
        self.name = about.get("name", "")
        self.code = event.get("responseStatus", {}).get("code", 0)
        self.begin, self.end = seconds(event["requestReceivedTimestamp"]), seconds(event["stageTimestamp"])


def read(path, since=0.0):
    """What was asked from a time on, in order of the answers. A line that is being written is left for later."""
    entries = []
    with open(path) as file:
        for line in file:
            if not line.endswith("\n"):
                break
            event = json.loads(line)
            if event["stage"] != ("ResponseStarted" if event["verb"] == "watch" else "ResponseComplete"):
                continue
            entry = Entry(event)
            if entry.begin >= since:
                entries.append(entry)
    return entries


def creations(entries, resource, user=None):
    return [entry for entry in entries if entry.verb == "create" and entry.resource == resource
            and entry.code == 201 and user in (None, entry.user)]


def count_by_verb(entries, user):
    counts = collections.Counter(f"{entry.verb} {entry.resource}" for entry in entries if entry.user == user)
    return dict(counts.most_common())


def count_by_agent(entries):
    return dict(collections.Counter(entry.agent for entry in entries).most_common())
