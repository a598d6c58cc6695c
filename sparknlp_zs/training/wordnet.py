"""The database of WordNet (Fellbaum 1998): meanings with their names, kinds and definitions.

Read from its files, of which Debian's ``wordnet-base`` lacks one that nltk's reader needs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

PARTS = {"noun": "n", "verb": "v", "adj": "a", "adv": "r"}
HYPERNYMS = ("@", "@i")
NUMBER_BASE = 16  # of the number of names; that of pointers is decimal
MARK = re.compile(r"\([a-z]+\)$")  # the place of an adjective: "galore(ip)"
QUOTED = re.compile(r'"([^"]+)"')


@dataclass(frozen=True)
class Synset:
    """One meaning.

    ``key`` and ``hypernyms`` are parts of speech with offsets, ``field`` is the number of the
    lexicographers' file (plants, acts, ...); ``definition`` is a phrase, ``examples`` are
    sentences.
    """

    key: str
    field: int
    names: tuple[str, ...]
    hypernyms: tuple[str, ...]
    definition: str
    examples: tuple[str, ...]


def read_wordnet(folder: str | Path) -> dict[str, Synset]:
    """All synsets, by key.

    Parameters
    ----------
    folder : str or Path
        With ``data.noun`` and its like.

    Returns
    -------
    dict of str to Synset

    Raises
    ------
    FileNotFoundError
        If the folder has no such files.
    """
    found = {}
    for part in PARTS:
        path = Path(folder) / f"data.{part}"
        if not path.is_file():
            raise FileNotFoundError(
                f"{path} does not exist; give the folder of WordNet's database, which Debian's "
                "package wordnet-base has in /usr/share/wordnet"
            )
        for synset in _synsets(path):
            found[synset.key] = synset
    return found


def parse(line: str) -> Synset:
    """One line of a data file (wndb(5WN)).

    Examples
    --------
    >>> parse('00001740 03 n 01 jazz_band 0 001 @ 0002 n 0000 | a band; "a jazz band played"').names
    ('jazz band',)
    """
    data, _, gloss = line.partition("|")
    offset, file, kind, size, *rest = data.split()
    names = rest[0 : 2 * int(size, NUMBER_BASE) : 2]
    pointers = rest[2 * len(names) + 1 :][: 4 * int(rest[2 * len(names)])]
    hypernyms = [
        _key(pointers[at + 2], pointers[at + 1])
        for at in range(0, len(pointers), 4)
        if pointers[at] in HYPERNYMS
    ]
    return Synset(
        _key(kind, offset),
        int(file),
        tuple(MARK.sub("", name).replace("_", " ") for name in names),
        tuple(hypernyms),
        QUOTED.sub("", gloss).strip(" ;\n"),
        tuple(QUOTED.findall(gloss)),
    )


def _synsets(path: Path) -> Iterator[Synset]:
    with path.open(encoding="utf-8") as lines:
        # The licence comes first, behind spaces.
        yield from (parse(line) for line in lines if not line.startswith(" "))


def _key(kind: str, offset: str) -> str:
    return ("a" if kind == "s" else kind) + offset
