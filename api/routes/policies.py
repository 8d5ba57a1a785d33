"""Retention: policies, their changes, why a camera's footage is kept, and plans of destruction."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api.acts import Act
from api.auth.permissions import Reach
from api.parameters import camera_ids, instant
from api.preconditions import CHANGE, Version, VersionOrNone, decided_on, read_answer, tagged
from api.routing import add_json
from api.schemas.policies import (
    ApprovalReason,
    ExplanationOut,
    PlanIn,
    PlanOut,
    PoliciesOut,
    PolicyOut,
    PolicyReason,
    PolicyWithHistoryOut,
    ProposeIn,
)
from api.visit import Visit, require
from archive.canonical import JsonObject
from archive.errors import NotFound
from archive.ids import check_name
from archive.lifecycle.retention.answers import explanation_json, history_json, policy_json
from archive.lifecycle.retention.service import PolicyRecord, scope_of
from archive.model.retention import Scope, ScopeKind
from search.planning import hours_of


def add_routes(router: APIRouter) -> None:
    """Add /v1/retention and its subpaths."""
    every, tag = "/v1/retention/policies", "retention"
    one = f"{every}/{{scope_id}}"
    add_json(router, "GET", every, list_policies, PoliciesOut, tag=tag)
    add_json(router, "GET", one, get_policy, PolicyWithHistoryOut, 304, 404, tag=tag)
    add_json(router, "POST", f"{one}/propose", propose_policy, PolicyOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/approve", approve_policy, PolicyOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/reject", reject_policy, PolicyOut, *CHANGE, tag=tag)
    add_json(router, "POST", f"{one}/withdraw", withdraw_policy, PolicyOut, *CHANGE, tag=tag)
    add_json(router, "GET", "/v1/retention/explain", explain_retention, ExplanationOut, 404, tag=tag)
    add_json(router, "POST", "/v1/retention/plan", plan_retention, PlanOut, 404, 413, tag=tag)


async def asked_scope(
    scope_id: Annotated[
        str, Path(description="default, owner-business, kecamatan-73.71.13, camera-ID", max_length=80)
    ],
) -> Scope:
    """The scope in the path. Raises Malformed ``bad_scope``, ``bad_id``."""
    return scope_of(scope_id)


ScopeAsked = Annotated[Scope, Depends(asked_scope)]
Reader = Annotated[Visit, require("policies.read", Reach.OWN, Reach.FACTS)]
Editor = Annotated[Visit, require("policies.edit")]


def list_policies(visit: Reader) -> JSONResponse:
    """Every policy, by id, with proposals that wait for a second admin; district staff see those for them."""
    found = [record for record in visit.services.policies.records() if _is_shown(visit, record)]
    now = visit.services.clock.now()
    return JSONResponse({"policies": [_shown(visit, policy_json(record, now)) for record in found]})


def get_policy(visit: Reader, request: Request, scope: ScopeAsked) -> Response:
    """One policy and its history."""
    visit.begin(Act.ACCESS, scope.id, details={"action": visit.action})
    policies = visit.services.policies
    if scope.kind is ScopeKind.CAMERA:
        visit.access.camera(scope.value)
    elif not _rules_theirs(visit, scope):
        visit.details["denied"] = "district"
        raise NotFound(f"there is no policy {scope.id}", code="policy_not_found")
    record = policies.record(scope)
    answer = policy_json(record, visit.services.clock.now())
    history = history_json(policies.history(scope))
    return read_answer(request, record.version, _shown(visit, answer | {"history": history}))


def propose_policy(visit: Editor, scope: ScopeAsked, version: VersionOrNone, form: ProposeIn) -> JSONResponse:
    """Propose terms. Terms that shorten nothing apply at once; a shortening waits for a second admin."""
    _begin_change(visit, scope)
    policies, terms = visit.services.policies, form.terms(visit.services.clock.now())
    with decided_on():
        record = policies.propose(
            scope, terms, actor=visit.principal.id, reason=form.reason, expected=version
        )
    return _answer(visit, record)


def approve_policy(visit: Editor, scope: ScopeAsked, version: Version, why: ApprovalReason) -> JSONResponse:
    """Approve a shortening that another admin proposed; it begins after the waiting time."""
    _begin_change(visit, scope)
    policies = visit.services.policies
    with decided_on():
        record = policies.approve(scope, actor=visit.principal.id, reason=why.reason, expected=version)
    return _answer(visit, record)


def reject_policy(visit: Editor, scope: ScopeAsked, version: Version, why: PolicyReason) -> JSONResponse:
    """Reject a proposal, or stop approved terms that have not begun."""
    _begin_change(visit, scope)
    policies = visit.services.policies
    with decided_on():
        record = policies.reject(scope, actor=visit.principal.id, reason=why.reason, expected=version)
    return _answer(visit, record)


def withdraw_policy(visit: Editor, scope: ScopeAsked, version: Version, why: PolicyReason) -> JSONResponse:
    """Withdraw a policy, so that less specific scopes apply; a shortening needs a second admin."""
    _begin_change(visit, scope)
    policies = visit.services.policies
    with decided_on():
        record = policies.withdraw(scope, actor=visit.principal.id, reason=why.reason, expected=version)
    return _answer(visit, record)


def explain_retention(
    visit: Reader,
    camera: Annotated[str, Query(description="The camera's id.", max_length=63, examples=["cam-1"])],
    at: Annotated[str, Query(description="RFC 3339 with an offset; default now.", max_length=64)] = "",
) -> JSONResponse:
    """Which scope's policy applies to a camera's footage of an instant, and which others would."""
    visit.begin(Act.ACCESS, check_name("camera", camera), details={"action": visit.action})
    visit.access.camera(camera)
    moment = instant("at", at) if at else None
    return JSONResponse(explanation_json(visit.services.policies.explain(camera, moment)))


def plan_retention(visit: Annotated[Visit, require("retention.plan")], form: PlanIn) -> JSONResponse:
    """What would be destroyed or kept by holds and locks, and the store's future size; changes nothing."""
    services = visit.services
    plan = services.planner.plan(
        hours_of(services.index),
        at=None if form.at is None else instant("at", form.at),
        change=None if form.change is None else form.change.change(services.clock.now()),
        cameras=_cameras(visit, form.cameras),
    )
    return JSONResponse(plan.to_json())


def _begin_change(visit: Visit, scope: Scope) -> None:
    """Check that the principal may change the scope's policy; a refusal is recorded."""
    visit.begin(Act.POLICY_CHANGE, scope.id)
    if scope.kind is ScopeKind.CAMERA:
        visit.access.change(scope.value, None)
    else:
        # Policies of the city and of an owner kind belong to no district.
        visit.access.district(scope.value if scope.kind is ScopeKind.KECAMATAN else "")


def _answer(visit: Visit, record: PolicyRecord) -> JSONResponse:
    return JSONResponse(policy_json(record, visit.services.clock.now()), headers=tagged(record.version))


def _is_shown(visit: Visit, record: PolicyRecord) -> bool:
    scope = record.policy.scope
    if scope.kind is not ScopeKind.CAMERA:
        return _rules_theirs(visit, scope)
    try:
        visit.access.camera(scope.value)
    except NotFound:
        return False
    return True


def _rules_theirs(visit: Visit, scope: Scope) -> bool:
    """Whether the principal may know of a scope other than a camera's: all but those of foreign districts."""
    own = visit.principal.district_filter(visit.action)
    return scope.kind is not ScopeKind.KECAMATAN or own is None or scope.value in own


def _shown(visit: Visit, answer: JsonObject) -> JsonObject:
    """The part of a policy that the caller may see: for public facts no proposal, no persons, no reasons."""
    if visit.principal.reach(visit.action) & {Reach.ALL, Reach.OWN}:
        return answer
    public: JsonObject = {**answer, "proposal": None, "changed_by": "", "reason": ""}
    if "history" in answer:
        public["history"] = [{**entry, "actor": "", "reason": ""} for entry in answer["history"]]
    return public


def _cameras(visit: Visit, asked: list[str] | None) -> tuple[str, ...] | None:
    """The cameras to plan for: those named, else those in the caller's districts; None for all ever."""
    if asked is not None:
        named = camera_ids(asked, visit.services.settings.max_cameras)
        for camera in named:
            visit.access.camera(camera)
        return named
    if visit.principal.district_filter(visit.action) is None:
        return None
    return tuple(
        name
        for name, known in visit.services.directory.cameras().items()
        if visit.access.admits(known.camera.place)
    )
