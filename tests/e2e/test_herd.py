"""Sections 6 and 7 of PROTOCOL.md: what one node learns, every node knows."""

import itertools
import subprocess
import time

import pytest

from herdlib import (BAILEY, BAILEY_LINKS, BIN, DATA, DEVICES, PATIENCE_S, Client, Herd, Programs,
                     free_port, parse_at, wait_until)

TRACKS = DATA / "tracks"
serial = itertools.count()


def device():
    """A name that no other test uses."""
    return f"device{next(serial)}"


@pytest.fixture(scope="module", name="bailey")
def fixture_bailey(tmp_path_factory):
    """The herd of five, for tests that leave it as it was."""
    programs = Programs(tmp_path_factory.mktemp("bailey"))
    herd = Herd(programs, BAILEY, BAILEY_LINKS)
    herd.start()
    herd.linked()
    yield herd
    programs.end()


@pytest.fixture(name="own_bailey")
def fixture_own_bailey(new_herd):
    """A herd of five of the test's own."""
    herd = new_herd(BAILEY, BAILEY_LINKS)
    herd.start()
    herd.linked()
    return herd


def report(herd, at, name=None, **named):
    with Client(herd[at].port) as client:
        return client.iamat(name or device(), **named)


def all_know(herd, at, names=BAILEY):
    for name in names:
        herd.knows(name, parse_at(at).client, at)


# ---- A quiet herd ----

@pytest.mark.parametrize("entry", BAILEY)
def test_an_update_entered_at_any_node_is_known_at_all_five(bailey, entry):
    at = report(bailey, entry)
    assert parse_at(at).server == entry
    all_know(bailey, at)


def test_the_newest_report_wins_everywhere_whichever_node_took_it(bailey):
    name = device()
    for stamp, entry in enumerate(BAILEY, 100):
        newest = report(bailey, entry, name, stamp=stamp)
    for entry in BAILEY:
        report(bailey, entry, name, location="+1+2", stamp=50)
    all_know(bailey, newest)


def test_reports_of_the_same_time_at_all_nodes_end_in_the_same_record(bailey):
    name = device()
    ats = [report(bailey, entry, name, location=f"+{number}+0", stamp=100)
           for number, entry in enumerate(BAILEY)]
    all_know(bailey, ats[-1])  # the bytewise greatest server name


def test_every_digit_and_byte_survives_the_way_through_the_herd(bailey):
    for name, location, stamp in (("k\u012bwi\u2708" + device(), "+0034.0689300-.5",
                                   "0001621464827.95"),
                                  ("a=b\"\\" + device(), "-90.-180.", ".5"),
                                  ("x" * 60 + device(), "+0+0", "1621464827.959498503000")):
        at = report(bailey, "Clark", name, location=location, stamp=stamp)
        assert at.endswith(f" {name} {location} {stamp}".encode())
        all_know(bailey, at)


def test_one_update_is_sent_at_most_once_over_each_link_and_never_back(bailey):
    marks = {name: bailey[name].log.mark() for name in BAILEY}
    name = device()
    at = report(bailey, "Clark", name)
    all_know(bailey, at)

    def got(node):
        """From whom a node got the update, in order."""
        return [event.fields["peer"] for event in bailey[node].log.find("link.got", marks[node])
                if f" {name} " in event.line]
    # A later update is known everywhere: whatever there was to say about the first has been said.
    all_know(bailey, report(bailey, "Clark"))
    copies = {node: got(node) for node in BAILEY}
    for node in set(BAILEY) - {"Clark"}:
        assert 1 <= len(copies[node]) == len(set(copies[node])) <= len(bailey.neighbours(node))
        # Copies may cross, also on the way to the origin; none goes back to where it came from.
        assert node not in copies[copies[node][0]], f"{node} told {copies[node][0]}: {copies}"
    assert sum(map(len, copies.values())) <= 2 * len(BAILEY_LINKS) - (len(BAILEY) - 1)


def test_without_cycles_every_node_gets_one_copy_and_the_origin_none(new_herd):
    herd = new_herd(("A", "B", "C", "D"), (("A", "B"), ("B", "C"), ("B", "D")))
    herd.start()
    herd.linked()
    updates = 20
    for stamp in range(updates):
        all_know(herd, report(herd, "A", "kiwi", stamp=stamp), "ABCD")
    copies = {node: sum(" kiwi " in event.line for event in herd[node].log.find("link.got"))
              for node in "ABCD"}
    assert copies == {"A": 0, "B": updates, "C": updates, "D": updates}


def test_what_is_older_or_known_is_not_spread(bailey):
    name = device()
    at = report(bailey, "Clark", name, stamp=100)
    all_know(bailey, at)
    marks = {node: bailey[node].log.mark() for node in BAILEY}
    report(bailey, "Clark", name, stamp=100)
    report(bailey, "Jaquez", name, stamp=99)
    all_know(bailey, report(bailey, "Clark"))
    all_know(bailey, report(bailey, "Jaquez"))
    for node in BAILEY:
        assert not [event for event in bailey[node].log.find("link.got", marks[node])
                    if f" {name} " in event.line]


@pytest.mark.parametrize("track, sent, skipped", [("korita-zbevnica.gpx", 513, 358),
                                                  ("cerknicko-jezero.gpx", 296, 0)])
def test_a_recorded_track_replayed_at_full_speed_ends_at_its_last_point_everywhere(
        bailey, track, sent, skipped):
    if not (TRACKS / track).exists():
        pytest.skip(f"{TRACKS / track} is missing")
    name = device()
    done = subprocess.run([BIN / "tools" / "herdctl", "-c", bailey.conf, "--at", "Bailey", "replay",
                           TRACKS / track, "--as", name], capture_output=True, timeout=PATIENCE_S,
                          check=False)
    assert done.returncode == 0, done.stderr
    summary, last = done.stdout.splitlines()
    assert summary == b"%d sent, %d answered, %d without time skipped" % (sent, sent, skipped)
    assert parse_at(last).client == name.encode()
    all_know(bailey, last)


def test_herdctl_talks_to_a_node_by_its_name(bailey):
    name = device()

    def herdctl(*arguments):
        done = subprocess.run([BIN / "tools" / "herdctl", "-c", bailey.conf, *arguments],
                              capture_output=True, timeout=PATIENCE_S, check=False)
        assert done.returncode == 0, done.stderr
        return done.stdout
    at = herdctl("--at", "Campbell", "iamat", name, "34.068930", "-118.445127")
    assert at.startswith(b"AT Campbell +0.")
    bailey.knows("Jaquez", name, at.rstrip(b"\n"))
    assert herdctl("--at", "Jaquez", "whatsat", name, "0", "5").startswith(at)


# ---- Nodes go and come back ----

@pytest.mark.parametrize("victim", BAILEY)
def test_a_killed_node_is_missed_by_nobody_and_learns_everything_when_it_is_back(own_bailey,
                                                                                 victim):
    herd = own_bailey
    rest = [name for name in BAILEY if name != victim]
    before = report(herd, victim)
    all_know(herd, before)
    herd[victim].kill()
    for name in herd.neighbours(victim):
        herd[name].log.wait("link.down", peer=victim)
    missed = [report(herd, name) for name in rest]
    for at in missed:
        all_know(herd, at, rest)
    all_know(herd, before, rest)
    herd.start(victim)
    for at in [before, *missed]:
        herd.knows(victim, parse_at(at).client, at)
    herd.linked()
    after = report(herd, victim)
    all_know(herd, after)


def test_a_node_that_comes_for_the_first_time_learns_everything(new_herd):
    herd = new_herd(("A", "B", "C"), (("A", "B"), ("B", "C")))
    herd.start("A", "B")
    herd.linked()
    ats = [report(herd, "A") for _ in range(100)]  # more than may be in flight
    herd.start("C")
    for at in ats:
        herd.knows("C", parse_at(at).client, at)


def test_two_halves_that_were_apart_agree_when_the_bridge_is_back(new_herd):
    herd = new_herd(("A", "B", "C"), (("A", "B"), ("B", "C")))
    herd.start()
    herd.linked()
    herd["B"].kill()
    name = device()
    report(herd, "A", name, location="+1+1", stamp=100)
    newer = report(herd, "C", name, location="+2+2", stamp=101)
    only_a = report(herd, "A")
    herd.start("B")
    for node in "ABC":
        herd.knows(node, name, newer)
        herd.knows(node, parse_at(only_a).client, only_a)


def test_a_node_that_starts_before_its_neighbours_finds_them(new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),))
    herd.start("B")
    at = report(herd, "B")
    herd["B"].log.wait("link.dropped", count=2, peer="A")  # it has dialled in vain
    herd.start("A")
    herd.knows("A", parse_at(at).client, at)


def test_a_stopped_process_holds_up_nobody_and_catches_up(own_bailey):
    herd = own_bailey
    rest = [name for name in BAILEY if name != "Campbell"]
    neighbours = sorted(herd.neighbours("Campbell"))
    herd["Campbell"].pause()
    missed = [report(herd, name) for name in rest]
    for at in missed:
        all_know(herd, at, rest)
    for name in neighbours:
        herd[name].log.wait("link.suspect", peer="Campbell", timeout_s=5)
    for name in neighbours:
        herd[name].log.wait("link.down", peer="Campbell", reason="dead", timeout_s=14)
    missed += [report(herd, name) for name in rest]
    for at in missed:
        all_know(herd, at, rest)
    herd["Campbell"].resume()
    for at in missed:
        herd.knows("Campbell", parse_at(at).client, at)
    herd.linked()
    all_know(herd, report(herd, "Campbell"))


def test_a_short_pause_makes_a_neighbour_suspect_and_the_next_acknowledgement_clears_it(new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),))
    herd.start()
    herd.linked()
    ups = herd["A"].log.count("link.up")
    herd["B"].pause()
    at = report(herd, "A")
    herd["A"].log.wait("link.suspect", peer="B", timeout_s=5)
    assert not herd["A"].log.find("link.recovered")
    herd["B"].resume()
    herd["A"].log.wait("link.recovered", peer="B", timeout_s=5)
    herd.knows("B", parse_at(at).client, at)
    assert herd["A"].log.count("link.up") == ups and not herd["A"].log.find("link.down")


def test_a_hot_device_coalesces_while_a_neighbour_is_paused(new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),))
    herd.start()
    herd.linked()
    herd["B"].pause()
    name = device()
    with Client(herd["A"].port) as client:
        client.feed(b"".join(b"IAMAT %s +1+2 %d\n" % (name.encode(), i) for i in range(2000)))
        last = client.lines(2000)[-1]
    herd["B"].resume()
    herd.knows("B", name, last)
    got = [event for event in herd["B"].log.find("link.got") if f" {name} " in event.line]
    assert 1 <= len(got) < 100


def test_a_clean_stop_says_goodbye_to_neighbours(new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),))
    herd.start()
    herd.linked()
    assert herd["B"].stop() == 0
    herd["A"].log.wait("link.got", peer="B", frame="bye", reason="stopping", timeout_s=5)
    herd["A"].log.wait("link.down", peer="B", timeout_s=5)


def test_a_stop_takes_no_longer_than_the_goodbye(new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),))
    herd.start("A")

    def stops_quickly():  # one time of many: this machine may have other things to do
        herd.start("B")
        herd.linked()
        start = time.monotonic()
        assert herd["B"].stop() == 0
        return time.monotonic() - start < 0.15
    wait_until(stops_quickly, "B stops before its deadline")


# ---- Tables of different sizes ----

@pytest.mark.parametrize("order", ["rising", "falling", "mixed"])
def test_nodes_with_different_tables_agree_above_the_floor(new_herd, order):
    herd = new_herd(("Big", "Small"), (("Big", "Small"),), {"Big": "posix", "Small": "posix-small"})
    herd.start()
    herd.linked()
    count, room = 200, DEVICES["posix-small"]
    step = {"rising": 1, "falling": -1, "mixed": 37}[order]
    base = 1_600_000_000
    with Client(herd["Big"].port) as client:
        numbers = [i * step % count for i in range(count)]
        client.feed(b"".join(b"IAMAT d%d +1+2 %d\n" % (i, base + i) for i in numbers))
        ats = dict(zip(numbers, client.lines(count)))

    def small_agrees():
        with Client(herd["Small"].port) as client:
            return all(client.known(f"d{i}") == (ats[i] if i >= count - room else None)
                       for i in range(count))
    wait_until(small_agrees, f"the small node knows the newest {room}", check=herd["Small"].check)
    with Client(herd["Big"].port) as client:
        assert all(client.known(f"d{i}") == ats[i] for i in range(count))
    herd["Small"].kill()
    herd.start("Small")
    wait_until(small_agrees, f"the small node knows the newest {room} again")
    # The herd goes on: what is newest now pushes out what was lowest.
    newest = report(herd, "Small", "latest", stamp=base + count)
    herd.knows("Big", "latest", newest)
    with Client(herd["Small"].port) as client:
        assert client.known(f"d{count - room}") is None
        assert client.known(f"d{count - room + 1}") == ats[count - room + 1]


def test_a_small_node_between_two_big_ones_passes_on_what_it_keeps(new_herd):
    herd = new_herd(("A", "B", "S"), (("A", "S"), ("S", "B")),
                    {"A": "posix", "B": "posix", "S": "posix-small"})
    herd.start()
    herd.linked()
    at = report(herd, "A")
    for name in "SB":
        herd.knows(name, parse_at(at).client, at)


# ---- Neighbours that do not fit ----

def test_nodes_that_disagree_about_report_bytes_refuse_each_other_clearly(new_herd):
    herd = new_herd(("A", "B"), (("A", "B"),))
    herd.start("A")
    herd.launch("B", "--set", "herd.report_bytes=64")
    event = herd["A"].log.wait("link.refused", name="B")
    assert "settings" in event.fields["reason"], event
    assert not herd["A"].log.find("link.up")
    assert report(herd, "A")
