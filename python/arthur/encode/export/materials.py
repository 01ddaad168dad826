"""Brings together what an engine is built from: its facts, its weights and its tokenizer."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeAlias

from arthur.encode.export.architectures import check_buildable
from arthur.encode.export.config import engine_facts
from arthur.encode.spec import EngineFile, Source, read_engine_file
from arthur.errors import ConfigError, NotFound

Download: TypeAlias = Callable[[Source, str], Path]
"""Brings one file of a repository and returns where it lies; files of one repository come into one folder.

Raises NotFound when the repository has no such file, FetchError when it cannot be reached.
"""

_TOKENIZER = "tokenizer.json"
_WEIGHTS = "model.safetensors"


@dataclass(frozen=True, slots=True)
class Materials:
    """What `export_engine` needs.

    Attributes:
        facts: the engine, with a [vit] table.
        weights: a safetensors file.
        tokenizer: the text tower's tokenizer, where there is one.
    """

    facts: EngineFile
    weights: Path
    tokenizer: Path | None


def local_materials(folder: Path, *, name: str | None = None, licence: str = "unknown") -> Materials:
    """Take the weights in a folder, described by its `engine.toml` or else by its `config.json`.

    Raises:
        ConfigError: neither is there, or it is wrong.
    """
    described = folder / "engine.toml"
    if described.is_file():
        facts = read_engine_file(described)
    else:
        facts = engine_facts(folder, name=name or engine_name(folder.resolve().name), licence=licence)
    tokenizer = folder / _TOKENIZER
    weights = folder / (facts.source.file if facts.source else _WEIGHTS)
    return _with_tokenizer(facts, weights, tokenizer if tokenizer.is_file() else None)


def named_materials(facts: EngineFile, download: Download) -> Materials:
    """Download what a packaged engine is built from.

    Raises:
        ConfigError: the engine has no source, or cannot be built here.
        FetchError: the source cannot be reached.
        NotFound: the source lacks the weights; names the file.
    """
    if facts.source is None:
        raise ConfigError(f"engine {facts.name}: engine.toml has no [source] table, so there is nothing to pull")
    check_buildable(facts)
    weights = download(facts.source, facts.source.file)
    return _with_tokenizer(facts, weights, _tokenizer(facts, facts.source, download))


def hub_materials(repository: str, download: Download, *, licence: str = "unknown") -> Materials:
    """Download a model of the Hugging Face hub that no packaged engine describes.

    Raises:
        ConfigError: it is not one that Arthur can build.
        FetchError: the hub cannot be reached.
        NotFound: it lacks configuration or weights; names the file.
    """
    source = Source(repository=repository)
    folder = download(source, "config.json").parent
    _optional(source, "preprocessor_config.json", download)
    facts = engine_facts(folder, name=engine_name(repository.rpartition("/")[2]), licence=licence)
    return named_materials(facts.model_copy(update={"source": source}), download)


def engine_name(title: str) -> str:
    """Turn a title into a name that an engine may have."""
    return re.sub(r"[^a-z0-9.]+", "-", title.lower()).strip("-.")[:64] or "engine"


def _tokenizer(facts: EngineFile, source: Source, download: Download) -> Path | None:
    """Download the tokenizer of an engine with a text tower, from the repository that has it."""
    if facts.text is None:
        return None
    if source.tokenizer is None:
        return _optional(source, _TOKENIZER, download)
    return download(Source(repository=source.tokenizer), _TOKENIZER)


def _optional(source: Source, file: str, download: Download) -> Path | None:
    """Download a file that need not be there."""
    try:
        return download(source, file)
    except NotFound:
        return None


def _with_tokenizer(facts: EngineFile, weights: Path, tokenizer: Path | None) -> Materials:
    """Note in the facts whether there is a tokenizer."""
    if facts.text:
        name = _TOKENIZER if tokenizer else None
        facts = facts.model_copy(update={"text": facts.text.model_copy(update={"tokenizer": name})})
    return Materials(facts, weights, tokenizer)
