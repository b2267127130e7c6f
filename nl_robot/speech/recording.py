"""Keeping what was heard, only where somebody asked for it."""

from __future__ import annotations

import os
import re
import time
from pathlib import Path

from nl_robot.speech.sound import Samples, write_wav


class Recording:
    """Writes each utterance as a WAV file into a folder; does nothing without one.

    :param folder: is made; '' for none
    :raises ValueError: the folder cannot be made or written
    """

    def __init__(self, folder: str) -> None:
        self._folder, self._count, self.trouble = Path(folder) if folder else None, 0, ''
        if self._folder is None:
            return
        try:
            self._folder.mkdir(parents=True, exist_ok=True)
        except OSError as error:
            raise ValueError(f'recordings: {folder} cannot be made: {error.strerror}') from error
        if not os.access(self._folder, os.W_OK):
            raise ValueError(f'recordings: {folder} may not be written')

    def keep(self, samples: Samples, text: str) -> Path | None:
        """Write one utterance; its name holds the time and the first words."""
        if self._folder is None:
            return None
        self._count += 1
        words = re.sub(r'[^a-z0-9]+', '-', text.lower()).strip('-')[:40] or 'nothing'
        stamp = time.strftime('%Y%m%d-%H%M%S')
        path = self._folder / f'{stamp}-{self._count:04d}-{words}.wav'
        try:
            write_wav(path, samples)
        except OSError as error:
            self.trouble = f'recordings: {path} cannot be written: {error.strerror}'
            return None
        self.trouble = ''
        return path
