"""The text tower of an engine: sentences to vectors that lie among those of pictures."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Lock
from typing import TYPE_CHECKING, Protocol

import numpy as np
from numpy.typing import NDArray

from arthur.encode.folder import EngineFolder
from arthur.encode.session import Form, Session, first_line
from arthur.encode.spec import TextGraph
from arthur.errors import BadRequest, Conflict, EngineError
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
            EngineError: the text tower cannot be loaded, or failed.
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
            loaded = self._loaded or _Loaded(self._folder, threads=self._threads)
            self._loaded = loaded
        return loaded.embed(texts)

    def close(self) -> None:
        """See TextEncoder.close."""
        with self._lock:
            self._loaded = None


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
        raise EngineError(f"engine {name}: {path} is not a tokenizer: {first_line(error)}") from error
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
