"""What Arthur uses of TensorRT's runtime, as versions 8.6, 10 and 11 offer it, over a GPU that is none."""

from __future__ import annotations

from enum import Enum
from types import SimpleNamespace

from tests.encode.fake_cuda import FakeCuda, Sums

SIDE, DIM, SCRATCH = 16, 2, 100_000


class Severity(Enum):
    """As TensorRT has it."""

    INTERNAL_ERROR = 0
    ERROR = 1
    WARNING = 2


class ILogger:
    """A base that is told of errors by `log`."""

    Severity = Severity


class Context:
    """Refuses to run before it knows its memory, its shape and its addresses."""

    def __init__(self, vendor: Vendor) -> None:
        self.vendor, self.addresses = vendor, {}
        self.scratch = self.shape = self.profile = None

    def set_optimization_profile_async(self, profile: int, stream: int) -> bool:
        self.profile = profile
        return True

    def set_input_shape(self, name: str, shape: tuple[int, ...]) -> bool:
        self.shape = shape
        return self.profile is not None

    def set_tensor_address(self, name: str, address: int) -> bool:
        self.addresses[name] = address
        return True

    def execute_async_v3(self, stream: int) -> bool:
        ready = self.scratch and self.shape and len(self.addresses) == 2
        if self.vendor.failing or not ready:
            self.vendor.logger.log(Severity.ERROR, self.vendor.failing or "the context is not complete")
            return False
        sums = Sums(self.vendor.cuda, self.addresses["pixels"], self.addresses["vectors"], side=SIDE)
        sums.enqueue(self.shape[0], stream)
        return True


class OldContext(Context):
    """Is given its memory as an attribute."""

    def __setattr__(self, name: str, value: object) -> None:
        super().__setattr__("scratch" if name == "device_memory" else name, value)


class NewContext(Context):
    """Is given its memory by a call."""

    def set_device_memory(self, address: int, size: int) -> None:
        if size < SCRATCH:
            raise ValueError(size)
        self.scratch = address


class Vendor:
    """The module. `failing` is what every run then says."""

    ILogger = ILogger
    DataType = SimpleNamespace(UINT8="UINT8", FLOAT="FLOAT")

    def __init__(self, version: str, cuda: FakeCuda) -> None:
        self.__version__, self.cuda, self.failing = version, cuda, ""
        self.contexts: list[Context] = []
        old = version.startswith("8")
        flags = {"EXPLICIT_BATCH": 0} if old else {"STRONGLY_TYPED": 1}
        self.NetworkDefinitionCreationFlag = SimpleNamespace(**flags)
        if not old:
            self.ExecutionContextAllocationStrategy = SimpleNamespace(USER_MANAGED="user")

    def Runtime(self, logger: ILogger) -> SimpleNamespace:  # noqa: N802 - TensorRT's name
        self.logger = logger
        return SimpleNamespace(deserialize_cuda_engine=self._engine)

    def _engine(self, plan: bytes) -> SimpleNamespace | None:
        if not plan:
            self.logger.log(Severity.ERROR, "the plan is truncated")
            return None
        names, old = ["pixels", "vectors"], self.__version__.startswith("8")
        shapes = {"pixels": (-1, SIDE, SIDE, 3), "vectors": (-1, DIM)}
        size = {"device_memory_size": SCRATCH} if old else {"device_memory_size_v2": SCRATCH}
        make = self._old_context if old else self._new_context
        named = "create_execution_context_without_device_memory" if old else "create_execution_context"
        return SimpleNamespace(
            num_io_tensors=2,
            get_tensor_name=names.__getitem__,
            get_tensor_dtype={"pixels": "UINT8", "vectors": "FLOAT"}.get,
            get_tensor_shape=shapes.get,
            **{named: make},
            **size,
        )

    def _old_context(self) -> Context:
        self.contexts.append(OldContext(self))
        return self.contexts[-1]

    def _new_context(self, strategy: str) -> Context:
        self.contexts.append(NewContext(self))
        return self.contexts[-1]
