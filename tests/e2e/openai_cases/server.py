#!/usr/bin/env python3
"""server.py PORT LOG: an OpenAI-compatible stand-in that does to each question what the question asks for. For PORT may
stand a file, into which the port is written that the system has chosen.

The last message's text is JSON: {"say": "4"} answers 4. Further members, alone or together:
  "message", "choice", "more"   replace the message, add to the choice, add to the body
  "status", "headers", "body"   another answer altogether
  "hints": n                    n times HTTP/1.1 103 Early Hints before the answer (legal in HTTP/1.1)
  "twice": true                 the answer is written twice
  "trail": "text"               bytes behind the answer on the kept connection
  "times": n                    only the first n times that this text is asked; afterwards "say"
Every request is a line of LOG."""
import collections, json, os, socket, sys, threading

seen, lock, log = collections.Counter(), threading.Lock(), open(sys.argv[2], "a", buffering=1)


def request(stream):
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        byte = stream.read(1)
        if not byte:
            return None
        head += byte
    length = 0
    for line in head.split(b"\r\n"):
        if line.lower().startswith(b"content-length:"):
            length = int(line.split(b":")[1])
    return head.split(b" ")[0].decode(), stream.read(length)


def response(status, headers, body):
    lines = "".join(f"{name}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status} X\r\nContent-Type: application/json\r\nContent-Length: {len(body)}\r\n{lines}\r\n".encode() + body


def answer(text):
    order = json.loads(text) if text.startswith("{") else {"say": text}
    with lock:
        seen[text] += 1
        if seen[text] > order.get("times", 1 << 30):
            order = {"say": order.get("say", "")}
    choice = {"index": 0, "message": {"role": "assistant", "content": order.get("say", "")}, "finish_reason": "stop"}
    choice["message"] = order.get("message", choice["message"])
    choice.update(order.get("choice", {}))
    body = order.get("body", {"object": "chat.completion", "choices": [choice], **order.get("more", {})})
    body = (body if isinstance(body, str) else json.dumps(body)).encode()
    out = response(order.get("status", 200), order.get("headers", {}), body)
    out = b"HTTP/1.1 103 Early Hints\r\nLink: </x>\r\n\r\n" * order.get("hints", 0) + out * (2 if order.get("twice") else 1)
    return out + order.get("trail", "").encode()


def serve(connection):
    try:
        converse(connection)
    except OSError:
        pass  # the client has closed it


def converse(connection):
    stream = connection.makefile("rb")
    while (got := request(stream)) is not None:
        method, body = got
        log.write(f"{method} {body.decode(errors='replace')[:2000]}\n")
        if method == "GET":
            connection.sendall(response(200, {}, b'{"object":"list","data":[{"id":"m"}]}'))
            continue
        content = json.loads(body)["messages"][-1]["content"]
        text = content if isinstance(content, str) else [part["text"] for part in content if part["type"] == "text"][-1]
        connection.sendall(answer(text))


door = socket.socket()
door.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
door.bind(("127.0.0.1", int(sys.argv[1]) if sys.argv[1].isdigit() else 0))
door.listen(128)
if not sys.argv[1].isdigit():
    with open(sys.argv[1] + ".new", "w") as file:
        file.write(str(door.getsockname()[1]))
    os.rename(sys.argv[1] + ".new", sys.argv[1])
while True:
    threading.Thread(target=serve, args=(door.accept()[0],), daemon=True).start()
