"""Factors of adapters that are no LoRA pairs: which kind they are, by the word that follows the
module.

Their products need what is not stored beside them or are no B A; each factor is measured alone
and has its kind as a note.
"""

from __future__ import annotations

from dataclasses import dataclass

from ..notes import Note

WORDS = {
    "LoHa": "hada_w1_a hada_w1_b hada_w2_a hada_w2_b hada_t1 hada_t2",
    "LoKr": "lokr_w1 lokr_w1_a lokr_w1_b lokr_w2 lokr_w2_a lokr_w2_b lokr_t1 lokr_t2",
    "IA3": "ia3_l",
    "OFT": "oft_r oft_R oft_s oft_blocks oft_diag",
    "BOFT": "boft_R boft_s",
    "AdaLoRA": "lora_E",
    "VeRA": "vera_A vera_B vera_lambda_b vera_lambda_d",
    "DoRA": "lora_magnitude_vector dora_scale",
    "FourierFT": "fourierft_spectrum",
    "HRA": "hra_u",
    "VB-LoRA": "vblora_logits_A vblora_logits_B vblora_vector_bank",
    "RandLoRA": "randlora_A randlora_B randlora_lambda randlora_gamma",
}
KINDS = {word: kind for kind, words in WORDS.items() for word in words.split()}


@dataclass(frozen=True)
class Other:
    """A factor by its name: the module that it adapts, and the kind of its adapter."""

    module: str
    kind: str

    @property
    def note(self) -> Note:
        """What it is no matrix of its own for."""
        return Note.of("adapter-factor", "factor of adapter {kind}: measured alone", kind=self.kind)


def other_factor(name: str) -> Other | None:
    """The module and the kind; None for what is no such factor.

    >>> other_factor("lora_unet_mid_block.hada_w1_a")
    Other(module='lora_unet_mid_block', kind='LoHa')
    >>> other_factor("h.0.q.ia3_l.default.weight").kind
    'IA3'
    """
    path = name.removesuffix(".weight")
    for _ in range(2):  # the word is the last one, or the name of the adapter is
        path, _, word = path.rpartition(".")
        if word in KINDS:
            return Other(path, KINDS[word])
    return None
