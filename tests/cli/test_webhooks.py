"""`arthur webhooks`, and the imports that they hear of."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from arthur.catalog import open_catalog

URL = "https://example.org/hook"


def test_a_webhook_is_put_listed_and_removed(arthur: Any) -> None:
    row = arthur("webhooks", "put", URL, "--event", "view.put", "--json").json[0]
    listed = arthur("webhooks", "list", "--json")
    assert (listed.json[0]["url"], listed.json[0]["events"]) == (URL, ["view.put"])
    assert (row["secret"][:6], row["secret"] in listed.out) == ("whsec_", False)
    assert [arthur("webhooks", "remove", row["webhook"]).status for _ in range(2)] == [0, 1]
    assert arthur("webhooks", "list").out == ""


def test_a_url_that_could_not_be_posted_to_is_status_2(arthur: Any) -> None:
    assert [arthur("webhooks", "put", url).status for url in ("ftp://a.example/", "http://u@a.example/", "x")] == [
        2
    ] * 3


def test_an_event_that_does_not_exist_is_status_2(arthur: Any) -> None:
    done = arthur("webhooks", "put", URL, "--event", "view.seen")
    assert (done.status, "view.put" in done.err) == (2, True)


def test_an_import_is_told(arthur: Any, shelf: Path, tmp_path: Path) -> None:
    arthur("webhooks", "put", URL)
    assert arthur("import", shelf).status == 0
    catalog = open_catalog(f"sqlite:///{tmp_path}/data/catalog.db")
    (notice,), (job,) = catalog.outbox.notices(0, 10), catalog.jobs.jobs(before=None, limit=2)
    catalog.close()
    facts = {"job": job.job_id, "state": "done", "imported": 6, "skipped": 0, "failed": 0}
    assert (notice.kind, notice.facts) == ("import.finished", facts)
