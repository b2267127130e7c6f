"""What a person said becomes clean words, a control word, or a clear refusal.

Nothing here imports more than the standard library, so that a stop never waits for a model.
"""

from __future__ import annotations

import re
import unicodedata
from functools import cache

from nl_robot.language import control_words

MAX_BYTES = 2048
_READ_AT_MOST = 8192  # characters of a text that are looked at for a control word
_FIRST = frozenset('first 1 1st yes yeah yep sure correct'.split())
_SECOND = frozenset('second 2 2nd other no nope not latter'.split())
_ANSWERS = _FIRST | _SECOND | frozenset('the one please i mean meant number go to take that '
                                        'thanks thank you it is'.split())
_ESCAPES = re.compile('\x1b(?:\\[[0-?]*[ -/]*[@-~]|\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|[@-Z\\\\^_])')
_LOOKALIKES = str.maketrans('аеорсухіѕјтпкмнвοτρѕεανικ', 'aeopcyxisjtnkmhbotpseanik')
_SIGNS = str.maketrans({'🛑': ' stop ', '✋': ' stop ', '⛔': ' stop ', '🚫': ' stop '})


class Rejected(ValueError):
    """A command that nothing can be done with.

    :param reason: `empty`, `too_long` or `unreadable`
    :param sentence: what was wrong and what to do, for a person
    """

    def __init__(self, reason: str, sentence: str) -> None:
        super().__init__(sentence)
        self.reason = reason
        self.sentence = sentence


def clean(text: str | bytes) -> str:
    """The readable words of a command.

    Compatibility forms are unified (NFKC), escape sequences, zero-width and control characters
    removed, and white space folded into single blanks.

    :raises Rejected: `too_long` above 2048 UTF-8 bytes, `unreadable` for what is not UTF-8 or
        holds neither letter nor digit, `empty` when nothing is left
    """
    words = _visible(_decoded(text))
    if len(words.encode('utf-8')) > MAX_BYTES:
        raise _too_long()
    if not words:
        raise Rejected('empty', 'The command is empty: say where to go, for example "go to the '
                                'kitchen".')
    if not any(unicodedata.category(character)[0] in 'LN' for character in words):
        raise Rejected('unreadable', 'The command holds no words: say where to go, for example '
                                     '"go to the kitchen".')
    return words


def _decoded(text: str | bytes) -> str:
    """`text` as valid unicode of at most MAX_BYTES, or Rejected."""
    try:
        raw = text.encode('utf-8') if isinstance(text, str) else bytes(text)
        if len(raw) > MAX_BYTES:
            raise _too_long()
        return raw.decode('utf-8')
    except UnicodeError:
        raise Rejected('unreadable', 'The command is not valid UTF-8 text: send plain words in '
                                     'UTF-8.') from None


def _too_long() -> Rejected:
    return Rejected('too_long', f'The command is longer than {MAX_BYTES} bytes: say it in fewer '
                                'words.')


def _visible(text: str) -> str:
    """`text` in NFKC without escapes and invisible characters, blanks folded."""
    text = unicodedata.normalize('NFKC', _ESCAPES.sub('', text))
    kept = []
    for character in text:
        category = unicodedata.category(character)
        if character in '\t\n\r\v\f' or category[0] == 'Z':
            kept.append(' ')
        elif category[0] != 'C':
            kept.append(character)
    return ' '.join(''.join(kept).split())


def control_word(text: str | bytes) -> str | None:
    """`stop`, `cancel`, `come back`, `repeat`, `louder` or `quieter`, or None for a command.

    Never raises, whatever the text is, so it can be asked before `clean`.  A text that opens
    with a stop word counts as a stop unless the next word makes it a step of a route
    (`stop by the second door`): a stop too many is a nuisance, a stop missed is not acceptable.
    """
    if isinstance(text, bytes):
        text = text[:4 * _READ_AT_MOST].decode('utf-8', errors='ignore')
    text = _visible(text[:_READ_AT_MOST].encode('utf-8', errors='ignore').decode('utf-8'))
    for folded in _foldings(text):
        if _is_stop(folded):
            return 'stop'
    words = _foldings(text)[0].split()
    for meaning in control_words.OTHER_PHRASES:
        if _covered(words, _table(meaning)):
            return meaning
    return None


def which_one(text: str) -> str | None:
    """`first` or `second` for an answer to which of two is meant; None for anything else.

    >>> which_one('Yes, the first one please.'), which_one('no, the other'), which_one('the sofa')
    ('first', 'second', None)
    """
    words = frozenset(_foldings(_visible(text[:100]))[0].split())
    if not words <= _ANSWERS:
        return None
    first, second = words & _FIRST, words & _SECOND
    if bool(first) == bool(second):     # nothing is said, or both: `the first, no, the second`
        return None
    return 'first' if first else 'second'


def _foldings(text: str) -> list[str]:
    """`text` without case, accents and punctuation; also with look-alike letters made Latin."""
    text = unicodedata.normalize('NFKD', text.translate(_SIGNS).casefold().replace('ı', 'i'))
    text = ''.join(c for c in text if unicodedata.category(c) != 'Mn')
    text = re.sub("['’‘`´ʼ]", '', text)
    text = unicodedata.normalize('NFC', re.sub(r'[\W_]+', ' ', text)).strip()
    calm, doubled = (re.sub(r'(\w)\1{2,}', by, text) for by in (r'\1', r'\1\1'))
    digits = calm.replace('0', 'o').replace('5', 's')
    return list(dict.fromkeys([text, calm, doubled, calm.translate(_LOOKALIKES), digits]))


def _is_stop(folded: str) -> bool:
    """True when the folded text is nothing but a stop, or opens with one."""
    if re.fullmatch(r'(stop|halt|freeze)+p*', folded.replace(' ', '')):
        return True
    words = folded.split()
    return _covered(words, _table('stop')) or _opens_with_stop(words)


def _opens_with_stop(words: list[str]) -> bool:
    """True for `stop you will hit the vase`, False for `stop by the vase`."""
    at = 0
    while at < len(words) and (step := _longest(words, at, _table('fillers'))):
        at += step
    if at >= len(words) or words[at] not in ('stop', 'halt', 'freeze', 'stopp'):
        return False
    follows = words[at + 1] if at + 1 < len(words) else ''
    after = words[at + 2] if at + 2 < len(words) else ''
    return follows not in _table('steps') or (follows == 'before' and after in ('you', 'it'))


def _covered(words: list[str], phrases: frozenset[str]) -> bool:
    """True when phrases and fillers, with at least one phrase, make up all of `words`."""
    reached = {(0, False)}
    for at in range(len(words)):
        for found in [found for start, found in reached if start == at]:
            for table, hit in ((phrases, True), (_table('fillers'), found)):
                reached |= {(at + n, hit) for n in _lengths(words, at, table)}
    return (len(words), True) in reached


def _lengths(words: list[str], at: int, phrases: frozenset[str]) -> list[int]:
    """How many words each phrase takes that begins at `at`."""
    return [n for n in range(1, min(7, len(words) - at) + 1)
            if ' '.join(words[at:at + n]) in phrases]


def _longest(words: list[str], at: int, phrases: frozenset[str]) -> int:
    return max(_lengths(words, at, phrases), default=0)


@cache
def _table(name: str) -> frozenset[str]:
    """The folded phrases of one meaning."""
    if name == 'stop':
        text = '|'.join(control_words.STOP_PHRASES.values())
    elif name == 'fillers':
        text = control_words.FILLERS
    elif name == 'steps':
        text = control_words.STEP_WORDS
    else:
        text = control_words.OTHER_PHRASES[name]
    return frozenset(folded for phrase in text.split('|') for folded in _foldings(phrase)[:1])


_SOME = r"(?:the|my|our|your|a|an|some|this|that|these|those|it|them|all|every)\b"
_CANNOT: tuple[tuple[str, str], ...] = (
    (rf'carry(?! on\b)|bring(?! me (?:to|into|over)\b)|fetch|deliver|haul|grab|hand (?:me|over)|'
     rf'pick up|pick {_SOME}.* up|collect|(?<!we )(?<!i )put|(?:place|lay|set|store) {_SOME}|'
     rf'drop {_SOME}|return {_SOME}|get (?:me |us )?{_SOME}|'
     r'take(?! (?:a |the |your )?(?:\w+(?:st|nd|rd|th) |next |sharp |hard |last )?(?:left|right|'
     r'turn|door|exit|doorway|hallway|corridor|way|route|path|me|us|yourself|you|look|peek)\b)|'
     r"(?:need|want|like) (?!to\b|you\b)(?:[\w']+ ){1,5}(?:from|out of)\b|"
     rf"leave {_SOME} (?:(?!and |behind )[\w']+ ){{1,4}}(?:at|by|near|in|on)\b|"
     r'(?<!you )(?:must|should) go (?:to|in)|belongs? (?:in|to|on)', 'carry things'),
    (rf'(?:open|close|shut) {_SOME}|lock|unlock', 'open or close things'),
    (rf'(?:turn|switch) (?:on|off)|(?:turn|switch) {_SOME}.* (?:on|off)|plug|press|push',
     'switch or push things'),
    (rf'clean|cleaning|wash(?! (?:basin|room)\b)|wipe|vacuum|dust|mop|scrub|tidy|sweep|polish|'
     rf'iron|fold|(?:set|empty|fill|feed|water|load) {_SOME}|make (?:the|my) (?:bed|coffee|tea)|'
     r'do the (?:dishes|laundry)|cook|bake|unload|repair|fix', 'do that work'))


def caveat(text: str) -> str | None:
    """What the robot cannot do of a command, or None: it only drives.

    >>> caveat('Take the dirty dishes to the kitchen')
    'I can go there, but I cannot carry things.'
    """
    lowered = text.casefold()
    for pattern, deed in _CANNOT:
        if re.search(rf'\b(?:{pattern})(?:\b|$)', lowered):
            return f'I can go there, but I cannot {deed}.'
    return None
