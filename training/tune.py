"""Tunes the encoder and its readers on the corpus; writes ``learned/encoder.{onnx,npz}``.

    pip install torch==2.14.1 onnx==1.23.2
    .venv/bin/python training/tune.py [--background FILE.jsonl] [--kept FOLDER] [--steps N]

One encoder for both questions: which kind of mail a sentence of a customer belongs to (its log-odds
against harmless is tuned beside the kind itself), and whether a sentence of ours promises. It sees
``train-*``, the pieces of ``mails-train-*``, ``promises-train-*``, and of the plain promises those
that are not held back; never what thresholds are set on (``*calibrate-*``) or what judges. It takes
an hour on two cores; a stage that is kept in the folder is not run again as long as what it sees is
the same: for the first, what the first authors wrote. The same stages on another machine give
weights that differ in their last digits, and may find a line more or less. Afterwards: ``skim.py``,
``calibrate.py``.
"""

import argparse
import hashlib
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal, NamedTuple

import e5_file
import e5_graph
import marisa_trie
import numpy as np
import torch
from corpus import (
    Row,
    background,
    is_harmless_of_a_mail,
    lines,
    mail_lines,
    promise_lines,
)
from e5_network import Encoder
from torch import Tensor, nn
from torch.nn import functional

from swarm.safety.learned import encoder as shipped
from swarm.safety.learned.plain import plain

TARGET = Path("swarm/safety/learned")
LAYERS = 8  # of twelve: those above know no more of what is asked here
UNTUNED = 2  # the lowest, as in the wheel
SEED = 1
BATCH = 32
HIDDEN = 0.08  # of the pieces
SCALE = 8.0  # of the centred vectors, before they are read
LOWER = 0.9  # what each layer learns of what the next above it learns


# The first authors' escalations; harmless pieces of whole mails; all else.
Source = Literal["first", "mails", "others"]


@dataclass(frozen=True)
class Stage:
    """``shares``: how much of what each source wrote an epoch sees, drawn anew."""

    epochs: int
    rate: float
    shares: Mapping[Source, float]


# First what the bulk of the corpus says, then both questions, the later authors and whole mails,
# which weigh most at the end: what carries over to a stranger's mail is many hands, not many lines
# of one.
STAGES = (
    Stage(2, 1.5e-4, {"first": 1.0}),
    Stage(2, 1.0e-4, {"first": 0.5, "mails": 0.35, "others": 1.0}),
    Stage(1, 6.0e-5, {"first": 0.25, "mails": 0.35, "others": 1.0}),
)


class Line(NamedTuple):
    """Its tokens; the kind, or for a sentence of ours whether it promises."""

    tokens: tuple[int, ...]
    ours: bool
    label: int
    source: Source


class Readers(nn.Module):
    """What reads the vectors."""

    def __init__(self, width: int, kinds: int) -> None:
        super().__init__()
        self.kinds, self.promise = nn.Linear(width, kinds), nn.Linear(width, 1)
        self.register_buffer("centre", torch.zeros(width))

    def forward(self, vectors: Tensor) -> tuple[Tensor, Tensor]:
        """Return values of the kinds, harmless last, and the log-odds of a promise."""
        seen = (vectors - self.get_buffer("centre")) * SCALE
        return self.kinds(seen), self.promise(seen)[:, 0]


def main() -> int:
    options = _arguments()
    file = e5_file.read(shipped.wheel())
    free = background(options.background)
    kinds, corpus = _corpus(free)
    torch.manual_seed(SEED)
    readers = Readers(file.width, len(kinds))
    encoder = Encoder(file, LAYERS, UNTUNED)
    readers.centre = _centre(encoder.eval(), corpus)
    tuning = Tuning(corpus, encoder, readers, options.kept, options.steps)
    for number in range(len(STAGES)):
        tuning.run(number)
    write(file, encoder.eval(), readers, kinds, len(free))
    return 0


@torch.no_grad()
def _centre(encoder: Encoder, corpus: Sequence[Line]) -> Tensor:
    known = [line.tokens for line in corpus if line.source == "first"]
    some = np.random.default_rng(SEED).permutation(len(known))[:512]
    return encoder([known[n] for n in some]).mean(0)


# --- stages ---------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Tuning:
    """The network while it learns; after each stage it is kept in a folder, where there is one."""

    corpus: Sequence[Line]
    encoder: Encoder
    readers: Readers
    folder: Path | None
    steps: int

    def run(self, number: int) -> None:
        kept = self.folder / self._name(number) if self.folder else None
        if kept and kept.exists():
            self._resume(kept)
            return
        stage = STAGES[number]
        torch.manual_seed(SEED + number)
        chance = np.random.default_rng(SEED + number)
        epochs = (_batches(self.corpus, stage, chance) for _ in range(stage.epochs))
        batches = [batch for epoch in epochs for batch in epoch]
        _tune(self.encoder, self.readers, batches[: self.steps], stage.rate)
        if kept:
            torch.save([module.state_dict() for module in (self.encoder, self.readers)], kept)

    def _resume(self, kept: Path) -> None:
        for module, state in zip((self.encoder, self.readers), torch.load(kept), strict=True):
            module.load_state_dict(state)

    def _name(self, number: int) -> str:
        """After what the stage and those before it saw: another corpus has stages of its own."""
        before = STAGES[: number + 1]
        sources = {source for stage in before for source in stage.shares}
        seen = [line for line in self.corpus if line.source in sources]
        said = repr((before, SEED, BATCH, HIDDEN, SCALE, LOWER, seen))
        return f"stage-{number}-{hashlib.sha256(said.encode()).hexdigest()[:12]}.pt"


# --- corpus ---------------------------------------------------------------------------------------


def _corpus(free: Sequence[Row]) -> tuple[list[str], list[Line]]:
    theirs = [*lines("train"), *mail_lines("train"), *free]
    kinds = [*sorted({row["class"] for row in theirs} - {"harmless"}), "harmless"]
    return kinds, [
        *(_line(row, kinds.index(row["class"]), _source(row)) for row in theirs),
        *(
            _line(row, int(row["class"] == "promise"), "others", ours=True)
            for row in promise_lines("train")
        ),
    ]


def _line(row: Row, label: int, source: Source, *, ours: bool = False) -> Line:
    tokens = shipped.tokens_of(plain(row["text"]))
    return Line(tuple(tokens), ours=ours, label=label, source=source)


def _source(row: Row) -> Source:
    if is_harmless_of_a_mail(row):
        return "mails"
    return "others" if row.get("author") or row["manner"] == "background" else "first"


# --- tuning ---------------------------------------------------------------------------------------


def _tune(
    encoder: Encoder, readers: Readers, batches: Sequence[Sequence[Line]], rate: float
) -> None:
    turn, slower = _optimizer(encoder, readers, rate, len(batches))
    began = time.monotonic()
    encoder.train()
    for step, batch in enumerate(batches):
        loss = _loss(readers, encoder([line.tokens for line in batch], HIDDEN), batch)
        turn.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_([*encoder.parameters(), *readers.parameters()], 1.0)
        turn.step()
        slower.step()
        if step % 50 == 0:
            print(f"{step}/{len(batches)}: {loss.item():.3f}, {time.monotonic() - began:.0f} s")


def _batches(corpus: Sequence[Line], stage: Stage, chance: np.random.Generator) -> list[list[Line]]:
    """Return an epoch's lines, those of like length together: a short one is not padded far."""
    drawn: list[Line] = []
    for source, share in stage.shares.items():
        told = [line for line in corpus if line.source == source]
        drawn += [told[n] for n in chance.permutation(len(told))[: int(len(told) * share)]]
    lengths = np.array([len(line.tokens) for line in drawn]) + chance.uniform(0, 3, len(drawn))
    order = np.argsort(lengths)
    cut = [order[at : at + BATCH] for at in range(0, len(order), BATCH)]
    return [[drawn[n] for n in cut[place]] for place in chance.permutation(len(cut))]


def _loss(readers: Readers, vectors: Tensor, batch: Sequence[Line]) -> Tensor:
    kinds, promise = readers(vectors)
    ours = torch.tensor([line.ours for line in batch])
    labels = torch.tensor([line.label for line in batch])
    theirs, wanted = kinds[~ours], labels[~ours]
    harmless = theirs.shape[1] - 1
    summed = torch.logsumexp(theirs[:, :-1], 1) - theirs[:, -1]
    return (
        functional.cross_entropy(theirs, wanted, label_smoothing=0.03, reduction="sum")
        + _against(summed, wanted != harmless)
        + _against(promise[ours], labels[ours])
    ) / len(batch)


def _against(values: Tensor, wanted: Tensor) -> Tensor:
    return functional.binary_cross_entropy_with_logits(values, wanted.float(), reduction="sum")


def _optimizer(
    encoder: Encoder, readers: Readers, rate: float, total: int
) -> tuple[torch.optim.Optimizer, torch.optim.lr_scheduler.LambdaLR]:
    tuned = [*encoder.layers][encoder.untuned :]
    groups: list[dict[str, Any]] = [
        {"params": [*layer.parameters()], "lr": rate * LOWER**below}
        for below, layer in enumerate(reversed(tuned))
    ]
    groups.append({"params": [*readers.parameters()], "lr": 2e-3})
    turn = torch.optim.AdamW(groups, weight_decay=0.01)

    def pace(step: int) -> float:
        return min(1.0, (step + 1) / max(1.0, 0.06 * total)) * max(0.02, 1 - step / total)

    return turn, torch.optim.lr_scheduler.LambdaLR(turn, pace)


# --- writing --------------------------------------------------------------------------------------


def write(file: e5_file.E5File, encoder: Encoder, readers: Readers, kinds: Sequence[str]) -> None:
    """Write what the encoder is fed and read with, and the network itself."""
    told = {"names": np.array(kinds[:-1]), **_vocabulary(file)}
    for task, reader in (("escalation", readers.kinds), ("promise", readers.promise)):
        told |= dict(_as_read(task, reader, readers.get_buffer("centre")))
    np.savez_compressed(TARGET / shipped.TUNED, **told)
    tensors = dict(encoder.tensors())
    e5_graph.write(TARGET / shipped.NETWORK, tensors, len(encoder.layers), file.heads)


def _vocabulary(file: e5_file.E5File) -> dict[str, Any]:
    """Return the pieces as a trie, their numbers and scores in its order."""
    trie = marisa_trie.Trie(file.pieces)
    order = np.argsort([trie.key_id(piece) for piece in file.pieces])
    return {
        "tokens": np.frombuffer(trie.tobytes(), np.uint8),
        "numbers": order.astype(np.int32),
        "scores": np.array(file.scores, np.float32)[order],
        "longest": max(map(len, file.pieces)),
    }


def _as_read(task: str, reader: nn.Linear, centre: Tensor) -> Iterator[tuple[str, Any]]:
    """The centre and the scale go into the reader; of a single log-odds the rest is nought."""
    weights = (SCALE * reader.weight.detach()).T
    bias = reader.bias.detach() - centre @ weights
    if task == "promise":
        weights, bias = functional.pad(weights, (0, 1)), functional.pad(bias, (0, 1))
    yield f"{task}_kinds", weights.numpy().astype(np.float32)
    yield f"{task}_bias", bias.numpy().astype(np.float32)


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--background", type=Path)
    how = parser.add_mutually_exclusive_group()
    how.add_argument("--kept", type=Path, help="a folder for the network after each stage")
    how.add_argument("--steps", type=int, default=sys.maxsize, help="a stage, to try it out")
    options = parser.parse_args()
    if options.kept:
        options.kept.mkdir(parents=True, exist_ok=True)
    return options


if __name__ == "__main__":
    sys.exit(main())
