"""The methods by name: what each learns from, so that they differ in that and in nothing else.

How they learn, `LearningSettings`, is the same for all.
"""

from __future__ import annotations

from dataclasses import dataclass, replace


@dataclass(frozen=True)
class Method:
    """What a run is made of.

    :param title: one line for tables and help
    :param teacher: imitate the geodesic expert on the learner's own ways, too (DAgger)
    :param adversary: `airl`, `gail`, `sqil` or '' for none: where rewards come from
    :param negatives: what failed, and what has the wrong goal, is told to the reward as negative;
        without it every sampled way is, as in plain adversarial imitation
    :param rephrasing: experts' ways with goals that the generator wrote are positives
    :param relabelling: sampled ways with the goal that they do fulfil are positives
    :param sightings: False for an agent that sees ways only
    """

    title: str
    teacher: bool = False
    adversary: str = ''
    negatives: bool = False
    rephrasing: bool = False
    relabelling: bool = False
    sightings: bool = True

    @property
    def generator(self) -> bool:
        """Whether a goal generator is trained."""
        return self.rephrasing or self.relabelling


WHOLE = Method('LangGoalIRL, whole: reward, negatives, rephrasing, relabelling', teacher=True,
               adversary='airl', negatives=True, rephrasing=True, relabelling=True)

METHODS: dict[str, Method] = {
    'lang-goal-irl': WHOLE,
    'no-negatives': replace(WHOLE, title='the whole without chosen negatives', negatives=False),
    'no-rephrasing': replace(WHOLE, title='the whole without rephrasing', rephrasing=False),
    'no-relabelling': replace(WHOLE, title='the whole without relabelling', relabelling=False),
    'no-generator': replace(WHOLE, title='the whole without generated goals', rephrasing=False,
                            relabelling=False),
    'no-teacher': replace(WHOLE, title='the whole from demonstrations alone', teacher=False),
    'dagger': Method('imitation on its own ways (Ross et al. 2011)', teacher=True),
    'cloning': Method('behaviour cloning'),
    'gail': Method('GAIL (Ho & Ermon 2016)', adversary='gail'),
    'airl': Method('AIRL (Fu et al. 2018)', adversary='airl'),
    'sqil': Method('SQIL (Reddy et al. 2020)', adversary='sqil'),
    'blind': Method('imitation on its own ways, blind to sightings', teacher=True,
                    sightings=False),
}


@dataclass(frozen=True)
class LearningSettings:
    """How learning goes on; shares are of the whole budget, in minutes or updates.

    :param batch: episodes per update; :param max_steps: decisions per episode while learning
    :param measured_steps: and when it is measured
    :param expert_only: until when imitation follows the expert's ways alone
    :param own_share: of decisions that the learner walks afterwards, where it has a teacher
    :param seek_from: from when on the policy seeks the reward, where there is one
    :param reward_from: from when on the reward learns
    :param seek_weight: of seeking the reward beside imitation
    :param seek_every: updates of imitation to one of reward, critics and seeking
    :param discount: of rewards per step; :param target_rate: of the critics' moving average
    :param entropy: target, as a share of the most that the choices allow
    :param stop_weight: of decisions where the expert stops
    :param judged_stop_weight: of decisions to stop when the reward learns: of its opinion on
        these depends whether the robot says that it has arrived
    :param generated_share: weight of imitating ways with generated goals, beside the experts'
    :param written_every: updates to one in which they are imitated
    :param generator_share: of the budget that the goal generator learns in
    :param generated: goals that are written for experts' ways, and as many for sampled ones
    :param explorer_every: updates to one of the goal-agnostic explorer; 0: there is none
    :param walked_ahead: updates for which episodes are walked at a time
    :param buffer: sampled episodes that are kept
    """

    batch: int = 32
    learning_rate: float = 2e-3
    weight_decay: float = 0.01
    warmup: int = 100
    max_steps: int = 15
    measured_steps: int = 15
    expert_only: float = 0.3
    own_share: float = 0.75
    reward_from: float = 0.5
    seek_from: float = 0.6
    seek_weight: float = 0.1
    seek_every: int = 4
    discount: float = 0.95
    target_rate: float = 0.01
    entropy: float = 0.1
    stop_weight: float = 1.0
    judged_stop_weight: float = 3.0
    generated_share: float = 0.5
    written_every: int = 4
    generator_share: float = 0.2
    generated: int = 1500
    explorer_every: int = 0
    walked_ahead: int = 8
    buffer: int = 4096
    reward_clip: float = 5.0

    @property
    def seeks(self) -> bool:
        """Whether the policy ever comes to seek the reward within the budget."""
        return self.seek_from <= 1.0
