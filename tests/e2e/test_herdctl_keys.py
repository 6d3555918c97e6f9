"""herdctl keys: a file for each node, with the keys of its own links and no others."""

import fcntl
import itertools
import json
import os
import random
import re
import shutil
import stat
import subprocess
import time

import pytest

from herdlib import BAILEY, BAILEY_LINKS, BIN, PATIENCE_S
from keyslib import LinkKeys

HERDCTL = BIN / "tools" / "herdctl"


def run(*arguments, **named):
    return subprocess.run([HERDCTL, *map(str, arguments)], capture_output=True, text=True,
                          timeout=PATIENCE_S, check=False, **named)


def herd_text(names=BAILEY, links=BAILEY_LINKS):
    lines = []
    for i, name in enumerate(names):
        lines += [f"[node {name}]", "address = 127.0.0.1", f"port = {1000 + i}",
                  f"link_port = {2000 + i}"]
    lines += ["[links]"]
    for name in names:
        peers = [b for a, b in links if a == name]
        lines += [f"{name} = {' '.join(peers)}"] if peers else []
    return "\n".join(lines) + "\n"


class Place:
    """A herd file, and a directory of keys."""

    def __init__(self, folder):
        self.folder = folder
        self.conf = folder / "herd.conf"
        self.keys = folder / "keys"
        self.herd()

    def herd(self, *arguments):
        self.conf.write_text(herd_text(*arguments))

    def run(self, *options, **named):
        return run("keys", "-c", self.conf, self.keys, *options, **named)

    def done(self, *options):
        """Runs it; the JSON."""
        result = self.run("--json", *options)
        assert result.returncode == 0 and result.stderr == "", result
        return json.loads(result.stdout)

    def wrong(self, exit_code, *words):
        before = self.bytes()
        result = self.run(*(words[:1] if words[0].startswith("--") else ()))
        assert result.returncode == exit_code, result
        assert result.stderr.startswith("herdctl: ") and result.stderr.count("\n") == 1, result
        assert all(word in result.stderr for word in words if not word.startswith("--")), result
        assert self.bytes() == before
        assert not re.search("[0-9a-f]{32}", result.stderr)

    def bytes(self):
        return {path.name: path.read_bytes() for path in self.keys.glob("*") if path.is_file()}

    def read(self):
        """{node: {neighbour: (number, current, next)}}"""
        found = {}
        for name, text in self.bytes().items():
            assert name.endswith(".keys"), name
            found[name.removesuffix(".keys")] = parse(name.removesuffix(".keys"), text.decode())
        return found


def parse(node, text):
    head, *lines = [line for line in text.splitlines() if not line.startswith(";")]
    assert head == f"[keys {node}]"
    pairs = [re.fullmatch(r"(\S+) = ([1-9][0-9]*):([0-9a-f]{64})", line).groups() for line in lines]
    found = {}
    for (peer, number, key), (again, following, other) in zip(pairs[::2], pairs[1::2]):
        assert peer == again and int(following) == LinkKeys.after(int(number)) and peer not in found
        found[peer] = (int(number), key, other)
    assert len(pairs) == 2 * len(found)
    return found


def check_herd(found, links, number):
    """Every link at both ends and nowhere else, all of one number, no key twice."""
    ends = {(a, b) for link in links for a, b in (link, link[::-1])}
    assert {(a, b) for a, entries in found.items() for b in entries} == ends
    keys = []
    for a, b in links:
        assert found[a][b] == found[b][a]
        assert found[a][b][0] == number
        keys += found[a][b][1:]
    assert len(set(keys)) == 2 * len(links)


@pytest.fixture(name="place")
def fixture_place(tmp_path):
    return Place(tmp_path)


def test_each_node_gets_the_keys_of_its_own_links(place):
    done = place.done()
    check_herd(place.read(), BAILEY_LINKS, 1)
    assert done == {"directory": str(place.keys), "result": "written", "number": 1, "links": 6,
                    "added": 6, "dropped": 0, "files": 5, "written": " ".join(BAILEY), "exit": 0}


@pytest.mark.parametrize("umask", [0, 0o022, 0o777])
def test_nobody_else_can_read_them_whatever_the_umask(place, umask):
    for options in ((), ("--rotate",)):
        assert place.run(*options, preexec_fn=lambda: os.umask(umask)).returncode == 0
        for path in place.keys.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
    assert stat.S_IMODE(place.keys.stat().st_mode) & 0o077 == 0


def test_a_second_run_changes_nothing(place):
    place.done()
    before = place.bytes(), {path: path.stat().st_mtime_ns for path in place.keys.iterdir()}
    done = place.done()
    assert done["result"] == "unchanged" and done["written"] == ""
    assert before == (place.bytes(), {path: path.stat().st_mtime_ns for path in place.keys.iterdir()})
    assert place.run().stdout == f"{place.keys}: nothing to do: all 6 links have key 1, next 2\n"


def test_rotation_makes_the_next_key_the_current_one(place):
    place.done()
    before = place.read()
    for number in (2, 3, 4):
        done = place.done("--rotate")
        after = place.read()
        check_herd(after, BAILEY_LINKS, number)
        assert done["result"] == "rotated" and done["number"] == number and done["files"] == 5
        for a, b in BAILEY_LINKS:
            assert after[a][b][1] == before[a][b][2]
        before = after


def test_numbers_go_round(place):
    keys = LinkKeys(BAILEY_LINKS, number=65534)
    keys.write(place.keys)
    before = place.read()
    assert [place.done("--rotate")["number"] for _ in range(3)] == [65535, 1, 2]
    check_herd(place.read(), BAILEY_LINKS, 2)
    assert before["Bona"]["Clark"][0] == 65534


def test_new_links_get_keys_and_those_of_links_that_are_gone_are_dropped(place):
    place.done()
    place.done("--rotate")
    before = place.read()
    links = [link for link in BAILEY_LINKS if link != ("Clark", "Bona")]
    links += [("Bailey", "Clark"), ("Dora", "Clark")]
    place.herd((*BAILEY, "Dora", "Alone"), links)
    done = place.done()
    after = place.read()
    check_herd(after, links, 2)
    assert (done["result"], done["added"], done["dropped"]) == ("written", 2, 2)
    assert done["written"] == "Bailey Bona Clark Dora"
    for a, b in set(links) & set(BAILEY_LINKS):
        assert after[a][b] == before[a][b]
    place.herd(("Alone",), ())
    done = place.done()  # whose files the others are is not known any more: they stay
    assert done["links"] == 0 and place.read() == after
    assert "no links, and needs no keys" in place.run().stdout


def test_a_node_that_loses_its_last_link_loses_its_keys(place):
    place.done()
    links = [link for link in BAILEY_LINKS if "Clark" not in link]
    place.herd(BAILEY, links)
    assert place.done()["written"] == "Bona Clark Jaquez"
    assert place.read()["Clark"] == {}


def test_a_file_that_is_lost_is_made_again_from_the_others(place):
    place.done()
    before = place.bytes()
    (place.keys / "Bona.keys").unlink()
    assert place.done()["written"] == "Bona"
    assert place.bytes() == before


def test_suites_and_neighbours_of_the_older_kind_do_not_matter(place):
    place.conf.write_text(herd_text().replace("Clark = Jaquez Bona", "Clark = Jaquez:ecdhe-psk Bona:psk Old")
                          + "[open Old]\naddress = 127.0.0.1\nport = 99\n")
    place.done()
    check_herd(place.read(), BAILEY_LINKS, 1)


# ---- Interrupted ----

def snapshots(place, *options):
    """The files before a run and after it."""
    before = place.bytes()
    place.done(*options)
    return before, place.bytes()


def mix(place, before, after, replaced):
    shutil.rmtree(place.keys)
    place.keys.mkdir()
    for name in after:
        text = (after if name in replaced else before).get(name)
        if text is not None:
            LinkKeys.write_file(place.keys / name, text.decode())


def subsets(names):
    return itertools.chain.from_iterable(itertools.combinations(sorted(names), count)
                                         for count in range(1, len(names)))


def test_a_rotation_interrupted_between_any_two_files_is_finished_and_none_is_begun(place):
    place.done()
    before, after = snapshots(place, "--rotate")
    old, new = ({name: parse(name.removesuffix(".keys"), text.decode()) for name, text in files.items()}
                for files in (before, after))
    for replaced in subsets(after):
        mix(place, before, after, replaced)
        found = place.read()
        for a, b in BAILEY_LINKS:  # nodes that have these files can be linked meanwhile
            ahead, behind = sorted((found[a][b], found[b][a]), reverse=True)
            assert ahead == behind or ahead[:2] == (behind[0] + 1, behind[2])
        place.wrong(2, "a rotation was interrupted", "herdctl keys --rotate finishes it")
        done = place.done("--rotate")
        found = place.read()
        check_herd(found, BAILEY_LINKS, 2)
        assert done["result"] == "finished" and done["number"] == 2
        for a, b in BAILEY_LINKS:
            assert found[a][b][1] == old[f"{a}.keys"][b][2]
            if {f"{a}.keys", f"{b}.keys"} & set(replaced):
                assert found[a][b] == new[f"{a}.keys"][b]
        for name in replaced:
            assert place.bytes()[name] == after[name]


def test_what_was_interrupted_while_links_were_added_is_finished_by_the_next_run(place):
    place.herd(BAILEY, BAILEY_LINKS[:3])
    place.done()
    place.herd()
    before, after = snapshots(place)
    for replaced in subsets(set(after) - {name for name in after if before.get(name) == after[name]}):
        mix(place, before, after, replaced)
        place.done()
        check_herd(place.read(), BAILEY_LINKS, 1)
        for name in replaced:
            assert place.bytes()[name] == after[name]


def test_killed_at_any_moment_it_leaves_what_the_next_run_finishes(place):
    names = [f"N{i}" for i in range(40)]
    links = [(a, b) for a, b in zip(names, names[1:])] + [("N0", name) for name in names[2:]]
    place.herd(names, links)
    place.done()
    chance = random.Random(5)
    number, results = 1, set()
    argv = [HERDCTL, "keys", "-c", place.conf, "--rotate", place.keys]
    start = time.monotonic()
    place.done("--rotate")
    takes_s, number = time.monotonic() - start, 2
    for _ in range(40):
        process = subprocess.Popen(argv, stdout=subprocess.DEVNULL)
        time.sleep(chance.uniform(0, takes_s))
        process.kill()
        process.wait()
        left = {path.name for path in place.keys.iterdir()}
        assert {f"{name}.keys" for name in names} <= left
        assert all(name.endswith((".keys", ".keys.new")) for name in left)
        for path in place.keys.iterdir():
            assert stat.S_IMODE(path.stat().st_mode) == 0o600
        done = place.done("--rotate")
        results.add(done["result"])
        assert done["number"] in (number + 1, number + 2)
        number = done["number"]
        check_herd(place.read(), links, number)
    assert "rotated" in results


def test_what_cannot_be_written_changes_no_file(place):
    place.done()
    (place.keys / "Jaquez.keys.new").mkdir()
    place.wrong(4, "--rotate", "Jaquez.keys.new")
    (place.keys / "Jaquez.keys.new").rmdir()
    assert place.done("--rotate")["number"] == 2


# ---- What it does not work with ----

def test_a_file_of_another_rotation_is_named_and_nothing_changes(place):
    place.done()
    before = place.bytes()
    place.done("--rotate")
    place.done("--rotate")
    LinkKeys.write_file(place.keys / "Clark.keys", before["Clark.keys"].decode())
    for options in ((), ("--rotate",)):
        place.wrong(2, *options, "Clark.keys", "number 1, and others have 3", "another rotation")
    (place.keys / "Clark.keys").unlink()
    assert place.done()["written"] == "Clark"
    check_herd(place.read(), BAILEY_LINKS, 3)


def test_ends_that_disagree_are_named_and_nothing_changes(place):
    place.done()
    strangers = LinkKeys(BAILEY_LINKS)
    strangers.write(place.keys, "Clark")
    place.wrong(2, "Clark.keys", "different keys")
    strangers.rotate()
    strangers.write(place.keys, "Clark")
    place.wrong(2, "--rotate", "Clark.keys", "different keys")


@pytest.mark.parametrize("mode", [0o640, 0o604, 0o620, 0o602, 0o644])
def test_files_that_others_can_read_or_change_are_refused(place, mode):
    place.done()
    (place.keys / "Bona.keys").chmod(mode)
    place.wrong(2, "--rotate", "Bona.keys", "others can read", "chmod 600", "rotate twice")


GOOD = "Jaquez = 1:" + "0" * 63 + "1\nJaquez = 2:" + "0" * 63 + "2\n"


@pytest.mark.parametrize("text, words", [
    ("[keys Bona]\n", "1: not the keys of Clark"), ("Jaquez = 1:00\n", "1: not a key file"),
    ("[keys Clark]\n[keys Clark]\n", "2: not the keys"), ("[keys Clark]\nJaquez\n", "2: not a key file"),
    ("[keys Clark]\nJaquez = 1:00\n", "2: not a key; right is"),
    ("[keys Clark]\n" + GOOD + "Jaquez = 3:" + "0" * 63 + "3\n", "4: a third key"),
    ("[keys Clark]\n" + GOOD.replace("2:", "3:"), "3: the second key is not"),
    ("[keys Clark]\n" + GOOD.splitlines()[0], "one key only"),
    ("[keys Clark]\n" + GOOD.replace("1:", "0:"), "2: not a key"),
    ("[keys Clark]\n" + GOOD.replace("1:", "65536:"), "2: not a key"),
    ("[keys Clark]\n" + GOOD.replace("1:0", "1:g"), "2: not a key"),
    ("[keys Clark]\n" + "; too long\n" * 4000, "too long"), ("\0", "not text"),
])
def test_what_is_no_key_file_is_refused_with_its_line(place, text, words):
    place.done()
    LinkKeys.write_file(place.keys / "Clark.keys", text)
    place.wrong(2, "Clark.keys", words)


def test_a_key_file_that_is_none_of_the_kind_is_refused(place):
    place.done()
    (place.keys / "Clark.keys").unlink()
    (place.keys / "Clark.keys").mkdir()
    place.wrong(2, "Clark.keys", "not a file")
    (place.keys / "Clark.keys").rmdir()
    os.mkfifo(place.keys / "Clark.keys", 0o600)
    place.wrong(2, "Clark.keys", "not a file")


def test_the_directory_has_to_be_one(place):
    place.keys.write_text("")
    assert "cannot open the directory" in place.run().stderr
    place.keys = place.folder / "no" / "such"
    result = place.run("--json")
    assert result.returncode == 4 and json.loads(result.stdout)["error"].startswith("cannot make the dir")


def test_one_at_a_time(place):
    place.done()
    directory = os.open(place.keys, os.O_RDONLY)
    try:
        fcntl.flock(directory, fcntl.LOCK_EX)
        place.wrong(4, "--rotate", "another program makes keys there")
    finally:
        os.close(directory)


def test_a_herd_file_with_a_link_twice_is_refused(place):
    place.conf.write_text(herd_text() + "Bailey = Bona\n")
    place.wrong(2, "Bona", "twice")
    assert not list(place.keys.glob("*"))


@pytest.mark.parametrize("arguments, words", [
    (["keys"], "keys takes 1 argument, not 0"), (["keys", "a", "b"], "keys takes 1 argument, not 2"),
    (["keys", "--at", "Clark", "d"], "keys asks no node"), (["keys", "--now", "d"], "keys asks no node"),
    (["iamat", "--rotate", "a", "1", "2"], "--rotate belongs to keys"),
    (["keys", "-c", "no.conf", "d"], "no.conf")])
def test_wrong_arguments_are_told(tmp_path, arguments, words):
    result = run(*arguments, cwd=tmp_path)
    assert result.returncode == 2 and words in result.stderr
    assert not (tmp_path / "d").exists()


def test_what_it_prints_has_no_key_in_it(place):
    out = "".join(place.run(*options).stdout for options in ((), ("--rotate",), ("--json",), ()))
    assert "give each node its own" in out and not re.search("[0-9a-f]{32}", out)
