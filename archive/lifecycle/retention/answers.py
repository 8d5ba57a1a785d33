"""Policies as the API, the command line and the pages show them."""

from collections.abc import Iterable

from archive.canonical import JsonObject
from archive.lifecycle.retention import changes
from archive.lifecycle.retention.service import Explanation, PolicyRecord
from archive.model.retention import Terms, terms_to_json
from archive.records.ledger.streams import Entry
from archive.timespan import format_instant


def policy_json(record: PolicyRecord, now: int) -> JsonObject:
    """One policy: the terms in force, those that wait to begin, and those that wait for a second admin."""
    policy = record.policy
    proposal = policy.proposal
    return {
        "scope": str(policy.scope),
        "id": policy.scope.id,
        "version": record.version,
        "in_force": _terms(policy.in_force(now)),
        "waiting": [terms_to_json(terms) for terms in changes.waiting(policy, now)],
        "proposal": None
        if proposal is None
        else {
            "withdraws": proposal.terms is None,
            "terms": _terms(proposal.terms),
            "by": proposal.by,
            "at": format_instant(proposal.at),
        },
        "changed_at": format_instant(record.changed_at),
        "changed_by": record.changed_by,
        "reason": record.reason,
    }


def history_json(entries: Iterable[Entry]) -> list[JsonObject]:
    """Who changed a policy, when and why, oldest first."""
    return [
        {
            "version": entry.version,
            "at": format_instant(entry.at),
            "actor": entry.actor,
            "action": entry.action,
            "reason": entry.reason,
        }
        for entry in entries
    ]


def explanation_json(found: Explanation) -> JsonObject:
    """Which scope wins for a camera, and which others would apply."""
    ruling = found.ruling
    return {
        "camera": found.camera,
        "at": format_instant(found.at),
        "kecamatan": None if found.place is None else found.place.kecamatan,
        "owner": None if found.place is None else found.place.owner.value,
        "wins": None if ruling.scope is None else str(ruling.scope),
        "keep_days_min": ruling.keep_days_min,
        "keep_days_max": ruling.keep_days_max,
        "scopes": [{"scope": str(scope), "terms": _terms(terms)} for scope, terms in found.scopes],
    }


def _terms(terms: Terms | None) -> JsonObject | None:
    return None if terms is None else terms_to_json(terms)
