"""WHATSAT against the Places stand-in, over real TLS: answers, faults, budget, cache."""

import json
import re
import socket
import time
from pathlib import Path

import pytest

from herdlib import (ANSWER_BYTES, DATA, KEY, SESSIONS, Client, free_port, wait_until,
                     where)

UCLA = "+34.068930-118.445127"
STATUSES = {"OVER_QUERY_LIMIT", "REQUEST_DENIED", "INVALID_REQUEST", "UNKNOWN_ERROR"}
CERTIFICATE_FAULTS = ["wrong-host", "unknown-ca", "self-signed", "cut-chain", "expired",
                      "not-yet-valid"]
PROVIDERS = ["google", "google-legacy"]
REAL_ANSWER = DATA / "places" / "nearbysearch-sydney.json"


def good(answer, bound=5):
    """The places of a good answer, checked for the shape that PROTOCOL.md promises."""
    parsed = json.loads(answer.text)
    assert parsed["status"] == "OK", parsed
    assert parsed["html_attributions"] == []
    assert 1 <= len(parsed["results"]) <= bound
    for place in parsed["results"]:
        assert isinstance(place["name"], str) and place["name"]
        assert isinstance(place["place_id"], str) and isinstance(place["vicinity"], str)
        assert all(isinstance(kind, str) for kind in place["types"])
        location = place["geometry"]["location"]
        assert -90 <= location["lat"] <= 90 and -180 <= location["lng"] <= 180
    return parsed["results"]


def failed(answer, *statuses):
    """The message of a failure, checked for its shape."""
    parsed = json.loads(answer.text)
    assert set(parsed) == {"html_attributions", "results", "status", "error_message"}, parsed
    assert parsed["html_attributions"] == parsed["results"] == []
    assert parsed["status"] in (statuses or STATUSES), parsed
    assert len(parsed["error_message"]) > 5
    return parsed["error_message"]


class Asking:
    """A node with a stand-in behind it, and a client that has reported where `kiwi` is."""

    def __init__(self, standin, herd):
        self.standin = standin
        self.herd = herd
        herd.start()
        self.node = herd["Solo"]
        self.client = herd.client("Solo")
        self.at = self.client.iamat("kiwi", UCLA)

    def ask(self, radius=10, bound=5):
        answer = self.client.whatsat("kiwi", radius, bound)
        assert answer.at == self.at
        return answer


@pytest.fixture(name="new_asking")
def fixture_new_asking(new_standin, new_herd):
    """new_asking(board=, chain=, standin=[options], further keys of [places])."""
    def make(board="posix", chain="ec", standin=(), standin_key=KEY, **places):
        one = new_standin(*standin, chain=chain, key=standin_key)
        return Asking(one, new_herd(boards=board, places=one.places(**places)))
    return make


# ---- Answers ----

@pytest.mark.parametrize("provider", PROVIDERS)
@pytest.mark.parametrize("chain", ["ec", "rsa"])
def test_whatsat_is_answered_over_verified_https(new_asking, board, provider, chain):
    asking = new_asking(board, chain, provider=provider)
    names = [place["name"] for place in good(asking.ask())]
    assert len(set(names)) == len(names)
    if provider == "google-legacy" and ANSWER_BYTES[board] <= 8192:
        assert 2 <= len(names) < 5, "8 KB do not hold five entries of this size"
        assert int(asking.node.log.wait("places.answered").fields["left_out"]) == 5 - len(names)
    else:
        assert len(names) == 5
    host = "places.googleapis.com" if provider == "google" else "maps.googleapis.com"
    assert f" sni={host} " in asking.standin.last()


def test_a_provider_without_a_tls_version_of_ours_fails_in_the_answers_shape(new_asking, board):
    asking = new_asking(board, standin=["--tls", "1.3"])
    assert "TLS" in failed(asking.ask(), "UNKNOWN_ERROR")


@pytest.mark.parametrize("provider", PROVIDERS)
def test_the_answer_has_at_most_bound_places(new_asking, board, provider):
    asking = new_asking(board, provider=provider)
    nearest = [place["place_id"] for place in good(asking.ask(10, 20), 20)]
    assert len(nearest) >= (20 if board == "posix" else 2)
    for bound in (1, 2, 19, 20):
        wanted = nearest[:bound]
        places = good(asking.ask(10, bound), bound)
        assert [place["place_id"] for place in places][:len(wanted)] == wanted
        assert len(places) == min(bound, 20) or ANSWER_BYTES[board] <= 8192


def test_the_radius_reaches_the_provider_in_metres(new_asking):
    asking = new_asking()
    few = {place["place_id"] for place in good(asking.ask("0.4", 20), 20)}
    many = {place["place_id"] for place in good(asking.ask("5", 20), 20)}
    assert few < many or (few & many and len(few) < len(many))
    good(asking.ask("50", 20), 20)
    assert asking.standin.stats()["requests"] == 3


def test_nothing_is_asked_upstream_for_radius_0_bound_0_or_an_unknown_device(new_asking):
    asking = new_asking()
    for radius, bound in ((0, 5), (10, 0)):
        assert json.loads(asking.ask(radius, bound).text)["status"] == "ZERO_RESULTS"
    assert asking.client.ask(b"WHATSAT nobody 10 5") == b"? WHATSAT nobody 10 5"
    assert asking.standin.stats()["connections"] == 0


@pytest.mark.parametrize("location", ["+90+0", "-90-180", "+0+180", "-0.0000001+0.0000001",
                                      "+.5-.5", "-33.8670522+151.1957362", "+45.-0"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_any_place_on_earth_can_be_asked_about(new_asking, provider, location):
    asking = new_asking(provider=provider)
    asking.client.iamat("there", location)
    good(asking.client.whatsat("there", 10, 5))


@pytest.mark.parametrize("fault", ["chunked", "until-close", "no-resumption"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_every_framing_of_the_answer_gives_the_same_places(new_asking, board, provider, fault):
    asking = new_asking(board, provider=provider)
    plain = asking.ask().text
    asking.standin.fault(fault)
    for _ in range(2):
        assert asking.ask().text == plain
    asking.standin.fault("none")
    assert asking.ask().text == plain


def test_answers_end_with_two_newlines_and_hold_no_empty_line(new_asking, board):
    asking = new_asking(board, provider="google-legacy")
    asking.client.send(b"WHATSAT kiwi 10 5\nIAMAT other +1+2 3\nWHATSAT kiwi 10 5\nend\n")
    asking.client.half_close()
    first, rest = asking.client.rest().split(b"\n\n", 1)
    other, rest = rest.split(b"\n", 1)
    second, end = rest.split(b"\n\n", 1)
    assert first == second and first.startswith(asking.at + b"\n{") and first.endswith(b"}")
    assert other.startswith(b"AT Solo ") and other.endswith(b" other +1+2 3")
    assert end == b"? end\n"


# ---- A real answer ----

@pytest.mark.parametrize("bound", [1, 5, 13, 20])
def test_a_real_answer_is_passed_on_cut_to_the_bound(new_asking, board, bound):
    if not REAL_ANSWER.exists():
        pytest.skip(f"{REAL_ANSWER} is missing")
    real = json.loads(REAL_ANSWER.read_text())
    assert len(real["results"]) == 13
    asking = new_asking(board, standin=["--answer-file", str(REAL_ANSWER)],
                        provider="google-legacy")
    answer = asking.ask(1.5, bound)
    parsed = json.loads(answer.text)
    wanted = real["results"][:bound]
    assert parsed["status"] == "OK" and parsed["html_attributions"] == []
    assert len(answer.text) <= ANSWER_BYTES[board]
    if board == "posix" or bound == 1:
        assert parsed["results"] == wanted
    else:  # what does not fit is left out
        assert parsed["results"] and all(place in wanted for place in parsed["results"])
    first = json.dumps(wanted[0]["photos"][0]["photo_reference"]).encode()
    assert b'"photo_reference": ' + first in answer.text, "Google's own text, not ours"


# ---- Certificates ----

@pytest.mark.parametrize("fault", CERTIFICATE_FAULTS)
@pytest.mark.parametrize("chain", ["ec", "rsa"])
def test_a_bad_certificate_is_refused_with_a_reason(new_asking, board, chain, fault):
    asking = new_asking(board, chain, ["--fault", fault])
    message = failed(asking.ask(), "UNKNOWN_ERROR")
    assert re.search("certificate|trust|verif|name|expired|valid", message, re.I), message
    stats = asking.standin.stats()
    assert stats["requests"] == 0 and stats["handshake_failures"] >= 1
    asking.node.log.wait("tls.failed")
    assert asking.client.ask(b"IAMAT other +1+2 3").startswith(b"AT ")
    asking.standin.fault("none")
    good(asking.ask())


@pytest.mark.parametrize("fault", CERTIFICATE_FAULTS)
def test_a_certificate_that_turns_bad_is_refused_after_good_answers(new_asking, fault):
    asking = new_asking()
    good(asking.ask())
    asking.standin.fault(fault)
    asking.standin.control("hangup")
    failed(asking.ask(11), "UNKNOWN_ERROR")
    assert asking.standin.stats()["requests"] == 1


def test_the_other_chains_root_is_not_trusted(new_standin, new_herd):
    standin = new_standin(chain="ec")
    places = standin.places(trust_file=Path(standin.places()["trust_file"]).parent / "root-rsa.pem")
    failed(Asking(standin, new_herd(places=places)).ask(), "UNKNOWN_ERROR")


def test_googles_own_anchors_do_not_trust_the_standin(new_standin, new_herd):
    standin = new_standin()
    places = standin.places()
    del places["trust_file"]
    failed(Asking(standin, new_herd(places=places)).ask(), "UNKNOWN_ERROR")
    assert standin.stats()["requests"] == 0


def test_a_skipped_dns_lookup_does_not_skip_the_name_check(new_asking):
    asking = new_asking(host="places.example.org")
    failed(asking.ask(), "UNKNOWN_ERROR")
    assert asking.standin.stats()["requests"] == 0


# ---- Refusals and broken answers ----

@pytest.mark.parametrize("fault, status", [
    ("http-400", "INVALID_REQUEST"), ("http-403", "REQUEST_DENIED"),
    ("http-429", "OVER_QUERY_LIMIT"), ("over-limit", "OVER_QUERY_LIMIT"),
    ("http-500", "UNKNOWN_ERROR"), ("http-503", "UNKNOWN_ERROR")])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_refusal_is_told_in_the_answers_shape(new_asking, board, provider, fault, status):
    asking = new_asking(board, provider=provider)
    asking.standin.fault(fault)
    failed(asking.ask(), status)
    asking.node.log.wait("places.failed")
    asking.standin.fault("none")
    good(asking.ask())


@pytest.mark.parametrize("fault", [
    "truncated-json", "garbage", "cut-body", "no-close-notify", "redirect", "http-404", "http-401",
    "two-lengths", "length-and-chunked", "chunk-overflow", "deep 1000", "duplicate-keys",
    "wrong-types", "big-body 3000000"])
@pytest.mark.parametrize("provider", PROVIDERS)
def test_a_hostile_answer_keeps_the_shape_and_the_next_query_works(new_asking, board, provider,
                                                                   fault):
    asking = new_asking(board, provider=provider, timeout_ms=5000)
    asking.standin.fault(fault)
    parsed = json.loads(asking.ask().text)
    assert parsed["html_attributions"] == [] and len(parsed["results"]) <= 5
    assert parsed["status"] in STATUSES | {"OK", "ZERO_RESULTS"}
    if fault in ("truncated-json", "garbage", "cut-body", "redirect", "http-404", "http-401",
                 "two-lengths", "length-and-chunked", "chunk-overflow", "deep 1000"):
        assert parsed["status"] in STATUSES and parsed["results"] == [], parsed
    asking.standin.fault("none")
    good(asking.ask())
    assert asking.standin.stats()["faults"] >= 1


def test_a_wrong_key_is_refused_and_never_shown(new_asking):
    asking = new_asking(standin_key="another-key")
    message = failed(asking.ask(), "REQUEST_DENIED")
    assert KEY not in message
    assert KEY.encode() not in asking.node.log.text()
    assert asking.standin.stats()["bad_key"] == 1


@pytest.mark.parametrize("provider, only", [("google", "legacy"), ("google-legacy", "new")])
def test_a_key_that_is_good_for_the_other_api_only_is_said_clearly(new_asking, provider, only):
    asking = new_asking(standin=["--only", only], provider=provider)
    message = failed(asking.ask(), "REQUEST_DENIED")
    other = "google-legacy" if provider == "google" else "provider = google"
    assert re.search(r"legacy|new", message, re.I), message
    event = asking.node.log.wait("places.failed")
    assert re.search(r"legacy|new", event.line, re.I), event
    assert other.split()[-1] in message, "tells which provider to set"


# ---- Time ----

@pytest.mark.parametrize("fault", ["slow 20000", "stall-handshake", "stall-headers", "stall-body",
                                   "drip 500", "stall-connect"])
def test_one_deadline_bounds_every_kind_of_slowness(new_asking, board, fault):
    asking = new_asking(board, timeout_ms=700)
    asking.standin.fault(fault)
    start = time.monotonic()
    message = failed(asking.ask(), "UNKNOWN_ERROR")
    took = time.monotonic() - start
    assert 0.6 <= took < 5, f"{took} s; {message}"
    asking.standin.fault("none")
    asking.standin.control("hangup")
    wait_until(lambda: json.loads(asking.ask().text)["status"] == "OK",
               "the stand-in works again", 10)


def test_other_clients_are_served_while_one_waits_for_places(new_asking, board):
    asking = new_asking(board)
    asking.standin.fault("slow 1500")
    asking.client.send(b"WHATSAT kiwi 10 5\nIAMAT kiwi %s 1\n" % UCLA.encode())
    asking.node.log.wait("places.asked")
    with Client(asking.node.port) as other:
        for number in range(50):
            assert other.ask(b"IAMAT other +1+2 %d" % number).startswith(b"AT ")
        assert json.loads(other.whatsat("kiwi", 0, 0).text)["status"] == "ZERO_RESULTS"
    assert not asking.node.log.find("places.answered"), "all that was before the places came"
    good(asking.client.read_answer())
    assert asking.client.line().endswith(b" 1"), "answers stay in order"


def test_a_client_that_leaves_while_it_waits_harms_nobody(new_asking, board):
    asking = new_asking(board)
    asking.standin.fault("slow 300")
    for _ in range(3):
        with Client(asking.node.port) as leaver:
            asked = asking.node.log.count("session.command")
            leaver.send(b"WHATSAT kiwi 10 5\n")
            wait_until(lambda: asking.node.log.count("session.command") > asked, "it was asked")
    good(asking.ask())
    asking.standin.fault("none")
    good(asking.ask(11))


def test_half_close_while_waiting_still_delivers_the_answer(new_asking, board):
    asking = new_asking(board)
    asking.standin.fault("slow 300")
    asking.client.send(b"WHATSAT kiwi 10 5")
    asking.client.half_close()
    good(asking.client.read_answer())
    assert asking.client.rest() == b""


def test_a_standin_that_is_down_fails_soon_and_works_when_it_is_back(new_asking, board):
    asking = new_asking(board)
    good(asking.ask())
    asking.standin.fault("refused")
    asking.standin.control("hangup")
    failed(asking.ask(11), "UNKNOWN_ERROR")
    failed(asking.ask(12), "UNKNOWN_ERROR")
    asking.standin.fault("none")
    good(asking.ask(13))


def test_nobody_listening_at_all_is_told_in_the_answers_shape(new_herd, new_standin):
    standin = new_standin()
    places = standin.places(port=free_port())
    failed(Asking(standin, new_herd(places=places)).ask(), "UNKNOWN_ERROR")


# ---- Sharing, cache, budget ----

def test_equal_queries_at_once_make_one_request(new_asking, board):
    asking = new_asking(board)
    asking.standin.fault("slow 700")
    others = [Client(asking.node.port) for _ in range(min(20, SESSIONS[board] - 1))]
    try:
        # A board's backlog is short: some get in only when their SYN is repeated.
        asking.node.log.wait("session.taken", count=1 + len(others))
        for one in others:
            one.send(b"WHATSAT kiwi 10 5\n")
        texts = {one.read_answer().text for one in others}
        assert len(texts) == 1
        assert asking.standin.stats()["requests"] == 1
        asking.standin.fault("none")
        good(asking.ask())
        assert asking.standin.stats()["requests"] == 2, "nothing was kept"
    finally:
        for one in others:
            one.close()


def test_more_different_queries_than_slots_are_all_answered(new_asking, board):
    asking = new_asking(board)
    asking.standin.fault("slow 50")
    others = [Client(asking.node.port) for _ in range(min(20, SESSIONS[board] - 1))]
    try:
        for radius, one in enumerate(others, 1):
            one.send(b"WHATSAT kiwi %d 20\n" % radius)
        for one in others:
            good(one.read_answer(), 20)
        assert asking.standin.stats()["requests"] == len(others)
    finally:
        for one in others:
            one.close()


def test_queries_beyond_the_minutes_budget_are_refused_and_not_sent(new_asking):
    asking = new_asking(queries_per_minute=3)
    for radius in (1, 2, 3):
        good(asking.ask(radius))
    for radius in (4, 1):
        failed(asking.ask(radius), "OVER_QUERY_LIMIT")
    assert asking.standin.stats()["requests"] == 3
    asking.node.log.wait("places.over_limit")
    assert json.loads(asking.ask(0, 0).text)["status"] == "ZERO_RESULTS"


def test_queries_beyond_the_days_budget_are_refused_and_not_sent(new_asking):
    asking = new_asking(queries_per_day=2)
    for radius in (1, 2):
        good(asking.ask(radius))
    failed(asking.ask(3), "OVER_QUERY_LIMIT")
    assert asking.standin.stats()["requests"] == 2


def test_without_a_cache_every_query_is_asked(new_asking):
    asking = new_asking()
    for _ in range(3):
        good(asking.ask())
    assert asking.standin.stats()["requests"] == 3


def test_a_cached_answer_is_used_until_its_lifetime_ends(new_asking):
    asking = new_asking(cache_seconds=1, queries_per_minute=600)
    start = time.monotonic()
    first = asking.ask().text
    assert asking.ask().text == first
    assert asking.standin.stats()["requests"] == 1

    def asked_again():
        assert asking.ask().text == first
        return asking.standin.stats()["requests"] == 2
    wait_until(asked_again, "the answer is asked for again", 5)
    assert time.monotonic() - start >= 0.9


def test_failures_are_not_cached(new_asking):
    asking = new_asking(cache_seconds=60)
    asking.standin.fault("http-500")
    failed(asking.ask())
    asking.standin.fault("none")
    good(asking.ask())
    good(asking.ask())
    assert asking.standin.stats()["requests"] == 2


def test_other_bounds_and_radii_are_not_answered_from_each_others_cache(new_asking):
    asking = new_asking(cache_seconds=60)
    assert len(good(asking.ask(10, 2), 2)) == 2
    assert len(good(asking.ask(10, 20), 20)) == 20
    assert len(good(asking.ask(10, 2), 2)) == 2
    good(asking.ask(11, 2), 2)
    assert 3 <= asking.standin.stats()["requests"] <= 4


def test_a_client_that_does_not_read_loses_its_answer_and_others_get_theirs(new_asking, board):
    """One slot for answers is all that a small board has: nobody can keep it by not reading."""
    asking = new_asking(board, provider="google-legacy", cache_seconds=600, timeout_ms=30000,
                        queries_per_minute=600)
    whole = asking.ask(10, 20).text
    # More than everything between the node and this client holds.
    commands = b"WHATSAT kiwi 10 20\n" * (40_000_000 // len(whole))
    with socket.create_connection(where(asking.node.port)) as sleeper:
        sleeper.settimeout(0.5)
        try:
            sleeper.sendall(commands)
        except OSError:
            pass  # it reads no further while we take nothing
        asking.node.log.wait("session.ended", reason="answer not read in time", timeout_s=60)
        assert asking.ask(10, 20).text == whole
        good(asking.ask(9, 3), 3)


# ---- Connections upstream ----

def test_the_upstream_connection_is_kept(new_asking, board):
    asking = new_asking(board)
    for radius in (1, 2, 3, 4):
        good(asking.ask(radius))
    stats = asking.standin.stats()
    assert (stats["connections"], stats["handshakes"], stats["requests"]) == (1, 1, 4)


def test_a_new_connection_resumes_the_session(new_asking, board):
    asking = new_asking(board)
    for radius in (1, 2, 3):
        good(asking.ask(radius))
        asking.standin.control("hangup")
    stats = asking.standin.stats()
    assert stats["connections"] == 3 and stats["resumed"] == 2, stats


# ---- The key ----

def test_the_key_travels_in_a_header_and_shows_nowhere(new_asking):
    asking = new_asking()
    good(asking.ask())
    last = asking.standin.last()
    assert "method=POST" in last and "key_in=header:X-Goog-Api-Key" in last
    asking.standin.fault("http-403")
    failed(asking.ask())
    assert KEY.encode() not in asking.node.log.text()
    assert KEY.encode() not in Path(f"/proc/{asking.node.pid}/cmdline").read_bytes()


def test_the_legacy_key_shows_in_no_log(new_asking):
    asking = new_asking(provider="google-legacy")
    good(asking.ask())
    assert "key_in=target" in asking.standin.last()
    asking.standin.fault("http-403")
    failed(asking.ask())
    assert KEY.encode() not in asking.node.log.text()


def test_the_key_is_read_from_a_file(new_standin, new_herd, tmp_path):
    key_file = tmp_path / "key"
    key_file.write_text("key-from-a-file\n")
    key_file.chmod(0o600)
    standin = new_standin(key="key-from-a-file")
    herd = new_herd(places=standin.places(key_file=key_file))
    asking = Asking(standin, herd)
    good(asking.ask())
    assert b"key-from-a-file" not in asking.node.log.text()


def test_the_launchers_overrides_point_a_node_at_the_standin(new_standin, new_herd):
    standin = new_standin()
    herd = new_herd(places={"provider": "google"})
    herd.launch("Solo", "--set", f"places.address={standin.address}", "--set", f"places.port={standin.port}",
                "--set", f"places.trust_file={standin.places()['trust_file']}")
    herd["Solo"].log.wait("node.ready")
    client = herd.client("Solo")
    client.iamat("kiwi", UCLA)
    good(client.whatsat("kiwi"))
