"""Alembic runs this file; `arthur.catalog.migrate` hands it the connection, inside an open transaction."""

from __future__ import annotations

from alembic import context

from arthur.catalog.schema import metadata

context.configure(connection=context.config.attributes["connection"], target_metadata=metadata)
context.run_migrations()
