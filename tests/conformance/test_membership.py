"""What every adapter of the membership promises, and what etcd's does when its servers fail."""

import http.server
import threading
from collections.abc import Callable, Iterator

import pytest

from archive.errors import Malformed, Unavailable
from recorder.placement.etcd import EtcdMembership
from recorder.placement.membership import Alone, Membership
from tests.support.etcd_cluster import EtcdCluster, etcd_cluster
from tests.support.waiting import until

Make = Callable[[str], Membership]


@pytest.fixture(scope="module")
def etcd() -> Iterator[EtcdCluster]:
    with etcd_cluster() as cluster:
        yield cluster


@pytest.fixture(params=["alone", "etcd"])
def make(request: pytest.FixtureRequest) -> Make:
    """Makes the membership of a host in a city of this test's own."""
    if request.param == "alone":
        return Alone
    cluster: EtcdCluster = request.getfixturevalue("etcd")
    return lambda name: member(cluster, name, request.node.name)


def member(cluster: EtcdCluster, name: str, city: str, ttl: int = 60) -> EtcdMembership:
    # A busy machine must not decide: the patience and the TTL are long where time is not the subject.
    return EtcdMembership(cluster.urls, name, prefix=city, ttl=ttl, patience=5)


def test_who_has_not_joined_is_no_member(make: Make) -> None:
    assert make("rec-a").members() == frozenset()


def test_who_joins_is_a_member(make: Make) -> None:
    one = make("rec-a")
    one.join()
    assert one.members() == {"rec-a"}


def test_joining_twice_is_as_joining_once(make: Make) -> None:
    one = make("rec-a")
    one.join()
    one.join()
    assert one.members() == {"rec-a"}


def test_a_beat_changes_nothing_for_a_member(make: Make) -> None:
    one = make("rec-a")
    one.join()
    one.beat()
    assert one.members() == {"rec-a"}


def test_a_beat_joins(make: Make) -> None:
    one = make("rec-a")
    one.beat()
    assert one.members() == {"rec-a"}


def test_who_leaves_is_no_member_and_may_leave_twice(make: Make) -> None:
    one = make("rec-a")
    one.join()
    one.leave()
    one.leave()
    assert one.members() == frozenset()


def test_who_left_may_join_again(make: Make) -> None:
    one = make("rec-a")
    one.join()
    one.leave()
    one.join()
    assert one.members() == {"rec-a"}


def test_a_process_takes_the_place_of_an_earlier_one(make: Make) -> None:
    make("rec-a").join()
    again = make("rec-a")
    again.join()
    again.beat()
    assert again.members() == {"rec-a"}


# etcd ------------------------------------------------------------------------------------------------


def test_members_see_one_another(etcd: EtcdCluster) -> None:
    one, other = member(etcd, "rec-a", "two"), member(etcd, "rec-b", "two")
    one.join()
    other.join()
    assert one.members() == other.members() == {"rec-a", "rec-b"}
    other.leave()
    assert one.members() == {"rec-a"}


def test_cities_do_not_see_one_another(etcd: EtcdCluster) -> None:
    member(etcd, "rec-a", "north").join()
    assert member(etcd, "rec-b", "south").members() == frozenset()


def test_who_says_nothing_is_gone_after_its_time(etcd: EtcdCluster) -> None:
    one, other = member(etcd, "rec-a", "silent"), member(etcd, "rec-b", "silent", ttl=2)
    one.join()
    other.join()
    until(lambda: one.members() == {"rec-a"}, "the silent host is no member")


def test_a_lease_that_ran_out_is_noticed_at_the_next_beat(etcd: EtcdCluster) -> None:
    one = member(etcd, "rec-a", "late", ttl=2)
    one.join()
    until(lambda: not one.members(), "its lease ran out")
    one.beat()
    assert one.members() == {"rec-a"}


def test_a_lost_key_is_noticed_although_the_lease_lives(etcd: EtcdCluster) -> None:
    one = member(etcd, "rec-a", "robbed")
    one.join()
    one._clients[0].delete("/robbed/recorders/rec-a")
    assert one.members() == frozenset()
    one.beat()
    assert one.members() == {"rec-a"}


def test_the_lease_of_an_earlier_process_does_not_take_the_key_with_it(etcd: EtcdCluster) -> None:
    earlier = member(etcd, "rec-a", "restart")
    earlier.join()
    again = member(etcd, "rec-a", "restart")
    again.join()
    earlier.leave()
    assert again.members() == {"rec-a"}


def test_an_address_that_is_none_is_refused() -> None:
    for urls in (["etcd:2379"], ["http://etcd"], ["ftp://etcd:1"], ["http://etcd:none"], []):
        with pytest.raises(Malformed) as refused:
            EtcdMembership(urls, "rec-a")
        assert refused.value.code == "bad_etcd_url"


def test_an_answer_that_is_not_etcds_is_translated() -> None:
    class Page(http.server.BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            self.send_response(200)
            self.end_headers()
            self.wfile.write(b"<html>sign in</html>")

        def log_message(self, *arguments: object) -> None:
            return

    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        one = EtcdMembership([f"http://127.0.0.1:{server.server_port}"], "rec-a")
        for call in (one.join, one.beat, one.members):
            with pytest.raises(Unavailable) as away:
                call()
            assert away.value.code == "membership_unreachable"
        server.shutdown()


def test_an_address_that_nothing_listens_at_is_no_harm(etcd: EtcdCluster) -> None:
    one = EtcdMembership(["http://127.0.0.1:9", *etcd.urls], "rec-a", prefix="detour", ttl=60, patience=5)
    one.join()
    one.beat()
    assert one.members() == {"rec-a"}


def test_servers_that_die_and_come_back() -> None:
    with etcd_cluster() as cluster:
        one, other = member(cluster, "rec-a", "hard", ttl=3), member(cluster, "rec-b", "hard", ttl=60)
        for each in (one, other):
            each.join()

        def goes_on(seen: set[str]) -> None:
            def look() -> bool:
                try:
                    one.beat()
                    return one.members() == seen
                except Unavailable:
                    return False

            until(look, f"the members are {seen}")

        cluster.nodes[0].kill()
        goes_on({"rec-a", "rec-b"})
        cluster.nodes[1].pause()  # no majority
        with pytest.raises(Unavailable) as away:
            one.members()
        assert away.value.code == "membership_unreachable"
        with pytest.raises(Unavailable):
            one.beat()
        cluster.nodes[1].resume()
        goes_on({"rec-a", "rec-b"})
        cluster.nodes[0].start()
        cluster.settled()
        # Servers that forgot everything, as after a restore: a beat makes a member again.
        one._clients[0].delete_prefix("/hard/")
        goes_on({"rec-a"})
        other.beat()
        goes_on({"rec-a", "rec-b"})
