"""As much of a client of the API server as the benchmark needs: requests and one kind's watch. Each thread has its connection."""

import http.client
import json
import ssl
import threading
import time


class ApiError(Exception):
    def __init__(self, code, message):
        super().__init__(f"{code}: {message}")
        self.code = code


class Api:
    def __init__(self, port, authority, token):
        self.port, self.token = port, token
        self.context = ssl.create_default_context(cafile=authority)
        self.local = threading.local()

    def connect(self, timeout=60):
        return http.client.HTTPSConnection("127.0.0.1", self.port, context=self.context, timeout=timeout)

    def headers(self, content_type="application/json"):
        return {"Authorization": f"Bearer {self.token}", "Content-Type": content_type, "User-Agent": "bench"}

    def send(self, verb, path, body=None, content_type="application/json"):
        if isinstance(body, dict):
            body = json.dumps(body)
        if isinstance(body, str):
            body = body.encode()
        for attempt in (1, 2):
            if getattr(self.local, "connection", None) is None:
                self.local.connection = self.connect()
            try:
                self.local.connection.request(verb, path, body, self.headers(content_type))
                response = self.local.connection.getresponse()
                answer = response.read()
                break
            except (http.client.RemoteDisconnected, ConnectionError):  # an idle connection may have been closed
                self.local.connection = None
                if attempt == 2:
                    raise
        if response.status >= 300:
            raise ApiError(response.status, answer.decode(errors="replace")[:500])
        return json.loads(answer)

    def get(self, path):
        return self.send("GET", path)

    def create(self, path, body, content_type="application/json"):
        return self.send("POST", path, body, content_type)

    def patch(self, path, body, content_type="application/merge-patch+json"):
        return self.send("PATCH", path, body, content_type)

    def delete(self, path, **options):
        return self.send("DELETE", path, {"apiVersion": "v1", "kind": "DeleteOptions", **options})


def await_that(what, holds, patience=60, pause=0.1):
    """Asks until it holds. A refusal of the API server means: not yet."""
    until, last = time.monotonic() + patience, None
    while time.monotonic() < until:
        try:
            if (answer := holds()):
                return answer
        except (ApiError, OSError) as error:
            last = error
        time.sleep(pause)
    raise TimeoutError(f"after {patience} s still not: {what}" + (f" ({last})" if last else ""))


class Finished:
    """When each object of a collection was first seen to have finished."""

    def __init__(self, api, path, has_finished):
        self.api, self.path, self.has_finished = api, path, has_finished
        self.times, self.conditions = {}, {}
        self.changed = threading.Condition()
        threading.Thread(target=self._follow, daemon=True).start()

    def _follow(self):
        while True:
            try:
                listed = self.api.get(self.path)
                for item in listed["items"]:
                    self._see(item)
                self._watch(listed["metadata"]["resourceVersion"])
            except (ApiError, OSError, ValueError, http.client.HTTPException):
                time.sleep(0.5)

    def _watch(self, version):
        connection = self.api.connect(timeout=600)
        connection.request("GET", f"{self.path}?watch=true&resourceVersion={version}", headers=self.api.headers())
        for line in connection.getresponse():
            event = json.loads(line)
            if event["type"] == "ERROR":
                return
            self._see(event["object"])

    def _see(self, item):
        self.conditions[item["metadata"]["name"]] = item.get("status", {}).get("conditions")
        if self.has_finished(item):
            with self.changed:
                self.times.setdefault(item["metadata"]["name"], time.time())
                self.changed.notify_all()

    def wait(self, names, patience):
        names = set(names)
        with self.changed:
            if not self.changed.wait_for(lambda: names <= self.times.keys(), patience):
                missing = sorted(names - self.times.keys())
                raise TimeoutError(f"after {patience} s {len(missing)} of {len(names)} have not finished; {missing[0]}: "
                                   f"{self.conditions.get(missing[0])}")
            return {name: self.times[name] for name in names}
