"""The sandbox of an exported reward: WebAssembly without files, network, clock or randomness, with limited fuel, memory and stack.

The calling convention and the limits are those of the search that found the rewards (but for the wall clock: fuel decides); only the engine is
another build of the same one. A batch is scored in a fresh instance, so that scores depend on nothing but the module, the batch and the limits.
"""

import hashlib
import json
import math
import struct
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

import wasmtime
from wasmtime import FuncType, ValType

from .locks import Lock

HERE = Path(__file__).resolve().parent
#: Room for a sample is asked for in multiples of this.
GRAIN = 4096
PAGE, WASM_PAGE = 4096, 65536
#: Bytes of pages that a head start may have; more would cost more than it saves.
MOST_KEPT = 4 << 20
#: The most fuel a group has, in units of that of one sample.
GROUP_CEILING = 64


class RewardFault(Exception):
    """A reward went wrong on a completion: `kind` says how, `member` which reward, `index` the completion's place in the batch."""

    def __init__(self, kind, member, index, message):
        super().__init__(kind, member, index, message)
        self.kind, self.member, self.index, self.message = kind, member, index, message

    def __reduce__(self):
        return type(self), (self.kind, self.member, self.index, self.message)

    def __str__(self):
        return f"reward `{self.member}`, completion {self.index}: {self.message}"


@dataclass(frozen=True)
class Sample:
    """What a reward is told of a completion."""

    prompt: str
    completion: str
    answer: str
    correct: bool
    extracted: str | None
    #: The data set's own columns, for rewards in Python: a JSON object, or nothing.
    row: str = ""


class Breach(Exception):
    """The guest broke the calling convention."""


@lru_cache(maxsize=None)
def manifest():
    """What the export says of itself."""
    return json.loads((HERE / "manifest.json").read_text("utf-8"))


def contents(file, sha256):
    """The bytes of a file of this folder, if they are those that were exported."""
    data = (HERE / file).read_bytes()
    if hashlib.sha256(data).hexdigest() != sha256:
        raise ImportError(f"{HERE / file} is not what was exported: its SHA-256 is another than in manifest.json; export again")
    return data


def _config():
    config = wasmtime.Config()
    settings = {
        "consume_fuel": True,
        "cranelift_nan_canonicalization": True,
        "wasm_relaxed_simd": False,
        "wasm_simd": False,
        "wasm_tail_call": False,
        "wasm_multi_memory": False,
        "wasm_memory64": False,
        "wasm_threads": False,
        # Threads that a fork does not take along must not be waited for.
        "parallel_compilation": False,
        "max_wasm_stack": manifest()["limits"]["stack_kib"] << 10,
    }
    for name, value in settings.items():
        # An unknown setting would be taken silently.
        if not hasattr(wasmtime.Config, name):
            raise ImportError(f"this version of wasmtime has no setting `{name}`; install wasmtime==50.0.1")
        setattr(config, name, value)
    return config


@lru_cache(maxsize=None)
def _engine():
    return wasmtime.Engine(_config())


@lru_cache(maxsize=None)
def _compiled(file, sha256):
    return wasmtime.Module(_engine(), contents(file, sha256))


_compiling = Lock()


def module(file, sha256):
    """A module of this folder, compiled once a process; it is shared by all threads."""
    with _compiling.held():
        return _compiled(file, sha256)


def _own(name):
    """A module of the sandbox's own: `verdict` or `regex`."""
    own = manifest()["modules"][name]
    return module(own["file"], own["sha256"])


def _read(store, memory, address, length, what):
    if address + length > memory.data_len(store):
        raise Breach(f"{what} is outside its memory")
    return bytes(memory.read(store, address, address + length))


def _write(store, memory, address, data, what):
    if address + len(data) > memory.data_len(store):
        raise Breach(f"{what} is outside its memory")
    memory.write(store, data, address)


def check_sizes(member, sizes, start=0):
    """Raises `RewardFault` at the first sample with more bytes of text than a sample may have."""
    for index, size in enumerate(sizes, start):
        if size > manifest()["limits"]["sample_kib"] << 10:
            raise RewardFault("sample_too_large", member, index, f"{size} bytes of text are more than a sample may have (`sample_kib`)")


def finite(member, scores, start=0):
    """The scores, if all are finite numbers. Raises `RewardFault` at the first that is none."""
    for index, score in enumerate(scores, start):
        if not math.isfinite(score):
            raise RewardFault("not_finite", member, index, "the score is not a finite number")
    return scores


class WasmReward:
    """A reward in WebAssembly. Calls from several threads do not meet: each batch has a store of its own."""

    def __init__(self, member):
        self.name, self.of_groups = member["function"], member["of_groups"]
        self.limits = manifest()["limits"]
        self.code = module(member["wasm"], member["wasm_sha256"])
        self.expressions = _own("regex") if any(entry.module == "re" for entry in self.code.imports) else None
        self.head_start = None
        if self.expressions is not None:
            self.head_start = _HeadStart.of(self)

    def scores(self, samples):
        """One finite number a sample; a reward of groups is given the runs of samples with the same prompt. Raises `RewardFault`."""
        instance, scores = None, []
        for start, end in self._runs(samples):
            check_sizes(self.name, map(text_length, samples[start:end]), start)
            used = instance is not None
            try:
                instance = instance or _Instance(self)
                run = instance.score(samples[start:end])
            except Exception as first:
                # What went wrong in a used instance counts only if a fresh one shows it as well.
                try:
                    if not used:
                        raise first
                    instance = _Instance(self)
                    run = instance.score(samples[start:end])
                except Exception as error:
                    raise self._fault(error, start) from None
            scores += self._checked(run, start, end)
        return scores

    def _runs(self, samples):
        if not self.of_groups:
            return [(n, n + 1) for n in range(len(samples))]
        runs, start = [], 0
        for n in range(1, len(samples) + 1):
            if n == len(samples) or samples[n].prompt != samples[start].prompt:
                runs.append((start, n))
                start = n
        return runs

    def _checked(self, run, start, end):
        if len(run) != end - start:
            raise RewardFault("wrong_length", self.name, start, f"{len(run)} scores for {end - start} completions")
        return finite(self.name, run, start)

    def _fault(self, error, index):
        if isinstance(error, Breach):
            return RewardFault("protocol", self.name, index, str(error))
        if isinstance(error, wasmtime.Trap):
            code = error.trap_code
            if code == wasmtime.TrapCode.OUT_OF_FUEL:
                return RewardFault("out_of_fuel", self.name, index, "out of fuel; an endless loop, or more work than `fuel_per_call` allows")
            kind = "stack_overflow" if code == wasmtime.TrapCode.STACK_OVERFLOW else "trap"
            return RewardFault(kind, self.name, index, error.message.splitlines()[0])
        if isinstance(error, wasmtime.WasmtimeError):
            text = str(error)
            kind = "out_of_fuel" if "all fuel consumed" in text else "trap"
            return RewardFault(kind, self.name, index, text.splitlines()[0])
        return error


class _HeadStart:
    """The pages that a reward's patterns leave in the memory of the regular expressions after it was tried on texts that never change. Compiling a
    pattern costs more than searching a batch with it; and so a call takes the same fuel in every batch. It is a function of the reward alone."""

    def __init__(self, size, pages):
        self.size, self.pages = size, pages

    @classmethod
    def of(cls, reward):
        try:
            tried = _Instance(reward)
            for typical in manifest()["typical"]:
                if not all(map(math.isfinite, tried.score([Sample(**typical)]))):
                    return None
        except (Breach, wasmtime.WasmtimeError, wasmtime.Trap):
            return None
        if tried.live is None:
            return None
        used = bytes(tried.live["memory"].read(tried.store))
        store = wasmtime.Store(_engine())
        store.set_fuel(reward.limits["fuel_per_call"])
        instance = wasmtime.Instance(store, reward.expressions, [])
        fresh = bytes(instance.exports(store)["memory"].read(store))
        nothing = bytes(PAGE)
        pages = []
        for start in range(0, len(used), PAGE):
            page = used[start : start + PAGE]
            if page != (fresh[start : start + PAGE] or nothing):
                pages.append((start, page))
        return cls(len(used), pages) if len(pages) * PAGE <= MOST_KEPT else None

    def restore(self, store, memory):
        """Makes a fresh memory the used one."""
        missing = self.size - memory.data_len(store)
        if missing > 0:
            memory.grow(store, missing // WASM_PAGE)
        for start, page in self.pages:
            memory.write(store, page, start)


class _Instance:
    """A reward's instance, and that of the regular expressions once it asks for one."""

    def __init__(self, reward):
        self.reward = reward
        self.store = wasmtime.Store(_engine())
        self.store.set_limits(memory_size=reward.limits["memory_mib"] << 20)
        self.live, self.memory = None, None
        self.capacity = self.address = self.texts = 0
        self.input, self.has_sample = b"", False
        linker = wasmtime.Linker(_engine())
        if reward.expressions is not None:
            number = ValType.i32()
            linker.define_func("re", "compile", FuncType([number] * 4, [number]), self._compile, access_caller=True)
            linker.define_func("re", "search", FuncType([number] * 8, [number]), self._search, access_caller=True)
        self._fuel(1)
        instance = linker.instantiate(self.store, reward.code)
        exports = instance.exports(self.store)
        self.memory, self.prepare = exports["memory"], exports["reward_v2_prepare"]
        self.run = exports["reward_v2_score_group" if reward.of_groups else "reward_v2_score"]

    def _fuel(self, samples):
        self.store.set_fuel(self.reward.limits["fuel_per_call"] * min(samples, GROUP_CEILING))

    def score(self, samples):
        store = self.store
        self._fuel(len(samples))
        encoded = encode(samples)
        if len(encoded) > self.capacity:
            self.capacity = 0
            capacity = -(-len(encoded) // GRAIN) * GRAIN
            prepared = self.prepare(store, capacity) & 0xFFFFFFFFFFFFFFFF
            self.address = prepared & 0xFFFFFFFF
            self.capacity = capacity
        header = 4 + 20 * len(samples)
        self.input, self.texts, self.has_sample = encoded[header:], self.address + header, False
        _write(store, self.memory, self.address, encoded, "the sample")
        result = self.run(store)
        if not self.reward.of_groups:
            return [result]
        address, count = result & 0xFFFFFFFF, result >> 32 & 0xFFFFFFFF
        return list(struct.unpack(f"<{count}d", _read(store, self.memory, address, 8 * count, "its list of scores")))

    def _expressions(self, caller):
        if self.live is None:
            self.live = wasmtime.Instance(caller, self.reward.expressions, []).exports(caller)
            if self.reward.head_start is not None:
                self.reward.head_start.restore(caller, self.live["memory"])
        return self.live

    def _copy_in(self, caller, live, text):
        address = live["room"](caller, len(text)) & 0xFFFFFFFF
        _write(caller, live["memory"], address, text, "the regular expressions' room")

    def _copy_out(self, caller, live, result, to, capacity):
        result &= 0xFFFFFFFFFFFFFFFF
        address, length = result >> 32, min(result & 0xFFFFFFFF, capacity)
        found = _read(caller, live["memory"], address, length, "a result of the regular expressions")
        _write(caller, self.memory, to, found, "where it wants a result")
        return length

    def _compile(self, caller, text, length, result, room):
        text, length, result, room = (n & 0xFFFFFFFF for n in (text, length, result, room))
        live = self._expressions(caller)
        self._copy_in(caller, live, _read(caller, self.memory, text, length, "a pattern"))
        return self._copy_out(caller, live, live["compile"](caller), result, room)

    def _search(self, caller, pattern, groups, text, length, start, after_match, result, room):
        text, length, result, room = (n & 0xFFFFFFFF for n in (text, length, result, room))
        live = self._expressions(caller)
        most = room // (8 * max(groups, 1))
        place = text - self.texts
        in_sample = 0 <= place and place + length <= len(self.input)
        if in_sample and not self.has_sample:
            self._copy_in(caller, live, self.input)
            live["adopt"](caller)
            self.has_sample = True
        elif not in_sample:
            place = 0
            self._copy_in(caller, live, _read(caller, self.memory, text, length, "a text"))
        found = live["search"](caller, pattern, groups, most, int(in_sample), place, length, start, after_match)
        return self._copy_out(caller, live, found, result, room)


def _texts(sample):
    return [text.encode() for text in (sample.prompt, sample.completion, sample.answer, sample.extracted or "")]


def text_length(sample):
    """Bytes of a sample's texts."""
    return sum(map(len, _texts(sample)))


def encode(samples):
    """Samples as a guest reads them: their number; flags and four lengths of each; the texts of all."""
    headers, texts = [struct.pack("<I", len(samples))], []
    for sample in samples:
        own = _texts(sample)
        flags = (1 if sample.correct else 0) | (2 if sample.extracted is not None else 0)
        headers.append(struct.pack("<5I", flags, *map(len, own)))
        texts += own
    return b"".join(headers + texts)


class Judge:
    """The rules that say whether an answer is right: the search's own, as a module. One a thread."""

    def __init__(self):
        code = _own("verdict")
        self.store = wasmtime.Store(_engine())
        self.store.set_fuel(2**62)
        self.exports = wasmtime.Instance(self.store, code, []).exports(self.store)
        self._put(json.dumps(manifest()["judge"]).encode())
        flags, what = self._record(self.exports["configure"](self.store))
        if flags != 1:
            raise ImportError(f"verdict.wasm does not understand the manifest's `judge`: {what}; export again")

    def _put(self, data):
        address = self.exports["room"](self.store, len(data)) & 0xFFFFFFFF
        _write(self.store, self.exports["memory"], address, data, "the judge's room")

    def _record(self, record):
        record &= 0xFFFFFFFFFFFFFFFF
        flags, *text = _read(self.store, self.exports["memory"], record >> 32, record & 0xFFFFFFFF, "the judge's answer")
        return flags, bytes(text).decode()

    def verdict(self, completion, answer):
        """Whether the completion's final answer is right, and the answer found."""
        completion, answer = completion.encode(), answer.encode()
        self.store.set_fuel(2**62)
        self._put(completion + answer)
        flags, text = self._record(self.exports["verdict"](self.store, len(completion)))
        return bool(flags & 1), text if flags & 2 else None
