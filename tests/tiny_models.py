"""Small random models of several architectures, with tokenizers made here.

The same in every process, so that a bound that holds in one holds in all: the trainers of
``tokenizers`` for WordPiece and Unigram find another vocabulary each time, so those are spelt out.
"""

from __future__ import annotations

from collections import Counter
from functools import partial
from pathlib import Path

import torch
import transformers
from tokenizers import (
    Tokenizer,
    decoders,
    models,
    normalizers,
    pre_tokenizers,
    processors,
    trainers,
)

Fast = transformers.PreTrainedTokenizerFast

LABELS = ("entailment", "neutral", "contradiction")
ARCHITECTURES = ("bert", "roberta", "deberta-v2", "distilbert")
# They run as they are, and not as others do: the last position decides, a decoder, and padding
# that is read.
OTHERS = ("xlnet", "bart", "gpt2", "convbert", "fnet")
MAX_LENGTH = 64

CORPUS = [
    "This example is about travel, cooking and politics.",
    "The quick brown fox jumps over the lazy dog 0123456789.",
    "My card was stolen yesterday; I cannot pay {for} anything!",
    "Größe, naïve café, 東京, Привет, 😀 and more unicode.",
] * 20

_SIZE = {
    "hidden_size": 32,
    "num_hidden_layers": 3,
    "num_attention_heads": 4,
    "intermediate_size": 48,
    "hidden_dropout_prob": 0.1,
}


def make_model(architecture: str, folder: Path, labels: tuple[str, ...] = LABELS) -> Path:
    """Save a random model of an architecture; large weights, so that scores differ clearly."""
    torch.manual_seed(7)
    tokenizer = _TOKENIZERS[architecture]()
    config = _config(architecture, tokenizer, labels)
    model = transformers.AutoModelForSequenceClassification.from_config(config).eval()
    with torch.no_grad():
        for name, weight in model.named_parameters():
            if weight.dim() > 1:
                weight.normal_(0.0, 0.3 if "embeddings" not in name else 1.0)
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return folder


def _config(architecture: str, tokenizer: object, labels: tuple[str, ...]) -> object:
    common = {
        "vocab_size": len(tokenizer),
        "pad_token_id": tokenizer.pad_token_id,
        "max_position_embeddings": MAX_LENGTH + 2,
        "id2label": dict(enumerate(labels)),
        "label2id": {name: i for i, name in enumerate(labels)},
        "num_labels": len(labels),
    }
    if architecture == "bert":
        return transformers.BertConfig(**common, **_SIZE)
    if architecture == "roberta":
        return transformers.RobertaConfig(**common, **_SIZE, type_vocab_size=1)
    if architecture == "distilbert":
        return transformers.DistilBertConfig(
            **common, dim=32, n_layers=3, n_heads=4, hidden_dim=48, sinusoidal_pos_embds=False
        )
    if architecture == "convbert":
        return transformers.ConvBertConfig(**common, **_SIZE, embedding_size=32)
    if architecture == "fnet":
        sizes = {name: size for name, size in _SIZE.items() if name != "num_attention_heads"}
        return transformers.FNetConfig(**common, **sizes)
    if architecture == "xlnet":
        del common["max_position_embeddings"]
        return transformers.XLNetConfig(**common, d_model=32, n_layer=2, n_head=4, d_inner=48)
    if architecture == "gpt2":
        common["n_positions"] = common.pop("max_position_embeddings")
        return transformers.GPT2Config(**common, n_embd=32, n_layer=2, n_head=4)
    if architecture == "bart":
        common["max_position_embeddings"] = MAX_LENGTH
        layers = {"encoder_layers": 2, "decoder_layers": 2, "d_model": 32}
        heads = {"encoder_attention_heads": 4, "decoder_attention_heads": 4}
        wide = {"encoder_ffn_dim": 48, "decoder_ffn_dim": 48}
        ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
        return transformers.BartConfig(**common, **layers, **heads, **wide, **ends)
    # As in DeBERTa-v3.
    return transformers.DebertaV2Config(
        **common,
        **_SIZE,
        relative_attention=True,
        max_relative_positions=-1,
        position_buckets=16,
        norm_rel_ebd="layer_norm",
        share_att_key=True,
        pos_att_type=["p2c", "c2p"],
        position_biased_input=False,
        type_vocab_size=0,
    )


def _wordpiece(pair: str = "[CLS] $A [SEP] $B:1 [SEP]:1", **options: str) -> Fast:
    special = {"pad_token": "[PAD]", "unk_token": "[UNK]", "cls_token": "[CLS]"}
    special |= {"sep_token": "[SEP]", "mask_token": "[MASK]"}
    normalizer = normalizers.BertNormalizer(lowercase=True)
    splitter = pre_tokenizers.BertPreTokenizer()
    pieces = _pieces([normalizer.normalize_str(text) for text in CORPUS], splitter)
    pieces += [f"##{piece}" for piece in pieces if len(piece) < 3]
    vocabulary = {piece: i for i, piece in enumerate([*special.values(), *pieces])}
    tokenizer = Tokenizer(models.WordPiece(vocabulary, unk_token="[UNK]"))
    tokenizer.normalizer, tokenizer.pre_tokenizer = normalizer, splitter
    _add_template(tokenizer, pair, ("[CLS]", "[SEP]"))
    return _fast(tokenizer, special, **options)


def _byte_bpe(**options: list[str]) -> Fast:
    special = {"bos_token": "<s>", "pad_token": "<pad>", "eos_token": "</s>"}
    special |= {"unk_token": "<unk>", "mask_token": "<mask>"}
    tokenizer = Tokenizer(models.BPE())
    tokenizer.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    tokenizer.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=500,
        special_tokens=list(special.values()),
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
    )
    tokenizer.train_from_iterator(CORPUS, trainer)
    _add_template(tokenizer, "<s> $A </s> </s> $B </s>", ("<s>", "</s>"))
    return _fast(tokenizer, special | {"cls_token": "<s>", "sep_token": "</s>"}, **options)


def _unigram() -> Fast:
    special = {"pad_token": "[PAD]", "cls_token": "[CLS]", "sep_token": "[SEP]"}
    special |= {"unk_token": "[UNK]", "mask_token": "[MASK]"}
    splitter = pre_tokenizers.Metaspace()
    pieces = [(token, 0.0) for token in special.values()]
    # Longer pieces are likelier than the shorter ones that they consist of.
    pieces += [(piece, -8.0 - 1 / len(piece)) for piece in _pieces(CORPUS, splitter)]
    unknown = list(special.values()).index("[UNK]")
    tokenizer = Tokenizer(models.Unigram(pieces, unk_id=unknown))
    tokenizer.pre_tokenizer = splitter
    tokenizer.add_special_tokens(list(special.values()))
    _add_template(tokenizer, "[CLS] $A [SEP] $B:1 [SEP]:1", ("[CLS]", "[SEP]"))
    return _fast(tokenizer, special)


def _pieces(texts: list[str], splitter: pre_tokenizers.PreTokenizer) -> list[str]:
    """The texts' words, characters and some runs of two or three characters, sorted."""
    words = {word for text in texts for word, _ in splitter.pre_tokenize_str(text)}
    runs = Counter(w[i : i + n] for w in sorted(words) for n in (2, 3) for i in range(len(w)))
    common = {run for run, count in runs.items() if count > 1}
    return sorted(set("".join(words)) | common | {word for word in words if len(word) < 8})


def _add_template(tokenizer: Tokenizer, pair: str, special: tuple[str, str]) -> None:
    tokenizer.post_processor = processors.TemplateProcessing(
        single=f"{special[0]} $A {special[1]}",
        pair=pair,
        special_tokens=[(token, tokenizer.token_to_id(token)) for token in special],
    )


def _fast(tokenizer: Tokenizer, special: dict[str, str], **options: object) -> Fast:
    return Fast(tokenizer_object=tokenizer, model_max_length=MAX_LENGTH, **special, **options)


_TOKENIZERS = {
    "bert": _wordpiece,
    "distilbert": _wordpiece,
    "roberta": _byte_bpe,
    "deberta-v2": _unigram,
    "xlnet": partial(_wordpiece, "$A [SEP] $B:1 [SEP]:1 [CLS]:2", padding_side="left"),
    "gpt2": partial(_byte_bpe, model_input_names=["input_ids", "attention_mask"]),
    "bart": partial(_byte_bpe, model_input_names=["input_ids", "attention_mask"]),
    "convbert": _wordpiece,
    "fnet": partial(_wordpiece, model_input_names=["input_ids", "token_type_ids"]),
}
