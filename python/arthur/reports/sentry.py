"""Reports to Sentry, by a client of our own: no integration, no global state, nothing sent that we did not choose."""

from __future__ import annotations

from collections.abc import Mapping

from sentry_sdk import Client
from sentry_sdk.transport import Transport
from sentry_sdk.types import Event, Hint
from sentry_sdk.utils import BadDsn, event_from_exception

from arthur.errors import ConfigError
from arthur.release import installed_version

_CLOSING_S = 2.0
_WITHHELD = "withheld: the server's log has it under the request id"


class Sentry:
    """Tells Sentry. See Reports."""

    def __init__(self, dsn: str, *, transport: type[Transport] | None = None) -> None:
        """Connect when there is something to tell.

        Args:
            dsn: names the project.
            transport: sends events, instead of Sentry's own.

        Raises:
            ConfigError: it is no DSN.
        """
        try:
            self._client = Client(
                dsn=dsn,
                transport=transport,
                release=installed_version(),
                server_name="",
                default_integrations=False,
                auto_enabling_integrations=False,
                include_local_variables=False,
                data_collection={"stack_frame_variables": False, "user_info": False, "http_bodies": []},
                send_client_reports=False,
                auto_session_tracking=False,
                before_send=_without_values,
            )
        except BadDsn as error:
            raise ConfigError(f"setting 'sentry': {error}") from error

    def tell(self, error: BaseException, facts: Mapping[str, str]) -> None:
        """See Reports.tell."""
        mechanism = {"type": "arthur", "handled": True}
        event, hint = event_from_exception(error, client_options=self._client.options, mechanism=mechanism)
        event["tags"] = dict(facts)
        self._client.capture_event(event, hint)

    def close(self) -> None:
        """See Reports.close."""
        self._client.close(timeout=_CLOSING_S)


def _without_values(event: Event, _: Hint) -> Event:
    """Take out what an error says of itself, which may quote what the caller sent."""
    for one in event.get("exception", {}).get("values", []):
        one["value"] = _WITHHELD
    return event
