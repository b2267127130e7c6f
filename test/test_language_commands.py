"""Cleaning, control words and caveats, with answers written by hand."""

from __future__ import annotations

import random
import unicodedata

import pytest

from nl_robot.language.commands import Rejected, caveat, clean, control_word

STOPS = '''stop|STOP|Stop!|STOP!!| stop |stop.|stop...|stop?|"stop"|(stop)|stop stop
stop stop stop|STOP STOP STOP|stop, stop, stop!|stooop|stooooooop!|STOOOP|stopp|stoppp|st​op
s‌t‍op|﻿stop|stop\x00|\x1b[31mstop\x1b[0m|st\x07op|‮stop|ｓｔｏｐ|ＳＴＯＰ！|𝐬𝐭𝐨𝐩|ⓢⓣⓞⓟ|ѕtор
СТОП|s t o p|s.t.o.p|S-T-O-P|st0p|5top|stop it|stop that|stop now|stop now!|stop right now
stop right there|stop there|stop here|stop immediately|stop at once|stop moving|stop driving
stop please|please stop|please, stop!|please stop now|stop robot|robot stop|robot, stop!
hey robot stop|hey, stop!|hey you, stop|oh no stop|no stop|no, no, stop|no no stop stop
ok stop|okay stop now|stop already|just stop|just stop it|would you stop
would you please stop|could you stop|can you stop please|will you stop|you must stop
you have to stop|you need to stop|i want you to stop|i need you to stop now|i said stop
I said: stop!|for god's sake, stop|damn it stop|stop everything|stop what you're doing
stop the robot|full stop|all stop|emergency stop|e-stop|come to a stop|come to a halt|halt
HALT|Halt!|halt!!|halt now|halt please|please halt|robot halt|halt there|haaalt|h a l t
freeze|Freeze!|freeze!!|freeze now|robot, freeze|please freeze|freeze right there|freeeeze
don't move|Don't move!|dont move|don’t move|do not move|DO NOT MOVE|please don't move
don't you move|don't go|do not go|don't go any further|do not continue|don't continue
no further|stand still|stay still|keep still|hold still|be still|stay|stay put|stay there
stay where you are|hold it|hold on|hold|hold up|hold your horses|hold position|wait|wait!
wait, wait|wait there|wait a second|wait a minute|whoa|woah|whoa there|pause|pause please
cease|enough|that's enough|enough already|cut it out|quit it|brake|brakes|hit the brakes
abort|abort mission|abort!|not another step|not one more step|watch out|look out|careful
danger|emergency|help|time out|stop motion|stop all motion|stop, you will hit the vase
stop you are too close|stop going to the kitchen|stop before you hit it|stop this instant
stop you stupid thing|halt who goes|freeze or else|stop because the dog is coming
stopp bitte|Stopp!|anhalten|Anhalten!|sofort anhalten|halt an|bleib stehen
bitte bleib stehen|stehen bleiben|stehenbleiben|nicht bewegen|beweg dich nicht|nicht weiter
hör auf|aufhören|warte|Notaus|Schluss jetzt|halt sofort|bremsen|Roboter, stopp
keine Bewegung|arrête|arrête-toi|arrêtez|Arrêtez-vous !|arrête ça|arrête tout de suite
stop s'il te plaît|halte|halte-là|ne bouge pas|ne bougez plus|ne bouge plus !|immobile
ça suffit|attends|on arrête|arrêt d'urgence|para|¡Para!|¡Para ya!|párate|alto|¡Alto!
alto ahí|detente|deténgase|no te muevas|¡no te muevas!|quieto|basta|espera|frena
para por favor|detente ahora mismo|no se mueva|stop ahora|fermo|fermati|Fermati!
fermati subito|ferma|fermo lì|alt|non muoverti|non ti muovere|basta così|aspetta|stai fermo
fermati per favore|frena adesso|stop subito|pare|pare agora|não se mova|parar
stop alsjeblieft|sta stil|niet bewegen|blijf staan|stoj|zatrzymaj się|стоп|стой|Стой!
остановись|не двигайся|stanna|stå stille|seis|dur|止まれ|止まって！|ストップ|停|停下！|别动
멈춰|멈춰!|정지|قف|توقف|रुको|עצור|🛑|✋|🛑🛑🛑|stop 🛑'''
STOP_PHRASINGS = [phrase for line in STOPS.split('\n') for phrase in line.split('|')]

NOT_STOPS = [
    'stop by the second door', 'stop at the sofa', 'please stop next to the fridge',
    'stop when you see the bathtub', 'stop in the hallway', 'go to the bus stop sign',
    'go to the kitchen and stop', 'go to the kitchen and stop there', 'kitchen', 'bathroom',
    'walk past the sofa, turn left into the hallway and stop by the second door',
    'turn right, then stop in front of the desk', 'wait in the kitchen', 'stay near the sofa',
    'go to the door and halt', 'hold your course to the office', 'go to the station', 'no', '',
    'find the stopwatch', 'the parasol', 'go', 'move', 'stop just before the door',
    'could you stop by the office', 'drive to the freezer', '...', '\x00']


def test_there_are_at_least_200_stop_phrasings():
    assert len(set(STOP_PHRASINGS)) >= 200


@pytest.mark.parametrize('phrase', STOP_PHRASINGS)
def test_every_stop_is_heard(phrase):
    assert control_word(phrase) == 'stop'
    assert control_word(phrase.encode()) == 'stop'


@pytest.mark.parametrize('phrase', NOT_STOPS)
def test_a_command_that_contains_stop_runs(phrase):
    assert control_word(phrase) is None


@pytest.mark.parametrize('phrase, meaning', [
    ('Cancel!', 'cancel'), ('never mind, robot', 'cancel'), ('please come back', 'come back'),
    ('komm zurück', 'come back'), ('say that again', 'repeat'), ('Louder, please', 'louder'),
    ('be quiet', 'quieter'), ('cancel the sofa', None), ('come back to the kitchen', None)])
def test_other_control_words(phrase, meaning):
    assert control_word(phrase) == meaning


def test_a_stop_in_an_oversized_or_broken_text_is_heard():
    assert control_word('stop ' * 3000) == 'stop'
    assert control_word('\udc80stop') == 'stop'
    assert control_word(b'\xffstop\xfe') == 'stop'


@pytest.mark.parametrize('text, expected', [
    ('kitchen', 'kitchen'), ('  go \t to\n the  bathroom ', 'go to the bathroom'),
    ('go\x00 to \x1b[31mthe\x1b[0m so\u200bfa\u202e', 'go to the sofa'),
    ('ｇｏ ﬁnd the sofa', 'go find the sofa'),
    (b'caf\xc3\xa9', 'café'),
   ('🙂 kitchen', '🙂 kitchen')])
def test_clean(text, expected):
    assert clean(text) == expected


@pytest.mark.parametrize('text, reason', [
    ('', 'empty'), (b'', 'empty'), (' \t\n', 'empty'), ('\u200b\x00\x1b', 'empty'),
    ('a' * 2049, 'too_long'), ('é' * 1025, 'too_long'), (b'a' * 1_000_000, 'too_long'),
    ('\ufdfa' * 600, 'too_long'), (b'\xff\xfe', 'unreadable'), ('\udc80 kitchen', 'unreadable'),
    ('?!...', 'unreadable'), ('🙂', 'unreadable')])
def test_what_cannot_be_used_is_rejected_with_its_reason(text, reason):
    with pytest.raises(Rejected) as caught:
        clean(text)
    assert caught.value.reason == reason
    assert caught.value.sentence.endswith('.')


def test_2048_bytes_are_accepted():
    assert clean('a' * 2048) == 'a' * 2048


def test_random_text_never_does_anything_else():
    generator = random.Random(0)
    for _ in range(1500):
        text = ''.join(chr(generator.choice((generator.randrange(0x250),
                                             generator.randrange(0x110000))))
                       for _ in range(generator.randrange(20)))
        assert control_word(text) in (None, 'stop', 'cancel', 'come back', 'repeat', 'louder',
                                      'quieter')
        try:
            words = clean(text)
        except Rejected:
            continue
        assert words == clean(words)
        assert not any(unicodedata.category(c)[0] == 'C' for c in words)


@pytest.mark.parametrize('text', ['$(reboot)', '../../etc/passwd', '{__import__}'])
def test_a_command_is_only_ever_words(text):
    assert clean(text) == text


@pytest.mark.parametrize('text, deed', [
    ('Take the dirty dishes to the kitchen', 'carry things'),
    ('Put the towels by the washing machine', 'carry things'),
    ('I need something from the fridge', 'carry things'),
    ('bring me my book from the office', 'carry things'),
    ('open the door of the garage', 'open or close things'),
    ('turn on the lamp in the office', 'switch or push things'),
    ('clean the bathroom', 'do that work'),
    ('could you close the window?', 'open or close things'),
    ('I need the blanket from the guest room', 'carry things'),
    ('could you leave the towels at the laundry basket?', 'carry things')])
def test_caveat_tells_what_it_cannot_do(text, deed):
    assert caveat(text) == f'I can go there, but I cannot {deed}.'


@pytest.mark.parametrize('text', [
    'kitchen', 'take a left', 'take the second door', 'go to the washing machine',
    'get to the office', 'drop by the office', 'take me to the bedroom', 'where is the cooker?',
    'go to the ironing board', 'find the sofa close to the lamp', 'carry on past the wash basin',
    'where did we put the vase? show me', 'go to the store room', 'leave this room and go left',
    'get close to the bed', 'i want you to turn left', 'go right into the washroom',
    'make a right',
    'take the fourth door', 'make your way to the sofa',
    'could you head over to where the washing machine is?'])
def test_no_caveat_for_a_command_to_go(text):
    assert caveat(text) is None
