"""The Places stand-in by itself: what it answers, what it refuses, and that each fault really happens.

Clients are Python's ssl and http.client, so that neither end shares code with the node.
"""

import http.client
import json
import math
import os
import re
import socket
import ssl
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
BIN = ROOT / os.environ.get("HERD_BIN_DIR", "build") / "tools" / "places-standin"
CERTS = ROOT / "build" / "certs"
KEY = "test-key-4711"
UCLA = (34.068930, -118.445127)
LEGACY_PATH = "/maps/api/place/nearbysearch/json"
NEW_PATH = "/v1/places:searchNearby"
TIMEOUT_S = 20  # far more than anything here takes; a test that reaches it fails


def distance_m(a, b):
    """Great-circle distance by the spherical law through vectors, not by haversine as in the C."""
    def vector(point):
        lat, lng = map(math.radians, point)
        return math.cos(lat) * math.cos(lng), math.cos(lat) * math.sin(lng), math.sin(lat)
    u, v = vector(a), vector(b)
    cross = (u[1] * v[2] - u[2] * v[1], u[2] * v[0] - u[0] * v[2], u[0] * v[1] - u[1] * v[0])
    return 6371008.8 * math.atan2(math.hypot(*cross), sum(x * y for x, y in zip(u, v)))


class Connection(http.client.HTTPSConnection):
    """HTTPS to 127.0.0.1 with the name of another host checked."""

    def __init__(self, port, host, context, session=None):
        super().__init__(host, port, timeout=TIMEOUT_S, context=context)
        self.session = session

    def connect(self):
        raw = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
        raw.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)  # head and body go separately
        self.sock = self._context.wrap_socket(raw, server_hostname=self.host, session=self.session)


class Standin:
    def __init__(self, *options, key=KEY, chain="ec"):
        self.chain = chain
        command = [str(BIN), "--port", "0", "--control", "0", "--certs", str(CERTS), "--chain",
                   chain, *options]
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                        text=True, env={**os.environ, "PLACES_KEY": key})
        ready = self.process.stdout.readline()
        match = re.fullmatch(r"ready port=(\d+) control=(\d+)\n", ready)
        assert match, ready + self.process.stderr.read()
        self.port, self.control_port = map(int, match.groups())

    def stop(self):
        self.process.terminate()
        _, errors = self.process.communicate(timeout=10)
        assert (self.process.returncode, errors) == (0, "")

    def control(self, line):
        with socket.create_connection(("127.0.0.1", self.control_port), TIMEOUT_S) as sock:
            sock.sendall(line.encode() + b"\n")
            answer = sock.makefile().readline()
        assert answer.endswith("\n")
        return answer[:-1]

    def stats(self):
        answer = self.control("stats")
        assert answer.startswith("ok ")
        pairs = dict(pair.split("=") for pair in answer[3:].split())
        return {name: int(value) for name, value in pairs.items() if name != "fault"}

    def context(self, version=None):
        context = ssl.create_default_context(cafile=str(CERTS / f"root-{self.chain}.pem"))
        if version is not None:
            context.minimum_version = context.maximum_version = version
        return context

    def connect(self, host="places.googleapis.com", context=None, session=None):
        return Connection(self.port, host, context or self.context(), session)

    def tls(self):
        """A bare TLS socket; an end without close_notify is an error on it."""
        raw = socket.create_connection(("127.0.0.1", self.port), TIMEOUT_S)
        context = self.context()
        context.options &= ~0x80  # SSL_OP_IGNORE_UNEXPECTED_EOF, which Python sets
        return context.wrap_socket(raw, server_hostname="localhost", suppress_ragged_eofs=False)


@pytest.fixture(scope="module")
def shared():
    standin = Standin()
    yield standin
    standin.stop()


@pytest.fixture
def standin(shared):
    assert shared.control("reset") == "ok"
    yield shared
    assert shared.process.poll() is None


@pytest.fixture
def start():
    """Starts stand-ins with options of their own."""
    started = []

    def start_one(*options, **named):
        started.append(Standin(*options, **named))
        return started[-1]
    yield start_one
    for one in started:
        one.stop()


def legacy_target(at=UCLA, radius="1000", key=KEY):
    return f"{LEGACY_PATH}?location={at[0]:.6f},{at[1]:.6f}&radius={radius}&key={key}"


def get(standin, target, host="maps.googleapis.com"):
    connection = standin.connect(host)
    connection.request("GET", target)
    response = connection.getresponse()
    body = response.read()
    connection.close()
    return response, body


def legacy(standin, at=UCLA, radius="1000", key=KEY):
    response, body = get(standin, legacy_target(at, radius, key))
    assert response.status == 200
    return json.loads(body)


MASK = "places.id,places.displayName,places.location,places.types,places.shortFormattedAddress"


def new_body(at=UCLA, radius=1000.0, count=20, **more):
    circle = {"center": {"latitude": at[0], "longitude": at[1]}, "radius": radius}
    return {"maxResultCount": count, "rankPreference": "DISTANCE",
            "locationRestriction": {"circle": circle}, **more}


def post(standin, body, key=KEY, mask=MASK, **more):
    headers = {"Content-Type": "application/json"}
    if key is not None:
        headers["X-Goog-Api-Key"] = key
    if mask is not None:
        headers["X-Goog-FieldMask"] = mask
    connection = standin.connect()
    connection.request("POST", NEW_PATH, body if isinstance(body, (str, bytes)) else
                       json.dumps(body), {**headers, **more})
    response = connection.getresponse()
    text = response.read()
    connection.close()
    return response.status, json.loads(text)


def legacy_points(answer):
    points = [entry["geometry"]["location"] for entry in answer["results"]]
    return [(point["lat"], point["lng"]) for point in points]


# ---- The legacy API ----

def test_legacy_answer_has_the_shape_of_googles(standin):
    response, body = get(standin, legacy_target())
    assert response.getheader("Content-Type").startswith("application/json")
    assert int(response.getheader("Content-Length")) == len(body)
    assert body.startswith(b'{\n   "html_attributions": [],\n')
    answer = json.loads(body)
    assert answer["status"] == "OK"
    assert 10 < len(answer["results"]) <= 20
    for entry in answer["results"]:
        assert re.fullmatch(r"ChIJ[A-Za-z0-9_-]{23}", entry["place_id"])
        assert entry["name"] and entry["vicinity"] and entry["types"]
    assert len({entry["place_id"] for entry in answer["results"]}) == len(answer["results"])
    assert 1000 < len(body) / len(answer["results"]) < 3000  # about as long as real ones


def test_places_are_ranked_by_distance_and_within_the_radius(standin):
    for radius in (200, 1000, 50000):
        points = legacy_points(legacy(standin, radius=str(radius)))
        distances = [distance_m(UCLA, point) for point in points]
        assert distances and distances == sorted(distances) and distances[-1] <= radius


def test_landmarks_are_found_where_they_are(standin):
    for at, name in (((34.0716, -118.4422), "UCLA Powell Library"),
                     ((45.7826, 14.2038), "Postojnska jama"),
                     ((-33.8568, 151.2153), "Sydney Opera House"),
                     ((35.6586, 139.7454), "東京タワー"),
                     ((0.0, 0.0), 'Station 13010 ("Null Island")'),
                     ((-90.0, 77.0), "Amundsen–Scott South Pole Station"),
                     ((-16.79, -180.0), "180th Meridian, Taveuni")):
        assert legacy(standin, at)["results"][0]["name"] == name


def test_every_coordinate_has_an_answer(standin):
    places = [(0, 0), (90, 0), (-90, 0), (90, -180), (89.9999, 123.4), (-89.997, -45), (0, 180),
              (0, -180), (12.3, 179.9999), (12.3, -179.9999), (51.48, 0), (-54.9, -67.6)]
    for i in range(200):  # a spiral over the globe
        places.append((math.degrees(math.asin(-0.995 + i * 0.01)), i * 137.50776 % 360 - 180))
    connection = standin.connect()
    for at in places:
        connection.request("POST", NEW_PATH, json.dumps(new_body(at, 1200)), {
            "Content-Type": "application/json", "X-Goog-Api-Key": KEY,
            "X-Goog-FieldMask": "places.location"})
        found = json.loads(connection.getresponse().read())["places"]
        points = [(one["location"]["latitude"], one["location"]["longitude"]) for one in found]
        distances = [distance_m(at, point) for point in points]
        assert distances[0] <= 361, at
        assert distances[-1] <= 1200.1 and len(set(points)) == len(points), at
        assert len(points) >= 12, at  # 1.2 km around hold 18 cells of 500 m
    connection.close()


def test_grid_is_complete_around_a_pole_and_across_the_date_line(standin):
    """Two searches beside each other, on both sides of an edge, find the same places between."""
    for a, b in (((5, 179.9999), (5, -179.9999)), ((89.9999, 10), (89.9999, -170)),
                 ((0.00001, 50), (-0.00001, 50))):
        found = [{entry["place_id"] for entry in legacy(standin, at, "900")["results"]}
                 for at in (a, b)]
        assert len(found[0]) > 5 and len(found[0] ^ found[1]) <= 2


def test_answers_are_the_same_in_every_run(standin, start):
    other = start()
    assert get(standin, legacy_target())[1] == get(other, legacy_target())[1]


def test_zero_results_when_the_radius_is_small(standin):
    answer = legacy(standin, (34.0667, -118.4427), "1")
    assert (answer["status"], answer["results"]) == ("ZERO_RESULTS", [])


@pytest.mark.parametrize("query", [
    "radius=100", "location=1,2", "location=1&radius=100", "location=1,2&radius=0",
    "location=1,2&radius=50001", "location=91,2&radius=100", "location=1,181&radius=100",
    "location=1,2,3&radius=100", "location=1e1,2&radius=100", "location=+1,2&radius=100",
    "location=1.,2&radius=100", "location=nan,2&radius=100", "location=1,2&radius=-5",
    "location=1,2&radius=1km", "location=%zz,2&radius=100", "pagetoken=abc"])
def test_legacy_invalid_requests(standin, query):
    response, body = get(standin, f"{LEGACY_PATH}?{query}&key={KEY}")
    assert (response.status, json.loads(body)["status"]) == (200, "INVALID_REQUEST")
    assert standin.stats()["bad_key"] == 0


def test_percent_encoded_location_is_taken(standin):
    plain = get(standin, f"{LEGACY_PATH}?location=1.5,2.5&radius=900&key={KEY}")[1]
    coded = get(standin, f"{LEGACY_PATH}?location=1%2E5%2C2.5&radius=900&key={KEY}")[1]
    assert b'"OK"' in plain and plain == coded


def test_pages_follow_each_other(standin):
    pages = [legacy(standin, radius="50000")]
    while "next_page_token" in pages[-1]:
        token = pages[-1]["next_page_token"]
        pages.append(json.loads(get(standin, f"{LEGACY_PATH}?pagetoken={token}&key={KEY}")[1]))
    assert [len(page["results"]) for page in pages] == [20, 20, 20]
    distances = [distance_m(UCLA, point) for page in pages for point in legacy_points(page)]
    assert distances == sorted(distances) and len(set(distances)) == 60


def test_legacy_key_is_checked(standin):
    for target, words in ((legacy_target(key="wrong"), "invalid"),
                          (f"{LEGACY_PATH}?location=1,2&radius=100", "must use an API key"),
                          (legacy_target(key=KEY + "x"), "invalid"),
                          (legacy_target(key=KEY[:-1]), "invalid")):
        answer = json.loads(get(standin, target)[1])
        assert answer["status"] == "REQUEST_DENIED" and answer["results"] == []
        assert words in answer["error_message"]
    assert standin.stats()["bad_key"] == 4


def test_answer_file_is_served_byte_for_byte(start, tmp_path):
    file = tmp_path / "answer.json"
    file.write_bytes('{ "results" : [],\n\n "status" : "ÖK" }\n\n\n'.encode())
    one = start("--answer-file", str(file))
    assert get(one, legacy_target())[1] == file.read_bytes()
    assert legacy(one, key="wrong")["status"] == "REQUEST_DENIED"


# ---- The new API ----

def test_new_answer_honours_field_mask_and_count(standin):
    status, answer = post(standin, new_body(count=3))
    assert status == 200 and len(answer["places"]) == 3
    for place in answer["places"]:
        assert set(place) == {"id", "displayName", "location", "types", "shortFormattedAddress"}
    status, answer = post(standin, new_body(), mask="places.displayName")
    assert len(answer["places"]) > 3
    assert all(set(place) == {"displayName"} for place in answer["places"])
    assert set(post(standin, new_body(), mask="*")[1]["places"][0]) > {"name", "formattedAddress"}


def test_both_dialects_find_the_same_places(standin):
    places = post(standin, new_body())[1]["places"]
    entries = legacy(standin)["results"]
    assert [place["id"] for place in places] == [entry["place_id"] for entry in entries]
    assert [p["displayName"]["text"] for p in places] == [entry["name"] for entry in entries]
    assert [place["types"] for place in places] == [entry["types"] for entry in entries]


def test_new_answer_without_places_is_an_empty_object(standin):
    assert post(standin, new_body((34.0667, -118.4427), 1)) == (200, {})


@pytest.mark.parametrize("body", [
    "", "{", "[]", "{} x", "null", "{}", json.dumps(new_body()) + "}",
    json.dumps(new_body()).replace('"radius": 1000.0', '"radius": 1e999'),
    json.dumps(new_body()).replace('"radius": 1000.0', '"radius": 01'),
    json.dumps(new_body()).replace('"radius": 1000.0', '"radius": 5, "radius": 6'),
    json.dumps(new_body()).replace('"maxResultCount"', '"maxResultCounts"'),
    b'{"languageCode":"\xff"}', "[" * 5000,
    json.dumps(new_body(radius="100")), json.dumps(new_body(radius=0)),
    json.dumps(new_body(radius=50000.5)), json.dumps(new_body(radius=-1)),
    json.dumps(new_body(at=(90.1, 0))), json.dumps(new_body(at=(0, 180.1))),
    json.dumps(new_body(at=(None, 0))), json.dumps(new_body(count=0)),
    json.dumps(new_body(count=21)), json.dumps(new_body(count=1.5)),
    json.dumps(new_body(rankPreference="NEAREST")), json.dumps(new_body(unknown=1)),
    json.dumps(new_body(locationRestriction=5))])
def test_new_invalid_bodies(standin, body):
    status, answer = post(standin, body)
    assert (status, answer["error"]["code"], answer["error"]["status"]) == (
        400, 400, "INVALID_ARGUMENT")
    assert answer["error"]["message"]


def test_new_body_may_be_written_in_any_way_json_allows(standin):
    plain = post(standin, new_body())
    spaced = json.dumps(new_body(), indent=4).replace("1000.0", "1.0E+3")
    spaced = spaced.replace("rankPreference", "rank\\u0050reference")
    assert plain[0] == 200 and post(standin, spaced) == plain


@pytest.mark.parametrize("mask", [None, "places.unknown", "displayName",
                                  "places.displayName, places.id", "places.id,,places.types"])
def test_new_field_mask_is_required_and_checked(standin, mask):
    status, answer = post(standin, new_body(), mask=mask)
    assert (status, answer["error"]["status"]) == (400, "INVALID_ARGUMENT")
    assert "field" in answer["error"]["message"].lower()


def test_new_content_type_is_required(standin):
    assert post(standin, new_body(), **{"Content-Type": "text/plain"})[0] == 400


def test_new_key_is_checked(standin):
    status, answer = post(standin, new_body(), key="wrong")
    assert (status, answer["error"]["details"][0]["reason"]) == (400, "API_KEY_INVALID")
    status, answer = post(standin, new_body(), key=None)
    assert (status, answer["error"]["status"]) == (403, "PERMISSION_DENIED")
    assert standin.stats()["bad_key"] == 2


def test_a_key_in_the_url_does_not_count_for_the_new_api(standin):
    connection = standin.connect()
    connection.request("POST", f"{NEW_PATH}?key={KEY}", json.dumps(new_body()),
                       {"Content-Type": "application/json", "X-Goog-FieldMask": MASK})
    assert connection.getresponse().status == 403
    assert " key_in=target " in standin.control("last")


def test_key_for_one_api_is_refused_by_the_other(start):
    new_only, legacy_only = start("--only", "new"), start("--only", "legacy")
    assert post(new_only, new_body())[0] == 200
    refused = legacy(new_only)
    assert refused["status"] == "REQUEST_DENIED" and "legacy API" in refused["error_message"]
    assert legacy(legacy_only)["status"] == "OK"
    status, answer = post(legacy_only, new_body())
    assert (status, answer["error"]["details"][0]["reason"]) == (403, "SERVICE_DISABLED")


# ---- HTTP and TLS ----

def raw_exchange(standin, request):
    """Sends bytes and returns all that comes until the stand-in closes."""
    with standin.tls() as sock:
        sock.sendall(request)
        received = b""
        while chunk := sock.recv(65536):
            received += chunk
    return received


@pytest.mark.parametrize("request_bytes,status", [
    (b"GET / HTTP/1.1\r\n\r\n", 400),
    (b"GET / HTTP/1.1\nHost: a\n\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
    (b"GET / HTTP/2.0\r\nHost: a\r\n\r\n", 400),
    (b"GET /a b HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET /\xc3\xa9 HTTP/1.1\r\nHost: a\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\n folded: b\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", 400),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: a\x00b\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\n\r\n", 411),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: -1\r\n\r\n", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 1\r\nContent-Length: 2\r\n\r\nab", 400),
    (b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 99999999999999999999\r\n\r\n", 413),
    (b"POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 501),
    (b"GET / HTTP/1.1\r\nHost: a\r\n" + b"X: y\r\n" * 64 + b"\r\n", 431),
    (b"GET / HTTP/1.1\r\nHost: a\r\nX: " + b"y" * 17000, 431),
    (b"GET / HTTP/1.0\r\nHost: a\r\n\r\n", 404)])
def test_http_is_read_strictly(standin, request_bytes, status):
    assert raw_exchange(standin, request_bytes).startswith(b"HTTP/1.1 %d " % status)
    assert standin.stats()["bad_requests"] == (status != 404)


def test_keep_alive_and_pipelining(standin):
    connection = standin.connect()
    for _ in range(3):
        connection.request("GET", legacy_target())
        assert json.loads(connection.getresponse().read())["status"] == "OK"
    connection.close()
    stats = standin.stats()
    assert (stats["connections"], stats["handshakes"], stats["legacy"]) == (1, 1, 3)
    request = f"GET {legacy_target()} HTTP/1.1\r\nHost: a\r\n".encode()
    received = raw_exchange(standin, (request + b"\r\n") * 2 + request +
                            b"Connection: close\r\n\r\n")
    assert received.count(b"HTTP/1.1 200 OK\r\n") == 3


def test_request_may_come_byte_by_byte(standin):
    with standin.tls() as sock:
        for byte in b"GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n":
            sock.sendall(bytes([byte]))
        assert sock.recv(100).startswith(b"HTTP/1.1 404 ")


def test_idle_connection_is_closed_with_close_notify(start):
    one = start("--idle", "1")
    with one.tls() as sock:
        begun = time.monotonic()
        assert sock.recv(1) == b""  # and no error about the end
        assert 0.5 < time.monotonic() - begun < 5


def test_hangup_closes_idle_connections(standin):
    with standin.tls() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(65536)
        assert standin.control("hangup") == "ok"
        assert sock.recv(1) == b""


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
def test_sessions_are_resumed(standin, version):
    context = standin.context(version)
    session = None
    for turn in range(3):
        connection = standin.connect(context=context, session=session)
        connection.request("GET", legacy_target())
        connection.getresponse().read()
        assert connection.sock.session_reused == (turn > 0)
        session = connection.sock.session
        connection.close()
    stats = standin.stats()
    assert (stats["handshakes"], stats["resumed"]) == (3, 2)


@pytest.mark.parametrize("option,version", [("1.2", "TLSv1.2"), ("1.3", "TLSv1.3")])
def test_tls_version_can_be_forced(start, option, version):
    one = start("--tls", option)
    legacy(one)
    assert f" tls={version} " in one.control("last")


@pytest.mark.parametrize("chain,key_type", [("ec", "ECDSA"), ("rsa", "RSA")])
def test_both_chains_are_good_for_all_names(start, chain, key_type):
    one = start(chain=chain, *("--tls", "1.2"))
    for host in ("places.googleapis.com", "maps.googleapis.com", "any.googleapis.com", "localhost"):
        assert get(one, legacy_target(), host)[0].status == 200
        assert f" sni={host} " in one.control("last")
        assert f" cipher=ECDHE-{key_type}-" in one.control("last")
    with pytest.raises(ssl.SSLCertVerificationError):
        get(one, legacy_target(), "www.example.com")


def test_chunked_replies(standin, start):
    plain = get(standin, legacy_target())[1]
    standin.control("fault chunked")
    for one in (standin, start("--chunked")):
        response, body = get(one, legacy_target())
        assert response.getheader("Transfer-Encoding") == "chunked"
        assert response.getheader("Content-Length") is None
        assert body == plain


# ---- Faults ----

ALL_FAULTS = [line.split()[0] for line in subprocess.run(
    [BIN, "--fault", "help"], capture_output=True, text=True).stdout.splitlines()] \
    if BIN.exists() else []
TESTED_FAULTS = set()


def fault(standin, text):
    assert standin.control(f"fault {text}").startswith(f"ok fault={text.split()[0]}")
    TESTED_FAULTS.add(text.split()[0])


def works(standin):
    """The fault goes, and the next good query works."""
    assert standin.control("fault none") == "ok fault=none"
    return legacy(standin)["status"] == "OK" and post(standin, new_body())[0] == 200


@pytest.mark.parametrize("chain", ["ec", "rsa"])
def test_certificate_faults(start, chain):
    one = start(chain=chain)
    for name, words in (("wrong-host", "Hostname mismatch"), ("expired", "has expired"),
                        ("not-yet-valid", "not yet valid"),
                        ("unknown-ca", "self[- ]signed certificate in certificate chain"),
                        ("self-signed", r"self[- ]signed certificate \("),
                        ("cut-chain", "unable to get local issuer")):
        assert one.control("reset") == "ok"
        fault(one, name)
        with pytest.raises(ssl.SSLCertVerificationError, match=words):
            legacy(one)
        assert works(one)
        stats = one.stats()
        assert (stats["faults"], stats["handshake_failures"], stats["handshakes"]) == (1, 1, 2)


def test_wrong_host_shows_a_chain_that_is_good_otherwise(standin):
    fault(standin, "wrong-host")
    assert get(standin, legacy_target(), "wrong-host.example")[0].status == 200


def test_a_good_session_does_not_hide_a_bad_certificate(standin):
    for version in (ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3):
        context = standin.context(version)
        connection = standin.connect(context=context)
        connection.request("GET", legacy_target())
        connection.getresponse().read()
        session = connection.sock.session
        fault(standin, "expired")
        assert connection.sock.recv(1) == b""  # the idle connection was closed
        with pytest.raises(ssl.SSLCertVerificationError):
            standin.connect(context=context, session=session).connect()
        assert works(standin)


def test_fault_no_resumption(standin):
    fault(standin, "no-resumption")
    context = standin.context(ssl.TLSVersion.TLSv1_2)
    session = None
    for _ in range(2):
        connection = standin.connect(context=context, session=session)
        connection.request("GET", legacy_target())
        assert connection.getresponse().status == 200
        assert not connection.sock.session_reused
        session = connection.sock.session
        connection.close()
    assert standin.stats()["resumed"] == 0


def test_fault_refused(standin):
    fault(standin, "refused")
    with pytest.raises(ConnectionRefusedError):
        legacy(standin)
    assert works(standin)


def test_fault_stall_connect(standin):
    fault(standin, "stall-connect")
    with pytest.raises(TimeoutError):
        socket.create_connection(("127.0.0.1", standin.port), 1.5)
    assert works(standin)


def test_fault_stall_handshake(standin):
    fault(standin, "stall-handshake")
    with socket.create_connection(("127.0.0.1", standin.port), TIMEOUT_S) as raw:
        raw.settimeout(1)
        with pytest.raises(TimeoutError):
            standin.context().wrap_socket(raw, server_hostname="localhost")
        assert works(standin)  # while that one still hangs
    assert standin.stats()["faults"] == 1


@pytest.mark.parametrize("name,status,code", [
    ("http-400", 400, "INVALID_ARGUMENT"), ("http-401", 401, "UNAUTHENTICATED"),
    ("http-403", 403, "PERMISSION_DENIED"), ("http-404", 404, None),
    ("http-429", 429, "RESOURCE_EXHAUSTED"), ("http-500", 500, "INTERNAL"),
    ("http-503", 503, "UNAVAILABLE")])
def test_http_status_faults(standin, name, status, code):
    fault(standin, name)
    response, body = get(standin, legacy_target())
    assert response.status == status and str(status).encode() in body
    if code is not None:
        got, answer = post(standin, new_body())
        assert (got, answer["error"]["code"], answer["error"]["status"]) == (status, status, code)
    assert standin.stats()["faults"] == 1 + (code is not None)
    assert works(standin)


def test_fault_over_limit(standin):
    fault(standin, "over-limit")
    assert legacy(standin)["status"] == "OVER_QUERY_LIMIT"
    assert post(standin, new_body())[0] == 429
    assert works(standin)


def test_fault_redirect(standin):
    fault(standin, "redirect")
    response, _ = get(standin, legacy_target())
    assert response.status == 302 and response.getheader("Location").startswith("https://")
    assert works(standin)


def test_fault_slow_delays_only_its_own_connection(standin):
    fault(standin, "slow 1500")
    slow = standin.connect()
    begun = time.monotonic()
    slow.request("GET", legacy_target())
    time.sleep(0.2)
    assert works(standin)
    assert time.monotonic() - begun < 1.4
    assert json.loads(slow.getresponse().read())["status"] == "OK"
    assert time.monotonic() - begun >= 1.5
    slow.close()


def test_fault_slow_has_a_default(standin):
    assert standin.control("fault slow") == "ok fault=slow arg=15000"


def test_fault_drip(standin):
    fault(standin, "drip 20")
    with standin.tls() as sock:
        sock.sendall(b"GET / HTTP/1.1\r\nHost: a\r\n\r\n")
        begun = time.monotonic()
        pieces = [sock.recv(100) for _ in range(30)]
        assert b"".join(pieces).startswith(b"HTTP/1.1 404 Not Found")
        assert {len(piece) for piece in pieces} == {1}
        assert time.monotonic() - begun > 0.5
        assert works(standin)


@pytest.mark.parametrize("name", ["stall-headers", "stall-body"])
def test_stalls_after_the_request(standin, name):
    fault(standin, name)
    with standin.tls() as sock:
        sock.sendall(f"GET {legacy_target()} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        sock.settimeout(1)
        received = b""
        with pytest.raises(TimeoutError):
            while chunk := sock.recv(65536):
                received += chunk
        if name == "stall-headers":
            assert received == b""
        else:
            head, body = received.split(b"\r\n\r\n", 1)
            length = int(re.search(rb"Content-Length: (\d+)", head).group(1))
            assert len(body) == length // 2 > 0
        assert works(standin)


def reply_to_legacy(standin):
    request = f"GET {legacy_target()} HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n"
    received = raw_exchange(standin, request.encode())
    head, _, body = received.partition(b"\r\n\r\n")
    return head, body


def test_fault_cut_body(standin):
    fault(standin, "cut-body")
    head, body = reply_to_legacy(standin)
    assert len(body) == int(re.search(rb"Content-Length: (\d+)", head).group(1)) // 2
    assert works(standin)


def test_fault_until_close_and_no_close_notify(standin):
    whole = get(standin, legacy_target())[1]
    fault(standin, "until-close")
    head, body = reply_to_legacy(standin)
    assert b"Content-Length" not in head and b"chunked" not in head and body == whole
    fault(standin, "no-close-notify")
    with pytest.raises(ssl.SSLError, match="(?i)eof"):
        reply_to_legacy(standin)
    assert works(standin)


@pytest.mark.parametrize("name,part", [("abrupt-close", 1), ("abrupt-cut", 2)])
def test_abrupt_ends_of_a_body_with_length(standin, name, part):
    fault(standin, name)
    with standin.tls() as sock:
        sock.sendall(f"GET {legacy_target()} HTTP/1.1\r\nHost: a\r\n\r\n".encode())
        received = b""
        with pytest.raises(ssl.SSLError, match="(?i)eof"):
            while True:
                received += sock.recv(65536)
    head, body = received.split(b"\r\n\r\n", 1)
    assert len(body) == int(re.search(rb"Content-Length: (\d+)", head).group(1)) // part > 0
    assert works(standin)


def test_fault_two_lengths(standin):
    fault(standin, "two-lengths")
    head, body = reply_to_legacy(standin)
    first, second = map(int, re.findall(rb"Content-Length: (\d+)", head))
    assert first == len(body) and second == first + 1
    assert works(standin)


def test_fault_length_and_chunked(standin):
    fault(standin, "length-and-chunked")
    head, body = reply_to_legacy(standin)
    assert b"Content-Length: " in head and b"Transfer-Encoding: chunked" in head
    assert body.startswith(b"1\r\n{\r\n")
    assert works(standin)


def test_fault_chunk_overflow(standin):
    fault(standin, "chunk-overflow")
    head, body = reply_to_legacy(standin)
    assert b"Transfer-Encoding: chunked" in head and b"Content-Length" not in head
    assert int(body.split(b"\r\n")[0], 16) > 2**64
    assert works(standin)


def test_fault_garbage(standin):
    fault(standin, "garbage")
    connection = standin.connect()
    connection.request("GET", legacy_target())
    with pytest.raises(http.client.HTTPException):
        connection.getresponse()
    assert works(standin)


def test_fault_truncated_json(standin):
    whole = get(standin, legacy_target())[1]
    fault(standin, "truncated-json")
    response, body = get(standin, legacy_target())
    assert response.status == 200 and whole.startswith(body) and len(body) == len(whole) // 2
    with pytest.raises(ValueError):
        json.loads(body)
    assert works(standin)


def test_fault_big_body(standin):
    fault(standin, "big-body")
    body = get(standin, legacy_target())[1]
    assert len(body) >= 10 << 20 and json.loads(body)["results"][0]["name"] == "Big 0"
    fault(standin, "big-body 5000")
    assert 0 < len(post(standin, new_body())[1]["places"]) < 100
    assert works(standin)


def test_fault_deep(standin):
    def depth(value):
        levels = 0
        while isinstance(value, (dict, list)):
            value = next(iter(value.values())) if isinstance(value, dict) else value[0]
            levels += 1
        return levels
    for levels in (3, 500):  # what Python's own reader takes
        fault(standin, f"deep {levels}")
        assert depth(legacy(standin)["results"][0]) == levels
        assert depth(post(standin, new_body())[1]["places"][0]) == levels
    fault(standin, "deep")
    body = get(standin, legacy_target())[1]
    assert body.count(b"[") + body.count(b"{") - body.count(b'"html_attributions":[') >= 1000
    assert works(standin)


def test_fault_duplicate_keys(standin):
    def refuse_duplicates(pairs):
        assert len({name for name, _ in pairs}) == len(pairs), "duplicate"
        return dict(pairs)
    fault(standin, "duplicate-keys")
    for text in (get(standin, legacy_target())[1], json.dumps(post(standin, new_body())[1])):
        json.loads(text)
    with pytest.raises(AssertionError, match="duplicate"):
        json.loads(get(standin, legacy_target())[1], object_pairs_hook=refuse_duplicates)
    assert works(standin)


def test_fault_wrong_types(standin):
    fault(standin, "wrong-types")
    assert legacy(standin)["results"][0] == 17
    assert post(standin, new_body())[1]["places"][0] == 17
    assert works(standin)


def test_every_fault_is_tested(request):
    assert len(ALL_FAULTS) > 30
    if request.config.getoption("keyword") or any("::" in arg for arg in request.config.args):
        pytest.skip("only part of this file is run")
    assert set(ALL_FAULTS) - TESTED_FAULTS == {"none", "chunked"}


# ---- Control, options, life ----

def test_last_says_where_the_key_travelled_and_never_shows_it(standin):
    assert standin.control("last") == "ok none"
    post(standin, new_body())
    last = standin.control("last")
    assert f"method=POST target={NEW_PATH} key_in=header:X-Goog-Api-Key " in last
    assert "X-Goog-FieldMask" in last and " status=200 " in last and KEY not in last
    legacy(standin)
    last = standin.control("last")
    assert " key_in=target " in last and "&key=*** " in last and KEY not in last
    connection = standin.connect()
    connection.request("POST", "/x", f"body {KEY}", {"User-Agent": KEY})
    connection.getresponse()
    assert " key_in=header:User-Agent,body " in standin.control("last")


def test_stats_count_and_reset(standin):
    legacy(standin)
    post(standin, new_body())
    get(standin, "/elsewhere")
    stats = standin.stats()
    assert (stats["requests"], stats["new"], stats["legacy"], stats["handshakes"]) == (3, 1, 1, 3)
    standin.control("reset")
    assert set(standin.stats().values()) == {0}


@pytest.mark.parametrize("line", ["", "fault", "fault nonsense", "fault slow x", "fault slow -1",
                                  "fault http-500 5", "fault " + "x" * 100, "stats now", "quit"])
def test_control_refuses_what_it_does_not_know(standin, line):
    assert standin.control(line).startswith("error ")
    assert standin.control("stats").endswith(" fault=none")


def test_begins_with_a_fault(start):
    one = start("--fault", "slow=300")
    begun = time.monotonic()
    assert legacy(one)["status"] == "OK"
    assert 0.3 <= time.monotonic() - begun < 5


def run_to_error(*options, key=KEY):
    environment = {name: value for name, value in os.environ.items() if name != "PLACES_KEY"}
    if key is not None:
        environment["PLACES_KEY"] = key
    done = subprocess.run([BIN, "--certs", CERTS, *options], capture_output=True, text=True,
                          timeout=20, env=environment)
    assert done.stdout == "" and done.returncode == 2
    assert re.fullmatch(r"places-standin: [^\n]+\n", done.stderr), done.stderr
    return done.stderr


def test_errors_are_one_clear_line(standin, tmp_path):
    assert f"port {standin.port}: in use" in run_to_error("--port", str(standin.port))
    assert "control port" in run_to_error("--port", "0", "--control", str(standin.port))
    assert "certs.sh" in run_to_error("--port", "0", "--certs", str(tmp_path))
    assert "PLACES_KEY" in run_to_error("--port", "0", key=None)
    assert "key is empty" in run_to_error("--port", "0", key="")
    assert "white space" in run_to_error("--port", "0", key="two words")
    assert "No such file" in run_to_error("--port", "0", "--key-file", str(tmp_path / "x"))
    assert "No such file" in run_to_error("--port", "0", "--answer-file", str(tmp_path / "x"))
    assert "ec or rsa" in run_to_error("--chain", "dsa")
    assert "no such fault" in run_to_error("--fault", "nonsense")
    assert "--port 70000" in run_to_error("--port", "70000")
    assert "unexpected argument" in run_to_error("--port", "0", "more")


def test_key_comes_from_a_file(start, tmp_path):
    file = tmp_path / "key"
    file.write_text("key-of-the-file\n")
    one = start("--key-file", str(file))
    assert legacy(one, key="key-of-the-file")["status"] == "OK"
    assert legacy(one)["status"] == "REQUEST_DENIED"


def test_listens_on_loopback_only(standin):
    with socket.socket() as sock:
        sock.settimeout(2)
        with pytest.raises(OSError):
            sock.connect(("127.0.0.2", standin.port))  # 0.0.0.0 would answer there


def test_stops_within_a_second_with_clients_connected(start):
    one = start()
    with one.tls() as sock:
        begun = time.monotonic()
        one.process.terminate()
        assert sock.recv(1) == b""
        one.process.wait(5)
        assert time.monotonic() - begun < 1


def test_many_idle_clients_do_not_stop_the_others(standin):
    idle = [socket.create_connection(("127.0.0.1", standin.port)) for _ in range(200)]
    assert works(standin)
    for sock in idle:
        sock.close()
    assert works(standin)


# ---- Certificates ----

def test_certs_are_made_once_and_keys_are_private(tmp_path):
    script = ROOT / "tools" / "places-standin" / "certs.sh"
    directory = tmp_path / "certs"
    subprocess.run([script, directory], check=True, timeout=120)
    keys = list(directory.glob("*.key"))
    assert len(keys) == 2
    assert {oct(key.stat().st_mode & 0o777) for key in keys} == {"0o600"}
    before = (directory / "chain-ec.pem").read_bytes()
    begun = time.monotonic()
    subprocess.run([script, directory], check=True, timeout=20)
    assert time.monotonic() - begun < 2
    assert (directory / "chain-ec.pem").read_bytes() == before
    (directory / "root-rsa.pem").unlink()
    subprocess.run([script, directory], check=True, timeout=120)
    assert (directory / "root-rsa.pem").exists()
    assert (directory / "chain-ec.pem").read_bytes() != before
    assert not list(directory.glob(".work.*"))
