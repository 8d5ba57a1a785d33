"""What an import of cameras did, or would do, as JSON; for the command line too."""

from api.described.languages import in_languages
from archive.canonical import JsonObject
from archive.footage.exchange.importing import Plan, RefusedRow, Taken, remarks_of


def plan_json(plan: Plan, *, dry_run: bool) -> JsonObject:
    """The rows of a plan, each in one list; ``dry_run`` says whether anything was written.

    Sentences about refused rows are in Indonesian and in English.
    """
    return {
        "dry_run": dry_run,
        "added": [one.camera.id for one in plan.added],
        "changed": [_changed(one) for one in plan.changed],
        "unchanged": [one.camera.id for one in plan.unchanged],
        "refused": [_refused(row) for row in plan.refused],
        "remarks": [
            {"line": one.line, "camera": one.camera.id, "code": said.code, "id": said.id, "en": said.en}
            for one, said in remarks_of(plan)
        ],
        "ignored": list(plan.ignored),
    }


def _changed(one: Taken) -> JsonObject:
    fields = {name: {"from": change.before, "to": change.after} for name, change in one.changes.items()}
    return {"line": one.line, "id": one.camera.id, "fields": fields}


def _refused(row: RefusedRow) -> JsonObject:
    message, hint = in_languages(row.code, row.message, row.hint)
    return {
        "line": row.line,
        "id": row.id,
        "field": row.field,
        "code": row.code,
        "message": message,
        "hint": hint,
    }
