#!/usr/bin/env python3
"""Stands for a server of a language model: it speaks as much of OpenAI's API as the runner needs, and is good at sums
alone. Python's standard library is all that it takes.

    server.py [PORT]"""
import http.server
import json
import re
import sys


def answer(messages):
    found = re.search(r"What is (\d+) (plus|minus|times|divided by) (\d+)\?", messages[-1]["content"])
    if not found:
        return "I can only do sums."
    a, operation, b = int(found[1]), found[2], int(found[3])
    if operation == "divided by":
        return f"{a // b} remainder {a % b}"
    number = {"plus": a + b, "minus": a - b, "times": a * b}[operation]
    return f"{number}." if number >= 1000 else str(number)


class Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"  # connections are kept
    disable_nagle_algorithm = True

    def say(self, status, value):
        body = json.dumps(value).encode()
        self.send_response(status)
        self.send_header("Content-Type", "application/json")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        self.say(200, {"object": "list", "data": [{"id": "stand-in", "object": "model", "owned_by": "server.py"}]})

    def do_POST(self):
        request = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        message = {"role": "assistant", "content": answer(request["messages"])}
        self.say(200, {"object": "chat.completion", "choices": [{"index": 0, "message": message, "finish_reason": "stop"}]})

    def log_message(self, *arguments):
        pass


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True


Server(("127.0.0.1", int(sys.argv[1]) if len(sys.argv) > 1 else 8000), Connection).serve_forever()
