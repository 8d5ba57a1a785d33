"""What people do, and how often: the plan for measuring many sessions.

People read an answer before their next click. Here each person clicks every :data:`THINK_S` seconds on
average, at random times that are independent between people (a Poisson process), and without breaks. A click
is one call. One session in twenty plays footage: a playlist, then a piece of 10 s every 10 s.
"""

import json
import random
from collections.abc import Callable, Iterator, Mapping, Sequence
from urllib.parse import urlencode

from archive.model.user import Role, User
from archive.timespan import MINUTE, SECOND, Timespan, format_instant
from ops.bench.arrivals import PIECE, Call, Visitor
from ops.bench.city import City, district_of

THINK_S = 5.0
SEARCH, SEGMENTS, PLAYLIST = "search: a district's hours", "search: a page of segments", "playlist"
CAMERAS, LIST, READ, FILE = "cameras", "requests: list", "requests: read", "requests: file"
MEDIA = "media: a piece of 10 s"
KINDS = (SEARCH, SEGMENTS, PLAYLIST, CAMERAS, LIST, READ, FILE, MEDIA)
WATCHING = 20
"""One session in this many plays footage."""
PIECE_S = 10.0
SEEN_AS = "X-Forwarded-For"
"""The header with which the sender, in place of the city's proxy, states the client's address."""
_PURPOSE = "shift-2"

_WEIGHTS: Mapping[Role, Mapping[str, int]] = {
    Role.WAR_ROOM: {SEARCH: 32, SEGMENTS: 10, PLAYLIST: 28, CAMERAS: 5, LIST: 10, READ: 15},
    Role.KECAMATAN: {SEARCH: 40, SEGMENTS: 15, PLAYLIST: 40, CAMERAS: 5},
    Role.POLICE: {SEARCH: 10, LIST: 35, READ: 51, FILE: 4},
}


def address_of(number: int) -> str:
    """The client address of a session."""
    return f"10.20.{number // 250}.{number % 250 + 1}"


class Planner:
    """Plans sessions over a city. The same seed gives the same plan.

    ``requests`` are the existing requests to be read; ``scan`` is the hash of an uploaded letter.
    """

    def __init__(self, city: City, *, requests: Sequence[str], scan: str, seed: int) -> None:
        self._city = city
        self._requests = requests
        self._scan = scan
        self._chosen = random.Random(seed)  # noqa: S311 - nothing secret
        self._filed = 0

    def plan(self, cookies: Mapping[str, str], seconds: float) -> list[Visitor]:
        """One visitor for each cookie; cookies are by user id."""
        people = {user.id: user for user in self._city.people}
        found = []
        for number, (name, cookie) in enumerate(cookies.items()):
            headers = {"Cookie": cookie, "Saksi-Request": "1", "Accept": "*/*", SEEN_AS: address_of(number)}
            watches = number % WATCHING == 0
            calls = self._watching(seconds) if watches else self._clicking(people[name], number, seconds)
            found.append(Visitor(headers, tuple(calls)))
        return found

    def watching(self, cookies: Sequence[str], seconds: float) -> list[Visitor]:
        """One visitor for each cookie, who does nothing but play footage."""
        found = []
        for number, cookie in enumerate(cookies):
            headers = {"Cookie": cookie, "Saksi-Request": "1", "Accept": "*/*", SEEN_AS: address_of(number)}
            found.append(Visitor(headers, tuple(self._watching(seconds))))
        return found

    def _clicking(self, user: User, number: int, seconds: float) -> Iterator[Call]:
        weights = _WEIGHTS[user.roles[0]]
        at = self._chosen.uniform(0, THINK_S)
        while at < seconds:
            (kind,) = self._chosen.choices(list(weights), list(weights.values()))
            yield self._call(at, kind, user)
            at += self._chosen.expovariate(1 / THINK_S)

    def _watching(self, seconds: float) -> Iterator[Call]:
        at, pieces = self._chosen.uniform(0, PIECE_S), 0
        while at < seconds:
            if not pieces:
                camera, span = self._chosen.choice(self._city.watched), self._city.footage
                yield Call(at, PLAYLIST, self._playlist(camera, span))
                pieces = span.duration // (10 * SECOND) - 1
                yield Call(at, MEDIA, PIECE)  # the initialisation segment
            yield Call(at, MEDIA, PIECE)
            pieces -= 1
            at += PIECE_S

    def _call(self, at: float, kind: str, user: User) -> Call:
        made: Mapping[str, Callable[[User], Call]] = {
            SEARCH: lambda user: Call(at, kind, f"/v1/recordings?{urlencode(self._where(user, 1, 3))}"),
            SEGMENTS: lambda user: Call(at, kind, f"/v1/segments?{urlencode(self._where(user, 0, 1))}"),
            PLAYLIST: lambda user: Call(at, kind, self._playlist(self._camera(user), self._span(15, 60))),
            CAMERAS: lambda user: Call(at, kind, "/v1/cameras"),
            LIST: lambda user: Call(at, kind, "/v1/requests?limit=50"),
            READ: lambda user: Call(at, kind, f"/v1/requests/{self._chosen.choice(self._requests)}"),
            FILE: lambda user: Call(at, kind, "/v1/requests", "POST", self.form()),
        }
        return made[kind](user)

    def form(self) -> str:
        """A request with its letter: two minutes of a camera that has footage."""
        self._filed += 1
        start = self._city.footage.start + self._chosen.randrange(8 * MINUTE)
        case = f"LP/B/{self._filed}/XI/2026"
        value = {
            "requester": {
                "name": "Dewi Lestari", "rank": "AIPTU", "nrp_nip": "78010123", "agency_kind": "polri",
                "agency": "Polrestabes Makassar", "unit": "Satreskrim", "contact": "0411-000000",
            },
            "letter": {
                "number": f"B/{self._filed}/XI/2026/Reskrim", "date": "2026-11-20", "sha256": self._scan,
            },
            "legal_basis": [{"kind": "lp", "number": case, "article": "Pasal 363 KUHP"}],
            "case": case, "purpose": "pencurian sepeda motor",
            "cameras": [self._chosen.choice(self._city.watched)],
            "from": format_instant(start), "to": format_instant(start + 2 * MINUTE),
        }  # fmt: skip
        return json.dumps(value)

    def _where(self, user: User, least_h: int, most_h: int) -> Mapping[str, str]:
        district = user.districts[0] if user.districts else district_of(self._chosen.randrange(15))
        span = self._span(max(10, least_h * 60), most_h * 60)
        return {"from": format_instant(span.start), "to": format_instant(span.end), "kecamatan": district}

    def _camera(self, user: User) -> str:
        """Any camera, or one of the user's district."""
        names = self._city.cameras
        theirs = [name for number, name in enumerate(names) if district_of(number) in user.districts]
        return self._chosen.choice(theirs or names)

    def _span(self, least_minutes: int, most_minutes: int) -> Timespan:
        indexed = self._city.indexed
        most = min(most_minutes * MINUTE, indexed.duration)
        length = self._chosen.randint(min(least_minutes * MINUTE, most), most)
        start = indexed.start + self._chosen.randint(0, indexed.duration - length)
        return Timespan(start, start + length)

    def _playlist(self, camera: str, span: Timespan) -> str:
        asked = {"from": format_instant(span.start), "to": format_instant(span.end), "purpose": _PURPOSE}
        return f"/v1/cameras/{camera}/playlist.m3u8?{urlencode(asked)}"
