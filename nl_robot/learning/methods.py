"""The methods by name: what each learns from, so that they differ in that and in nothing else."""

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
