"""`reward_search.rewards`: scores, columns, and what happens when something goes wrong."""

import os
import signal

import pandas
import pytest
from conftest import batch, scored_by_the_program

import reward_search


def test_one_function_a_member_with_a_name_and_a_weight_of_its_own(folder):
    with reward_search.rewards(folder / "mine.rs", folder / "shape.py", weights=[1, 0.5, 2]) as rewards:
        assert rewards.names == ["mine", "brevity", "tagged"]
        assert rewards.config == {"reward_weights": [1.0, 0.5, 2.0], "multi_objective_aggregation": "sum_then_normalize"}
        assert isinstance(rewards, list)


def test_scores_are_those_of_the_program_to_the_bit(folder):
    specs = [folder / "mine.rs", folder / "digits.rs", folder / "shape.py"]
    prompts, completions, answers = rows = batch(60)
    expected = scored_by_the_program(folder, specs, rows)
    with reward_search.rewards(*specs) as rewards:
        for function in rewards:
            scores = function(prompts=prompts, completions=completions, answer=answers, completion_ids=[[1]] * 60)
            assert scores == [line["components"][function.__name__] for line in expected]
        total = rewards.combined()(prompts=prompts, completions=completions, answer=answers)
        assert total == [line["score"] for line in expected]
    assert len({line["score"] for line in expected}) > 10


def test_the_members_of_a_mix_share_one_request(folder, monkeypatch):
    from reward_search.server import Server

    asked = []
    request = Server.request
    monkeypatch.setattr(Server, "request", lambda self, line, timeout: asked.append(line) or request(self, line, timeout))
    with reward_search.rewards(folder / "mine.rs", folder / "digits.rs") as rewards:
        for function in rewards:
            function(completions=["1", "2"], answer=["1", "1"])
        assert len(asked) == 1
        rewards[0](completions=["1", "3"], answer=["1", "1"])
        assert len(asked) == 2


def test_conversations_and_plain_texts_score_alike(folder):
    prompts, completions, answers = batch(9)
    with reward_search.rewards(folder / "shape.py") as rewards:
        for function in rewards:
            plain = function(prompts=prompts, completions=completions, answer=answers)
            talk = function(
                prompts=[[{"role": "user", "content": p}] for p in prompts],
                completions=[[{"role": "assistant", "content": [{"type": "text", "text": c}]}] for c in completions],
                answer=answers,
            )
            assert plain == talk


def test_answers_go_by_several_names_and_kinds(folder):
    with reward_search.rewards(folder / "mine.rs") as (mine,):
        for column in ("answer", "solution", "ground_truth"):
            assert mine(completions=["It is 4."], **{column: ["4"]}) == [1.0], column
        assert mine(completions=["4", "4"], solution=[4, 4.0]) == [1.0, 1.0]
        assert mine(completions=["4"], answer=["2 + 2 = <<2+2=4>>4\n#### 4"]) == [1.0], "GSM8K as it comes"
        with pytest.raises(ValueError, match="no column of reference answers.*there is gold"):
            mine(completions=["4"], gold=["4"])
        with pytest.raises(TypeError, match="`answer` must hold strings or numbers"):
            mine(completions=["4"], answer=[["4"]])
    with reward_search.rewards(folder / "mine.rs", answer_column="gold") as (mine,):
        assert mine(completions=["4"], gold=["4"], answer=["5"]) == [1.0]
    with reward_search.rewards(folder / "digits.rs", answer_column="") as (digits,):
        assert digits(completions=["7 digits"]) == [1 / 7]


COLUMNS = """
def spread(completions, nums, answer, **kwargs):
    return [sum(n) + 0.5 * ("####" in a) + len(kwargs) / 100 for n, a in zip(nums, answer)]

def tokens(completion_ids, correct, **kwargs):
    return [len(ids) + 10.0 * right for ids, right in zip(completion_ids, correct)]
"""


def test_a_data_set_s_own_columns_reach_rewards_in_python(folder):
    (folder / "spread.py").write_text(COLUMNS)
    batch = {"completions": ["It is 4.", "5"], "answer": ["2+2=4\n#### 4", "4"], "nums": [pandas.Series([1, 2]).to_numpy(), (3, 4)]}
    # Columns that are called as parts of the protocol, and what is no data.
    batch |= {"id": [7, 8], "samples": [1.5, float("nan")], "environments": [object(), object()], "completion_ids": [[1], [1, 2]], "trainer_state": None}
    with reward_search.rewards(folder / "spread.py::spread") as (spread,):
        # The tokens come, too: the file speaks of them.
        assert spread(**batch) == [3.6, 7.1]
    (folder / "spread.py").write_text(COLUMNS.replace("completion_ids", "completions"))
    with reward_search.rewards(folder / "spread.py::spread") as (spread,):
        assert spread(**batch) == [3.59, 7.09]
    (folder / "spread.py").write_text(COLUMNS)
    with reward_search.rewards(folder / "spread.py") as (spread, tokens):
        assert tokens(**batch) == [11.0, 2.0]
        with pytest.raises(reward_search.RewardFault, match="`spread` needs `nums`, a column that the samples do not have"):
            spread(completions=["4"], answer=["4"], completion_ids=[[1]])


def test_a_row_without_an_answer_or_a_completion_abstains(folder):
    with reward_search.rewards(folder / "mine.rs", folder / "digits.rs") as rewards:
        mine, digits = rewards
        rows = {"completions": ["4", "5", None, "4"], "answer": ["4", None, "4", "4"]}
        assert mine(**rows) == [1.0, None, None, 1.0]
        assert digits(**rows) == [1 / 7, None, None, 1 / 7]
        assert mine(completions=[None], answer=["4"]) == [None]
        assert mine(completions=[], answer=[]) == []
        assert rewards.combined(group=2)(**rows) == [None, None, None, None]


def test_a_lone_surrogate_is_no_trouble(folder):
    with reward_search.rewards(folder / "digits.rs") as (digits,):
        assert digits(completions=["7 \ud800"], answer=["7"]) == [1 / 7]


TRAPPED = {"completions": ["a", "loop", "b", "infinite", "c"], "answer": ["1"] * 5, "prompts": list("vwxyz")}


def test_a_fault_is_raised_with_its_row(folder):
    with reward_search.rewards(folder / "trap.rs", folder / "mine.rs") as (trap, _):
        with pytest.raises(reward_search.RewardFault, match="reward `trap`.*out of fuel") as caught:
            trap(**TRAPPED)
        assert (caught.value.kind, caught.value.index, caught.value.reward) == ("out_of_fuel", 1, "trap")
        # The process lives on.
        assert trap(completions=["a"], answer=["1"]) == [1.0]


@pytest.mark.parametrize("policy", [None, -2.5])
def test_a_fault_can_be_an_abstention_or_a_floor(folder, policy):
    with reward_search.rewards(folder / "trap.rs", folder / "digits.rs", on_fault=policy) as (trap, digits):
        assert trap(**TRAPPED) == [1.0, policy, 1.0, policy, 1.0]
        assert digits(**TRAPPED) == [0.0, policy, 0.0, policy, 0.0]
        assert trap(completions=["loop"], answer=["1"]) == [policy]


def test_sums_hold_the_mix_in_one_number(folder):
    prompts, completions, answers = batch(8)
    with reward_search.rewards(folder / "mine.rs", folder / "digits.rs", weights=[1, 2]) as rewards:
        total = rewards.combined()(prompts=prompts, completions=completions, answer=answers)
        assert rewards.combined(group=4)(prompts=prompts, completions=completions, answer=answers) == total
        with pytest.raises(ValueError, match="no whole groups of 3"):
            rewards.combined(group=3)(prompts=prompts, completions=completions, answer=answers)


def test_a_process_that_dies_is_started_again(folder):
    with reward_search.rewards(folder / "mine.rs") as (mine,):
        first = mine._scoring.pid
        os.kill(first, signal.SIGKILL)
        assert mine(completions=["4"], answer=["4"]) == [1.0]
        assert mine._scoring.pid != first


def test_one_that_dies_twice_over_a_batch_is_given_up(tmp_path):
    program = tmp_path / "reward-search"
    hello = '{"hello":{"protocol":1,"version":"0","rewards":[{"name":"a","weight":1.0}]}}'
    program.write_text(f"#!/bin/sh\necho x >> {tmp_path}/starts\necho '{hello}'\nread line\necho gone >&2\nexit 9\n")
    program.chmod(0o755)
    (function,) = reward_search.rewards("a", program=program)
    with pytest.raises(reward_search.ServerDied, match="exit code 9.*gone"):
        function(completions=["4"], answer=["4"])
    assert (tmp_path / "starts").read_text().count("x") == 2


def test_one_that_does_not_answer_is_given_up(tmp_path):
    program = tmp_path / "reward-search"
    hello = '{"hello":{"protocol":1,"version":"0","rewards":[{"name":"a","weight":1.0}]}}'
    program.write_text(f"#!/bin/sh\necho '{hello}'\nexec sleep 60\n")
    program.chmod(0o755)
    (function,) = reward_search.rewards("a", program=program, timeout=0.3)
    with pytest.raises(reward_search.ServerDied, match="no answer within 0.3 seconds"):
        function(completions=["4"], answer=["4"])


def test_one_that_does_not_start_says_why(folder, tmp_path, capsys, monkeypatch):
    monkeypatch.chdir(tmp_path)
    broken = tmp_path / "broken.rs"
    broken.write_text("pub fn reward(sample: &Sample) -> f64 { sample.nothing() }\n")
    with pytest.raises(reward_search.ServerNotStarted, match="^broken.*no method named `nothing`(?s:.)*") as caught:
        reward_search.rewards(broken)
    assert caught.value.code == 2
    # Said once, by the exception.
    assert "no method" not in capsys.readouterr().err
    with pytest.raises(reward_search.ServerNotStarted, match="^`weights=` has 1 numbers for 2 rewards"):
        reward_search.rewards(folder / "shape.py", weights=[1])
    with pytest.raises(reward_search.ServerNotStarted, match="^`nobody` is neither a file.*name one with `database=`"):
        reward_search.rewards("nobody")
    with pytest.raises(reward_search.ServerNotStarted, match="missing.py"):
        reward_search.rewards(folder / "missing.py")
    with pytest.raises(reward_search.ProgramMissing, match="/nowhere/reward-search"):
        reward_search.rewards(folder / "mine.rs", program="/nowhere/reward-search")
    with pytest.raises(ValueError, match="name rewards, or a job"):
        reward_search.rewards()
    with pytest.raises(TypeError, match="named one by one"):
        reward_search.rewards([folder / "mine.rs"])
    for policy in ("ignore", float("nan")):
        with pytest.raises(ValueError, match='must be "raise", None or a finite number'):
            reward_search.rewards(folder / "mine.rs", on_fault=policy)


def test_columns_of_different_lengths_are_refused(folder):
    with reward_search.rewards(folder / "mine.rs") as (mine,), pytest.raises(ValueError, match="2 completions and 1 in the column `answer`"):
        mine(completions=["1", "2"], answer=["1"])
    with reward_search.rewards(folder / "mine.rs") as (mine,), pytest.raises(TypeError, match="completions must be a list"):
        mine(completions="12", answer=["1", "2"])
