"""The speech node: sound → `command`, and what people hear back.  Text works without it."""

from __future__ import annotations

import sys
import time

from diagnostic_msgs.msg import DiagnosticStatus
from rclpy.node import Node
from std_msgs.msg import Empty, Int16MultiArray, String

from nl_robot.mission.command import TERMINAL
from nl_robot.nodes.audio_messages import hear_audio_common, sound_of
from nl_robot.nodes.parameters import declare, declare_settings
from nl_robot.nodes.process import every, leave, run
from nl_robot.nodes.qos import EVENTS, STATE
from nl_robot.nodes.statuses import diagnostic, values_of
from nl_robot.speech.conversation import (
    Conversation,
    Effect,
    Reading,
    Say,
    Send,
    TalkSettings,
    Volume,
)
from nl_robot.speech.hearing import Finished, Hearing, described
from nl_robot.speech.microphone import Microphone
from nl_robot.speech.recogniser import ENGINES, DecisionSettings, check_engine, load
from nl_robot.speech.recording import Recording
from nl_robot.speech.reply import Voice
from nl_robot.speech.voice_activity import ActivitySettings, silero

SOURCES = ('topic', 'microphone')


class SpeechNode:
    """Wires sound, the thread that hears, and the conversation."""

    def __init__(self) -> None:
        self.node = node = Node('speech')
        engine = declare(node, 'engine', 'auto', f'one of {", ".join(ENGINES)}')
        model = declare(node, 'model', '', 'folder of moonshine, or path or hub name of a whisper '
                        'model; empty: where `make speech` puts moonshine')
        source = declare(node, 'source', 'topic', f'one of {", ".join(SOURCES)}')
        device = declare(node, 'device', '', 'of the microphone, as `nl_robot doctor --audio` '
                         'lists it; empty: the default')
        wake = declare(node, 'wake_word', '', 'words that every command must begin with; stop '
                       'never needs them; empty: none')
        reply = declare(node, 'reply', '', 'espeak-ng, or a command with {text} in it, that says '
                        'aloud what stands on speech/say; empty: none')
        folder = declare(node, 'recordings', '', 'folder that keeps each utterance as a WAV file; '
                         'empty: no sound is ever written')
        decision = declare_settings(node, DecisionSettings)
        activity = declare_settings(node, ActivitySettings)
        check_engine(engine)
        if source not in SOURCES:
            raise ValueError(f'source must be one of {", ".join(SOURCES)}, got {source!r}')
        self._talk = Conversation(wake, declare_settings(node, TalkSettings))
        self._voice, self._recording = Voice(reply), Recording(folder)
        self._command = node.create_publisher(String, 'command', EVENTS)
        self._stop = node.create_publisher(Empty, 'stop', EVENTS)
        self._partial = node.create_publisher(String, 'speech/partial', EVENTS)
        self._heard = node.create_publisher(DiagnosticStatus, 'speech/heard', EVENTS)
        self._say = node.create_publisher(String, 'speech/say', EVENTS)
        self._status = node.create_publisher(DiagnosticStatus, 'speech/status', STATE)
        self._told, self._last = '', ('', '')
        self._guard = node.create_guard_condition(self._on_news)
        self._hearing = hearing = Hearing(lambda: load(engine, model, settings=decision), silero,
                                          self._guard.trigger, activity)
        self._microphone = Microphone(device, hearing.give) if source == 'microphone' else None
        if source == 'topic':
            node.create_subscription(Int16MultiArray, 'audio', self._on_audio, EVENTS)
            hear_audio_common(node, 'audio/data', self._on_audio)
        node.create_subscription(DiagnosticStatus, 'status', self._on_status, EVENTS)
        every(node, 0.1, self._tend)

    def farewell(self) -> None:
        """Close what is open."""
        if self._microphone:
            self._microphone.close()
        self._hearing.end()
        self._voice.end()

    def trouble(self) -> str:
        """Why nothing can be said just now; '' when all is well."""
        found = (self._hearing.trouble, self._microphone.trouble if self._microphone else '',
                 self._voice.trouble, self._recording.trouble)
        return '; '.join(part for part in found if part)

    def _on_audio(self, message: object) -> None:
        self._hearing.give(sound_of(message))

    def _tend(self) -> None:
        now = time.monotonic()
        self._hearing.deafen(self._voice.speaking(now))
        if self._microphone:
            self._microphone.tend(now)
        state = self.trouble() or f'listening with {self._hearing.engine}'
        if state != self._told:
            self._told = state
            level = DiagnosticStatus.WARN if self.trouble() else DiagnosticStatus.OK
            self._status.publish(diagnostic('speech', state, {'engine': self._hearing.engine},
                                            '', level))

    def _on_news(self) -> None:
        while (news := self._hearing.news()) is not None:
            now = time.monotonic()
            if isinstance(news, Finished):
                self._do(self._talk.heard(news.heard.reading, now))
                self._publish_heard(news)
                self._recording.keep(news.samples, news.heard.reading.text)
            else:
                self._do(self._talk.partial(news.text, now))
                self._partial.publish(String(data=news.text))

    def _publish_heard(self, news: Finished) -> None:
        reading: Reading = news.heard.reading
        values = {**described(news.heard), 'delay': f'{news.delay:.2f}'}
        self._heard.publish(diagnostic('speech', f'{reading.verdict}: {reading.text}', values))

    def _on_status(self, message: DiagnosticStatus) -> None:
        """Say once what the command node repeats: of every command, and what it asks."""
        values = values_of(message)
        about = (values.get('id', ''), self._talk.follow(values))
        if about[0] and about != self._last and about[1] in ('asking', 'accepted', *TERMINAL):
            self._last = about
            self._do([self._talk.told(values.get('text', ''))])

    def _do(self, effects: list[Effect]) -> None:
        for effect in effects:
            if isinstance(effect, Send):
                self._command.publish(String(data=effect.text))
            elif isinstance(effect, Say):
                self._say.publish(String(data=effect.text))
                self._voice.say(effect.text)
                self._hearing.deafen(self._voice.speaking(time.monotonic()))
            elif isinstance(effect, Volume):
                self._voice.change_volume(effect.factor)
            else:
                self._stop.publish(Empty())


def main() -> int:
    """Entry point."""
    return leave(run(SpeechNode))


if __name__ == '__main__':
    sys.exit(main())
