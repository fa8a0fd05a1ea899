"""As much of numpy as rewards use: arrays of numbers with their sums, means, comparisons and the common functions.

Sums are added up in numpy's order (in pairs, eight at a time), so that they have its last digit. A number of an array is a float or an
int that also has numpy's methods.
"""

import itertools
import math
import struct

from . import Absent, asked


class Dtype:
    """A type of numbers, which also makes a number of that type, or an array."""

    def __init__(self, name):
        self.name = name
        self.kind = {"f": "f", "i": "i", "b": "b"}.get(name[0], "U")

    def number(self, value):
        if self.kind == "f":
            value = float(value)
            return struct.unpack("f", struct.pack("f", value))[0] if self.name == "float32" and math.isfinite(value) else value
        return bool(value) if self.kind == "b" else int(value) if self.kind == "i" else value

    def __call__(self, value=0):
        return array(value, dtype=self) if isinstance(value, (list, tuple, ndarray)) else wrapped(self.number(value))

    def __eq__(self, other):
        return isinstance(other, Dtype) and self.name == other.name or other in (self.name, PYTHON.get(self.kind))

    def __hash__(self):
        return hash(self.name)

    def __repr__(self):
        return self.name


PYTHON = {"f": float, "i": int, "b": bool}
float64, float32, int64, bool_, str_ = (Dtype(name) for name in ("float64", "float32", "int64", "bool", "U"))
NAMED = {float: float64, int: int64, bool: bool_, str: str_, "float": float64, "int": int64}
NAMED |= {name: Dtype(name) for name in ("float64", "float32", "int64", "bool")} | {"int32": int64}


class Number:
    """What a number of an array has beside Python's own."""

    def item(self):
        return self + 0

    tolist = item

    def astype(self, dtype):
        return wrapped(kind_of(dtype).number(self))

    def mean(self):
        return self

    sum = max = min = mean
    shape, ndim, size = (), 0, 1


class float_(Number, float):
    """A float of an array."""

    dtype = float64

    def round(self, decimals=0):
        return float_(rounded(self, decimals))

    def __truediv__(self, other):
        return wrapped(divided(self, other)) if isinstance(other, (int, float)) else NotImplemented


class int_(Number, int):
    """An int of an array."""

    dtype = int64


def wrapped(value):
    return float_(value) if type(value) is float else int_(value) if type(value) is int else value


def kind_of(dtype):
    if isinstance(dtype, Dtype):
        return dtype
    try:
        return NAMED[dtype]
    except (KeyError, TypeError):
        asked.append(f"numpy's type {dtype!r}")
        raise Absent(f"numpy's type {dtype!r} is not there in the sandbox") from None


def guess(values):
    kinds = set(map(type, values))
    if kinds <= {bool}:
        return bool_ if kinds else float64
    if kinds <= {bool, int, int_}:
        return int64
    if all(issubclass(kind, (bool, int, float)) for kind in kinds):
        return float64
    return str_ if kinds <= {str} else Dtype("object")


class ndarray:
    """An array: its numbers in a row, and its shape."""

    __array_priority__ = 1

    def __init__(self, data, shape, dtype):
        self.data, self.shape, self.dtype = data, tuple(shape), dtype

    def like(self, data, shape=None, dtype=None):
        return type(self)(data, self.shape if shape is None else shape, dtype or self.dtype)

    ndim = property(lambda self: len(self.shape))
    size = property(lambda self: len(self.data))
    T = property(lambda self: transposed(self))

    def __len__(self):
        if not self.shape:
            raise TypeError("len() of unsized object")
        return self.shape[0]

    def __iter__(self):
        return (self[i] for i in range(len(self)))

    def __bool__(self):
        if len(self.data) != 1:
            raise ValueError("The truth value of an array with more than one element is ambiguous. Use a.any() or a.all()")
        return bool(self.data[0])

    def item(self):
        if len(self.data) != 1:
            raise ValueError("can only convert an array of size 1 to a Python scalar")
        return self.data[0]

    def __float__(self):
        return float(self.item())

    def __int__(self):
        return int(self.item())

    def __index__(self):
        return self.item().__index__()

    def tolist(self):
        return self.item() if not self.shape else [self[i].tolist() if self.ndim > 1 else self.data[i] for i in range(len(self))]

    def __repr__(self):
        return f"array({self.tolist()})"

    __str__ = lambda self: str(self.tolist()).replace(",", "")  # noqa: E731

    def __contains__(self, value):
        return value in self.data

    def places(self, key):
        """The numbers' places that a key means, and the shape of them."""
        if isinstance(key, (list, ndarray)):
            key = key if isinstance(key, ndarray) else array(key)
            if key.dtype.kind == "b":
                step = len(self.data) // max(1, len(key.data))
                picked = [i * step + j for i, yes in enumerate(key.data) if yes for j in range(step)]
                return picked, (sum(key.data), *self.shape[key.ndim :])
            step = len(self.data) // max(1, len(self))
            return [(i % len(self)) * step + j for i in key.data for j in range(step)], (*key.shape, *self.shape[1:])
        keys = list(key) if isinstance(key, tuple) else [key]
        if Ellipsis in keys:
            at = keys.index(Ellipsis)
            keys[at : at + 1] = [slice(None)] * (self.ndim - len(keys) + 1)
        ranges, shape, axis = [], [], 0
        for part in keys:
            if part is None:
                shape.append(1)
                continue
            if axis >= self.ndim:
                raise IndexError(f"too many indices for array: array is {self.ndim}-dimensional")
            length = self.shape[axis]
            if isinstance(part, slice):
                ranges.append(range(length)[part])
                shape.append(len(ranges[-1]))
            else:
                place = part.__index__()
                if not -length <= place < length:
                    raise IndexError(f"index {place} is out of bounds for axis {axis} with size {length}")
                ranges.append([place % length])
            axis += 1
        for length in self.shape[axis:]:
            ranges.append(range(length))
            shape.append(length)
        steps = [math.prod(self.shape[i + 1 :]) for i in range(self.ndim)]
        return [sum(p * s for p, s in zip(place, steps)) for place in itertools.product(*ranges)], tuple(shape)

    def __getitem__(self, key):
        places, shape = self.places(key)
        data = [self.data[i] for i in places]
        return self.like(data, shape) if shape or isinstance(key, (ndarray, list)) else self.scalar(data[0])

    def scalar(self, value):
        return wrapped(value)

    def __setitem__(self, key, value):
        places, shape = self.places(key)
        values = spread(array(value), shape).data if isinstance(value, (list, tuple, ndarray)) else [value] * len(places)
        for place, one in zip(places, values):
            self.data[place] = self.dtype.number(one)

    def astype(self, dtype, **_):
        kind = kind_of(dtype)
        return self.like([kind.number(value) for value in self.data], dtype=kind)

    def reshape(self, *shape):
        shape = list(shape[0]) if shape and isinstance(shape[0], (list, tuple)) else list(shape)
        if -1 in shape:
            shape[shape.index(-1)] = len(self.data) // max(1, -math.prod(shape))
        if math.prod(shape) != len(self.data):
            raise ValueError(f"cannot reshape array of size {len(self.data)} into shape {tuple(shape)}")
        return self.like(list(self.data), shape)

    view = reshape

    def flatten(self, *_, **__):
        return self.like(list(self.data), (len(self.data),))

    ravel = flatten

    def copy(self):
        return self.like(list(self.data))

    def squeeze(self, *_, **__):
        return self.like(list(self.data), [n for n in self.shape if n != 1])

    def fill(self, value):
        self.data[:] = [self.dtype.number(value)] * len(self.data)

    def round(self, decimals=0):
        return round_(self, decimals)

    def clip(self, min=None, max=None):
        return clip(self, min, max)

    def dot(self, other):
        return dot(self, other)

    __matmul__ = dot

    def sort(self, axis=-1):
        self.data[:] = sort(self).data

    def argsort(self, axis=-1):
        return argsort(self)

    def __neg__(self):
        return self.like([-value for value in self.data])

    def __abs__(self):
        return self.like([abs(value) for value in self.data])

    def __invert__(self):
        return self.like([not value if self.dtype.kind == "b" else ~value for value in self.data])

    def __hash__(self):
        raise TypeError("unhashable type: 'numpy.ndarray'")


def transposed(a):
    if a.ndim < 2:
        return a
    rows, columns = a.shape
    return a.like([a.data[r * columns + c] for c in range(columns) for r in range(rows)], (columns, rows))


def array(data, dtype=None, cls=ndarray, **_):
    """An array of nested lists of numbers."""
    if isinstance(data, ndarray):
        made = cls(list(data.data), data.shape, data.dtype)
    else:
        shape, flat = [], [data]
        while flat and all(isinstance(part, (list, tuple, range, ndarray)) for part in flat):
            lengths = {len(part) for part in flat}
            if len(lengths) != 1:
                raise ValueError("setting an array element with a sequence. The requested array has an inhomogeneous shape")
            shape.append(lengths.pop())
            flat = [one.item() if isinstance(one, Number) else one for part in flat for one in part]
        kind = guess(flat)
        made = cls([kind.number(value) for value in flat], shape, kind)
    return made if dtype is None else made.astype(dtype)


def spread(a, shape):
    """An array in a larger shape."""
    if a.shape == tuple(shape):
        return a
    own = (1,) * (len(shape) - a.ndim) + a.shape
    if len(own) > len(shape) or any(n not in (1, m) for n, m in zip(own, shape)):
        raise ValueError(f"operands could not be broadcast together with shapes {a.shape} {tuple(shape)}")
    steps = [0 if n == 1 else math.prod(own[i + 1 :]) for i, n in enumerate(own)]
    places = itertools.product(*map(range, shape))
    return a.like([a.data[sum(p * s for p, s in zip(place, steps))] for place in places], shape)


def together(*parts):
    """Arrays of one shape."""
    made = [part if isinstance(part, ndarray) else array(part) for part in parts]
    shape = ()
    for part in made:
        longer, shorter = sorted((part.shape, shape), key=len, reverse=True)
        shorter = (1,) * (len(longer) - len(shorter)) + shorter
        shape = tuple(m if n == 1 else n for n, m in zip(longer, shorter))
    return [spread(part, shape) for part in made]


def each(function, *parts, dtype=None):
    """A function of every number, or of every pair."""
    if not any(isinstance(part, (ndarray, list, tuple)) for part in parts):
        return wrapped(function(*parts))
    first = next((part for part in parts if isinstance(part, ndarray)), None)
    made = together(*parts)
    floats = [part.dtype.name for part in parts if isinstance(part, ndarray) and part.dtype.kind == "f"]
    single = floats and all(name == "float32" for name in floats)
    columns = [[float32.number(v) if type(v) is float else v for v in part.data] if single else part.data for part in made]
    data = [function(*values) for values in zip(*columns)]
    kind = dtype or guess(data)
    if kind.kind == "f" and single:
        kind, data = float32, [float32.number(value) for value in data]
    return (type(first) if first is not None else ndarray)(data, made[0].shape, kind)


def divided(a, b):
    if b:
        return a / b
    return math.nan if a == 0 or a != a else math.copysign(math.inf, a) * math.copysign(1.0, b)


OPERATIONS = {
    "add": lambda a, b: a or b if type(a) is type(b) is bool else a + b,
    "sub": lambda a, b: a - b,
    "mul": lambda a, b: a and b if type(a) is type(b) is bool else a * b,
    "truediv": divided,
    "floordiv": lambda a, b: a // b,
    "mod": lambda a, b: a % b,
    "pow": lambda a, b: a**b,
    "and": lambda a, b: a & b,
    "or": lambda a, b: a | b,
    "xor": lambda a, b: a ^ b,
    "lt": lambda a, b: a < b,
    "le": lambda a, b: a <= b,
    "gt": lambda a, b: a > b,
    "ge": lambda a, b: a >= b,
    "eq": lambda a, b: a == b,
    "ne": lambda a, b: a != b,
}
for _name, _of in OPERATIONS.items():
    setattr(ndarray, f"__{_name}__", lambda self, other, _of=_of: each(_of, self, other))
    setattr(ndarray, f"__r{_name}__", lambda self, other, _of=_of: each(_of, other, self))


def pairwise(values):
    """The sum in numpy's order."""
    n = len(values)
    if n < 8:
        total = 0.0
        for value in values:
            total += value
        return total
    if n <= 128:
        r = list(values[:8])
        whole = n - n % 8
        for i in range(8, whole, 8):
            for j in range(8):
                r[j] += values[i + j]
        total = ((r[0] + r[1]) + (r[2] + r[3])) + ((r[4] + r[5]) + (r[6] + r[7]))
        for value in values[whole:]:
            total += value
        return total
    half = n // 2
    half -= half % 8
    return pairwise(values[:half]) + pairwise(values[half:])


def reduction(function):
    """A function of many numbers as one of an array, along an axis or of all of it."""

    def reduced(a, axis=None, dtype=None, keepdims=False, **more):
        a = a if isinstance(a, ndarray) else array(list(a) if not isinstance(a, (int, float, list, tuple)) else a)
        if dtype is not None:
            a = a.astype(dtype)
        single = a.dtype.name == "float32"
        round_off = float32.number if single else lambda value: value
        if axis is None or a.ndim < 2:
            result = wrapped(round_off(function(a.data, **more)))
            return type(a)([result + 0], (), float32) if single and type(a) is not ndarray else result
        axis %= a.ndim
        inner, length = math.prod(a.shape[axis + 1 :]), a.shape[axis]
        rows = [
            round_off(function(a.data[start : start + length * inner : inner], **more))
            for block in range(0, len(a.data), length * inner)
            for start in range(block, block + inner)
        ]
        shape = [n for i, n in enumerate(a.shape) if i != axis]
        if keepdims:
            shape.insert(axis, 1)
        return a.like(rows, shape, float32 if single else guess(rows))

    return reduced


def total(values):
    return pairwise(values) if any(type(value) is float for value in values) else sum(values)


def mean_of(values):
    return pairwise([float(value) for value in values]) / len(values) if values else math.nan


def variance(values, ddof=0):
    if len(values) <= ddof:
        return math.nan
    middle = mean_of(values)
    return pairwise([(value - middle) * (value - middle) for value in values]) / (len(values) - ddof)


def quantile_of(values, q=0.5):
    values, at = sorted(values), q * (len(values) - 1)
    low = math.floor(at)
    high = values[min(low + 1, len(values) - 1)]
    part, step = at - low, high - values[low]
    return float(high - step * (1 - part) if part >= 0.5 else values[low] + step * part)


def median_of(values):
    values, n = sorted(values), len(values)
    return math.nan if not n else float(values[n // 2]) if n % 2 else mean_of(values[n // 2 - 1 : n // 2 + 1])


REDUCTIONS = {
    "sum": reduction(total),
    "mean": reduction(mean_of),
    "prod": reduction(math.prod),
    "var": reduction(variance),
    "std": reduction(lambda values, ddof=0: math.sqrt(variance(values, ddof))),
    "max": reduction(max),
    "min": reduction(min),
    "any": reduction(any),
    "all": reduction(all),
    "argmax": reduction(lambda values: values.index(max(values))),
    "argmin": reduction(lambda values: values.index(min(values))),
}
median = reduction(median_of)
count_nonzero = reduction(lambda values: sum(map(bool, values)))
ptp = reduction(lambda values: max(values) - min(values))


def quantile(a, q, axis=None, **_):
    return array([quantile(a, one, axis) for one in q]) if isinstance(q, (list, tuple, ndarray)) else reduction(quantile_of)(a, axis, q=q)


def percentile(a, q, axis=None, **_):
    return quantile(a, [one / 100 for one in q] if isinstance(q, (list, tuple)) else q / 100, axis)


for _name, _of in REDUCTIONS.items():
    setattr(ndarray, _name, lambda self, axis=None, _of=_of, **named: _of(self, axis, **named))
