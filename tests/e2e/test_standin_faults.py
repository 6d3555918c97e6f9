"""The Places stand-in by itself: each fault really happens."""

import http.client
import json
import re
import socket
import ssl
import subprocess
import time

import pytest

from standin_common import (BIN, TIMEOUT_S, get, legacy, legacy_target, new_body, post,
                            raw_exchange, shared, standin, start, works)  # noqa: F401


ALL_FAULTS = [line.split()[0] for line in subprocess.run(
    [BIN, "--fault", "help"], capture_output=True, text=True).stdout.splitlines()] \
    if BIN.exists() else []
TESTED_FAULTS = set()


def fault(standin, text):
    assert standin.control(f"fault {text}").startswith(f"ok fault={text.split()[0]}")
    TESTED_FAULTS.add(text.split()[0])


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
