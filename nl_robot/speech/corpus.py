"""Sentences of the command grammar, as people would speak them, for the models of language."""

from __future__ import annotations

import re
from collections.abc import Iterator

import numpy as np

from nl_robot.language import control_words
from nl_robot.language.grammar import Frame, fill, frames_of, load_frames, pick, polish, words

SENTENCES = 40000
SIDES = ('left', 'right')
COLOURS = ('red', 'blue', 'green', 'yellow', 'white', 'black', 'brown', 'orange', 'purple', 'pink')
PLACES = ('near', 'atop', 'in', 'closest')      # kinds of phrases that name one thing by another
ONE_STEP = ('turn', 'around', 'straight', 'pass', 'turn_at', 'enter', 'turn_into', 'count_into')
LAST_STEP = ('stop_by', 'stop_in', 'stop_any_door', 'stop_door', 'enter')
HESITATIONS = ('um', 'uh', 'er', 'erm', 'hmm', 'oh', 'ah', 'well', 'okay', 'ok', 'so', 'right',
               'now', 'then', 'and', 'look', 'listen', 'hello', 'hey', 'hi', 'yeah', 'yes',
               'please', 'alright', 'all right', 'you know', 'i mean', 'let me see', 'i think',
               'maybe', 'just', 'actually', 'robot', 'hey robot', 'my friend', 'sorry')
HESITANT = 0.25     # of all sentences begin or end as people speak who think meanwhile
ANSWERS = ('yes', 'yes please', 'yeah', 'yep', 'sure', 'right', 'correct', 'that is right',
           "that's right", 'exactly', 'no', 'nope', 'no thanks', 'no thank you', 'wrong',
           'not that', 'that is wrong', "that's wrong")


def spoken(text: str) -> list[str]:
    """The words of a text as they are spoken: lower case, no punctuation but apostrophes.

    >>> spoken("Hey robot, to the baby's room!")
    ['hey', 'robot', 'to', 'the', "baby's", 'room']
    """
    text = text.lower().replace('’', "'").replace('-', ' ')
    found = re.findall(r"[a-z0-9]+(?:'[a-z]+)*'?", text)
    return [word.rstrip("'") if not word.endswith("s'") else word[:-1] for word in found]


def sentences(count: int = SENTENCES, seed: int = 0) -> Iterator[list[str]]:
    """Words of `count` sentences, each frame as often as any other, then the control words."""
    rng = np.random.default_rng(seed)
    frames = [frame for frame in load_frames() if frame.sentence]
    for number in range(count):
        frame = frames[number % len(frames)]
        said = spoken(polish(fill(frame, _values(frame, rng), rng), rng))
        yield _hesitant(said, rng) if rng.random() < HESITANT else said
    english = [control_words.STOP_PHRASES['en'], *control_words.OTHER_PHRASES.values()]
    phrases = [phrase for text in english for phrase in text.split('|') if phrase.isascii()]
    for phrase in (*phrases, *ANSWERS):
        yield from 5 * [spoken(phrase)]
    yield from 200 * [['stop']]      # said in one word far more often than the table shows


def _hesitant(said: list[str], rng: np.random.Generator) -> list[str]:
    """The words behind one to three hesitations, now and then with one in between or behind."""
    for _ in range(int(rng.integers(1, 4))):
        said = [*spoken(str(pick(HESITATIONS, rng))), *said]
    if rng.random() < 0.3:
        at = int(rng.integers(1, len(said) + 1))
        said = [*said[:at], *spoken(str(pick(HESITATIONS, rng))), *said[at:]]
    return said


def _values(frame: Frame, rng: np.random.Generator) -> dict[str, str | list[str]]:
    """Something for each placeholder of a frame."""
    values: dict[str, str | list[str]] = {
        'room': _name('rooms', rng), 'side': str(pick(SIDES, rng)),
        'nth': str(pick(words('ordinals')[''], rng)), 'object': _thing(rng), 'a': _thing(rng),
        'b': _thing(rng), 'thing': _one_of(words('room_things') | words('object_things'), rng),
        'activity': _one_of(words('room_activities'), rng)}
    if 'place' in frame.placeholders:
        phrase = pick(frames_of(str(pick(PLACES, rng))), rng)
        values['place'] = fill(phrase, values, rng)
    if 'steps' in frame.placeholders:
        values['steps'] = _steps(rng)
    return values


def _steps(rng: np.random.Generator) -> list[str]:
    """Two to four steps of a route, the last of which says where to stop."""
    kinds = [str(pick(ONE_STEP, rng)) for _ in range(int(rng.integers(1, 4)))]
    steps = []
    for kind in (*kinds, str(pick(LAST_STEP, rng))):
        phrase = pick(frames_of(kind), rng)
        steps.append(fill(phrase, _values(phrase, rng), rng))
    return steps


def _name(group: str, rng: np.random.Generator) -> str:
    """What people call some room or object; every one of them is as likely as any other."""
    names = words(group)
    return str(pick(names[str(pick(list(names), rng))], rng))


def _thing(rng: np.random.Generator) -> str:
    """An object, now and then with its colour, size or material, or a word for several kinds."""
    chance = rng.random()
    if chance < 0.08:
        return str(pick(list(words('generics')), rng))
    name = _name('objects', rng)
    if chance < 0.18:
        return f'{pick(COLOURS, rng)} {name}'
    if chance < 0.24:
        kinds = words('attributes')
        return f'{pick(kinds[str(pick(list(kinds), rng))], rng)} {name}'
    return name


def _one_of(groups: dict[str, list[str]], rng: np.random.Generator) -> str:
    return str(pick(groups[str(pick(list(groups), rng))], rng))
