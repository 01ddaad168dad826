"""What is compared on a GPU: each takes pixels of this machine and gives vectors on it, copies and all.

Nothing large is imported before it is asked for: TensorRT 8.6 runs in a Python of its own, without torch.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass

import numpy as np

from arthur.encode.folder import EngineFolder
from arthur.encode.ladder import profiles
from arthur.encode.plans import PlanKey, PlanStore
from arthur.encode.spec import Variant
from arthur.encode.targets import Target
from arthur.types import Pixels, Vectors

Run = Callable[[Pixels], Vectors]


@dataclass(frozen=True, slots=True)
class Setting:
    """One measurement's frame: the engine, the device, and the largest batch."""

    folder: EngineFolder
    device: str
    batch_max: int
    precision: Variant = "fp16"


@dataclass(frozen=True, slots=True)
class System:
    """An opened system. `parallel` is how many calls it takes at once; `note` tells what to know of it."""

    run: Run
    parallel: int = 1
    note: str = ""


@contextmanager
def torch_eager(setting: Setting) -> Iterator[System]:
    """Torch, one operator after the other, over our graph."""
    from arthur.encode.torch import TorchRunner, torch_module

    module = torch_module(setting.folder, setting.precision, device=setting.device)
    runner = TorchRunner(module, setting.folder, target=_on_torch(setting), eager=True)
    yield System(runner.run, note="our graph, interpreted")
    runner.close()


@contextmanager
def torch_graphs(setting: Setting) -> Iterator[System]:
    """Torch with a CUDA graph for each batch size: Arthur's adapter."""
    from arthur.encode.torch import TorchRunner, torch_module

    module = torch_module(setting.folder, setting.precision, device=setting.device)
    runner = TorchRunner(module, setting.folder, target=_on_torch(setting))
    yield System(runner.run, runner.parallel, "Arthur's adapter")
    runner.close()


def _on_torch(setting: Setting) -> Target:
    return Target("torch", setting.device, setting.batch_max)


@contextmanager
def hugging_face(setting: Setting) -> Iterator[System]:
    """The same transformer in `transformers`, eager with its fastest attention."""
    yield System(_original(setting, compiled=False), note="transformers, sdpa attention")


@contextmanager
def torch_compile(setting: Setting) -> Iterator[System]:
    """The same, compiled with CUDA graphs."""
    yield System(_original(setting, compiled=True), note="torch.compile(mode='reduce-overhead')")


@contextmanager
def onnx_runtime(setting: Setting) -> Iterator[System]:
    """ONNX Runtime, on the GPU where this one can."""
    from arthur.encode.runners import open_runner

    target = None if setting.device == "cpu" else Target("onnx", setting.device, setting.batch_max)
    runner = open_runner(setting.folder, "fp32", threads=0, target=target)
    yield System(runner.run, note="fp32")


@contextmanager
def tensorrt(setting: Setting) -> Iterator[System]:
    """Arthur's adapter: two lanes, pinned buffers, a CUDA graph for each batch size."""
    from arthur.encode.cuda import BoundCuda
    from arthur.encode.tensorrt import installed, open_plan

    key, plan = built_plan(setting)
    lanes = open_plan(plan, setting.folder.facts, installed().module, BoundCuda(), profiles=key.profiles)
    yield System(lanes.run, lanes.parallel, key.runtime)
    lanes.close()


@contextmanager
def tensorrt_plain(setting: Setting) -> Iterator[System]:
    """The same plan in the loop of a tutorial: one stream, one context, pageable memory, nothing recorded."""
    from arthur.encode.cuda import BoundCuda
    from arthur.encode.ladder import profile_of
    from arthur.encode.tensorrt import Complaints, installed

    key, plan = built_plan(setting)
    cuda, trt, facts = BoundCuda(), installed().module, setting.folder.facts
    logger = Complaints().logger(trt)
    engine = trt.Runtime(logger).deserialize_cuda_engine(plan)
    stream, contexts = cuda.stream(), [engine.create_execution_context() for _ in key.profiles]
    for place, context in enumerate(contexts):
        context.set_optimization_profile_async(place, stream)
    given = cuda.reserve(setting.batch_max * facts.side**2 * 3)
    found = cuda.reserve(setting.batch_max * facts.dim * 4)

    def run(pixels: Pixels) -> Vectors:
        context = contexts[profile_of(key.profiles, len(pixels))]
        vectors = np.empty((len(pixels), facts.dim), np.float32)
        cuda.copy_in(given, pixels.reshape(-1), stream)
        context.set_input_shape("pixels", pixels.shape)
        context.set_tensor_address("pixels", given)
        context.set_tensor_address("vectors", found)
        context.execute_async_v3(stream)
        cuda.copy_out(vectors.reshape(-1).view(np.uint8), found, stream)
        cuda.wait(stream)
        return vectors

    yield System(run, note=key.runtime)
    cuda.release()


SYSTEMS: Mapping[str, Callable[[Setting], AbstractContextManager[System]]] = {
    "transformers": hugging_face,
    "torch.compile": torch_compile,
    "torch eager": torch_eager,
    "torch graphs": torch_graphs,
    "onnxruntime": onnx_runtime,
    "tensorrt plain": tensorrt_plain,
    "tensorrt": tensorrt,
}


def built_plan(setting: Setting) -> tuple[PlanKey, bytes]:
    """Return the engine's plan for this GPU, made now if it is not there."""
    from arthur.encode.cuda import BoundCuda
    from arthur.encode.planning import Order, build_plan
    from arthur.encode.tensorrt import installed

    found, store = installed(), PlanStore(setting.folder.path / "plans")
    sizes, cuda = profiles(setting.batch_max), BoundCuda()
    found.check(setting.precision, cuda.gpu.capability)
    key = PlanKey(cuda.gpu, found.name, setting.precision, str(setting.folder.facts.image.sha256), sizes)
    plan = store.load(key)
    if plan is None:
        cuda.enter()
        built = build_plan(setting.folder, found, Order(setting.precision, sizes, timings=store.timings(key)))
        store.save(key, built.plan)
        store.save_timings(key, built.timings)
        plan = built.plan
    return key, plan


def _original(setting: Setting, *, compiled: bool) -> Run:
    """Load the engine's weights into `transformers`, and put colours and length around it."""
    import torch
    from safetensors.torch import load_file
    from transformers import CLIPVisionConfig, CLIPVisionModelWithProjection

    facts, weights = setting.folder.facts, load_file(setting.folder.path / "model.safetensors")
    vit, width = facts.vit, weights["vision_model.embeddings.class_embedding"].shape[0]
    layers = sum(name.endswith("mlp.fc1.bias") for name in weights)
    config = CLIPVisionConfig(
        hidden_size=width,
        intermediate_size=4 * width,
        projection_dim=facts.dim,
        num_hidden_layers=layers,
        num_attention_heads=vit.heads if vit else 1,
        image_size=facts.side,
        patch_size=vit.patch if vit else 1,
        attn_implementation="sdpa",
    )
    half = torch.float32 if setting.device == "cpu" else torch.float16
    model = CLIPVisionModelWithProjection(config)
    model.load_state_dict(weights, strict=False)
    model = model.to(setting.device, half).eval()
    mean = torch.tensor(facts.mean, device=setting.device).mul(255).view(1, 3, 1, 1)
    scale = torch.tensor(facts.std, device=setting.device).mul(255).view(1, 3, 1, 1)

    def embed(pixels: torch.Tensor) -> torch.Tensor:
        colours = (pixels.permute(0, 3, 1, 2).float() - mean) / scale
        return torch.nn.functional.normalize(model(pixel_values=colours.to(half)).image_embeds.float(), dim=-1)

    module = torch.compile(embed, mode="reduce-overhead", dynamic=False) if compiled else embed

    def run(pixels: Pixels) -> Vectors:
        with torch.inference_mode():
            given = torch.from_numpy(pixels)
            given = given if setting.device == "cpu" else given.pin_memory().to(setting.device, non_blocking=True)
            vectors: Vectors = module(given).cpu().numpy()
            return vectors

    return run
