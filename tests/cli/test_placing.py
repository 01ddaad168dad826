"""Claims about GPUs on the command line of a machine that has none of these: one line, status 2, nothing changed."""

from pathlib import Path

import pytest

from arthur.__main__ import main

NO_GPU = "cuda:99"
REFUSED = [
    (["engines", "build", "arthur-mini", "--runtime", "tensorrt", "--device", NO_GPU], "GPU 99 was asked for"),
    (["engines", "verify", "arthur-mini", "--precision", "fp16", "--runtime", "torch", "--device", NO_GPU], "GPU 99"),
    (["engines", "build", "arthur-mini", "--precision", "fp16"], "fp16 runs on a GPU only"),
    (["engines", "build", "arthur-mini", "--precision", "fp8"], "fp8 runs on a GPU only"),
    (["engines", "build", "arthur-mini", "--runtime", "torch", "--device", "gpu"], "device 'gpu' is none of"),
]


@pytest.mark.parametrize(("words", "message"), REFUSED)
def test_a_gpu_that_is_not_there_is_wrong_usage(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, words: list[str], message: str
) -> None:
    assert main([*words, "--data", str(tmp_path)]) == 2
    told = capsys.readouterr().err.strip().splitlines()
    assert (len(told), message in told[-1]) == (1, True)
    assert list(tmp_path.rglob("*.toml")) == []


def test_a_server_does_not_start_without_the_gpu_it_was_given(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setenv("ARTHUR_DEVICE", NO_GPU)
    assert main(["doctor", "--data", str(tmp_path)]) != 0
    assert "GPU 99 was asked for" in "".join(capsys.readouterr())
