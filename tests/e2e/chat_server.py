#!/usr/bin/env python3
"""A server of chat completions for tests. What it answers depends on the request alone; but what it has not been asked
before it may refuse, drop or garble first, and it bears only so many requests at a time.

    chat_server.py PORT_FILE [--polite]"""
import base64
import hashlib
import http.server
import json
import os
import struct
import sys
import threading
import time

BEARS = 6
lock = threading.Lock()
asked = set()
working = 0


def asked_of(request):
    """The question, and the sizes of the pictures before it, which must have come as data URIs of PNG files."""
    content = request["messages"][-1]["content"]
    if isinstance(content, str):
        return content, []
    sizes = []
    for part in content[:-1]:
        head, _, text = part["image_url"]["url"].partition(",")
        picture = base64.b64decode(text, validate=True)
        assert part["type"] == "image_url" and head == "data:image/png;base64" and picture.startswith(b"\x89PNG")
        sizes.append("%dx%d" % struct.unpack(">II", picture[16:24]))
    assert content[-1]["type"] == "text" and sizes
    return content[-1]["text"], sizes


def answer(request):
    question, sizes = asked_of(request)
    number = int(question.split()[1])
    assert request["temperature"] == 0 and request["max_tokens"] == 16 and not request["stream"]
    assert request["messages"][0] == {"role": "system", "content": "Answer."}
    if sizes:
        return json.dumps(" ".join(sizes)).encode()
    kinds = [f"answer {number}", f"Answer {number}.", "", "é\u0000😀", f"{request['seed'] % 7}"]
    return json.dumps(kinds[number % len(kinds)]).encode()


def completion(request):
    question, sizes = asked_of(request)
    number = int(question.split()[1])
    text = answer(request)
    if number % 11 == 3 and not sizes:  # Latin-1
        text = b'"caf\xe9"'
    elif number % 11 == 5 and not sizes:  # half a surrogate pair, and a NUL
        text = b'"\\ud83d \\u0000"'
    return b'{"choices":[{"message":{"role":"assistant","content":' + text + b'},"finish_reason":"stop"}]}'


class Server(http.server.ThreadingHTTPServer):
    request_queue_size = 128
    daemon_threads = True

    def handle_error(self, request, client_address):
        pass  # a rank that was killed


class Connection(http.server.BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def say(self, status, body, **headers):
        self.send_response(status)
        for name, value in headers.items():
            self.send_header(name.replace("_", "-"), value)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def do_GET(self):
        if self.path != "/v1/models":
            return self.say(404, b'{"detail":"Not Found"}')
        self.say(200, b'{"object":"list","data":[{"id":"tiny","owned_by":"test"}]}')

    def do_POST(self):
        global working
        body = self.rfile.read(int(self.headers["Content-Length"]))
        if self.path != "/v1/chat/completions":
            return self.say(404, b'{"detail":"Not Found"}')
        if self.headers["Authorization"] != "Bearer sk-test":
            return self.say(401, b"who are you?")
        with lock:
            new = body not in asked
            asked.add(body)
            crowded = working >= BEARS
            working += not crowded
        if crowded:
            return self.say(429, b'{"error":{"message":"busy"}}', Retry_After="0")
        time.sleep(0.01)
        with lock:
            working -= 1
        mood = hashlib.sha256(body).digest()[0] if new and "--polite" not in sys.argv else 255
        if mood < 12:
            self.say(500, b'{"error":{"message":"oops"}}')
        elif mood < 24:
            self.say(200, b"<html>garbage</html>")
        elif mood < 36:
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 1000\r\n\r\n{\"choices\":")
        elif mood < 48:
            self.close_connection = True
        elif asked_of(json.loads(body))[0].endswith("too long?"):
            self.say(400, b'{"error":{"message":"too long"}}')
        else:
            self.say(200, completion(json.loads(body)))

    def log_message(self, *arguments):
        pass


server = Server(("127.0.0.1", 0), Connection)
with open(sys.argv[1] + ".new", "w") as file:
    file.write(str(server.server_address[1]))
os.rename(sys.argv[1] + ".new", sys.argv[1])
server.serve_forever()
