"""Forwards TCP connections on loopback at a bounded rate, and counts what went one way.

    counting_proxy.py PORT SERVER-PORT BYTES-PER-SECOND COUNT-FILE [answers] [silent=BYTES]

COUNT-FILE holds the bytes that went from clients to the server so far, as a decimal number; with
"answers" those that came back, which then come at that rate. After "silent" of them nothing goes
either way any more, also on connections that begin then, and all of them stay open.
"""

import os
import socket
import sys
import threading
import time

LOCK = threading.Lock()
LIMIT = next((int(word[7:]) for word in sys.argv[5:] if word.startswith("silent=")), None)
counted = 0


def keep_silence():
    while LIMIT is not None and counted >= LIMIT:
        time.sleep(3600)


def copy(source, target, rate=None, count=None):
    global counted
    try:
        while data := source.recv(1 << 16):
            if rate:
                time.sleep(len(data) / rate)
            keep_silence()
            target.sendall(data)
            if count:
                with LOCK:
                    counted += len(data)
                    with open(count + ".new", "w") as file:
                        file.write(str(counted))
                    os.replace(count + ".new", count)
    except OSError:
        pass
    for end in (source, target):
        try:
            end.shutdown(socket.SHUT_RDWR)
        except OSError:
            pass


def main():
    port, server, rate = (int(word) for word in sys.argv[1:4])
    # Small, so that what was sent and what was counted differ by little.
    listener = socket.socket()
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 17)
    listener.bind(("127.0.0.1", port))
    listener.listen(64)
    while True:
        client, _ = listener.accept()
        try:
            behind = socket.create_connection(("127.0.0.1", server))
        except OSError:
            client.close()
            continue
        ways = [(client, behind), (behind, client)]
        if "answers" in sys.argv[5:]:
            ways.reverse()
        threading.Thread(target=copy, args=(*ways[0], rate, sys.argv[4]), daemon=True).start()
        threading.Thread(target=copy, args=ways[1], daemon=True).start()


if __name__ == "__main__":
    main()
