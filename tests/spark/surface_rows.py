"""The rows that every surface is tested on."""

_OFTEN = [
    "My card was stolen yesterday.",
    None,
    "",
    "   \t\n",
    "the fox",
    "the fox",
    'Größe, 東京 😀, "quoted, with comma"',
    "many words " * 300,
    "\u00a0",
    "travel",
]
_ONCE = [
    "only once",
    "the card is five thousand words away " * 714 + "or so",
    "😀",
    "👩\u200d👩\u200d👧 with a joiner, 🇨🇭 and a flag",
    "\u200b",
    "\u3000",
    "{braces} and %s",
    "NULL",
    "a\nline break",
    "x" * 500,
]
ROWS = _OFTEN * 19 + _ONCE
HYPOTHESES = [None if i % 7 == 0 else f"hypothesis number {i % 5}" for i in range(len(ROWS))]
LABELS = ["travel", "cooking, and more", "{braces}"]
