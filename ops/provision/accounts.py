"""The accounts on the store, and the least rights that each needs: one table, from which policies are made.

The rights were found by running every program with its account on a real MinIO
(``tests/integration/ops/test_accounts.py``). A right is a letter; it applies to names in one bucket that
begin with a prefix:

==  ====================================================================================================
r   read an object and its versions
l   see its lock and hold; without it a HEAD omits them silently
s   list names and versions under the prefix
p   put an object with a lock. S3 has one right for a lock at the put and for a later change of it; the proxy
    refuses the later change (``ops/deploy/nginx``). Never in COMPLIANCE mode
c   as ``p``, and also in COMPLIANCE mode
k   lengthen locks
h   set and release legal holds
d   delete
==  ====================================================================================================

Only ``retention`` has a ``d`` outside the cache. Every account may put an object under ``canary/``, to test
whether the store would let the account destroy it, and may record an incident.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from archive import keys
from archive.canonical import JsonObject
from archive.footage.trials import ANSWERS, ORDERS, TAKEN
from archive.ids import backfiller_of, check_name
from archive.records.ledger.streams import KINDS


class Part(StrEnum):
    """One of an archive's buckets, by the suffix of the archive's name."""

    FOOTAGE = ""
    RECORDS = "-records"
    CACHE = "-cache"


@dataclass(frozen=True, slots=True)
class Grant:
    """Rights, as letters, on the names under some prefixes of one bucket. ``*`` in a prefix is any text."""

    part: Part
    prefixes: tuple[str, ...]
    rights: str


@dataclass(frozen=True, slots=True)
class Account:
    """One account: its name within the archive, its purpose, and its grants."""

    name: str
    purpose: str
    grants: tuple[Grant, ...]

    def access_key(self, archive: str) -> str:
        """The account's access key id on the store, which is not secret."""
        return f"{archive}-{self.name}"

    def policy(self, archive: str) -> JsonObject:
        """The account's policy in the store's language, for the buckets of that archive."""
        return {"Version": "2012-10-17", "Statement": list(_statements(archive, self.grants))}


_OBJECT_ACTIONS: Mapping[str, tuple[str, ...]] = {
    "r": ("GetObject", "GetObjectVersion"),
    "l": ("GetObjectRetention", "GetObjectLegalHold"),
    "p": ("PutObject", "PutObjectRetention"),
    "c": ("PutObject", "PutObjectRetention"),
    "k": ("PutObjectRetention", "GetObjectRetention"),
    "h": ("PutObjectLegalHold", "GetObjectLegalHold"),
    "d": ("DeleteObject", "DeleteObjectVersion"),
    "s": (),
}
_CACHE_PUT = ("PutObject",)
_LIST_ACTIONS = ("ListBucket", "ListBucketVersions")
_LOCK_ACTIONS = ("PutObject", "PutObjectRetention")


def _footage(rights: str, *prefixes: str) -> Grant:
    return Grant(Part.FOOTAGE, prefixes, rights)


def _records(rights: str, *prefixes: str) -> Grant:
    return Grant(Part.RECORDS, prefixes, rights)


def _cache(rights: str, *prefixes: str) -> Grant:
    return Grant(Part.CACHE, prefixes, rights)


def _ledger(*kinds: str) -> tuple[str, ...]:
    return tuple(keys.ledger_prefix(kind) for kind in kinds)


_SEGMENTS = "segments/"
_EVERYTHING = ""
_CUSTODY = "custody/"
_OF_PEOPLE = tuple(kind for kind in KINDS if kind not in {"recorder", "disposition"})
"""Ledger kinds that people change through the API or the command line."""

_EVERYBODY = (
    _footage("rlsp", keys.CANARY),
    _records("rlsp", keys.CANARY),
    _records("rlsp", *_ledger("integrity_incident")),
)
_PROBES = (_footage("s", "probe/", "doctor/"), _records("s", "probe/", "doctor/"))
"""Names that readiness and ``saksi doctor`` list; no object has them."""


def _account(name: str, purpose: str, *grants: Grant) -> Account:
    return Account(name, purpose, (*grants, *_EVERYBODY))


ACCOUNTS: Sequence[Account] = (
    _account(
        "api",
        "the HTTP API and the command line on its host: reads all, writes ledger, custody and attachments",
        _footage("rls", _EVERYTHING),
        _records("rls", _EVERYTHING),
        _records("p", *_ledger(*_OF_PEOPLE), _CUSTODY, "attachments/", "handovers/"),
        _cache("rspd", _EVERYTHING),
    ),
    _account(
        "seal",
        "the seal job: reads footage and records, writes sealed packages",
        _footage("rls", _SEGMENTS),
        _records("rls", _EVERYTHING),
        _records("c", "evidence/"),
        _records("p", *_ledger("evidence"), _CUSTODY),
    ),
    _account(
        "holds",
        "the holds job: sets and releases legal holds, changes nothing else",
        # A HEAD, which shows the flag, needs the right to read (S3 has no narrower one), so it can read
        # footage.
        _footage("rlsh", _SEGMENTS),
        _records("rs", *_ledger("hold", "camera", "recorder", "policy"), "journal/"),
        _records("p", _CUSTODY),
        _cache("rspd", "holds/"),
    ),
    _account(
        "locks",
        "the locks job: lengthens locks after a longer policy",
        _footage("lsk", _SEGMENTS),
        _records("rs", *_ledger("policy", "camera", "hold")),
        _cache("rspd", "retention/locks/"),
    ),
    _account(
        "retention",
        "the dispose job: the only account that may delete footage, once it is neither locked nor held",
        _footage("rlsd", _SEGMENTS),
        _footage("d", keys.CANARY),
        _records("d", keys.CANARY),
        _records("rs", "ledger/", "journal/", "dispositions/"),
        _records("p", *_ledger("disposition"), _CUSTODY, "dispositions/"),
        _cache("rspd", "gate/", "skim/"),
        _cache("sd", "headers/", "exports/"),
    ),
    _account(
        "log",
        "the checkpoint job: reads records, writes checkpoints",
        _records("rls", _EVERYTHING),
        _records("c", "checkpoints/"),
        _cache("rspd", "log/"),
    ),
    _account(
        "index",
        "the index and follow jobs: read the sources of the index, change nothing",
        _footage("rls", _SEGMENTS),
        _records("rs", "journal/", "ledger/", "dispositions/", _CUSTODY),
    ),
    _account(
        "exports",
        "the exports job: reads footage, writes its copies to the cache, and removes them",
        _footage("rs", _SEGMENTS),
        # The journal's names and the recorders' keys show whether the index is whole.
        _records("rs", *_ledger("camera", "recorder"), "journal/"),
        _records("p", _CUSTODY),
        _cache("rspd", "exports/"),
    ),
    _account(
        "adopt",
        "the adopt job: reads footage, signs for segments of recorders that are gone, under names of its own",
        _footage("rls", _SEGMENTS),
        # It learns places, keys, holds and destructions as the index job does.
        _records("rs", "journal/", "ledger/", "dispositions/"),
        _records("p", "journal/*-adopted_", "ledger/recorder/*-adopted/", _CUSTODY),
    ),
    _account(
        "fixity",
        "the fixity job and archive check: reads everything, records incidents",
        _footage("rls", _EVERYTHING),
        _records("rls", _EVERYTHING),
        _cache("rspd", "fixity/"),
    ),
)
"""One account for each process; each recorder has one too."""


JOBS: Mapping[str, str] = {
    "seal": "seal",
    "holds": "holds",
    "requests": "api",
    "locks": "locks",
    "dispose": "retention",
    "log": "log",
    "index": "index",
    "follow": "index",
    "fixity": "fixity",
    "canary": "api",
    "handover": "api",
    "notices": "api",
    "skim": "api",
    "backfill": "api",
    "exports": "exports",
    "adopt": "adopt",
}
"""The account of each job; the canary runs in every process, with that process's account."""


def recorder_account(recorder: str) -> Account:
    """The account of one recorder: it adds segments and its own journal, and reads no footage.

    It may read names and its own journal batches, which a recorder needs after it lost its spool; and it
    reads orders of connection tests, takes them, and writes answers. Raises Malformed ``bad_id``.
    """
    recorder = check_name("recorder", recorder)
    names = (recorder, backfiller_of(recorder))
    return _account(
        f"recorder-{recorder}",
        f"the recorder {recorder}: adds segments and its own journal, reads no footage",
        _footage("p", _SEGMENTS),
        _records("rp", *(f"journal/*/{name}_" for name in names)),
        _records("s", "journal/"),
        _records("rs", *_ledger("camera", "policy", "hold", "recorder")),
        _records("p", *(f"ledger/recorder/{name}/" for name in names)),
        _cache("rs", ORDERS),
        _cache("rsp", TAKEN),
        _cache("p", ANSWERS),
    )


def _statements(archive: str, grants: Iterable[Grant]) -> Iterable[JsonObject]:
    """Allow statements, one per grant and kind of resource; then the denials, which override them."""
    plain: list[str] = []
    for grant in grants:
        bucket = f"arn:aws:s3:::{archive}{grant.part.value}"
        objects = [f"{bucket}/{prefix}*" for prefix in grant.prefixes]
        actions = sorted({action for right in grant.rights for action in _actions(grant.part, right)})
        if actions:
            yield _allow(actions, objects)
        if "s" in grant.rights:
            # The condition is on the listed prefix; an account that may list everything needs none.
            listed = [f"{prefix}*" for prefix in grant.prefixes]
            yield _allow(_LIST_ACTIONS, [bucket]) | (
                {} if listed == ["*"] else {"Condition": {"StringLike": {"s3:prefix": listed}}}
            )
        if set(grant.rights) & set("pk") and grant.part is not Part.CACHE:
            plain += objects
    if plain:
        yield {
            "Effect": "Deny",
            "Action": [f"s3:{action}" for action in _LOCK_ACTIONS],
            "Resource": sorted(set(plain)),
            "Condition": {"StringEquals": {"s3:object-lock-mode": "COMPLIANCE"}},
        }


def _actions(part: Part, right: str) -> tuple[str, ...]:
    return _CACHE_PUT if part is Part.CACHE and right == "p" else _OBJECT_ACTIONS[right]


def _allow(actions: Iterable[str], resources: list[str]) -> JsonObject:
    return {"Effect": "Allow", "Action": [f"s3:{action}" for action in actions], "Resource": resources}
