"""Fixtures on top of herdlib: what a test starts ends with it, and must have ended well."""

import pytest

import herdlib

# Modules that start no node, or the ones that documents say: once is enough.
WITHOUT_NODES = {"test_standin", "test_standin_faults", "test_standin_http", "test_herdctl",
                 "test_herdctl_errors", "test_herdctl_json", "test_herdctl_keys", "test_herdctl_replay",
                 "test_documents"}


def pytest_configure(config):
    config.addinivalue_line("markers", "net(name): only with HERD_NET=name")


def pytest_collection_modifyitems(config, items):
    """Leaves out what is for the other net."""
    def net_of(item):
        mark = item.get_closest_marker("net")
        return mark.args[0] if mark else "slirp" if item.module.__name__ in WITHOUT_NODES else None
    others = [item for item in items if net_of(item) not in (None, herdlib.NET)]
    config.hook.pytest_deselected(items=others)
    items[:] = [item for item in items if item not in set(others)]


@pytest.fixture
def programs(tmp_path):
    own = herdlib.Programs(tmp_path)
    yield own
    own.end()


@pytest.fixture
def new_herd(programs):
    """new_herd(names, links, boards, section={...}): a herd file; nothing runs yet."""
    return lambda *args, **named: herdlib.Herd(programs, *args, **named)


@pytest.fixture
def new_standin(programs):
    return lambda *args, **named: herdlib.Standin(programs, *args, **named)


@pytest.fixture(params=herdlib.BOARDS)
def board(request):
    return request.param


@pytest.fixture(scope="module", params=herdlib.BOARDS)
def shared_solo(request, tmp_path_factory):
    programs = herdlib.Programs(tmp_path_factory.mktemp(f"solo-{request.param}"))
    yield herdlib.Herd(programs, boards=request.param)
    programs.end()


@pytest.fixture
def solo(shared_solo):
    """A node without neighbours and places that the tests of a module share, once per board; for
    tests that do not depend on what its table holds."""
    node = shared_solo.nodes.get("Solo")
    if node is None or node.process.poll() is not None:
        node = shared_solo.start()
    yield node
    node.check()
    log = node.log
    herdlib.wait_until(lambda: log.count("session.taken") == log.count("session.ended")
                       or log.count("log.dropped"),
                       f"all sessions are over\n{log.tail()}", check=node.check)
    if log.count("log.dropped"):  # who knows what is over: the next test starts with a new node
        assert node.stop() == 0


@pytest.fixture
def client(solo):
    with herdlib.Client(solo.port) as one:
        yield one


def pytest_make_parametrize_id(val):
    """Bytes of frames and long lines are cut: an id also names a folder."""
    if isinstance(val, bytes):
        return repr(val)[2:42]
    return None
