"""Models of the ports, small enough to be right by reading, and a Recognizer over them."""

from __future__ import annotations

import io
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import numpy as np
from PIL import Image

from arthur.catalog import Catalog, Page
from arthur.decision import Calibration, Logistic
from arthur.encode import EngineSpec
from arthur.errors import Conflict, InvalidImage, StoreError
from arthur.recognition.parts import ClearableIndex, LocalParts, Options, Parts
from arthur.recognizer import Enrolment, Recognizer
from arthur.types import Changes, Counts, FeatureChanges, Neighbors, Put, StoredView, ViewId

SIDE = 8
SPEC = EngineSpec(name="blocks", side=SIDE, fit="stretch", dim=12, fingerprint="f" * 64)


@dataclass(frozen=True)
class Decoded:
    pixels: np.ndarray
    preview: np.ndarray | None
    width: int
    height: int
    format: str


def decode(data: Any, side: Any, *, fit: Any = "crop", preview_side: Any = 0, preview_gray: Any = False) -> Any:
    try:
        image = Image.open(io.BytesIO(data))
        kind = image.format.lower()
        image = image.convert("RGB")
    except OSError as error:
        raise InvalidImage("not a picture") from error
    preview = np.asarray(image) if preview_side else None
    return Decoded(np.asarray(image.resize((side, side), Image.Resampling.BOX)), preview, *image.size, kind)


class BlockEncoder:
    """Averages the colours of four quarters; counts the pictures it has seen."""

    spec = SPEC

    def __init__(self) -> None:
        self.seen = 0

    def encode(self, pixels: Any) -> Any:
        self.seen += len(pixels)
        half = SIDE // 2
        blocks = pixels.reshape(-1, 2, half, 2, half, 3).mean(axis=(2, 4)).reshape(-1, 12) - 127.5
        return (blocks / np.linalg.norm(blocks, axis=1, keepdims=True)).astype(np.float32)

    def close(self) -> None:
        pass


class ModelText:
    """Reads "picture N", and means the picture of that seed; refuses "no tower" as an engine without one."""

    def embed(self, texts: Any) -> Any:
        if "no tower" in texts:
            raise Conflict("the engine blocks has no text tower")
        drawn = [decode(picture(int(text.split()[-1])), SIDE).pixels for text in texts]
        return BlockEncoder().encode(np.stack(drawn))

    def close(self) -> None:
        pass


class ModelIndex:
    """Exact search over a dictionary. `broken` makes every search and change fail."""

    def __init__(self) -> None:
        self.clear()
        self.broken = False
        self.durable = 0

    def clear(self) -> None:
        self.rows, self.sequence = {}, 0

    def __len__(self) -> Any:
        return len(self.rows)

    def put(self, keys: Any, vectors: Any, artists: Any) -> None:
        self._work()
        for key, vector, artist in zip(keys.tolist(), vectors, artists.tolist(), strict=True):
            self.rows.setdefault(key, (vector, artist))

    def remove(self, keys: Any) -> Any:
        self._work()
        return sum(self.rows.pop(key, None) is not None for key in keys.tolist())

    def advance(self, sequence: Any) -> None:
        self.sequence = max(self.sequence, sequence)

    def search(self, vectors: Any, k: Any, *, where: Any = None) -> Any:
        self._work()
        rows = [
            [(float(v @ q), key) for key, (v, a) in list(self.rows.items()) if where is None or a in where.artists]
            for q in vectors
        ]
        best = [sorted(row, reverse=True)[:k] + [(-np.inf, -1)] * (k - len(row)) for row in rows]
        table = np.array(best, dtype=np.float64).reshape(len(vectors), k, 2)
        return Neighbors(keys=table[..., 1].astype(np.int64), scores=table[..., 0].astype(np.float32))

    def checkpoint(self) -> None:
        self.durable = self.sequence

    def stats(self) -> Any:
        self._work()
        return {"kind": "model"}

    def close(self) -> None:
        pass

    def _work(self) -> None:
        if self.broken:
            raise StoreError("the index is broken")


class ModelCatalog:
    """The catalogue as a list of changes. `broken` makes writes fail; `page` bounds what `changes` gives."""

    def __init__(self) -> None:
        self.live, self.rows, self.packed, self.ended, self.numbers = {}, {}, {}, [], {}
        self.alike = []
        self.seq = 0
        self.broken = False
        self.asked = 0

    def put(self, views: Any) -> Any:
        if self.broken:
            raise StoreError("the catalog is broken")
        return [self._put(new) for new in views]

    def _put(self, new: Any) -> Any:
        self.seq += 1
        old = self.live.get(new.view)
        if old is not None:
            self.ended.append((self.seq, old.key))
        self.numbers.setdefault(new.view.artist_id, len(self.numbers) + 1)
        fields = {
            name: getattr(new, name)
            for name in ("content_hash", "source", "format", "width", "height", "size_bytes", "metadata")
        }
        now = datetime(2026, 1, 1, tzinfo=UTC)
        stored = StoredView(
            key=self.seq, view=new.view, vector_id=new.view.vector_id, created_at=now, updated_at=now, **fields
        )
        self.live[new.view] = stored
        self.rows[self.seq] = new.vector
        self.packed[self.seq] = new.features
        return Put(stored, None if old is None else old.key)

    def remove(self, artist_id: Any, entry_id: Any = None, view_id: Any = None) -> Any:
        named = [
            v
            for v in self.live
            if v.artist_id == artist_id and entry_id in (None, v.entry_id) and view_id in (None, v.view_id)
        ]
        keys = [self.live.pop(view).key for view in named]
        self.seq += 1
        self.ended.extend((self.seq, key) for key in keys)
        return np.array(keys, dtype=np.int64)

    def view(self, view: Any) -> Any:
        return self.live.get(view)

    def views(self, keys: Any) -> Any:
        self.asked += len(keys)
        by_key = {stored.key: stored for stored in self.live.values()}
        return {key: by_key[key] for key in keys.tolist() if key in by_key}

    def vectors(self, keys: Any, fingerprint: Any) -> Any:
        live = {stored.key for stored in self.live.values()} & set(keys.tolist())
        return {key: self.rows[key] for key in live if key in self.rows}

    def features(self, keys: Any, fingerprint: Any) -> Any:
        live = {stored.key for stored in self.live.values()} & set(keys.tolist())
        return {key: self.packed[key].data for key in live if self.packed[key] is not None}

    def views_of(self, artist_id: Any, entry_id: Any, *, cursor: Any, limit: Any) -> Any:
        rows = sorted(
            (s for v, s in self.live.items() if v.artist_id == artist_id and entry_id in (None, v.entry_id)),
            key=lambda s: s.view,
        )
        first = int(cursor or 0)
        more = first + limit < len(rows)
        return Page(tuple(rows[first : first + limit]), str(first + limit) if more else None)

    def artist_numbers(self, artist_ids: Any) -> Any:
        return tuple(self.numbers[name] for name in artist_ids if name in self.numbers)

    def counts(self) -> Any:
        return Counts(
            len({v.artist_id for v in self.live}), len({(v.artist_id, v.entry_id) for v in self.live}), len(self.live)
        )

    def latest(self) -> Any:
        return self.seq

    def changes(self, since: Any, limit: Any, fingerprint: Any) -> Any:
        upto = min(self.seq, since + limit)
        live = sorted((s for s in self.live.values() if since < s.key <= upto), key=lambda s: s.key)
        vectors = np.array([self.rows[s.key] for s in live], dtype=np.float32).reshape(len(live), SPEC.dim)
        keys = np.array([s.key for s in live], dtype=np.int64)
        artists = np.array([self.numbers[s.view.artist_id] for s in live], dtype=np.int64)
        removed = np.array([key for seq, key in self.ended if since < seq <= upto], dtype=np.int64)
        return Changes(keys, vectors, artists, removed, upto, upto < self.seq)

    def put_likenesses(self, found: Any, *, compared: Any = ()) -> None:
        self.alike = [one for one in self.alike if max(one.key, one.other) not in compared]
        self.alike.extend(found)

    def feature_changes(self, since: Any, limit: Any, fingerprint: Any) -> Any:
        changes = self.changes(since, limit, fingerprint)
        found = [self.packed[key] for key in changes.keys.tolist()]
        has = np.array([one is not None for one in found], dtype=bool)
        data = tuple(one.data for one in found if one is not None)
        return FeatureChanges(
            changes.keys[has], data, changes.artists[has], changes.removed, changes.upto, changes.more
        )


class ModelCache:
    def __init__(self) -> None:
        self.kept = {}

    def fetch(self, key: Any) -> Any:
        return self.kept.get(key)

    def reserve(self, key: Any, wait_s: Any) -> Any:
        return self.kept.get(key)

    def release(self, key: Any) -> None:
        pass

    def put(self, key: Any, value: Any, ttl_s: Any) -> None:
        self.kept[key] = value

    def stats(self) -> Any:
        return {}


class ModelBlobs:
    """Blobs in a dictionary. `broken` makes every write fail."""

    def __init__(self) -> None:
        self.kept = {}
        self.broken = False

    def put(self, name: Any, data: Any) -> None:
        if self.broken:
            raise StoreError("the blob store is broken")
        self.kept[name] = data

    def read(self, name: Any) -> Any:
        return self.kept.get(name)

    def remove(self, name: Any) -> None:
        if self.broken:
            raise StoreError("the blob store is broken")
        self.kept.pop(name, None)


class Clock:
    """Seconds that pass only when told to, or by `step` with every look."""

    def __init__(self) -> None:
        self.now, self.step = 0.0, 0.0

    def __call__(self) -> Any:
        self.now += self.step
        return self.now


CALIBRATION = Calibration(
    by_score=Logistic(-8.0, {"score": 9.0, "lead": 5.0}),
    by_geometry=Logistic(-2.0, {"proof": 4.0}),
    lone_rival=0.1,
)


@dataclass
class House:
    """A Recognizer and what it stands on."""

    catalog: Catalog
    index: ClearableIndex = field(default_factory=ModelIndex)
    cache: ModelCache = field(default_factory=ModelCache)
    blobs: ModelBlobs = field(default_factory=ModelBlobs)
    encoder: BlockEncoder = field(default_factory=BlockEncoder)
    clock: Clock = field(default_factory=Clock)
    local: LocalParts | None = None
    text: ModelText | None = field(default_factory=ModelText)
    standby: ClearableIndex | None = None
    options: Options = field(default_factory=lambda: Options(batch_max=4, keep_originals=True))

    def __post_init__(self) -> None:
        self.parts = Parts(
            local=self.local,
            standby=self.standby,
            text=self.text,
            decoder=decode,
            encoder=self.encoder,
            index=self.index,
            catalog=self.catalog,
            cache=self.cache,
            blobs=self.blobs,
            canary=lambda: None,
            identity=lambda: "",
            clock=self.clock,
            calibration=CALIBRATION,
        )
        self.recognizer = Recognizer(self.parts, self.options)

    def enroll(self, name: Any, seed: Any, **more: Any) -> Any:
        return self.recognizer.enroll(Enrolment(ViewId(*name.split("/")), picture(seed), **more))

    def entries(self, seed: Any, query: Any = None) -> Any:
        matches = (
            self.recognizer.recognize(picture(seed))
            if query is None
            else self.recognizer.recognize(picture(seed), query)
        ).matches
        return [match.view.entry_id for match in matches]


def picture(seed: Any, *, size: Any = 32, blend: Any = None) -> Any:
    """Return a PNG of four random colours; `blend` (seed, share) mixes in another such picture."""
    grid = _grid(seed)
    if blend is not None:
        grid = grid * (1 - blend[1]) + _grid(blend[0]) * blend[1]
    encoded = io.BytesIO()
    Image.fromarray(grid.astype(np.uint8)).resize((size, size), Image.Resampling.NEAREST).save(encoded, "PNG")
    return encoded.getvalue()


def _grid(seed: Any) -> Any:
    return np.random.default_rng(seed).integers(0, 256, (2, 2, 3)).astype(np.float64)
