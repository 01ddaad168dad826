"""Downloads from the Hugging Face hub, or a mirror of it: with progress, kept in the hub's own cache.

A connection that breaks is taken up where it broke off; a process that is killed begins the file in hand anew. The
environment of `huggingface_hub` holds: HF_HUB_OFFLINE=1 forbids downloads, HF_HOME moves the cache, HF_TOKEN opens what
is not public.
"""

from __future__ import annotations

from pathlib import Path

from arthur.encode.export.materials import Download
from arthur.encode.spec import Source
from arthur.errors import ConfigError, FetchError, NotFound


def hub_download(*, offline: bool = False, mirror: str | None = None) -> Download:
    """Return a download from the hub, or from its `mirror`, or only from the local cache when `offline`.

    The first download raises ConfigError where `huggingface_hub` is not installed.
    """

    def download(source: Source, file: str) -> Path:
        try:
            import httpx2
            from huggingface_hub import _CACHED_NO_EXIST, constants, errors, hf_hub_download, try_to_load_from_cache
        except ImportError as error:
            raise ConfigError("downloads need huggingface_hub: pip install 'arthur-imgreco[pull]'") from error
        name = f"{source.repository}/{file} at {source.revision}"
        try:
            path = hf_hub_download(
                source.repository, file, revision=source.revision, endpoint=mirror, local_files_only=offline
            )
        except errors.LocalEntryNotFoundError as error:
            if try_to_load_from_cache(source.repository, file, revision=source.revision) is _CACHED_NO_EXIST:
                raise NotFound(f"{name} does not exist") from error
            off = offline or constants.is_offline_mode()
            why = "downloads are off" if off else f"{mirror or constants.ENDPOINT} cannot be reached"
            raise FetchError(f"{name} is not in the local Hugging Face cache, and {why}") from error
        except errors.GatedRepoError as error:
            raise FetchError(f"{name} needs a token of someone who accepted its licence: HF_TOKEN") from error
        except (errors.EntryNotFoundError, errors.RepositoryNotFoundError, errors.RevisionNotFoundError) as error:
            raise NotFound(f"{name} does not exist") from error
        except (errors.HfHubHTTPError, httpx2.HTTPError, OSError, ValueError) as error:
            raise FetchError(f"{name} cannot be downloaded: {str(error).partition(chr(10))[0]}") from error
        return Path(path)

    return download
