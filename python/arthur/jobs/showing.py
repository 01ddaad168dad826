"""A job as people and programs are shown it."""

from __future__ import annotations

from datetime import UTC, datetime

from arthur.types import Job, JsonValue

__all__ = ["job_members", "moment", "source_name"]


def job_members(job: Job, now_us: int) -> dict[str, JsonValue]:
    """Return a job as the members of a JSON object."""
    return {
        "job_id": job.job_id,
        "kind": job.kind,
        "state": job.state,
        "source": dict(job.spec),
        "total": job.total,
        "listed": job.listed,
        "done": job.done,
        "imported": job.imported,
        "skipped": job.skipped,
        "failed": job.failed,
        "rate": job.rate(now_us),
        "eta_s": job.eta_s(now_us),
        "error": job.error,
        "created_at": moment(job.created_us),
        "begun_at": None if job.begun_us is None else moment(job.begun_us),
        "ended_at": None if job.ended_us is None else moment(job.ended_us),
        "updated_at": moment(job.updated_us),
    }


def source_name(job: Job) -> str:
    """Return what a job imports from, in a few words."""
    named = job.spec.get("path") or job.spec.get("prefix")
    return str(named or f"{job.spec.get('items', 0)} URLs")


def moment(at_us: int) -> str:
    """Return a time, microseconds since 1970 UTC, as ISO 8601."""
    return datetime.fromtimestamp(at_us / 1e6, UTC).isoformat(timespec="milliseconds")
