"""Sequential halving among members whose games are made up."""

import numpy as np

from popagents.common.randomness import Purpose, keys
from popagents.learners.conversation import converse
from popagents.learners.es.sequential_halving import Judged, repeated, sequential_halving
from popagents.learners.logging import info_means
from popagents.rollout.jobs import Episodes, Jobs

NOTHING = np.zeros(1, int), np.zeros(1)


def once(returns, members=None):
    """Return what members played who played once."""
    members = np.arange(len(returns)) if members is None else members
    return Judged(members, np.array(returns, float), np.ones(len(returns), int))


def never(request):
    raise AssertionError("nobody plays again")


def asked(members, numbers):
    """Ask for jobs of these numbers, which stand where seeds do."""
    rows = np.repeat(members, len(numbers))
    return Jobs(rows, rows, np.tile(numbers, len(members))[:, None], None, np.ones(len(rows), bool))


def test_of_two_members_one_is_the_centre_and_the_other_challenges_it_at_once():
    for returns, winner in (([3, 5], 1), ([5, 3], 0), ([4, 4], 0)):
        halving = sequential_halving(once(returns), None, np.arange(2), *NOTHING, 2)
        assert converse(halving, never).best == [winner]


def test_who_played_as_a_fitter_one_did_becomes_a_parent_only_where_there_is_nobody_else():
    rank_keys = keys(1, Purpose.RANK, 0, np.arange(6))
    assert np.argsort(rank_keys[[4, 5]]).tolist() == [0, 1]  # among equals 4 is before 5
    for first, again, elected in (
        ([5, 5, 1, 1, 6, 6], [3, 3, 3, 3], [4, 5]),  # all of them alike: the fittest two
        ([5, 5, 1, 1, 6, 6], [3, 2, 3, 3], [4, 1]),  # 1 played worse, but otherwise than the others
        ([5, 5, 1, 1, 6, 6], [9, 8, 7, 6], [0, 1]),
    ):

        def answer(jobs, returns=again):
            assert jobs.member.tolist() == [0, 1, 4, 5]
            return Episodes(jobs, np.array(returns, float), np.ones(4, int))

        past = np.zeros(2, int), np.zeros(2)
        election = converse(sequential_halving(once(first), asked, rank_keys, *past, 2), answer)
        assert election.best.tolist() == elected


def test_members_repeat_others_if_returns_and_lengths_on_common_seeds_are_the_same():
    judged = once([1, 2, 3, 4, 5, 5, 5, 5], np.tile(np.arange(4), 2))
    everyone = np.array([2, 0, 1, 3])
    assert repeated(judged, everyone, 1).tolist() == [False, True, True, True]
    assert repeated(judged, everyone, 0).tolist() == [False] * 4
    assert repeated(judged, everyone, 2).tolist() == [False] * 4  # there are no such episodes
    judged.lengths[4] = 9  # member 0's second
    assert repeated(judged, everyone, 1).tolist() == [False, False, True, True]


def test_what_was_played_before_and_after_is_joined():
    both = once([1.0, 2.0]).joined(once([3.0]))
    count, points = both.totals(3, *NOTHING)
    assert (points[:2] / count[:2]).tolist() == [2.0, 2.0]  # member 0 played twice
    assert both.lengths.tolist() == [1, 1, 1]
    assert count.tolist() == [2, 1, 0]
    assert [total.tolist() for total in both.totals(3, np.array([4]), np.array([10.0]))] == [[6, 1, 0], [14, 2, 0]]


def test_infos_of_several_requests_are_logged_together():
    jobs = asked(np.arange(2), np.arange(1))
    one = Episodes(jobs, np.zeros(2), np.ones(2, int), {"a": np.array([1.0, 2.0])})
    other = Episodes(jobs, np.zeros(2), np.ones(2, int), {"a": np.array([5.0, np.nan]), "b": np.array([7.0, np.nan])})
    assert info_means([one, other]) == {"rollout/a": 8 / 3, "rollout/b": 7.0}
