"""numpy's functions over `arrays`."""

import math

from . import add, arrays
from .arrays import REDUCTIONS as SUMS
from .arrays import array, each, ndarray, pairwise, wrapped



def real(function):
    """A function of a float; what Python's raises for is numpy's nan or infinity."""

    def safe(x):
        try:
            return function(float(x))
        except OverflowError:
            return math.inf
        except ValueError:
            return -math.inf if x == 0 else math.nan

    return lambda x, **_: each(safe, x)


def rounded(x, decimals=0):
    if not math.isfinite(x):
        return x
    scale = 10.0**decimals
    return float(round(x * scale)) / scale


arrays.rounded = rounded


def round_(a, decimals=0, **_):
    return each(lambda x: rounded(x, decimals) if type(x) is float else x, a if isinstance(a, (ndarray, list, tuple)) else float(a))


def larger(a, b):
    return a if a != a or a >= b else b


def smaller(a, b):
    return a if a != a or a <= b else b


def clip(a, a_min=None, a_max=None, min=None, max=None, **_):
    low, high = (a_min if a_min is not None else min), (a_max if a_max is not None else max)
    if low is not None:
        a = each(larger, a, low)
    return each(smaller, a, high) if high is not None else each(lambda x: x, a)


def full(shape, value, dtype=None, cls=ndarray, **_):
    shape = (shape,) if isinstance(shape, int) else tuple(shape)
    kind = arrays.kind_of(dtype) if dtype is not None else arrays.guess([value])
    return cls([kind.number(value)] * math.prod(shape), shape, kind)


def like(value):
    return lambda a, dtype=None, **_: full(asarray(a).shape, value, dtype or asarray(a).dtype)


def asarray(a, dtype=None, **_):
    return a if isinstance(a, ndarray) and dtype is None else array(list(a) if isinstance(a, (map, filter)) else a, dtype)


def arange(start, stop=None, step=1, dtype=None):
    start, stop = (0, start) if stop is None else (start, stop)
    n = max(0, math.ceil((stop - start) / step))
    return array([start + i * step for i in range(n)], dtype)


def linspace(start, stop, num=50, endpoint=True, **_):
    step = (stop - start) / max(1, num - 1 if endpoint else num)
    made = [start + i * step for i in range(num)]
    if endpoint and num > 1:
        made[-1] = float(stop)
    return array(made, float)


def where(condition, a=None, b=None):
    if a is None:
        return (array([i for i, yes in enumerate(asarray(condition).data) if yes], int),)
    return each(lambda c, x, y: x if c else y, condition, a, b)


def dot(a, b):
    a, b = asarray(a), asarray(b)
    if not a.shape or not b.shape:
        return each(lambda x, y: x * y, a, b)
    if a.ndim == b.ndim == 1:
        if len(a) != len(b):
            raise ValueError(f"shapes {a.shape} and {b.shape} not aligned")
        return wrapped(sum(x * y for x, y in zip(a.data, b.data)))
    if a.ndim == 2 and b.ndim == 1:
        return array([dot(row, b) for row in a])
    columns = list(b.T)
    return array([[dot(row, column) for column in columns] for row in a]) if a.ndim == 2 else array([dot(a, column) for column in columns])


def sort(a, axis=-1, **_):
    a = asarray(a)
    if a.ndim < 2:
        return a.like(sorted(a.data))
    return array([sort(row) for row in a])


def argsort(a, axis=-1, **_):
    a = asarray(a)
    return array([argsort(row) for row in a]) if a.ndim > 1 else array(sorted(range(len(a.data)), key=a.data.__getitem__), int)


def unique(a, return_counts=False, **_):
    values = asarray(a).data
    found = sorted(set(values))
    return (array(found), array([values.count(value) for value in found], int)) if return_counts else array(found)


def cumulative(of):
    def running(a, axis=None, **_):
        made = []
        for value in asarray(a).data:
            made.append(of(made[-1], value) if made else value)
        return array(made)

    return running


def diff(a, n=1, **_):
    values = asarray(a).data
    return array([after - before for before, after in zip(values, values[1:])])


def concatenate(parts, axis=0, **_):
    parts = [asarray(part) for part in parts]
    if axis in (0, None) or parts[0].ndim == 1:
        return array([one for part in parts for one in part.tolist()])
    return array([[one for row in rows for one in row] for rows in zip(*(part.tolist() for part in parts))])


def stack(parts, axis=0, **_):
    made = array([asarray(part).tolist() for part in parts])
    return made.T if axis in (1, -1) and made.ndim == 2 else made


def isclose(a, b, rtol=1e-05, atol=1e-08, equal_nan=False):
    def close(x, y):
        return x == y or math.isfinite(x) and math.isfinite(y) and abs(x - y) <= atol + rtol * abs(y)

    return each(close, a, b)


def norm(x, ord=None, axis=None, **_):
    x = asarray(x)
    if axis is not None and x.ndim > 1:
        return array([norm(row, ord) for row in (x if axis in (1, -1) else x.T)])
    values = [abs(value) for value in x.data]
    if ord == 1:
        return wrapped(pairwise([float(value) for value in values]))
    return wrapped(float(max(values))) if ord == math.inf else wrapped(math.sqrt(sum(float(v) * v for v in values)))


def average(a, axis=None, weights=None, **_):
    if weights is None:
        return SUMS["mean"](a, axis)
    weighted = each(lambda x, w: x * w, a, weights)
    return arrays.divided(SUMS["sum"](weighted, axis), SUMS["sum"](array(weights)))


def nan_to_num(a, nan=0.0, **_):
    return each(lambda x: nan if x != x else x, a)


def without_nan(of):
    return lambda a, **named: of(array([x for x in asarray(a).data if x == x]), **named)


def corrcoef(a, b):
    a, b = asarray(a).astype(float), asarray(b).astype(float)
    x, y = a - a.mean(), b - b.mean()
    r = dot(x, y) / math.sqrt(dot(x, x) * dot(y, y))
    return array([[1.0, r], [r, 1.0]])


def interp(x, xs, ys):
    def at(value):
        if value <= xs[0]:
            return float(ys[0])
        for (x0, y0), (x1, y1) in zip(zip(xs, ys), zip(xs[1:], ys[1:])):
            if value <= x1:
                return float((y1 - y0) / (x1 - x0) * (value - x0) + y0)
        return float(ys[-1])

    return each(at, x)


def seterr(**_):
    return {}


class errstate:
    """Nothing warns here."""

    def __init__(self, **_):
        pass

    def __enter__(self):
        return self

    def __exit__(self, *_):
        return False


exp, log, sqrt, tanh = real(math.exp), real(math.log), real(math.sqrt), real(math.tanh)
sigmoid = real(lambda x: 1 / (1 + math.exp(-x)))
absolute = lambda x, **_: each(abs, x)  # noqa: E731
maximum, minimum = (lambda a, b, **_: each(larger, a, b)), (lambda a, b, **_: each(smaller, a, b))
isnan, isinf, isfinite = (lambda x, of=of: each(lambda v: of(v), x) for of in (math.isnan, math.isinf, math.isfinite))
FOR_TENSORS = dict(exp=exp, log=log, sqrt=sqrt, abs=absolute, tanh=tanh, sigmoid=sigmoid, where=where, isnan=isnan)
FOR_TENSORS |= dict(maximum=maximum, minimum=minimum, sum=SUMS["sum"], mean=SUMS["mean"])
arrays.clip, arrays.dot, arrays.round_, arrays.sort, arrays.argsort, arrays.full = clip, dot, round_, sort, argsort, full

numpy = add(
    "numpy",
    ndarray=ndarray,
    number=arrays.Number,
    floating=float,
    integer=int,
    generic=arrays.Number,
    bool_=arrays.bool_,
    array=array,
    float64=arrays.float64,
    float32=arrays.float32,
    int64=arrays.int64,
    median=arrays.median,
    quantile=arrays.quantile,
    percentile=arrays.percentile,
    count_nonzero=arrays.count_nonzero,
    ptp=arrays.ptp,
    **SUMS,
    float16=arrays.float32,
    int32=arrays.int64,
    int8=arrays.int64,
    uint8=arrays.int64,
    dtype=arrays.kind_of,
    amax=SUMS["max"],
    amin=SUMS["min"],
    asarray=asarray,
    zeros=lambda shape, dtype=float, **_: full(shape, 0, dtype),
    ones=lambda shape, dtype=float, **_: full(shape, 1, dtype),
    empty=lambda shape, dtype=float, **_: full(shape, 0, dtype),
    full=full,
    zeros_like=like(0),
    ones_like=like(1),
    full_like=lambda a, value, **_: full(asarray(a).shape, value),
    arange=arange,
    linspace=linspace,
    where=where,
    nonzero=where,
    argwhere=lambda a: where(a)[0].reshape(-1, 1),
    clip=clip,
    round=round_,
    around=round_,
    dot=dot,
    matmul=dot,
    inner=dot,
    outer=lambda a, b: array([[x * y for y in asarray(b).data] for x in asarray(a).data]),
    sort=sort,
    argsort=argsort,
    unique=unique,
    cumsum=cumulative(lambda a, b: a + b),
    cumprod=cumulative(lambda a, b: a * b),
    diff=diff,
    concatenate=concatenate,
    hstack=concatenate,
    vstack=lambda parts: stack(parts),
    stack=stack,
    append=lambda a, b, **_: concatenate([asarray(a).flatten(), asarray(b).flatten()]),
    reshape=lambda a, shape: asarray(a).reshape(shape),
    isclose=isclose,
    allclose=lambda a, b, **named: bool(SUMS["all"](isclose(a, b, **named))),
    array_equal=lambda a, b: asarray(a).tolist() == asarray(b).tolist(),
    average=average,
    nan_to_num=nan_to_num,
    nanmean=without_nan(SUMS["mean"]),
    nanstd=without_nan(SUMS["std"]),
    nansum=without_nan(SUMS["sum"]),
    corrcoef=corrcoef,
    interp=interp,
    isscalar=lambda x: isinstance(x, (int, float, complex, str)),
    ndim=lambda a: asarray(a).ndim,
    shape=lambda a: asarray(a).shape,
    size=lambda a: asarray(a).size,
    exp=exp,
    expm1=real(math.expm1),
    log=log,
    log2=real(math.log2),
    log10=real(math.log10),
    log1p=real(math.log1p),
    sqrt=sqrt,
    square=lambda x, **_: each(lambda v: v * v, x),
    power=lambda a, b, **_: each(lambda x, y: x**y, a, b),
    sin=real(math.sin),
    cos=real(math.cos),
    tan=real(math.tan),
    arctan=real(math.atan),
    tanh=tanh,
    floor=lambda x: each(lambda v: float(math.floor(v)), x),
    ceil=lambda x: each(lambda v: float(math.ceil(v)), x),
    abs=absolute,
    absolute=absolute,
    fabs=absolute,
    sign=lambda x: each(lambda v: type(v)((v > 0) - (v < 0)), x),
    maximum=maximum,
    minimum=minimum,
    add=lambda a, b: each(lambda x, y: x + y, a, b),
    subtract=lambda a, b: each(lambda x, y: x - y, a, b),
    multiply=lambda a, b: each(lambda x, y: x * y, a, b),
    divide=lambda a, b, **_: each(arrays.divided, a, b),
    logical_and=lambda a, b: each(lambda x, y: bool(x and y), a, b),
    logical_or=lambda a, b: each(lambda x, y: bool(x or y), a, b),
    logical_not=lambda a: each(lambda x: not x, a),
    isnan=isnan,
    isinf=isinf,
    isfinite=isfinite,
    isin=lambda a, b: each(lambda x: x in list(b), a),
    seterr=seterr,
    errstate=errstate,
    pi=math.pi,
    e=math.e,
    inf=math.inf,
    nan=math.nan,
    newaxis=None,
)
add("numpy.linalg", norm=norm)
add("numpy.typing", NDArray=ndarray, ArrayLike=ndarray)
