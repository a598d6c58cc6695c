"""The mean of models' weights: ``python -m sparknlp_zs.training.averaging OUTPUT FOLDER FOLDER``.

Models that were trained from the same weights on other draws of the data average to one that is
better than each, at one model's cost (Wortsman et al. 2022, arXiv:2203.05482).
"""

from __future__ import annotations

import argparse
import shutil
from collections.abc import Sequence
from pathlib import Path

import torch
from safetensors.torch import load_file, save_file
from torch import Tensor

from sparknlp_zs.model_files import WEIGHTS
from sparknlp_zs.models import read_label_ids


def average(folders: Sequence[Path], output: Path) -> Path:
    """Write a model whose weights are the means of others'.

    Parameters
    ----------
    folders : sequence of Path
        At least two models of one architecture, each with ``model.safetensors``. All else is
        copied from the first: config, tokenizer, and the types of the weights.
    output : Path
        A folder that does not exist.

    Returns
    -------
    Path
        ``output``.

    Raises
    ------
    ValueError
        If there are fewer than two folders, or their models or classes differ.
    FileNotFoundError
        If a folder has no such weights.
    FileExistsError
        If the output exists.

    Examples
    --------
    >>> import tempfile
    >>> from sparknlp_zs.models import STARTER_PATH
    >>> with tempfile.TemporaryDirectory() as place:
    ...     found = average([Path(STARTER_PATH)] * 2, Path(place, "mean"))
    ...     sorted(path.name for path in found.glob("*.safetensors"))
    ['model.safetensors']
    """
    if len(folders) < 2:
        raise ValueError(f"folders={[str(x) for x in folders]}: give at least two models")
    if output.exists():
        raise FileExistsError(f"output={str(output)!r} exists; choose another folder")
    first, *others = folders
    for folder in others:
        if _classes(folder) != _classes(first):
            raise ValueError(
                f"{str(folder)!r} has the classes {_classes(folder)}, {str(first)!r} has "
                f"{_classes(first)}; average models of the same classes"
            )
    means = _means(first, others)
    shutil.copytree(first, output, ignore=shutil.ignore_patterns("checkpoints", WEIGHTS))
    save_file(means, output / WEIGHTS, metadata={"format": "pt"})
    return output


def _means(first: Path, others: Sequence[Path]) -> dict[str, Tensor]:
    kept = load_file(first / WEIGHTS)
    sums = {name: weight.double() for name, weight in kept.items() if weight.is_floating_point()}
    for folder in others:
        found = load_file(folder / WEIGHTS)
        if _shapes(found) != _shapes(kept):
            raise ValueError(
                f"{str(folder)!r} and {str(first)!r} have other weights; average models of one "
                "architecture, trained from the same weights"
            )
        for name, total in sums.items():
            total += found[name]
    count = 1 + len(others)
    return {
        name: (sums[name] / count).to(weight.dtype) if name in sums else weight
        for name, weight in kept.items()
    }


def _shapes(weights: dict[str, Tensor]) -> dict[str, torch.Size]:
    return {name: weight.shape for name, weight in weights.items()}


def _classes(folder: Path) -> object:
    if not (folder / WEIGHTS).is_file():
        raise FileNotFoundError(f"{str(folder)!r} has no {WEIGHTS}; give a saved model's folder")
    return read_label_ids(folder)


def main(arguments: list[str] | None = None) -> None:
    """Run the command."""
    parser = argparse.ArgumentParser(
        "python -m sparknlp_zs.training.averaging", description=__doc__
    )
    parser.add_argument("output", type=Path, help="a new folder")
    parser.add_argument("folders", type=Path, nargs="+", help="models of one architecture")
    args = parser.parse_args(arguments)
    average(args.folders, args.output)


if __name__ == "__main__":
    main()
