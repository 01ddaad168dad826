"""Vectors in Qdrant: one index for all processes, in shards and replicas on as many machines as it takes."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from hashlib import blake2b
from typing import Final

import grpc
import numpy as np
from qdrant_client import QdrantClient, models
from qdrant_client.common.client_exceptions import QdrantException

from arthur.arrays import check_k, numbers
from arthur.errors import BadRequest, StoreError
from arthur.index.arrays import check_unit, rows
from arthur.index.qdrant_url import Layout, Place
from arthur.types import Filter, JsonValue, Keys, Neighbors, Vectors

__all__ = ["QdrantIndex", "connected"]

_VECTOR: Final = "view"
_ARTIST: Final = "artist"
_SEQUENCE: Final = "sequence"
_MARK: Final = 2**63
"""The point that keeps the sequence: the first number that no key can be."""
_OLDEST: Final = (1, 17)
"""Older servers pass over what they do not know, `update_mode`, and would bring removed keys back."""
_PUT_ROWS = 512
_REMOVE_ROWS = 4096
_QUERIES = 32
_LIVE = models.HasVectorCondition(has_vector=_VECTOR)
_CHANNEL = {
    # A server that is back is found within a second, not after gRPC's two minutes.
    "grpc.initial_reconnect_backoff_ms": 100,
    "grpc.min_reconnect_backoff_ms": 500,
    "grpc.max_reconnect_backoff_ms": 1000,
    "grpc.keepalive_time_ms": 10_000,
    "grpc.keepalive_timeout_ms": 3_000,
}


def connected(place: Place) -> tuple[QdrantClient, QdrantClient]:
    """Return clients for reading and for writing, which differ in their patience. Nothing is sent yet."""

    def client(timeout_s: int) -> QdrantClient:
        return QdrantClient(
            host=place.host,
            grpc_port=place.port,
            prefer_grpc=True,
            https=place.tls,
            api_key=place.key,
            timeout=timeout_s,
            grpc_options=dict(_CHANNEL),
            # It asks over HTTP, in a thread of its own, and warns when that port is closed.
            check_compatibility=False,
        )

    return client(place.timeout_s), client(place.write_timeout_s)


class QdrantIndex:
    """See VectorIndex. Every method is one or two round trips; the first that reaches a server makes the collection.

    A view is a point: its key, its vector and its artist. Views are put where no point is, a removed one becomes a
    point without a vector, and the sequence is a point that only grows. So writes give the same in any order and as
    often as they are repeated: processes need not wait for one another, replicas need no order, and a put that failed
    midway, of which a part may have been taken, is completed by the replay that follows.

    A collection that was lost is made again, empty and at sequence 0, and one that was restored from a snapshot says
    the sequence of that snapshot: whoever follows the catalog replays the rest.
    """

    def __init__(
        self,
        clients: tuple[QdrantClient, QdrantClient],
        *,
        dim: int,
        fingerprint: str,
        layout: Layout = Layout(),  # noqa: B008  # frozen
    ) -> None:
        """Take clients for reading and writing, for vectors of `dim` values of that engine. Nothing is sent yet."""
        self._reader, self._writer = clients
        self._dim = dim
        self._fingerprint = fingerprint
        self._layout = layout
        named = f"{fingerprint}/{dim}/{layout.shards}"
        self._name = f"arthur_{blake2b(named.encode(), digest_size=12).hexdigest()}"
        self._made = False
        self._closed = False

    @property
    def sequence(self) -> int:
        """See VectorIndex.sequence."""
        with self._asked():
            found = self._reader.retrieve(self._name, [_MARK], with_payload=[_SEQUENCE], with_vectors=False)
        return int((found[0].payload or {})[_SEQUENCE]) if found else 0

    def __len__(self) -> int:
        """See VectorIndex.__len__."""
        return self._count(models.Filter(must=[_LIVE]))

    def put(self, keys: Keys, vectors: Vectors, artists: Keys) -> None:
        """See VectorIndex.put."""
        keys, artists, vectors = numbers(keys, "keys"), numbers(artists, "artists"), rows(vectors, self._dim)
        if not len(keys) == len(vectors) == len(artists):
            raise BadRequest("keys, vectors and artists must be of the same length")
        if (keys < 0).any():
            raise BadRequest("keys must not be negative")
        check_unit(vectors)
        # Of a key that comes twice the first row counts.
        first = np.sort(np.unique(keys, return_index=True)[1])
        with self._asked():
            for at in range(0, len(first), _PUT_ROWS):
                part = first[at : at + _PUT_ROWS]
                rows_of = zip(keys[part].tolist(), vectors[part].tolist(), artists[part].tolist(), strict=True)
                points = [
                    models.PointStruct(id=key, vector={_VECTOR: vector}, payload={_ARTIST: artist})
                    for key, vector, artist in rows_of
                ]
                self._writer.upsert(self._name, points, update_mode=models.UpdateMode.INSERT_ONLY)

    def remove(self, keys: Keys) -> int:
        """See VectorIndex.remove."""
        gone = np.unique(numbers(keys, "keys"))
        gone = gone[gone >= 0]
        there = 0
        for at in range(0, len(gone), _REMOVE_ROWS):
            part = gone[at : at + _REMOVE_ROWS].tolist()
            there += self._count(models.Filter(must=[models.HasIdCondition(has_id=part), _LIVE]))
            with self._asked():
                ended = [models.PointStruct(id=key, vector={}, payload={}) for key in part]
                self._writer.upsert(self._name, ended)
        return there

    def advance(self, sequence: int) -> None:
        """See VectorIndex.advance."""
        mark = models.PointStruct(id=_MARK, vector={}, payload={_SEQUENCE: sequence})
        before = models.Filter(must=[models.FieldCondition(key=_SEQUENCE, range=models.Range(lt=sequence))])
        with self._asked():
            self._writer.upsert(self._name, [mark], update_filter=before)

    def search(self, vectors: Vectors, k: int, *, where: Filter | None = None) -> Neighbors:
        """See VectorIndex.search."""
        check_k(k)
        queries = rows(vectors, self._dim)
        check_unit(queries)
        answer = Neighbors(np.full((len(queries), k), -1, np.int64), np.full((len(queries), k), -np.inf, np.float32))
        if where is not None and not where.artists:
            return answer
        for at in range(0, len(queries), _QUERIES):
            requests = [self._request(query, k, where) for query in queries[at : at + _QUERIES].tolist()]
            with self._asked():
                found = self._reader.query_batch_points(self._name, requests)
            for row, response in enumerate(found, start=at):
                answer.keys[row, : len(response.points)] = [point.id for point in response.points]
                answer.scores[row, : len(response.points)] = [point.score for point in response.points]
        return answer

    def checkpoint(self) -> None:
        """See VectorIndex.checkpoint. The server keeps everything at once and makes graphs when it sees fit."""

    def stats(self) -> Mapping[str, JsonValue]:
        """See VectorIndex.stats."""
        with self._asked():
            told = self._reader.get_collection(self._name)
        return {
            "kind": "qdrant",
            "keys": len(self),
            "sequence": self.sequence,
            "collection": self._name,
            "state": str(told.status.value),
            "segments": told.segments_count,
            "in_graphs": told.indexed_vectors_count,
        }

    def close(self) -> None:
        """See VectorIndex.close."""
        if not self._closed:
            self._closed = True
            self._reader.close()
            self._writer.close()

    def _count(self, condition: models.Filter) -> int:
        with self._asked():
            return int(self._reader.count(self._name, count_filter=condition, exact=True).count)

    def _request(self, query: list[float], k: int, where: Filter | None) -> models.QueryRequest:
        layout, chosen = self._layout, None
        if where is not None:
            artists = models.FieldCondition(key=_ARTIST, match=models.MatchAny(any=list(where.artists)))
            chosen = models.Filter(must=[artists])
        again = models.QuantizationSearchParams(rescore=True, oversampling=layout.search_oversampling)
        params = models.SearchParams(hnsw_ef=max(layout.search_ef, k), quantization=again)
        return models.QueryRequest(query=query, using=_VECTOR, filter=chosen, params=params, limit=k)

    @contextmanager
    def _asked(self) -> Iterator[None]:
        """Make sure of the collection, and say in our own words what goes wrong."""
        if self._closed:
            raise StoreError("the index is closed")
        try:
            if not self._made:
                self._make()
                self._made = True
            yield
        except grpc.RpcError as error:
            if _code(error) is grpc.StatusCode.NOT_FOUND:
                self._made = False
                raise StoreError("the index was removed from its server, and will be made again") from error
            raise StoreError(f"the index's server does not answer as expected ({_said(error)})") from error
        except (RuntimeError, ValueError) as error:
            if not self._closed:
                raise
            raise StoreError("the index is closed") from error
        except QdrantException as error:
            raise StoreError("the index's server is at its capacity") from error

    def _make(self) -> None:
        """Make the collection, or bring what can be changed of its layout to what is wanted. May be done by many."""
        version = self._writer.info().version
        if _numbers(version) < _OLDEST:
            raise StoreError(f"the index's server is Qdrant {version}, which is too old: 1.17 or newer is needed")
        if not self._writer.collection_exists(self._name):
            try:
                self._create()
            except grpc.RpcError:
                if not self._writer.collection_exists(self._name):  # another process was not faster either
                    raise
        kept = self._writer.get_collection(self._name).config.metadata or {}
        if kept.get("layout") != self._layout.kept:
            self._change()
        schema = models.IntegerIndexParams(type=models.IntegerIndexType.INTEGER, lookup=True, range=False)
        self._writer.create_payload_index(self._name, _ARTIST, field_schema=schema)

    def _create(self) -> None:
        layout = self._layout
        self._writer.create_collection(
            self._name,
            vectors_config={
                _VECTOR: models.VectorParams(
                    size=self._dim,
                    distance=models.Distance.COSINE,
                    datatype=models.Datatype.FLOAT16,
                    on_disk=layout.on_disk,
                )
            },
            shard_number=layout.shards,
            replication_factor=layout.replicas,
            write_consistency_factor=layout.write_consistency,
            hnsw_config=self._graph(),
            quantization_config=_INT8 if layout.quantization == "int8" else None,
            optimizers_config=models.OptimizersConfigDiff(indexing_threshold=layout.graph_from_kb),
            metadata={"engine": self._fingerprint, "layout": layout.kept},
        )

    def _change(self) -> None:
        layout = self._layout
        self._writer.update_collection(
            self._name,
            vectors_config={_VECTOR: models.VectorParamsDiff(on_disk=layout.on_disk)},
            collection_params=models.CollectionParamsDiff(
                replication_factor=layout.replicas, write_consistency_factor=layout.write_consistency
            ),
            hnsw_config=self._graph(),
            quantization_config=_INT8 if layout.quantization == "int8" else models.Disabled.DISABLED,
            optimizers_config=models.OptimizersConfigDiff(indexing_threshold=layout.graph_from_kb),
            metadata={"layout": layout.kept},
        )

    def _graph(self) -> models.HnswConfigDiff:
        layout = self._layout
        return models.HnswConfigDiff(
            m=layout.m, ef_construct=layout.ef_construct, full_scan_threshold=layout.full_scan_kb
        )


_INT8 = models.ScalarQuantization(
    scalar=models.ScalarQuantizationConfig(type=models.ScalarType.INT8, quantile=0.99, always_ram=True)
)


def _numbers(version: str) -> tuple[int, ...]:
    return tuple(int(part) for part in version.split(".")[:2] if part.isdecimal())


def _code(error: grpc.RpcError) -> grpc.StatusCode | None:
    return error.code() if isinstance(error, grpc.Call) else None


def _said(error: grpc.RpcError) -> str:
    code = _code(error)
    return "unknown" if code is None else code.name.lower().replace("_", " ")
