"""As much of torch as rewards use: numbers in a tensor and back out of it, as 32-bit floats where torch makes those."""

import contextlib

from . import add, arrays
from .array_functions import FOR_TENSORS

KINDS = {"float32": "float32", "float": "float32", "float64": "float64", "double": "float64", "float16": "float32", "bfloat16": "float32"}
KINDS |= {"int64": "int64", "long": "int64", "int32": "int64", "int": "int64", "bool": "bool"}
DTYPES = {name: arrays.Dtype(kind) for name, kind in KINDS.items()}


class Tensor(arrays.ndarray):
    """A tensor on no device."""

    device = "cpu"

    def to(self, *places, dtype=None, **_):
        kinds = [place for place in (*places, dtype) if isinstance(place, arrays.Dtype)]
        return self.astype(kinds[0]) if kinds else self

    def cpu(self, *_, **__):
        return self

    cuda = detach = contiguous = clone = cpu

    def numpy(self):
        return arrays.ndarray(self.data, self.shape, self.dtype)

    def float(self):
        return self.astype(DTYPES["float32"])

    def double(self):
        return self.astype(DTYPES["float64"])

    def long(self):
        return self.astype(DTYPES["int64"])

    def clamp(self, min=None, max=None):
        return clamp(self, min, max)

    def size(self, place=None):
        return self.shape if place is None else self.shape[place]

    def numel(self):
        return len(self.data)

    def unsqueeze(self, place):
        shape = list(self.shape)
        shape.insert(place if place >= 0 else place + len(shape) + 1, 1)
        return self.reshape(*shape)

    def mean(self, dim=None, **named):
        return super().mean(axis=dim, **named)

    def sum(self, dim=None, **named):
        return super().sum(axis=dim, **named)

    def std(self, dim=None, unbiased=True, **named):
        return super().std(axis=dim, ddof=1 if unbiased else 0, **named)


def tensor(data, dtype=None, **_):
    """Floats become 32-bit ones unless another type is asked for."""
    made = arrays.array(data.tolist() if hasattr(data, "tolist") else data, cls=Tensor)
    if dtype is not None:
        return made.astype(dtype)
    return made.astype(DTYPES["float32"]) if made.dtype.name == "float64" else made


def filled(value):
    def make(*shape, dtype=None, **_):
        shape = tuple(shape[0]) if shape and isinstance(shape[0], (list, tuple)) else shape
        return arrays.full(shape, float(value), cls=Tensor).astype(dtype or DTYPES["float32"])

    return make


def clamp(x, min=None, max=None):
    return arrays.clip(x, min, max)


class NoGrad(contextlib.ContextDecorator):
    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False



add(
    "torch",
    Tensor=Tensor,
    FloatTensor=tensor,
    LongTensor=tensor,
    tensor=tensor,
    as_tensor=tensor,
    from_numpy=tensor,
    zeros=filled(0),
    ones=filled(1),
    clamp=clamp,
    no_grad=NoGrad,
    inference_mode=NoGrad,
    device=lambda name, *_: name,
    manual_seed=lambda _: None,
    stack=lambda tensors, dim=0: tensor([t.tolist() for t in tensors]),
    dtype=arrays.Dtype,
    **DTYPES,
    **FOR_TENSORS,
)
add("torch.cuda", is_available=lambda: False, device_count=lambda: 0, empty_cache=lambda: None)
add("torch.distributed", is_initialized=lambda: False, is_available=lambda: False, get_rank=lambda: 0, get_world_size=lambda: 1)
add("torch.nn")
add("torch.nn.functional")
