"""Beginning a job: on the machine where its source lies, or for a caller over the network."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from itertools import count
from pathlib import Path

import orjson
from blake3 import blake3

from arthur.catalog import Catalog
from arthur.errors import BadRequest
from arthur.fetch.addresses import check_form
from arthur.jobs.items import Item, Refused
from arthur.jobs.manifests import Row
from arthur.jobs.sources import row_item
from arthur.jobs.specs import Reach, SourceSpec
from arthur.jobs.working import listing_of
from arthur.types import Job, JsonValue, NewJob

__all__ = ["job_of_rows", "job_of_source", "local_spec", "start_job"]

_AT_ONCE = 100


def local_spec(source: str, artist_id: str | None) -> SourceSpec:
    """Return the source that somebody on this machine names: a path, or the URL of a prefix."""
    if "://" in source:
        return SourceSpec(prefix=source, artist_id=artist_id)
    return SourceSpec(path=str(Path(source).resolve()), artist_id=artist_id)


def start_job(catalog: Catalog, reach: Reach, spec: SourceSpec, *, now_us: int) -> Job:
    """Begin to import a source, or go on with a job that has not ended and does just that.

    Raises:
        BadRequest: there is nothing at the source that could be imported.
        StoreError: the catalog or the object store does not answer.
    """
    reach.open(spec)
    for job in catalog.jobs.jobs(before=None, limit=_AT_ONCE, states=("queued", "running", "paused", "failed")):
        if (job.kind, job.spec, job.needs) == ("import", spec.packed(), reach.needs(spec)):
            return catalog.jobs.change(job.job_id, "resume", now_us=now_us)
    job, _ = catalog.jobs.put(NewJob("import", spec.packed(), reach.needs(spec)), now_us=now_us)
    return job


def job_of_source(reach: Reach, spec: SourceSpec, *, idempotency_key: str = "") -> NewJob:
    """Return the job that imports a source that somebody named over the network.

    Raises:
        Forbidden: it lies outside of what callers may import from.
        BadRequest: it is malformed, or nothing that could be imported.
    """
    reach.check(spec)
    return NewJob("import", spec.packed(), reach.needs(spec), idempotency_key)


def job_of_rows(rows: Sequence[Mapping[str, JsonValue]], *, idempotency_key: str = "") -> NewJob:
    """Return the job that imports pictures by their URLs; rows are as those of a manifest.

    Raises:
        BadRequest: a row is not of its form; the message says which.
    """
    found = [row_item(row, Row(f"row {number}")) for number, row in zip(count(1), rows, strict=False)]
    for one in found:
        if isinstance(one, Refused):
            raise BadRequest(f"items: {one.place}: {one.reason}")
        if isinstance(one, Item):
            check_form(one.source)
    digest = blake3(orjson.dumps(list(rows), option=orjson.OPT_SORT_KEYS)).hexdigest()
    return NewJob("import", {"items": len(rows), "digest": digest}, "", idempotency_key, listing_of(found))
