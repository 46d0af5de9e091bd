"""How often findings are reported for noise: `python -m tests.rates.findings`.

Matrices are token embeddings, the role to which every finding applies. Counts are stored;
docs/generate.py writes their table. It takes 10 minutes of one core.
"""

from __future__ import annotations

from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

import torch
from safetensors.torch import save_file
from torch import Tensor

import weightscope
from tests.records import store
from weightscope.analyses.outliers.findings import FINDINGS

STORED = Path(__file__).with_name("findings.json")
SHAPES = {(64, 64): 1000, (128, 512): 1000, (768, 768): 400, (30, 2000): 1000}  # and draws
LAWS = ("Gaussian", "Laplace", "uniform", "t5")
TOGETHER = 100  # matrices in one file
ROLE = "embed_tokens"
MEASURED = tuple(finding.id for finding in FINDINGS if not finding.noise)
SEED = 19


def main() -> None:
    """Rates of all laws and shapes."""
    records = []
    for law in LAWS:
        for shape, draws in SHAPES.items():
            records.append(rates(law, shape, draws))
            print(*records[-1].values(), flush=True)
    store(records, STORED)


def rates(law: str, shape: tuple[int, int], draws: int) -> dict[str, object]:
    """The number of draws with each finding that noise can have, and with any other."""
    random = torch.Generator().manual_seed(SEED + LAWS.index(law))
    counted: Counter[str] = Counter()
    for start in range(0, draws, TOGETHER):
        number = min(TOGETHER, draws - start)
        counted.update(_found([drawn(law, shape, random) for _ in range(number)]))
    found = {name: counted[name] for name in (*MEASURED, *sorted(counted))}
    return {"law": law, "shape": f"{shape[0]} x {shape[1]}", "draws": draws, "found": found}


def drawn(law: str, shape: tuple[int, int], random: torch.Generator) -> Tensor:
    """I.i.d. elements of one law, float32."""
    if law == "Gaussian":
        return torch.randn(shape, generator=random)
    uniform = torch.rand(shape, generator=random, dtype=torch.float64) * 2 - 1
    if law == "uniform":
        return uniform.float()
    if law == "Laplace":
        return (-uniform.sign() * torch.log1p(-uniform.abs())).float()
    normal = torch.randn((6, *shape), generator=random, dtype=torch.float32)
    chi = (normal[1:] ** 2).sum(0)
    return normal[0] / (chi / 5).sqrt()


def _found(matrices: list[Tensor]) -> list[str]:
    """The ids of the findings of all matrices, in one model of as many layers."""
    model = {f"model.layers.{i}.{ROLE}.weight": w for i, w in enumerate(matrices)}
    with TemporaryDirectory() as folder:
        path = str(Path(folder) / "model.safetensors")
        save_file(model, path)
        rows = weightscope.outliers(path, panels=False).rows
    ids = []
    for row in rows:
        if row["findings"]:
            ids += row["findings"].split(",")
    return ids


if __name__ == "__main__":
    torch.set_num_threads(1)
    main()
