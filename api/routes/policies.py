"""Retention: policies, their changes, why a camera's footage is kept, and plans of destruction."""

from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Request
from starlette.responses import JSONResponse, Response

from api.audit import Act
from api.auth.permissions import Reach
from api.named_people import with_people
from api.parameters import camera_ids, instant
from api.preconditions import CHANGE, Version, VersionOrNone, decided_on, read_answer, tagged
from api.request_context import RequestContext, require
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
from archive.canonical import JsonObject
from archive.errors import NotFound
from archive.ids import check_name
from archive.lifecycle.retention.answers import explanation_json, history_json, policy_json
from archive.lifecycle.retention.listing import all_policies
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
Reader = Annotated[RequestContext, require("policies.read", Reach.OWN, Reach.FACTS)]
Editor = Annotated[RequestContext, require("policies.edit")]


def list_policies(context: Reader) -> JSONResponse:
    """Every policy, by id, with proposals that wait for a second admin; district staff see those for them."""
    known, now = all_policies(context.services.index), context.services.clock.now()
    shown = [record for record in known.items if _is_shown(context, record)]
    listed = [_shown(context, policy_json(record, now)) for record in shown]
    policies = context.services.policies
    rules = {"floor_days": policies.floor_days, "wait_hours": policies.wait_hours}
    found = {"policies": listed, **rules, "as_of": known.as_of_text}
    return JSONResponse(with_people(context, found))


def get_policy(context: Reader, request: Request, scope: ScopeAsked) -> Response:
    """One policy and its history."""
    context.begin(Act.ACCESS, scope.id, details={"action": context.action})
    policies = context.services.policies
    if scope.kind is ScopeKind.CAMERA:
        context.access.camera(scope.value)
    elif not _rules_theirs(context, scope):
        context.details["denied"] = "district"
        raise NotFound(f"there is no policy {scope.id}", code="policy_not_found")
    record = policies.record(scope)
    answer = policy_json(record, context.services.clock.now())
    history = history_json(policies.history(scope))
    return read_answer(
        request, record.version, with_people(context, _shown(context, answer | {"history": history}))
    )


def propose_policy(
    context: Editor, scope: ScopeAsked, version: VersionOrNone, form: ProposeIn
) -> JSONResponse:
    """Propose terms. Terms that shorten nothing apply at once; a shortening waits for a second admin."""
    _begin_change(context, scope)
    policies, terms = context.services.policies, form.terms(context.services.clock.now())
    with decided_on():
        record = policies.propose(
            scope, terms, actor=context.principal.id, reason=form.reason, expected=version
        )
    return _answer(context, record)


def approve_policy(context: Editor, scope: ScopeAsked, version: Version, why: ApprovalReason) -> JSONResponse:
    """Approve a shortening that another admin proposed; it begins after the waiting time."""
    _begin_change(context, scope)
    policies = context.services.policies
    with decided_on():
        record = policies.approve(scope, actor=context.principal.id, reason=why.reason, expected=version)
    return _answer(context, record)


def reject_policy(context: Editor, scope: ScopeAsked, version: Version, why: PolicyReason) -> JSONResponse:
    """Reject a proposal, or stop approved terms that have not begun."""
    _begin_change(context, scope)
    policies = context.services.policies
    with decided_on():
        record = policies.reject(scope, actor=context.principal.id, reason=why.reason, expected=version)
    return _answer(context, record)


def withdraw_policy(context: Editor, scope: ScopeAsked, version: Version, why: PolicyReason) -> JSONResponse:
    """Withdraw a policy, so that less specific scopes apply; a shortening needs a second admin."""
    _begin_change(context, scope)
    policies = context.services.policies
    with decided_on():
        record = policies.withdraw(scope, actor=context.principal.id, reason=why.reason, expected=version)
    return _answer(context, record)


def explain_retention(
    context: Reader,
    camera: Annotated[str, Query(description="The camera's id.", max_length=63, examples=["cam-1"])],
    at: Annotated[str, Query(description="RFC 3339 with an offset; default now.", max_length=64)] = "",
) -> JSONResponse:
    """Which scope's policy applies to a camera's footage of an instant, and which others would."""
    context.begin(Act.ACCESS, check_name("camera", camera), details={"action": context.action})
    context.access.camera(camera)
    moment = instant("at", at) if at else None
    found = explanation_json(context.services.policies.explain(camera, moment))
    return JSONResponse(found | {"kecamatan_name": context.services.areas.name(found["kecamatan"] or "")})


def plan_retention(
    context: Annotated[RequestContext, require("retention.plan")], form: PlanIn
) -> JSONResponse:
    """What would be destroyed or kept by holds and locks, and the store's future size; changes nothing."""
    services = context.services
    change = None if form.change is None else form.change.change(services.clock.now())
    plan = services.planner.plan(
        hours_of(services.index),
        at=None if form.at is None else instant("at", form.at),
        change=change,
        cameras=_cameras(context, form.cameras),
    )
    answer = plan.to_json()
    if change is not None:
        answer["change"]["shortens"] = services.policies.shortens(change.scope, change.terms)
    return JSONResponse(answer)


def _begin_change(context: RequestContext, scope: Scope) -> None:
    """Check that the principal may change the scope's policy; a refusal is recorded."""
    context.begin(Act.POLICY_CHANGE, scope.id)
    if scope.kind is ScopeKind.CAMERA:
        context.access.change(scope.value, None)
    else:
        # Policies of the city and of an owner kind belong to no district.
        context.access.district(scope.value if scope.kind is ScopeKind.KECAMATAN else "")


def _answer(context: RequestContext, record: PolicyRecord) -> JSONResponse:
    return JSONResponse(policy_json(record, context.services.clock.now()), headers=tagged(record.version))


def _is_shown(context: RequestContext, record: PolicyRecord) -> bool:
    scope = record.policy.scope
    if scope.kind is not ScopeKind.CAMERA:
        return _rules_theirs(context, scope)
    try:
        context.access.camera(scope.value)
    except NotFound:
        return False
    return True


def _rules_theirs(context: RequestContext, scope: Scope) -> bool:
    """Whether the principal may know of a scope other than a camera's: all but those of foreign districts."""
    own = context.principal.district_filter(context.action)
    return scope.kind is not ScopeKind.KECAMATAN or own is None or scope.value in own


def _shown(context: RequestContext, answer: JsonObject) -> JsonObject:
    """The part of a policy that the caller may see: for public facts no proposal, no persons, no reasons."""
    if context.principal.reach(context.action) & {Reach.ALL, Reach.OWN}:
        return answer
    public: JsonObject = {**answer, "proposal": None, "changed_by": "", "reason": ""}
    if "history" in answer:
        public["history"] = [{**entry, "actor": "", "reason": ""} for entry in answer["history"]]
    return public


def _cameras(context: RequestContext, asked: list[str] | None) -> tuple[str, ...] | None:
    """The cameras to plan for: those named, else those in the caller's districts; None for all ever."""
    if asked is not None:
        named = camera_ids(asked, context.services.settings.max_cameras)
        for camera in named:
            context.access.camera(camera)
        return named
    if context.principal.district_filter(context.action) is None:
        return None
    return tuple(
        name
        for name, known in context.services.directory.cameras().items()
        if context.access.admits(known.camera.place)
    )
