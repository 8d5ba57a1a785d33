"""Who could see a camera, compared with who was really admitted: every token, at every moment."""

from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import pytest

from api.auth.machines import Machines
from api.auth.principal import Principal
from api.auth.tokens import TokenFile
from api.auth.viewers import ACTIONS, who_could_see
from archive.cases.people.users import Users
from archive.clock import ManualClock
from archive.model.camera import Camera, parse_place, to_state
from archive.model.token import TokenScope
from archive.model.user import Role, User
from archive.objects.filesystem import FilesystemStore
from archive.records.ledger.streams import Ledger
from archive.timespan import HOUR, SECOND

T0 = 1_795_500_000_000_000
HERE, THERE = "73.71.01", "73.71.02"
PLACE = parse_place("-5.143600", "119.407100", HERE, "73.71.01.1001", "public")
CAMERA = Camera(
    id="cam-1",
    name="Losari",
    source="rtsp://192.0.2.7/1",
    sealed_source="",
    place=PLACE,
    segment_seconds=6,
    registered_at=T0,
)

Sights = set[tuple[str, str]]


@dataclass
class City:
    """Accounts and tokens, and what each token opened at each observed moment."""

    folder: Path
    clock: ManualClock = field(default_factory=lambda: ManualClock(T0))
    secrets: dict[str, str] = field(default_factory=dict)
    moments: dict[int, Sights] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.ledger = Ledger(FilesystemStore(self.folder / "records", self.clock), self.clock)
        self.users = Users(self.ledger, self.clock)
        self.tokens = TokenFile(self.folder / "keys" / "tokens.json", self.clock, self.person)
        self.machines = Machines(self.tokens, self.ledger, self.clock)
        self.users.add(User(id="budi", name="", roles=(Role.ADMIN,)), actor="os:x")
        self.ledger.append("camera", CAMERA.id, to_state(CAMERA), expected=0, actor="os:x", action="a")

    def person(self, name: str) -> User | None:
        return next((user for user in self.users.users() if user.id == name), None)

    def has(self, name: str, *roles: Role, districts: tuple[str, ...] = ()) -> None:
        """Give a person roles; create the person if needed."""
        self.clock.advance(SECOND)
        if self.person(name) is None:
            after = self.users.add(User(id=name, name="", roles=roles, districts=districts), actor="os:x")
        else:
            after = self.users.change(
                name, roles=roles, districts=districts, agency="", actor="os:x", reason=""
            )
        if after.proposed:
            self.users.consent(name, actor="os:y", reason="")
        self.look()

    def make(self, name: str, scope: TokenScope, by: str = "os:root") -> None:
        """Make a token, recorded as made by ``by``."""
        self.clock.advance(SECOND)
        self.secrets[f"{name}@{self.clock.now()}"] = self.machines.make(name, scope, actor=by)
        self.look()

    def revoke(self, name: str) -> None:
        self.clock.advance(SECOND)
        self.machines.revoke(name, actor="os:x")
        self.look()

    def look(self) -> None:
        """Send every token that ever existed, as at sign-in, and keep what it opens of the camera now."""
        opened: Sights = set()
        for name, secret in self.secrets.items():
            holder = self.tokens.principal_of(secret) if self.tokens.exists() else None
            if holder is not None:
                opened |= {(name.partition("@")[0], action) for action in ACTIONS if reaches(holder, action)}
        self.moments[self.clock.now()] = opened

    def told(self, at: int) -> Sights:
        """The reported viewers at a moment."""
        found = who_could_see(
            self.ledger,
            self.ledger.history("camera", CAMERA.id),
            self.machines.known(),
            camera=CAMERA.id,
            at=at,
            footage_at=T0,
        )
        return {
            (one["name"], sight["action"])
            for one in found["viewers"]
            for sight in one["sights"]
            if one["who"].startswith("token:")
        }


def reaches(holder: Principal, action: str) -> bool:
    return holder.may(action) and (holder.districts is None or HERE in holder.districts)


def scope(*actions: str, districts: tuple[str, ...] | None = None, lasts: int = HOUR) -> TokenScope:
    return TokenScope(
        actions=frozenset(actions),
        districts=None if districts is None else frozenset(districts),
        expires_at=T0 + lasts,
    )


def loses_a_role(city: City) -> None:
    city.has("ada", Role.WAR_ROOM, Role.KECAMATAN)
    city.make("wall", scope("footage.play", "clips.download"), by="user:ada")
    city.has("ada", Role.ADMIN)  # no admin downloads clips
    city.has("ada", Role.AUDITOR)  # and no auditor plays
    city.has("ada", Role.WAR_ROOM)


def is_bound_to_other_districts(city: City) -> None:
    city.has("ada", Role.KECAMATAN, districts=(HERE, THERE))
    city.make("here", scope("footage.play", districts=(HERE,)), by="user:ada")
    city.make("both", scope("footage.play", districts=(HERE, THERE)), by="user:ada")
    city.make("there", scope("footage.play", districts=(THERE,)), by="user:ada")
    city.make("all", scope("footage.play"), by="user:ada")
    city.has("ada", Role.KECAMATAN, districts=(HERE,))
    city.has("ada", Role.KECAMATAN, districts=(THERE,))
    city.has("ada", Role.WAR_ROOM)


def is_disabled(city: City) -> None:
    city.has("ada", Role.WAR_ROOM)
    city.make("wall", scope("footage.play"), by="user:ada")
    city.clock.advance(SECOND)
    city.users.disable("ada", actor="os:x", reason="")
    city.look()
    city.clock.advance(SECOND)
    city.users.enable("ada", actor="os:x", reason="")
    city.look()
    city.revoke("wall")


def was_never_there(city: City) -> None:
    city.make("wall", scope("footage.play"), by="user:nobody")
    city.make("open", TokenScope(), by="user:nobody")
    city.has("nobody", Role.WAR_ROOM)


def is_a_token_that_goes(city: City) -> None:
    city.make("maker", scope("tokens.edit", lasts=20 * SECOND))
    city.make("wall", scope("footage.play"), by="token:maker")
    city.make("screen", scope("footage.play"), by="token:wall")
    city.revoke("maker")
    city.make("maker", TokenScope())  # another token, which takes over the name
    city.revoke("wall")


def is_a_token_that_ends(city: City) -> None:
    city.make("maker", scope("tokens.edit", lasts=4 * SECOND))
    city.make("wall", scope("footage.play"), by="token:maker")
    city.has("ada", Role.WAR_ROOM)
    city.make("other", scope("footage.play"), by="user:ada")
    city.has("ada", Role.AUDITOR)


def is_the_first_token(city: City) -> None:
    """No ledger entry records the first token until it is revoked."""
    city.secrets["first@0"] = city.tokens.create("first", city.clock)
    city.look()
    city.make("wall", scope("footage.play"), by="token:first")
    city.revoke("first")
    city.make("first", scope("footage.play"))
    city.revoke("first")


@pytest.mark.parametrize(
    "happens",
    [
        loses_a_role,
        is_bound_to_other_districts,
        is_disabled,
        was_never_there,
        is_a_token_that_goes,
        is_a_token_that_ends,
        is_the_first_token,
    ],
)
def test_a_token_is_told_of_where_it_was_let_in_and_nowhere_else(
    tmp_path: Path, happens: Callable[[City], None]
) -> None:
    city = City(tmp_path)
    happens(city)
    assert len({frozenset(opened) for opened in city.moments.values()}) > 1, "something changed"
    for at, opened in city.moments.items():
        assert city.told(at) == opened, (at - T0) // SECOND


def test_where_the_ledger_is_silent_one_too_many_is_told(tmp_path: Path) -> None:
    city = City(tmp_path)
    city.tokens.create("first", city.clock)
    city.make("wall", scope("footage.play"), by="token:first")
    city.make("host", scope("footage.play"))
    city.tokens.revoke("first")  # as by hand: removed from the file, not recorded
    city.tokens.revoke("host")
    assert city.told(city.clock.now()) == {("wall", "footage.play"), ("host", "footage.play")}
