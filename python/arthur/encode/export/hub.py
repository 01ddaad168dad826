"""Downloads from the Hugging Face hub: with progress, resumed where it broke off, kept in the hub's own cache."""

from __future__ import annotations

from pathlib import Path

import httpx

from arthur.encode.export.materials import Download
from arthur.encode.spec import Source
from arthur.errors import ConfigError, FetchError, NotFound


def hub_download(*, offline: bool = False) -> Download:
    """Return a download from the hub, or only from its local cache when `offline`.

    The first download raises ConfigError where `huggingface_hub` is not installed.
    """

    def download(source: Source, file: str) -> Path:
        try:
            from huggingface_hub import errors, hf_hub_download
        except ImportError as error:
            raise ConfigError("downloads need huggingface_hub: pip install 'arthur-imgreco[pull]'") from error
        name = f"{source.repository}/{file} at {source.revision}"
        try:
            path = hf_hub_download(source.repository, file, revision=source.revision, local_files_only=offline)
        except errors.LocalEntryNotFoundError as error:
            why = "and downloads are off" if offline else "and the hub cannot be reached"
            raise FetchError(f"{name} is not in the local Hugging Face cache {why}") from error
        except errors.EntryNotFoundError as error:
            raise NotFound(f"{name} does not exist") from error
        except (errors.HfHubHTTPError, httpx.HTTPError, OSError, ValueError) as error:
            raise FetchError(f"{name} cannot be downloaded: {str(error).partition(chr(10))[0]}") from error
        return Path(path)

    return download
