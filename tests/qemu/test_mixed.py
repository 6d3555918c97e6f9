"""A board between POSIX nodes: what it takes, passes on and learns again."""

import os

import pytest

import herdlib

BOARDS = os.environ.get("HERD_BOARDS", "mps2-an385 mps2-an385-small").split()
SMALL = ("mps2-an385-small", "lm3s6965evb")  # two links


@pytest.fixture(params=BOARDS)
def herd(request, new_herd):
    """Quito, the board, is the only way between Oslo and Paris."""
    own = new_herd(("Quito", "Oslo", "Paris"), (("Quito", "Oslo"), ("Quito", "Paris")),
                   {"Quito": request.param, "Oslo": "posix", "Paris": "posix"})
    own.start()
    own.linked()
    return own


def report(herd, at, device, **named):
    with herdlib.Client(herd[at].port) as client:
        return client.iamat(device, **named)


def everywhere(herd, device, at):
    for name in herd.names:
        herd.knows(name, device, at)


def test_a_report_at_any_node_is_known_at_all(herd):
    for name in herd.names:
        everywhere(herd, f"device-{name}", report(herd, name, f"device-{name}"))


def test_a_board_that_was_killed_learns_everything_when_it_is_back(herd):
    before = report(herd, "Oslo", "before")
    everywhere(herd, "before", before)
    herd["Quito"].kill()
    meanwhile = {name: report(herd, name, f"meanwhile-{name}") for name in ("Oslo", "Paris")}
    herd.start("Quito")
    herd.linked()
    everywhere(herd, "before", before)
    for name, at in meanwhile.items():
        everywhere(herd, f"meanwhile-{name}", at)


def test_a_neighbour_that_was_killed_learns_from_the_board(herd):
    herd["Paris"].kill()
    known = [(f"device{i}", report(herd, "Quito", f"device{i}"))
             for i in range(min(100, herdlib.DEVICES[herd["Quito"].board]))]
    herd.start("Paris")
    herd.linked()
    for device, at in known:
        herd.knows("Paris", device, at)


def test_a_herd_of_boards_converges(new_herd, request):
    names = ("A", "B", "C", "D", "E")
    links = (("A", "B"), ("B", "C"), ("C", "A"), ("C", "D"), ("D", "E"))
    boards = dict.fromkeys(names, BOARDS[0])
    own = new_herd(names, links, {**boards, "E": "posix"}) if BOARDS[0] not in SMALL else None
    if own is None:
        pytest.skip("C has three neighbours")
    own.start()
    own.linked()
    for name in names:
        everywhere(own, f"device-{name}", report(own, name, f"device-{name}"))


def test_a_recorded_track_replayed_into_a_board_ends_at_its_last_point_everywhere(herd, programs):
    track = herdlib.DATA / "tracks" / "korita-zbevnica.gpx"
    if not track.exists():
        pytest.skip("no track here")
    replay = programs.add(herdlib.Program(
        "replay", [herdlib.BIN / "tools" / "herdctl", "-c", herd.conf, "--at", "Quito", "--json",
                   "replay", track, "--as", "walker"], programs.folder))
    replay.expected = 0
    assert replay.process.wait(60) == 0, replay.errors()
    replay.err_path.write_text("")  # progress
    assert '"answered":513' in replay.log.path.read_text().replace(" ", "")
    with herdlib.Client(herd["Quito"].port) as client:
        at = client.known("walker")
    everywhere(herd, "walker", at)
