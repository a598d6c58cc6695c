"""Which architectures score a padded row as they do the row alone."""

from __future__ import annotations

from sparknlp_zs.engine.batching import Padding


def padding_for(model_type: str, pad_token: int | None) -> Padding:
    """To what lengths a model wants its rows padded, if it is run as it is.

    Some read padding whatever the mask says (ConvBERT's convolutions, FNet's Fourier transforms,
    XLNet's last position): a row's score would follow from the rows beside it. So rows of equal
    length only, for all but those of which it is known that they do not.

    Parameters
    ----------
    model_type : str
        Of the configuration.
    pad_token : int or None
        The configuration's padding token, without which a decoder finds no row's last token.

    Examples
    --------
    >>> padding_for("electra", 0).step, padding_for("convbert", 0).step
    (8, 1)
    """
    if pad_token is not None and model_type in _MASKED:
        return Padding()
    return Padding(step=1, mixed=True)


# Random small models of each gave equal logits with and without padding (transformers 5.23).
_MASKED = frozenset(
    """
    albert arcee bart bert big_bird bigbird_pegasus biogpt bloom camembert ctrl data2vec-text
    deberta deberta-v2 diffllama distilbert doge electra ernie esm eurobert exaone4 flaubert gemma
    gemma2 gemma3_text glm glm4 gpt-sw3 gpt2 gpt_bigcode gpt_neox gpt_oss gte helium ibert layoutlm
    llama longformer mbart megatron-bert ministral mistral mixtral mobilebert modernbert mpnet mpt
    mt5 mvp nemotron nomic_bert olmo olmo2 openai-gpt opt persimmon phi phi3 plbart qwen2 qwen3
    rembert roberta roberta-prelayernorm roc_bert roformer smollm3 squeezebert stablelm starcoder2
    t5 umt5 xlm xlm-roberta xlm-roberta-xl
    """.split()  # noqa: SIM905  one per line would fill a screen
)
