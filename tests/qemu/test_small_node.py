"""A herd of a laptop's node and boards under QEMU, among them the smallest: lm3s6965evb."""

import json
import os

import pytest

import herdlib
from herdlib import Client, wait_until

KNOWN = os.environ.get("HERD_BOARDS", "mps2-an385 lm3s6965evb").split()
SMALL = "lm3s6965evb"

pytestmark = pytest.mark.skipif(SMALL not in KNOWN, reason="this board is not tested now")

UCLA = "+34.068930-118.445127"


@pytest.fixture(name="mixed", params=["chain", "triangle"])
def fixture_mixed(request, new_herd):
    """Host (a laptop's node), Full (a full board, or a second laptop) and Small."""
    full = "mps2-an385" if "mps2-an385" in KNOWN else "posix"
    links = {"chain": (("Host", "Small"), ("Small", "Full")),
             "triangle": (("Host", "Small"), ("Small", "Full"), ("Host", "Full"))}[request.param]
    herd = new_herd(("Host", "Full", "Small"), links,
                    {"Host": "posix", "Full": full, "Small": SMALL})
    herd.start()
    herd.linked()
    return herd


def test_a_report_at_any_node_is_known_at_all(mixed):
    for i, name in enumerate(mixed.names):
        with Client(mixed[name].port) as client:
            at = client.iamat(f"device-of-{name}", "+34.068930-118.445127", 1000 + i)
        for other in mixed.names:
            mixed.knows(other, f"device-of-{name}", at)


def test_the_newest_of_many_reports_at_all_nodes_stays_everywhere(mixed):
    clients = [mixed.client(name) for name in mixed.names]
    for i in range(60):
        at = clients[i % 3].iamat("kiwi", f"+{i}.5-{i}", 5000 + i)
    for name in mixed.names:
        mixed.knows(name, "kiwi", at)


def test_a_small_table_keeps_the_newest_and_the_others_keep_all(mixed):
    room = herdlib.DEVICES[SMALL]
    count = room + 40
    with Client(mixed["Host"].port) as host:
        ats = [host.iamat(f"device{i}", "+1+2", 1000 + i) for i in range(count)]
    mixed.knows("Small", f"device{count - 1}", ats[-1])
    for i in range(count - room, count):
        mixed.knows("Small", f"device{i}", ats[i])
    with Client(mixed["Small"].port) as small, Client(mixed["Host"].port) as host:
        assert small.known("device0") is None
        for i in range(count):
            assert host.known(f"device{i}") == ats[i]


def test_a_small_node_that_was_killed_learns_everything_when_it_is_back(mixed):
    with Client(mixed["Host"].port) as host:
        before = host.iamat("before", "+1+2", 1000)
        mixed.knows("Small", "before", before)
        mixed["Small"].kill()
        meanwhile = host.iamat("meanwhile", "+3+4", 2000)
    mixed.start("Small")
    mixed.linked()
    mixed.knows("Small", "before", before)
    mixed.knows("Small", "meanwhile", meanwhile)
    with Client(mixed["Small"].port) as small:
        mixed.knows("Full", "after", small.iamat("after", "+5+6", 3000))


def test_a_neighbour_that_was_killed_is_missed_by_nobody(mixed):
    mixed["Host"].kill()
    with Client(mixed["Small"].port) as small:
        at = small.iamat("kiwi", "+1+2", 1000)
        mixed.knows("Full", "kiwi", at)
    mixed.start("Host")
    mixed.linked()
    mixed.knows("Host", "kiwi", at)


def test_whatsat_at_a_herd_without_places_keeps_the_shape(mixed):
    with Client(mixed["Host"].port) as host:
        at = host.iamat("kiwi", UCLA, 1000)
    mixed.knows("Small", "kiwi", at)
    with Client(mixed["Small"].port) as small:
        answer = small.whatsat("kiwi", 10, 5)
        parsed = json.loads(answer.text)
        assert answer.at == at and parsed["results"] == [] and "none" in parsed["error_message"]
        assert b"ZERO_RESULTS" in small.whatsat("kiwi", 0, 5).text


@pytest.mark.parametrize("provider", ["google", "google-legacy"])
def test_whatsat_at_the_smallest_node_is_answered_by_a_neighbour(new_standin, new_herd, provider):
    """And it says so in the protocol's shape when that one is gone."""
    herd = new_herd(("Host", "Small"), (("Host", "Small"),), {"Host": "posix", "Small": SMALL},
                    places=new_standin().places(provider=provider))
    herd.start()
    herd.linked()
    with Client(herd["Small"].port) as small:
        at = small.iamat("kiwi", UCLA, 1000)
        herd.knows("Host", "kiwi", at)
        whole = json.loads(herd.client("Host").whatsat("kiwi", 10, 20).text)["results"]
        for bound in (1, 20):
            answer = small.whatsat("kiwi", 10, bound)
            parsed = json.loads(answer.text)
            kept = parsed["results"]
            assert answer.at == at and parsed["status"] == "OK" and 1 <= len(kept) <= bound
            assert kept == whole[:len(kept)]
            assert len(answer.text) <= herdlib.ANSWER_BYTES[SMALL]
        herd["Host"].kill()
        herd["Small"].log.wait("link.down", peer="Host")
        parsed = json.loads(small.whatsat("kiwi", 10, 5).text)
        assert parsed["error_message"] == "no neighbour with an upstream is reachable"
        assert small.iamat("kiwi", UCLA, 2000)


def test_the_limits_worth_of_clients_is_served_while_both_links_work(mixed):
    clients = [mixed.client("Small") for _ in range(herdlib.SESSIONS[SMALL])]
    for round_ in range(20):
        for i, client in enumerate(clients):
            at = client.iamat(f"device{i}", "+1+2", 1000 + round_)
    mixed.knows("Host", f"device{len(clients) - 1}", at)
    mixed.knows("Full", f"device{len(clients) - 1}", at)
    log = mixed["Small"].log
    with Client(mixed["Small"].port) as late:  # refused, and not at the others' cost
        late.socket.settimeout(10)
        try:
            assert late.socket.recv(1) == b""
        except ConnectionResetError:
            pass
    assert clients[0].iamat("device0", "+1+2", 9000)
    wait_until(lambda: log.count("link.down") == 0, "both links stayed", 1)
