"""A server that speaks Qdrant's gRPC and lets the real engine, qdrant-edge, do the work: `FOLDER PORT [VERSION]`.

There is no package of Qdrant's server, so this stands in for a single node of it: client, wire, engine, files, its
write-ahead log and process are real, while clusters, shards, replicas and consensus are not there. Only what Arthur
asks is answered; anything else is UNIMPLEMENTED. Graphs are made in the background, as the server does it.
"""

from __future__ import annotations

import sys
import threading
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path
from typing import Any

import grpc
import qdrant_edge as edge
from qdrant_client import grpc as wire
from qdrant_client import models
from qdrant_client.conversions.conversion import GrpcToRest
from qdrant_client.grpc.collections_service_pb2_grpc import CollectionsServicer, add_CollectionsServicer_to_server
from qdrant_client.grpc.points_service_pb2_grpc import PointsServicer, add_PointsServicer_to_server
from qdrant_client.grpc.qdrant_pb2_grpc import QdrantServicer, add_QdrantServicer_to_server

OK = wire.UpdateResult(status=wire.UpdateStatus.Completed)


def condition_of(condition: Any) -> Any:
    """Return a condition as the engine takes it."""
    if isinstance(condition, models.HasIdCondition):
        return edge.HasIdCondition(set(condition.has_id))
    if isinstance(condition, models.HasVectorCondition):
        return edge.HasVectorCondition(condition.has_vector)
    if condition.match is not None:
        return edge.FieldCondition(condition.key, match=edge.MatchAny(condition.match.any))
    return edge.FieldCondition(condition.key, range=edge.RangeFloat(lt=condition.range.lt))


def filter_of(message: Any, request: Any, name: str = "filter") -> edge.Filter | None:
    """Return the filter of a request, of which only `must` is used."""
    if not request.HasField(name):
        return None
    return edge.Filter(must=[condition_of(one) for one in GrpcToRest.convert_filter(message).must])


def point_of(point: Any) -> edge.Point:
    """Return a point as the engine takes it."""
    vectors = {name: list(vector.dense.data) for name, vector in point.vectors.vectors.vectors.items()}
    return edge.Point(point.id.num, vectors, GrpcToRest.convert_payload(point.payload))


def params_of(params: Any) -> edge.SearchParams:
    """Return how a search is made."""
    again = params.quantization
    return edge.SearchParams(
        hnsw_ef=params.hnsw_ef,
        exact=params.exact,
        quantization=edge.QuantizationSearchParams(rescore=again.rescore, oversampling=again.oversampling),
    )


def config_of(request: Any) -> edge.EdgeConfig:
    """Return the layout of a new collection."""
    ((name, params),) = request.vectors_config.params_map.map.items()
    graph, kept = request.hnsw_config, None
    if request.HasField("quantization_config"):
        scalar = request.quantization_config.scalar
        kept = edge.ScalarQuantizationConfig(edge.ScalarType.Int8, quantile=scalar.quantile, always_ram=True)
    assert params.datatype == wire.Datatype.Float16
    vector = edge.EdgeVectorParams(
        params.size, edge.Distance.Cosine, on_disk=params.on_disk, datatype=edge.VectorStorageDatatype.Float16
    )
    return edge.EdgeConfig(
        {name: vector},
        hnsw_config=edge.HnswIndexConfig(graph.m, graph.ef_construct, graph.full_scan_threshold, 1),
        quantization_config=kept,
        optimizers=edge.EdgeOptimizersConfig(
            indexing_threshold=request.optimizers_config.indexing_threshold, default_segment_number=1
        ),
        max_search_threads=1,
    )


class Collection:
    """One collection: what it was made by, and its shard."""

    def __init__(self, folder: Path, request: Any | None = None) -> None:
        self.folder = folder
        if request is not None:
            (folder / "shard").mkdir(parents=True)
            self.shard = edge.EdgeShard.create(str(folder / "shard"), config_of(request))
            self.request = request
            self.keep()
        else:
            self.request = wire.CreateCollection.FromString((folder / "made_by").read_bytes())
            self.shard = edge.EdgeShard.load(str(folder / "shard"))

    def keep(self) -> None:
        """Write down what it was made by."""
        fresh = self.folder / "made_by.new"
        fresh.write_bytes(self.request.SerializeToString())
        fresh.rename(self.folder / "made_by")


class Node(CollectionsServicer, PointsServicer, QdrantServicer):  # type: ignore[misc]  # the client's stubs are untyped
    """Collections below a folder."""

    def __init__(self, folder: Path, version: str) -> None:
        self.folder = folder
        self.version = version
        self.changed = threading.Event()
        self.lock = threading.Lock()
        self.collections = {}
        for path in folder.glob("*/made_by"):
            self.collections[path.parent.name] = Collection(path.parent)
        threading.Thread(target=self.optimize, daemon=True).start()

    def optimize(self) -> None:
        """Build graphs whenever something was written."""
        while self.changed.wait():
            self.changed.clear()
            for one in list(self.collections.values()):
                with suppress(Exception):  # a collection may be dropped meanwhile
                    one.shard.optimize()

    def of(self, request: Any, context: grpc.ServicerContext) -> Collection:
        """Return the collection that is asked, or end the call."""
        found = self.collections.get(request.collection_name)
        if found is None:
            context.abort(grpc.StatusCode.NOT_FOUND, f"Collection `{request.collection_name}` doesn't exist!")
        return found

    def HealthCheck(self, request: Any, context: Any) -> Any:  # noqa: N802  # gRPC names it
        return wire.HealthCheckReply(title="stand-in", version=self.version)

    def CollectionExists(self, request: Any, context: Any) -> Any:  # noqa: N802
        return wire.CollectionExistsResponse(
            result=wire.CollectionExists(exists=request.collection_name in self.collections)
        )

    def Create(self, request: Any, context: Any) -> Any:  # noqa: N802
        with self.lock:
            if request.collection_name in self.collections:
                context.abort(grpc.StatusCode.ALREADY_EXISTS, "it exists")
            made = Collection(self.folder / request.collection_name, request)
            self.collections[request.collection_name] = made
        return wire.CollectionOperationResponse(result=True)

    def Update(self, request: Any, context: Any) -> Any:  # noqa: N802
        found = self.of(request, context)
        found.request.metadata.MergeFrom(request.metadata)
        for name, value in request.metadata.items():
            found.request.metadata[name].CopyFrom(value)
        found.keep()
        return wire.CollectionOperationResponse(result=True)

    def Delete(self, request: Any, context: Any) -> Any:  # noqa: N802
        with self.lock:
            self.of(request, context).shard.close()
            one = self.collections.pop(request.collection_name)
            (one.folder / "made_by").unlink()
            one.folder.rename(f"{one.folder}.dropped.{id(one)}")
        return wire.CollectionOperationResponse(result=True)

    def Get(self, request: Any, context: Any) -> Any:  # noqa: N802
        """Both services have a Get: of a collection, and of points."""
        if isinstance(request, wire.GetPoints):
            return self.points(request, context)
        found = self.of(request, context)
        told, made = found.shard.info(), found.request
        params = wire.CollectionParams(
            shard_number=made.shard_number, vectors_config=made.vectors_config, on_disk_payload=True
        )
        config = wire.CollectionConfig(
            params=params,
            hnsw_config=made.hnsw_config,
            optimizer_config=wire.OptimizersConfigDiff(
                deleted_threshold=0.2, vacuum_min_vector_number=1000, default_segment_number=0, flush_interval_sec=5
            ),
            wal_config=wire.WalConfigDiff(wal_capacity_mb=32, wal_segments_ahead=0),
            metadata=made.metadata,
        )
        info = wire.CollectionInfo(
            status=wire.CollectionStatus.Green,
            optimizer_status=wire.OptimizerStatus(ok=True),
            segments_count=told.segments_count,
            points_count=told.points_count,
            indexed_vectors_count=told.indexed_vectors_count,
            config=config,
        )
        return wire.GetCollectionInfoResponse(result=info)

    def CreateFieldIndex(self, request: Any, context: Any) -> Any:  # noqa: N802
        schema = edge.IntegerIndexParams(lookup=True, range=False)
        shard = self.of(request, context).shard
        if request.field_name not in shard.info().payload_schema:
            shard.update(edge.UpdateOperation.create_field_index(request.field_name, schema))
        return wire.PointsOperationResponse(result=OK)

    def Upsert(self, request: Any, context: Any) -> Any:  # noqa: N802
        modes = {wire.UpdateMode.InsertOnly: edge.UpdateMode.InsertOnly}
        change = edge.UpdateOperation.upsert_points(
            [point_of(point) for point in request.points],
            condition=filter_of(request.update_filter, request, "update_filter"),
            update_mode=modes.get(request.update_mode),
        )
        self.of(request, context).shard.update(change)
        self.changed.set()
        return wire.PointsOperationResponse(result=OK)

    def QueryBatch(self, request: Any, context: Any) -> Any:  # noqa: N802
        shard = self.of(request, context).shard
        asked = [
            edge.QueryRequest(
                one.limit,
                query=edge.Query.Nearest(list(one.query.nearest.dense.data), using=one.using),
                filter=filter_of(one.filter, one),
                params=params_of(one.params),
            )
            for one in request.query_points
        ]
        found = shard.query_batch(edge.QueryBatchRequest(asked))
        return wire.QueryBatchResponse(
            result=[
                wire.BatchResult(
                    result=[wire.ScoredPoint(id=wire.PointId(num=one.id), score=one.score) for one in part]
                )
                for part in found
            ]
        )

    def Count(self, request: Any, context: Any) -> Any:  # noqa: N802
        asked = edge.CountRequest(exact=request.exact, filter=filter_of(request.filter, request))
        return wire.CountResponse(result=wire.CountResult(count=self.of(request, context).shard.count(asked)))

    def points(self, request: Any, context: Any) -> Any:
        """Answer Get of points."""
        found = self.of(request, context).shard.retrieve([one.num for one in request.ids], True, False)
        return wire.GetResponse(
            result=[
                wire.RetrievedPoint(
                    id=wire.PointId(num=one.id),
                    payload={name: wire.Value(integer_value=value) for name, value in (one.payload or {}).items()},
                )
                for one in found
            ]
        )


def main(folder: str, port: str, version: str = "1.20.0") -> None:
    """Serve until the process ends."""
    server = grpc.server(ThreadPoolExecutor(8), options=[("grpc.so_reuseport", 0)])
    node = Node(Path(folder), version)
    add_CollectionsServicer_to_server(node, server)
    add_PointsServicer_to_server(node, server)
    add_QdrantServicer_to_server(node, server)
    server.add_insecure_port(f"127.0.0.1:{port}")
    server.start()
    server.wait_for_termination()


if __name__ == "__main__":
    main(*sys.argv[1:])
