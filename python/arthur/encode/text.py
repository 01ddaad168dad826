"""The text tower of an engine: sentences to vectors that lie among those of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from arthur.encode.folder import EngineFolder
from arthur.encode.golden import distances, load_golden_texts
from arthur.encode.session import Form, Session, first_line
from arthur.encode.spec import TextGraph
from arthur.errors import BadRequest, Conflict, EngineError, EngineMismatch, UnusableEngine
from arthur.types import Vectors

if TYPE_CHECKING:
    from tokenizers import Tokenizer


class TextEncoder(Protocol):
    """Embeds sentences. Every method may be called from any thread at any time."""

    def embed(self, texts: Sequence[str]) -> Vectors:
        """Embed sentences, at least one, into `(n, dim)` float32 unit rows, in order. Blocks.

        Raises:
            BadRequest: a sentence is empty or no Unicode.
            Conflict: the engine cannot read text.
            EngineError: the text tower cannot be loaded, gives golden sentences other vectors, or failed.
        """
        ...

    def close(self) -> None:
        """Free the text tower; calls in flight end first. Closing twice is allowed."""
        ...


class TextTower:
    """A text tower in ONNX Runtime. See TextEncoder.

    It is loaded when the first sentence comes: who never searches by text pays no memory for it.
    """

    def __init__(self, folder: EngineFolder, *, threads: int = 0) -> None:
        """Take the engine of that folder; `threads` 0 is one per usable core."""
        self._folder = folder
        self._threads = threads
        self._lock = Lock()
        self._loaded: _Loaded | None = None

    def embed(self, texts: Sequence[str]) -> Vectors:
        """See TextEncoder.embed."""
        for text in texts:
            _check(text)
        with self._lock:
            loaded = self._loaded or _checked(_Loaded(self._folder, threads=self._threads), self._folder)
            self._loaded = loaded
        return loaded.embed(texts)

    def close(self) -> None:
        """See TextEncoder.close."""
        with self._lock:
            self._loaded = None


def golden_text_distance(folder: EngineFolder, *, threads: int = 0) -> float | None:
    """Return the largest 1 - cosine to the vectors of the golden sentences; None where there are none.

    Raises:
        Conflict: the engine cannot read text here.
        EngineError: the text tower cannot be loaded.
        EngineMismatch: it has another form than `engine.toml` promises.
    """
    if folder.facts.text is None or folder.facts.text.golden is None:
        return None
    return _Loaded(folder, threads=threads).distance(folder)


class _Loaded:
    """An opened text tower with its tokenizer."""

    def __init__(self, folder: EngineFolder, *, threads: int) -> None:
        facts = folder.facts
        if facts.text is None:
            raise Conflict(f"the engine {facts.name} has no text tower, so it cannot search by text")
        self._name, self._text = facts.name, facts.text
        self._tokenizer = _tokenizer(folder, facts.text)
        folder.checked(facts.text)
        form = Form("tokens", "tensor(int64)", (facts.text.context,))
        self._session = Session(folder, facts.text, form, threads=threads)

    def embed(self, texts: Sequence[str]) -> Vectors:
        return self._session.run(np.stack([self._tokens(text) for text in texts]))

    def distance(self, folder: EngineFolder) -> float:
        """Return the largest 1 - cosine to the golden sentences' vectors; 0 where there are none."""
        if self._text.golden is None:
            return 0.0
        golden = load_golden_texts(folder.path / self._text.golden.file, facts=folder.facts)
        return float(distances(self.embed(golden.texts), golden.vectors).max())

    def _tokens(self, text: str) -> NDArray[np.int64]:
        """Return the `(context,)` tokens of a sentence: cut where it is too long, ended, and padded."""
        facts = self._text
        try:
            ids = self._tokenizer.encode(text.lower() if facts.lowercase else text).ids
        except Exception as error:  # the library raises plain exceptions
            raise EngineError(f"the tokenizer of engine {self._name} failed: {first_line(error)}") from error
        if facts.end_token is not None and facts.end_token not in ids:
            ids = [*ids[: facts.context - 1], facts.end_token]
        row = np.full(facts.context, facts.pad, np.int64)
        row[: len(ids)] = ids
        return row


def _checked(loaded: _Loaded, folder: EngineFolder) -> _Loaded:
    """Refuse a tower or a tokenizer that gives golden sentences other vectors."""
    golden = folder.facts.text.golden if folder.facts.text else None
    if golden and not (found := loaded.distance(folder)) <= golden.tolerance:
        raise EngineMismatch(
            f"engine {folder.facts.name}: its vectors of texts differ from the golden ones by {found:.2g} "
            f"(1 - cosine), more than {golden.tolerance:g}"
        )
    return loaded


def _tokenizer(folder: EngineFolder, text: TextGraph) -> Tokenizer:
    """Read the tokenizer, set to cut sentences that are too long."""
    name = folder.facts.name
    try:
        from tokenizers import Tokenizer
    except ImportError as error:
        raise Conflict("search by text needs tokenizers: pip install 'arthur-imgreco[text]'") from error
    if text.tokenizer is None:
        raise Conflict(f"the engine {name} has no tokenizer, so it cannot search by text")
    path = folder.path / text.tokenizer
    try:
        tokenizer = Tokenizer.from_file(str(path))
    except Exception as error:  # the library raises plain exceptions
        raise UnusableEngine(f"engine {name}: {path} is not a tokenizer: {first_line(error)}") from error
    tokenizer.no_padding()
    tokenizer.enable_truncation(text.context)
    return tokenizer


def _check(text: str) -> None:
    """Raise BadRequest for what no tower can read."""
    if not text.strip():
        raise BadRequest("a text to search for must not be empty")
    try:
        text.encode()
    except UnicodeEncodeError as error:
        raise BadRequest("a text to search for must be Unicode") from error
