"""What all tables of the SQL catalogue are made with."""

from __future__ import annotations

from sqlalchemy import BigInteger, Integer, MetaData, Text

__all__ = ["ID", "INT64", "metadata"]

# SQLite makes a column its row id only when the type is spelt INTEGER; elsewhere that is 32 bits.
INT64 = BigInteger().with_variant(Integer(), "sqlite")
# Ids are compared byte by byte. That is SQLite's way by itself; PostgreSQL must be told.
ID = Text().with_variant(Text(collation="C"), "postgresql")

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "pk": "pk_%(table_name)s",
    }
)
