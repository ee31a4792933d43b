"""Edit a sequence: which step of the new text is which of the old one, and which words has somebody had already?

A step keeps its identity through an edit: by the ``id`` in the file, else by its words, else by its place between
known steps. Identity decides who has had it, so a wrong guess must err towards "had", never towards sending
again.
"""

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from difflib import SequenceMatcher
from uuid import UUID

from domain.approval import StepKind

_WORD = re.compile(r"\{\{.*?\}\}|\w+", re.DOTALL)
_SENTENCE = re.compile(r"[^.!?\n]+[.!?]?")
_TAG = re.compile(r"<[^>]{0,500}>")
_ALIKE = 0.6  # share of common words that identifies a reworded step at any place
_ALIKE_RETIRED = 0.75  # for one that was taken out: only its words identify it
_COMPARED = 500  # words of each text: more would take long and change nothing
_RUN = 4  # words in a sentence worth comparing; a greeting or a name is shorter
_LONG = 6  # words that nobody writes twice by chance
_HELD = 0.6  # share of a text that its known sentences must make up


@dataclass(frozen=True, slots=True)
class Words:
    """A step as the file has it. ``key``: its id there; ``subject`` None: same thread; ``kind`` None: as it is, or automatic if new."""

    delay: str
    subject: str | None
    body: str
    key: str | None = None
    kind: StepKind | None = None

    @property
    def is_task(self) -> bool:
        """Does somebody do it by hand? An email never becomes a task, nor a task an email."""
        return self.kind is StepKind.TASK


@dataclass(frozen=True, slots=True)
class Known:
    """A step as it is stored. ``retired``: taken out earlier. ``former``: (version, body) of its earlier texts."""

    id: UUID
    position: int
    version: int
    words: Words
    retired: bool = False
    former: Sequence[tuple[int, str]] = ()


def match(known: Sequence[Known], wanted: Sequence[Words]) -> list[Known | None]:
    """Return for each wanted step the known one that it is, or None for a new one. No step is used twice."""
    matching = _Matching(known, wanted)
    matching.by_key()
    matching.where(lambda step, words: step.words.delay == words.delay and _same(step, words))
    matching.where(_same)
    matching.where(lambda step, words: _text(step.words.body) == _text(words.body))
    matching.by_likeness(_ALIKE, retired=False)
    matching.by_place()
    matching.by_likeness(_ALIKE_RETIRED, retired=True)
    return matching.found


def _same(step: Known, words: Words) -> bool:
    return (step.words.subject, step.words.body) == (words.subject, words.body)


class _Matching:
    def __init__(self, known: Sequence[Known], wanted: Sequence[Words]) -> None:
        self._known = sorted(known, key=lambda each: (each.retired, each.position))
        self._wanted = wanted
        self._keys = {each.key for each in wanted if each.key is not None}
        self.found: list[Known | None] = [None] * len(wanted)
        self._taken: set[UUID] = set()

    def _take(self, index: int, step: Known) -> None:
        self.found[index] = step
        self._taken.add(step.id)

    def _open(self, *, retired: bool) -> list[Known]:
        return [each for each in self._known if each.retired is retired and each.id not in self._taken]

    def _may_be(self, step: Known, words: Words) -> bool:
        """Words may match them, unless the file's ids make them two steps, or one is a task and the other an email."""
        other_id = step.words.key is not None and words.key is not None and step.words.key in self._keys
        return not other_id and step.words.is_task == words.is_task

    def by_key(self) -> None:
        for retired in (False, True):
            steps = {
                each.words.key: each for each in self._open(retired=retired) if each.words.key is not None
            }
            for index, words in enumerate(self._wanted):
                if self.found[index] is not None or words.key not in steps:
                    continue
                if steps[words.key].words.is_task == words.is_task:
                    self._take(index, steps[words.key])

    def where(self, fits: Callable[[Known, Words], bool]) -> None:
        """Take the first step that fits, in order: those in the sequence before those taken out."""
        for retired in (False, True):
            for index, words in enumerate(self._wanted):
                if self.found[index] is not None:
                    continue
                for step in self._open(retired=retired):
                    if self._may_be(step, words) and fits(step, words):
                        self._take(index, step)
                        break

    def by_likeness(self, least: float, *, retired: bool) -> None:
        """Take the most alike first."""
        pairs = [
            (likeness(step.words.body, words.body), -index, step)
            for index, words in enumerate(self._wanted)
            if self.found[index] is None
            for step in self._open(retired=retired)
            if self._keyless(step, words)
        ]
        for ratio, minus_index, step in sorted(pairs, key=lambda each: each[:2], reverse=True):
            if ratio >= least and self.found[-minus_index] is None and step.id not in self._taken:
                self._take(-minus_index, step)

    def _keyless(self, step: Known, words: Words) -> bool:
        """Reworded and with another id: the file makes them two steps. So does being a task."""
        return (step.words.key is None or words.key is None) and step.words.is_task == words.is_task

    def by_place(self) -> None:
        """New text between the same neighbours is the old step reworded."""
        for before, after, indexes in self._gaps():
            for index in indexes:
                steps = [
                    each
                    for each in self._open(retired=False)
                    if before < each.position < after and self._keyless(each, self._wanted[index])
                ]
                if steps:
                    body = self._wanted[index].body
                    self._take(index, max(steps, key=lambda each: likeness(each.words.body, body)))

    def _gaps(self) -> list[tuple[float, float, list[int]]]:
        gaps: list[tuple[float, float, list[int]]] = []
        before, indexes = float("-inf"), []
        for index, step in enumerate([*self.found, None]):
            last = index == len(self._wanted)
            if not last and step is None:
                indexes.append(index)
                continue
            if step is not None and step.retired:
                continue
            after = float("inf") if step is None else float(step.position)
            if indexes:
                gaps.append((before, after, indexes))
            before, indexes = after, []
        return gaps


def likeness(one: str, other: str) -> float:
    """How much of two texts is the same words in the same order, from 0 to 1."""
    return SequenceMatcher(None, _text(one)[:_COMPARED], _text(other)[:_COMPARED], autojunk=False).ratio()


def holds(had: str, words: str) -> bool:
    """Would somebody who has had ``had`` read nothing new in ``words``?

    True if it is the same text, a good part of it, or its sentences.
    """
    one, other = _text(had), _text(words)
    if one == other:
        return bool(one)
    if len(other) >= 2 and _within(other, one) and (len(other) >= _LONG or 3 * len(other) >= len(one)):
        return True
    # A greeting does not count; a short question or statement does.
    parts = [
        (_text(part), part.strip().endswith((".", "?"))) for part in _SENTENCE.findall(_TAG.sub(" ", words))
    ]
    said = [found for found, ends in parts if len(found) >= _RUN or (found and ends)]
    known = sum(len(each) for each in said)
    return known >= _LONG and known > _HELD * len(other) and all(_within(each, one) for each in said)


def _within(part: list[str], whole: list[str]) -> bool:
    return any(whole[at : at + len(part)] == part for at in range(len(whole) - len(part) + 1))


def _text(body: str) -> list[str]:
    """The words of a text without its markup. A placeholder is a word."""
    return [word.casefold() for word in _WORD.findall(_TAG.sub(" ", body))]
