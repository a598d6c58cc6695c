"""Small sentence-transformers models, as that library writes them."""

from __future__ import annotations

import json
import shutil
from pathlib import Path

MODULES = "sentence_transformers.models."


def make_embedder(
    model: Path, folder: Path, modules: tuple[str, ...] = ("Pooling", "Normalize"), **settings
) -> Path:
    """A folder with the encoder of a model, the modules after it, and their settings.

    ``pooling`` is the pooling's config, ``texts`` that of the encoder's texts, ``prompts`` that of
    the whole model.
    """
    shutil.copytree(model, folder)
    names = ["Transformer", *modules]
    listed = [
        {"idx": at, "name": str(at), "path": f"{at}_{name}" if at else "", "type": MODULES + name}
        for at, name in enumerate(names)
    ]
    _write(folder / "modules.json", listed)
    _write(folder / "sentence_bert_config.json", settings.get("texts", {}))
    _write(folder / "config_sentence_transformers.json", settings.get("prompts", {}))
    size = json.loads((folder / "config.json").read_text())
    pooling = {"pooling_mode_mean_tokens": True, **settings.get("pooling", {})}
    pooling["word_embedding_dimension"] = size.get("hidden_size") or size["dim"]
    _write(folder / "1_Pooling" / "config.json", pooling)
    return folder


def _write(path: Path, value: object) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(value))
