"""Threads, forks, pickles, and the end of things."""

import os
import pickle
import signal
import subprocess
import sys
import time
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from multiprocessing import get_context

from conftest import batch, is_alive

import reward_search

PROMPTS, COMPLETIONS, ANSWERS = batch(30)


def call(function):
    return function(prompts=PROMPTS, completions=COMPLETIONS, answer=ANSWERS)


def test_eight_threads_get_the_same_scores(folder):
    with reward_search.rewards(folder / "mine.rs", folder / "digits.rs") as rewards, ThreadPoolExecutor(8) as threads:
        alone = {function.__name__: [function(completions=[c], answer=[a])[0] for c, a in zip(COMPLETIONS, ANSWERS)] for function in rewards}

        def one(n):
            function, rotated = rewards[n % 2], COMPLETIONS[n:] + COMPLETIONS[:n]
            return function(completions=rotated, answer=ANSWERS[n:] + ANSWERS[:n])

        for n, scores in enumerate(threads.map(one, range(24))):
            expected = alone[rewards[n % 2].__name__]
            assert scores == expected[n:] + expected[:n]


def test_a_fork_has_a_process_of_its_own_and_leaves_ours_alone(folder):
    with reward_search.rewards(folder / "mine.rs") as (mine,):
        expected, ours = call(mine), mine._scoring.pid
        reading, writing = os.pipe()
        child = os.fork()
        if child == 0:
            try:
                assert mine._scoring.pid is None
                assert call(mine) == expected
                os.write(writing, str(mine._scoring.pid).encode())
            finally:
                os._exit(0)
        os.close(writing)
        theirs = int(os.read(reading, 100))
        os.close(reading)
        os.waitpid(child, 0)
        assert theirs != ours
        wait_for(lambda: not is_alive(theirs))
        assert is_alive(ours)
        # What is remembered is not what is asked: this one is new.
        assert mine(completions=["1", "2"], answer=["1", "1"])[0] == 1.0
        assert mine._scoring.pid == ours


def test_a_fork_while_another_thread_scores_can_score(folder):
    with reward_search.rewards(folder / "mine.rs") as (mine,), ThreadPoolExecutor(1) as thread:
        mine._scoring._lock.acquire()
        waiting = thread.submit(call, mine)
        child = os.fork()
        if child == 0:
            code = 1
            try:
                code = 0 if call(mine) else 1
            finally:
                os._exit(code)
        assert os.waitpid(child, 0)[1] == 0
        mine._scoring._lock.release()
        assert waiting.result()


def test_functions_pickle_into_other_processes(folder):
    rewards = reward_search.rewards(folder / "mine.rs", folder / "digits.rs", weights=[1, 0.5])
    copy = pickle.loads(pickle.dumps(rewards))
    assert (copy.names, copy.config) == (rewards.names, rewards.config)
    assert copy[0]._scoring is rewards[0]._scoring, "one process scores for all copies here"
    expected = [call(function) for function in rewards]
    for method in ("spawn", "fork"):
        with ProcessPoolExecutor(2, mp_context=get_context(method)) as workers:
            assert list(workers.map(call, rewards)) == expected, method
    rewards.close()


SCRIPT = """
import sys, time, reward_search
mine, = reward_search.rewards(sys.argv[1])
mine(completions=["4"], answer=["4"])
print(mine._scoring.pid, flush=True)
if len(sys.argv) > 2: time.sleep(60)
"""


def test_nothing_is_left_when_the_trainer_ends(folder):
    command = [sys.executable, "-c", SCRIPT, str(folder / "mine.rs")]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert not is_alive(int(done.stdout))
    assert done.stderr == ""
    with subprocess.Popen([*command, "wait"], stdout=subprocess.PIPE, text=True) as trainer:
        server = int(trainer.stdout.readline())
        assert is_alive(server)
        trainer.send_signal(signal.SIGKILL)
    wait_for(lambda: not is_alive(server))


def wait_for(condition, seconds=10):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline
        time.sleep(0.02)
