"""A DNS server for tests, which answers every question in one way, also wrongly.

Questions and answers are laid out as RFC 1035 section 4 says. Under libslirp a node asks 10.0.2.3,
and libslirp passes that on to the first nameserver of /etc/resolv.conf, port 53.
"""

import ipaddress
import socket
import struct
import threading

A, CNAME, AAAA = 1, 5, 28
HEADER = struct.Struct(">HHHHHH")  # id, flags, questions, answers, authorities, additional
NXDOMAIN, SERVFAIL, REFUSED = 3, 2, 5


def name(text):
    return b"".join(bytes([len(label)]) + label.encode() for label in text.split(".")) + b"\0"


def record(kind, data, ttl, owner=b"\xc0\x0c"):
    """A resource record; its owner is the question's name unless another is given."""
    return owner + struct.pack(">HHIH", kind, 1, ttl, len(data)) + data


def reply(question, *records, code=0, ident=None, asked=None, count=None):
    """ident, asked (a name) and count replace what would be right."""
    header = HEADER.pack(int.from_bytes(question[:2], "big") if ident is None else ident,
                         0x8180 | code, 1, len(records) if count is None else count, 0, 0)
    body = question[12:] if asked is None else name(asked) + question[-4:]
    return header + body + b"".join(records)


def address(text, ttl=0):
    """An honest answer."""
    packed = ipaddress.ip_address(text).packed
    return lambda question: reply(question, record(A, packed, ttl))


# Each makes the datagrams that a question gets.
ANSWERS = {
    "silence": lambda q: [],
    "nxdomain": lambda q: [reply(q, code=NXDOMAIN)],
    "servfail": lambda q: [reply(q, code=SERVFAIL)],
    "refused": lambda q: [reply(q, code=REFUSED)],
    "no-records": lambda q: [reply(q)],
    "alias-only": lambda q: [reply(q, record(CNAME, name("elsewhere.example"), 0))],
    "ipv6-only": lambda q: [reply(q, record(AAAA, bytes(15) + b"\1", 0))],
    "short-address": lambda q: [reply(q, record(A, b"\x0a\0\2", 0))],
    "records-missing": lambda q: [reply(q, count=9)],
    "name-in-a-loop": lambda q: [q[:2] + HEADER.pack(0, 0x8180, 1, 1, 0, 0)[2:] + b"\xc0\x0c"
                                 + q[-4:] + record(A, b"\x0a\0\2\2", 0)],
    "cut": lambda q: [address("10.0.2.2")(q)[:-7]],
    "garbage": lambda q: [bytes(range(200, 256)), b"", b"\0", q[:2] + bytes(300)],
    "other-id": lambda q: [reply(q, record(A, b"\x0a\0\2\2", 0), ident=q[0] << 8 | q[1] ^ 1)],
    "other-name": lambda q: [reply(q, record(A, b"\x0a\0\2\2", 0), asked="places.example.com")],
    "question-back": lambda q: [q],
}


class Stub:
    """Serves on `where`, port 53, until closed. `answer`: a name of ANSWERS or an IPv4 address."""

    def __init__(self, where):
        self.where = where
        self.answer = "silence"
        self.questions = []  # and who asked them
        self.askers = []
        self.socket = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
        self.socket.bind((where, 53))
        self.thread = threading.Thread(target=self._serve, daemon=True)
        self.thread.start()

    def datagrams(self, question):
        if self.answer in ANSWERS:
            return ANSWERS[self.answer](question)
        return [address(self.answer)(question)]

    def _serve(self):
        while True:
            question, asker = self.socket.recvfrom(2048)
            if not question:
                return  # close() says so
            self.questions.append(question)
            self.askers.append(asker)
            for datagram in self.datagrams(question):
                self.socket.sendto(datagram, asker)

    def answer_all(self):
        """Answers every question so far, again."""
        for question, asker in list(zip(self.questions, self.askers)):
            for datagram in self.datagrams(question):
                self.socket.sendto(datagram, asker)

    def forget(self):
        self.questions.clear()
        self.askers.clear()

    def close(self):
        with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as bell:
            bell.sendto(b"", (self.where, 53))
        self.thread.join()
        self.socket.close()
