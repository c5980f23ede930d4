from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field

from mantik_tasks.backends.scripted import ScriptedBackend
from mantik_tasks.backends.shared import shared_backend


@dataclass(frozen=True)
class Connection:
    host: str
    test: object = field(default_factory=object)


def build(_: Connection) -> ScriptedBackend:
    return ScriptedBackend()


def test_equal_connections_share_a_backend_and_others_do_not() -> None:
    test = object()
    first = shared_backend(Connection("a", test), build)
    assert shared_backend(Connection("a", test), build) is first
    assert shared_backend(Connection("b", test), build) is not first


def test_threads_that_connect_at_once_build_one() -> None:
    built = []

    def count(connection: Connection) -> ScriptedBackend:
        built.append(connection)
        return ScriptedBackend()

    connection = Connection("c")
    with ThreadPoolExecutor(8) as pool:
        backends = set(pool.map(lambda _: shared_backend(connection, count), range(50)))
    assert len(backends) == len(built) == 1
