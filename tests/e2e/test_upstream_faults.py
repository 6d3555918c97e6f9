"""Every fault of the Places stand-in and of DNS, against nodes of both boards and both dialects.

Whatever happens upstream, a node answers in the shape of PROTOCOL.md section 3 with the reason in
`error_message`, in time, serves its other clients meanwhile, and the next good query works.
"""

import contextlib
import json
import re
import socket
import subprocess
import time

import pytest

import dns_stub
import wire
from herdlib import BIN, BOARDS, KEY, NET, SAN, Client, Herd, Program, Programs, Standin, wait_until
from test_places import failed, good

HOSTS = {"google": "places.googleapis.com", "google-legacy": "maps.googleapis.com"}
TIMEOUT_MS = 4000 if SAN else 1500  # below 5 s, where connecting ends by itself
LATE_S = 0.5 * (4 if SAN else 1)  # what an answer may take beyond its deadline
OTHERS_S = 1.0 * (4 if SAN else 1)  # what another client's answer may take meanwhile


# ---- What is expected: WORKS, or a status and a message; HOST is the provider's name ----

WORKS = object()


def unknown(message):
    return dict.fromkeys(HOSTS, ("UNKNOWN_ERROR", message))


def untrusted(reason):
    return unknown(f"certificate of HOST is not trusted: {reason}")


def late(phase):
    return unknown(f"HOST did not answer within {TIMEOUT_MS} ms ({phase})")


def bad(reason):
    return unknown(f"bad answer of HOST: {reason}")


def http(status, code, said):
    """The new API says why; servers in front of the legacy one answer with a page for people."""
    plain = f"HOST answered HTTP {code}"
    return {"google": (status, f"{plain}: {said}"), "google-legacy": (status, plain)}


QUOTA = ("Quota exceeded for quota metric 'SearchNearbyRequest' and limit 'SearchNearbyRequest per "
         "minute' of service 'places.googleapis.com'.")

FAULTS = {
    "none": WORKS,
    "refused": unknown("HOST cannot be reached: connection refused"),
    "stall-connect": late("connecting"),
    "stall-handshake": late("in the TLS handshake"),
    "wrong-host": untrusted("made for another host"),
    "unknown-ca": untrusted("unknown CA, or an incomplete chain"),
    "self-signed": untrusted("self-signed"),
    "cut-chain": untrusted("unknown CA, or an incomplete chain"),
    "expired": untrusted("expired"),
    "not-yet-valid": untrusted("not yet valid"),
    "no-resumption": WORKS,
    "slow": late("waiting for the answer"),
    "drip": late("reading the answer"),
    "stall-headers": late("waiting for the answer"),
    "stall-body": late("reading the answer"),
    "http-400": http("INVALID_REQUEST", 400, "Request contains an invalid argument."),
    "http-401": http("REQUEST_DENIED", 401, "Request had invalid authentication credentials. "
                                            "Expected OAuth 2 access token."),
    "http-403": http("REQUEST_DENIED", 403, "The caller does not have permission"),
    "http-404": unknown("HOST answered HTTP 404"),
    "http-429": http("OVER_QUERY_LIMIT", 429, QUOTA),
    "http-500": http("UNKNOWN_ERROR", 500, "Internal error encountered."),
    "http-503": http("UNKNOWN_ERROR", 503, "The service is currently unavailable."),
    "over-limit": {"google": ("OVER_QUERY_LIMIT", f"HOST answered HTTP 429: {QUOTA}"),
                   "google-legacy": ("OVER_QUERY_LIMIT", "HOST refused: You have exceeded your "
                                                         "daily request quota for this API.")},
    "redirect": unknown("HOST answered HTTP 302, a redirect, which is not followed"),
    "chunked": WORKS,
    "until-close": WORKS,
    "no-close-notify": bad("it was cut"),
    "cut-body": bad("it was cut"),
    "abrupt-close": WORKS,
    "abrupt-cut": bad("it was cut"),
    "two-lengths": bad("it gives lengths that contradict each other"),
    "length-and-chunked": bad("it gives lengths that contradict each other"),
    "chunk-overflow": bad("it gives a length that is not a number, or too large"),
    "garbage": bad("it is not HTTP"),
    "truncated-json": bad("its JSON is cut"),
    "big-body": bad("its body is too large"),
    "deep": bad("its JSON is nested too deeply"),
    "duplicate-keys": bad("an entry is not what an entry should be"),
    "wrong-types": bad("an entry is not what an entry should be"),
}
# With these the answer comes when the deadline does, and no sooner.
LATE = ("stall-connect", "stall-handshake", "slow", "drip", "stall-headers", "stall-body")
# The stand-in cannot count these: it sees no connection. "none" is not a fault.
UNCOUNTED = ("refused", "stall-connect", "none")


# ---- Nodes ----

class Asker:
    """A node, a client that has reported where kiwi is, and another client."""

    def __init__(self, programs, standin, board, provider, **places):
        folder = programs.folder / f"{board}-{provider}"
        folder.mkdir()
        self.board, self.provider, self.host = board, provider, HOSTS[provider]
        places = {"provider": provider, "timeout_ms": TIMEOUT_MS, "queries_per_minute": 60000,
                  "queries_per_day": 10000000, **places}
        self.herd = Herd(programs, boards=board, folder=folder, places=standin.places(**places))
        self.herd.start()
        self.node = self.herd["Solo"]

    @contextlib.contextmanager
    def clients(self):
        self.node.check()
        with Client(self.node.port) as self.client, Client(self.node.port) as self.other:
            self.at = self.client.iamat("kiwi")
            yield

    def send(self):
        self.mark = self.node.log.mark()
        self.client.send(b"WHATSAT kiwi 10 5\n")

    def read(self):
        answer = self.client.read_answer()
        assert answer.at == self.at
        return answer

    def ask(self):
        self.send()
        return self.read()

    def __repr__(self):
        return f"{self.board} {self.provider}"


class Rig:
    """A stand-in, and a node of each board and dialect, asked at the same time."""

    def __init__(self, programs, kinds):
        self.standin = Standin(programs)
        self.askers = [Asker(programs, self.standin, board, provider) for board, provider in kinds]


@pytest.fixture(scope="module", name="shared_rig")
def fixture_shared_rig(tmp_path_factory):
    programs = Programs(tmp_path_factory.mktemp("rig"))
    yield Rig(programs, [(board, provider) for board in BOARDS for provider in HOSTS])
    programs.end()


@pytest.fixture(name="rig")
def fixture_rig(shared_rig):
    """With clients of this test's own, and without a fault."""
    shared_rig.standin.control("reset")
    with contextlib.ExitStack() as stack:
        for asker in shared_rig.askers:
            stack.enter_context(asker.clients())
        yield shared_rig


def meets(asker, answer, expected):
    """The answer is as expected, and the log tells the same reason."""
    if expected is WORKS:
        good(answer)
        return
    status, message = expected[asker.provider]
    message = message.replace("HOST", asker.host)
    assert failed(answer, status) == message, asker
    event = asker.node.log.wait("places.failed", asker.mark)
    assert event.fields["status"] == status
    # A small board cuts its log lines.
    assert message.startswith(event.fields["message"]) and len(event.fields["message"]) > 30, asker


def serves_another_client(asker):
    """A report is taken and told at once, whatever goes on upstream."""
    start = time.monotonic()
    at = asker.other.iamat("other")
    assert asker.other.known("other") == at
    took = time.monotonic() - start
    assert took < OTHERS_S, f"{asker}: another client waited for {took:.2f} s"


def listed_faults():
    done = subprocess.run([BIN / "tools" / "places-standin", "--fault", "help"], check=True,
                          capture_output=True, text=True)
    return set(re.findall(r"^  (\S+)", done.stdout, re.M))


def test_every_fault_of_the_standin_is_in_the_table():
    assert listed_faults() == set(FAULTS)


@pytest.mark.parametrize("fault", FAULTS)
def test_fault(rig, fault):
    rig.standin.control("hangup")  # each begins with a handshake
    rig.standin.fault(fault)
    start = time.monotonic()
    for asker in rig.askers:
        asker.send()
    for asker in rig.askers:
        serves_another_client(asker)
        if fault in LATE:  # "meanwhile" was while it waited
            asker.node.log.wait("places.asked", asker.mark)
            serves_another_client(asker)
            assert not asker.node.log.find("places.failed", asker.mark), asker
    for asker in rig.askers:
        meets(asker, asker.read(), FAULTS[fault])
        took = time.monotonic() - start
        assert took < TIMEOUT_MS / 1000 + LATE_S, f"{asker}: {took:.2f} s"
        assert fault not in LATE or took >= TIMEOUT_MS / 1000 - 0.1, f"{asker}: {took:.2f} s"
    stats = rig.standin.stats()
    if fault not in UNCOUNTED:
        assert stats["faults"] >= len(rig.askers), "each met it"
    assert stats["requests"] <= len(rig.askers), "a query that failed is not asked again"
    rig.standin.fault("none")
    for asker in rig.askers:
        good(asker.ask())


@pytest.mark.parametrize("fault", ["expired", "cut-body", "garbage", "http-500", "no-close-notify"])
def test_a_fault_that_lasts_is_told_each_time(rig, fault):
    rig.standin.fault(fault)
    for _ in range(5):
        for asker in rig.askers:
            meets(asker, asker.ask(), FAULTS[fault])
    rig.standin.fault("none")
    for asker in rig.askers:
        good(asker.ask())


def test_a_redirect_is_not_followed(rig):
    rig.standin.fault("redirect")
    for number, asker in enumerate(rig.askers, 1):
        meets(asker, asker.ask(), FAULTS["redirect"])
        assert rig.standin.stats()["requests"] == number
        assert "elsewhere" not in rig.standin.last()
    rig.standin.fault("none")


@pytest.mark.skipif(SAN, reason="the sanitizer's own memory grows")
def test_a_body_of_10_mb_costs_no_memory(rig):
    for asker in rig.askers:
        good(asker.ask())
    before = [asker.node.rss_bytes() for asker in rig.askers]
    rig.standin.fault("big-body 10485760")
    for _ in range(3):
        for asker in rig.askers:
            meets(asker, asker.ask(), FAULTS["big-body"])
    rig.standin.fault("none")
    for asker, bytes_before in zip(rig.askers, before):
        grown = asker.node.rss_bytes() - bytes_before
        assert grown < 1 << 20, f"{asker} grew by {grown} bytes"


@pytest.mark.parametrize("levels, fits", [(3, True), (6, True), (7, False), (100, False),
                                          (1000, False), (40000, False)])
def test_nesting(rig, levels, fits):
    """Levels of an entry; the document around it has two, and CFG_JSON_DEPTH is 8."""
    rig.standin.fault(f"deep {levels}")
    for asker in rig.askers:
        parsed = json.loads(asker.ask().text)
        if fits:  # JSON, but no place: nothing to show, or (legacy) an entry as Google wrote it
            assert "nested" not in parsed.get("error_message", ""), (asker, parsed)
        else:
            assert parsed["error_message"].endswith("nested too deeply"), (asker, parsed)
    rig.standin.fault("none")


def test_refused_resumption_is_a_full_handshake_and_nothing_worse(rig):
    """In every order: a ticket that was declined is not offered again."""
    refused = "no-resumption"
    for fault in ("none", refused, "none", "none", refused, refused, "none"):
        rig.standin.fault(fault)
        rig.standin.control("hangup")
        for asker in rig.askers:
            good(asker.ask())
    rig.standin.control("reset")
    rig.standin.control("hangup")
    for asker in rig.askers:
        good(asker.ask())
    assert rig.standin.stats()["resumed"] == len(rig.askers), "and resumption is back"


# ---- The arenas ----

# Connections that end well, and that end in every phase; in tens, one fault after the other.
ENDS = ("until-close", "abrupt-close", "cut-body", "until-close", "expired", "until-close",
        "no-resumption", "garbage", "abrupt-cut", "until-close", "wrong-host", "no-close-notify",
        "until-close", "unknown-ca")
# The small board has few of everything, so that it does most of them.
RECONNECTS = {"posix": 300 if SAN else 1000, "posix-small": 300 if SAN else 10000}
# mbedTLS's allocator gives up to 68 bytes more when what is left of a block could hold nothing; a
# leak of one byte per connection would be a block of 72 each.
ROUNDING_BYTES = 256
# Kept from the first handshake on: the host's name, and what makes the next check of a signature
# with the same RSA root faster (R^2 mod N).
FIRST_USE_BYTES = 1024


def arena_without_session(rig, asker):
    """Bytes of TLS's arena in use, most ever, when there is neither connection nor session: an
    untrusted certificate has ended both."""
    rig.standin.fault("expired")
    rig.standin.control("hangup")
    meets(asker, asker.ask(), FAULTS["expired"])
    fields = asker.node.log.wait("tls.down", asker.mark).fields
    return int(fields["arena"]), int(fields["peak"])


def reconnect(rig, asker, count):
    """At least so many connections, each for one answer or one failure."""
    since = asker.node.log.count("tls.down")
    rounds = 0
    while asker.node.log.count("tls.down") - since < count:
        fault = ENDS[rounds % len(ENDS)]
        rig.standin.fault(fault)
        if fault == "no-resumption":  # the one with which connections are kept
            for _ in range(10):
                rig.standin.control("hangup")
                good(asker.ask())
        else:
            asker.client.send(b"WHATSAT kiwi 10 5\n" * 10)
            for _ in range(10):
                answer = asker.read()
                good(answer) if FAULTS[fault] is WORKS else failed(answer, "UNKNOWN_ERROR")
        rounds += 1


@pytest.mark.parametrize("board", BOARDS)
def test_reconnects_leave_the_arenas_as_at_boot(programs, board):
    """TLS's arena does not grow, and lwIP's pools still give a connection each time."""
    rig = Rig(programs, [(board, "google")])
    (asker,) = rig.askers
    at_boot = int(asker.node.log.wait("tls.setup").fields["arena"])
    with asker.clients():
        reconnect(rig, asker, 10 * len(ENDS))
        used_before, peak_before = arena_without_session(rig, asker)
        assert used_before <= at_boot + FIRST_USE_BYTES
        reconnect(rig, asker, RECONNECTS[board])
        used, peak = arena_without_session(rig, asker)
        assert abs(used - used_before) <= ROUNDING_BYTES, (at_boot, used_before, used)
        assert peak <= peak_before + FIRST_USE_BYTES, (peak_before, peak)
        rig.standin.fault("none")
        good(asker.ask())


# ---- DNS ----

NO_ADDRESS = "HOST has no address: DNS does not know it or did not answer"
NO_ANSWER = f"HOST did not answer within {TIMEOUT_MS} ms (looking up its name)"

DNS_FAULTS = {
    "silence": NO_ANSWER,
    "nxdomain": NO_ADDRESS,
    "servfail": NO_ADDRESS,
    "refused": NO_ADDRESS,
    "no-records": NO_ADDRESS,
    "alias-only": NO_ADDRESS,
    "ipv6-only": NO_ADDRESS,
    "short-address": NO_ADDRESS,
    "records-missing": NO_ADDRESS,
    # What is no answer to the question is as if nothing had come.
    "name-in-a-loop": NO_ANSWER,
    "cut": NO_ANSWER,
    "garbage": NO_ANSWER,
    "other-id": NO_ANSWER,
    "other-name": NO_ANSWER,
    "question-back": NO_ANSWER,
    # What no server has, as blocking resolvers answer.
    "0.0.0.0": "HOST has no usable address: DNS says 0.0.0.0",
    "127.0.0.1": "HOST has no usable address: DNS says 127.0.0.1",
    "224.0.0.1": "HOST has no usable address: DNS says 224.0.0.1",
    "255.255.255.255": "HOST has no usable address: DNS says 255.255.255.255",
    # Nobody there.
    "10.0.2.9": f"HOST did not answer within {TIMEOUT_MS} ms (connecting)",
}
# Under libslirp this machine's loopback has another name, and the server that is asked is the host's.
STANDIN_SEEN_FROM_A_NODE = wire.HERE if NET == "tap" else "10.0.2.2"
RESOLVER = wire.HERE if NET == "tap" else "127.0.0.53"


class PrivateResolv(Program):
    """A node that sees another /etc/resolv.conf, in a mount namespace of its own."""

    def __init__(self, herd, resolv, board):
        self.port, self.link_port = herd.ports["Solo"]
        script = 'mount --bind "$1" /etc/resolv.conf && shift && exec "$@"'
        super().__init__("Solo", ["unshare", "-m", "sh", "-c", script, "sh", resolv,
                                  BIN / board / "herd", "-c", herd.conf, "Solo"],
                         herd.folder, {"PLACES_KEY": KEY})


class Looker(Asker):
    """Asks whoever DNS says; the question is for the stub."""

    def __init__(self, programs, standin, board, **places):
        folder = programs.folder / board
        folder.mkdir()
        self.board, self.provider, self.host = board, "google", HOSTS["google"]
        places = {"timeout_ms": TIMEOUT_MS, "queries_per_minute": 60000, **places}
        section = standin.places(**places)
        del section["address"]
        if NET == "tap":
            herd = Herd(programs, boards=board, folder=folder, places=section,
                        nodes={"Solo": {"dns": RESOLVER}})
            self.node = herd.start()
            return
        resolv = folder / "resolv.conf"
        resolv.write_text(f"nameserver {RESOLVER}\n")
        herd = Herd(programs, boards=board, folder=folder, places=section)
        self.node = programs.add(PrivateResolv(herd, resolv, board))
        self.node.log.wait("node.ready")


def why_no_stub():
    """Why there can be no resolver of our own here, or None."""
    if NET == "tap":
        wire.ready()
        return None
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.bind((RESOLVER, 53))
        except OSError as error:
            return f"{RESOLVER} port 53: {error.strerror}"
    done = subprocess.run(["unshare", "-m", "mount", "--bind", "/dev/null", "/etc/resolv.conf"],
                          capture_output=True, text=True)
    return None if done.returncode == 0 else f"no mount namespace: {done.stderr.strip()}"


@pytest.fixture(scope="module", name="shared_dns")
def fixture_shared_dns(tmp_path_factory):
    why = why_no_stub()
    if why:
        pytest.skip(why)
    programs = Programs(tmp_path_factory.mktemp("dns"))
    stub = dns_stub.Stub(RESOLVER)
    stub.standin = Standin(programs)
    stub.lookers = [Looker(programs, stub.standin, board) for board in BOARDS]
    yield stub
    programs.end()
    stub.close()


@pytest.fixture(name="dns")
def fixture_dns(shared_dns):
    shared_dns.standin.fault("none")
    shared_dns.standin.control("hangup")
    shared_dns.answer = STANDIN_SEEN_FROM_A_NODE
    with contextlib.ExitStack() as stack:
        for looker in shared_dns.lookers:
            stack.enter_context(looker.clients())
            good(looker.ask())
        shared_dns.standin.control("hangup")  # the next query looks the name up again
        shared_dns.standin.control("reset")
        shared_dns.forget()
        yield shared_dns


def test_every_answer_of_the_stub_is_in_the_table():
    assert set(dns_stub.ANSWERS) <= set(DNS_FAULTS)


@pytest.mark.parametrize("answer", DNS_FAULTS)
def test_dns(dns, answer):
    dns.answer = answer
    start = time.monotonic()
    for looker in dns.lookers:
        looker.send()
    for looker in dns.lookers:
        looker.node.log.wait("places.asked", looker.mark)
        serves_another_client(looker)
    for looker in dns.lookers:
        meets(looker, looker.read(), unknown(DNS_FAULTS[answer]))
    assert time.monotonic() - start < TIMEOUT_MS / 1000 + LATE_S
    assert len(dns.questions) >= len(dns.lookers), "they did ask"
    assert all(dns_stub.name(HOSTS["google"]) in question for question in dns.questions)
    assert dns.standin.stats()["requests"] == 0
    dns.answer = STANDIN_SEEN_FROM_A_NODE
    for looker in dns.lookers:
        # A question that is still open is asked again when lwIP's timer says so.
        wait_until(lambda: json.loads(looker.ask().text)["status"] == "OK", "it is found again", 10)
        good(looker.ask())


def test_dns_sends_to_a_server_of_another_name(dns):
    """An answer that nobody can tell from a right one: the certificate does."""
    dns.standin.fault("wrong-host")
    for looker in dns.lookers:
        meets(looker, looker.ask(), FAULTS["wrong-host"])
    assert dns.standin.stats()["requests"] == 0


def test_an_answer_of_dns_that_comes_too_late_harms_nothing(dns):
    """While the next query is at work, the answers to all questions so far come, twice."""
    dns.answer = "silence"
    for looker in dns.lookers:
        meets(looker, looker.ask(), unknown(NO_ANSWER))
    dns.answer = STANDIN_SEEN_FROM_A_NODE
    dns.answer_all()
    dns.answer_all()
    for looker in dns.lookers:
        good(looker.ask())


def test_dns_is_asked_for_each_connection_when_its_answers_do_not_last(dns):
    for _ in range(30):  # lwIP's table of names has two rows
        for looker in dns.lookers:
            good(looker.ask())
        dns.standin.control("hangup")
    assert len(dns.questions) == 30 * len(dns.lookers)


def test_phases_with_deadlines_of_their_own_end_before_a_long_timeout(programs, dns):
    """Connecting after 5 s (CFG_CONN_CONNECT_MS), DNS after lwIP's four questions."""
    asker = Asker(programs, dns.standin, "posix", "google", timeout_ms=20000)
    looker = Looker(programs, dns.standin, "posix-small", timeout_ms=20000)
    dns.answer = "silence"
    dns.standin.fault("stall-connect")
    with asker.clients(), looker.clients():
        start = time.monotonic()
        asker.send()
        looker.send()
        for one in (asker, looker):
            one.node.log.wait("places.asked", one.mark)
            serves_another_client(one)
        meets(asker, asker.read(), unknown("HOST cannot be reached: it does not answer"))
        assert 4.9 <= time.monotonic() - start < 5 + LATE_S
        meets(looker, looker.read(), unknown(NO_ADDRESS))
        assert time.monotonic() - start < 9
        dns.standin.fault("none")
        dns.answer = STANDIN_SEEN_FROM_A_NODE
        good(asker.ask())
        good(looker.ask())
