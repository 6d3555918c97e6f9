"""An NTP server where the nodes of a test can reach it."""

import socket
import struct
import threading
import time

import pytest


class NtpServer:
    """Answers on UDP port 123: `shift` seconds beside the truth; None: not at all."""

    def __init__(self, address):
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        try:
            self.socket.bind((address, 123))
        except (PermissionError, OSError) as error:
            self.socket.close()
            pytest.skip(f"no port 123 here: {error}")
        self.shift = None
        self.asked = 0
        self.forge = False  # another time stamp than ours comes back
        self.closing = False
        self.socket.settimeout(0.05)
        self.thread = threading.Thread(target=self.serve, daemon=True)
        self.thread.start()

    def serve(self):
        while not self.closing:
            try:
                request, peer = self.socket.recvfrom(512)
            except TimeoutError:
                continue
            assert len(request) == 48 and request[0] & 7 == 3, request
            self.asked += 1
            if self.shift is None:
                continue
            now = time.time() + self.shift + 2208988800
            stamp = struct.pack(">II", int(now) & 0xFFFFFFFF, int(now % 1 * 2**32))
            origin = bytes(8) if self.forge else request[40:48]
            self.socket.sendto(struct.pack(">BBbb", 0x24, 2, 6, -20) + bytes(8) + b"TEST" + stamp
                               + origin + stamp + stamp, peer)

    def close(self):
        self.closing = True
        self.thread.join()
        self.socket.close()
