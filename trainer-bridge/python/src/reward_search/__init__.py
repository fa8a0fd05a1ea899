"""reward-search from Python: reward functions for TRL out of files, exports and searches, and searches to look into.

    import reward_search

    rewards = reward_search.rewards("mine.rs", "exported/")
    trainer = GRPOTrainer(reward_funcs=rewards, args=GRPOConfig(**rewards.config, …), …)

    search = reward_search.open("quickstart.db", pandas=True)
    search.leaderboard()
"""

from .errors import (
    HostTrouble,
    ProgramFailed,
    ProgramMissing,
    RequestRefused,
    RewardFault,
    RewardSearchError,
    ServerDied,
    ServerNotStarted,
)
from .program import find_program
from .rewards import CombinedReward, RewardFunction, Rewards, rewards
from .search import Candidate, Search, open

__all__ = [
    "Candidate",
    "CombinedReward",
    "HostTrouble",
    "ProgramFailed",
    "ProgramMissing",
    "RequestRefused",
    "RewardFault",
    "RewardFunction",
    "RewardSearchError",
    "Rewards",
    "Search",
    "ServerDied",
    "ServerNotStarted",
    "find_program",
    "open",
    "rewards",
]
