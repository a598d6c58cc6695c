"""The rows that every surface is tested on."""

ROWS = [
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
] * 4 + ["only once"]
HYPOTHESES = [None if i % 7 == 0 else f"hypothesis number {i % 5}" for i in range(len(ROWS))]
LABELS = ["travel", "cooking, and more", "{braces}"]
