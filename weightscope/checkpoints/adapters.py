"""Factors of adapters that are no LoRA pairs: the method, by the word that follows the module.

Their updates are not a product B A, or need values that are not stored; each factor is measured
alone, with a note that names the method.
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
    "Bone": "bone_block",
    "MiSS": "miss_block",
    "C3A": "c3a_kernel",
    "SHiRA": "shira_weight",
    "Poly": "poly_lora_A poly_lora_B",
    "RandLoRA": "randlora_A randlora_B randlora_lambda randlora_gamma",
}
METHODS = {word: method for method, words in WORDS.items() for word in words.split()}


@dataclass(frozen=True)
class Other:
    """A factor by its name: the module that it adapts, and the method of its adapter."""

    module: str
    kind: str

    @property
    def note(self) -> Note:
        """The note that the factor is measured alone."""
        return Note.of("adapter-factor", "factor of adapter {kind}: measured alone", kind=self.kind)


def other_factor(name: str) -> Other | None:
    """The module and the method of a factor; None for any other name.

    >>> other_factor("lora_unet_mid_block.hada_w1_a")
    Other(module='lora_unet_mid_block', kind='LoHa')
    >>> other_factor("h.0.q.ia3_l.default.weight").kind
    'IA3'
    """
    path = name.removesuffix(".weight")
    for _ in range(2):  # the name of the adapter may follow the word
        path, _, word = path.rpartition(".")
        if word in METHODS:
            return Other(path, METHODS[word])
    return None
