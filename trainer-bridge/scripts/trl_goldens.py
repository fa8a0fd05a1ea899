#!/usr/bin/env python3
"""Losses and gradients of TRL's own GRPOTrainer on fixed rollouts and rewards: the figures in ../tests/goldens/trl.json.

    python3.11 -m venv VENV && VENV/bin/pip install -r requirements-trl.txt
    VENV/bin/python trl_goldens.py > ../tests/goldens/trl.json

A tiny Llama (f32, untied, grouped queries) whose weights are a formula of integers (`values`), so that only results are stored. Completions,
rewards and the log-probabilities of the sampling and of the reference policy are fixed too. TRL's code computes advantages, loss and
gradients; for each combination of loss_type, beta, use_bias_correction_kl, multi_objective_aggregation, scale_rewards and
importance_sampling_level the file has the loss and, of every tensor's gradient, the norm and two projections on fixed directions.
"""
import itertools, json, os, sys, tempfile

os.environ.update(HF_HUB_OFFLINE="1", TRANSFORMERS_OFFLINE="1", CUDA_VISIBLE_DEVICES="", TRL_EXPERIMENTAL_SILENCE="1")
stdout, sys.stdout = sys.stdout, sys.stderr  # the libraries print

import numpy as np
import torch
from datasets import Dataset
from tokenizers import Tokenizer, models, pre_tokenizers
from transformers import LlamaConfig, LlamaForCausalLM, PreTrainedTokenizerFast
from trl import GRPOConfig, GRPOTrainer

torch.set_num_threads(1)
VOCAB, EOS, PAD, GROUP, LIMIT = 40, 1, 0, 4, 10
MODEL = dict(vocab_size=VOCAB, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=2, num_key_value_heads=1,
             head_dim=16, max_position_embeddings=64, rms_norm_eps=1e-5, rope_theta=10000.0, tie_word_embeddings=False)


def values(stream, count):
    """`count` numbers in [-1, 1), a formula of integers modulo 2^32 (the finaliser of MurmurHash3)."""
    x = (np.arange(count, dtype=np.uint64) * 2654435761 + stream * 40503 + 12345) & 0xFFFFFFFF
    for shift, factor in ((16, 0x85EBCA6B), (13, 0xC2B2AE35)):
        x = ((x ^ (x >> shift)) * factor) & 0xFFFFFFFF
    x ^= x >> 16
    return x.astype(np.float64) / 2.0**31 - 1.0


def integers(stream, count, low, high):
    return [low + int((v + 1) / 2 * (high - low)) for v in values(stream, count)]


# Twelve completions of three prompts; those of index 5 and 10 are cut at the limit, the others end with EOS.
PROMPTS = [integers(1000 + i, 3 + 2 * i, 2, VOCAB) for i in range(3)]
LENGTHS = [LIMIT if i in (5, 10) else 2 + (i * 5) % 8 for i in range(12)]
COMPLETIONS = [integers(2000 + i, n, 2, VOCAB)[: n - (n < LIMIT)] + [EOS] * (n < LIMIT) for i, n in enumerate(LENGTHS)]
# The second group agrees on the first reward, the third on both.
REWARDS = [[0.0, 1.0, 1.0, 0.5, 2.0, 2.0, 2.0, 2.0, 1.0, 1.0, 1.0, 1.0], [3.0, -1.5, 0.5, 0.5, 0.0, 1.0, 0.0, 4.0, 0.5, 0.5, 0.5, 0.5]]
WEIGHTS = [1.0, 0.3]


def weights_of(model):
    with torch.no_grad():
        for index, (name, parameter) in enumerate(model.named_parameters()):
            v = torch.tensor(values(index, parameter.numel()), dtype=torch.float64).view_as(parameter)
            parameter.copy_(1.0 + 0.2 * v if "norm" in name else 0.4 * v)
    return model


def trainer_of(folder):
    words = {"<pad>": PAD, "<eos>": EOS} | {f"w{i}": i for i in range(2, VOCAB)}
    tokenizer = Tokenizer(models.WordLevel(words, unk_token="w2"))
    tokenizer.pre_tokenizer = pre_tokenizers.Whitespace()
    processing = PreTrainedTokenizerFast(tokenizer_object=tokenizer, pad_token="<pad>", eos_token="<eos>", padding_side="left")
    model = weights_of(LlamaForCausalLM(LlamaConfig(**MODEL, bos_token_id=None, eos_token_id=EOS, pad_token_id=PAD)).float())

    def reward(index):
        def function(completions, **_):
            return REWARDS[index]
        function.__name__ = f"reward_{index}"
        return function

    class Fixed(GRPOTrainer):
        """Samples what it is told to."""

        def _generate_single_turn(self, prompt_ids, *rest, **named):
            return COMPLETIONS, None

    config = GRPOConfig(output_dir=folder, per_device_train_batch_size=12, gradient_accumulation_steps=1, num_generations=GROUP,
                        max_completion_length=LIMIT, beta=0.0, reward_weights=WEIGHTS, bf16=False, use_cpu=True, epsilon=0.2,
                        epsilon_high=0.28, gradient_checkpointing=False, report_to="none")
    rows = Dataset.from_list([{"prompt": " ".join(f"w{t}" for t in p)} for p in PROMPTS])
    trainer = Fixed(model=model, reward_funcs=[reward(0), reward(1)], args=config, train_dataset=rows, processing_class=processing)
    trainer.current_gradient_accumulation_steps = 1
    trainer.model.train()
    return trainer, rows


def short(x):
    return float(f"{x:.7g}")


def case(trainer, rows, loss_type, beta, correction, aggregation, scale, level, masked):
    trainer.loss_type, trainer.importance_sampling_level = loss_type, level
    trainer.multi_objective_aggregation, trainer.scale_rewards = aggregation, scale
    trainer.mask_truncated_completions, trainer.args.use_bias_correction_kl = masked, correction
    trainer.beta = 0.0  # the reference's log-probabilities are given
    inputs = trainer._generate_and_score_completions([r for r in rows for _ in range(GROUP)])
    for row, prompt in enumerate(PROMPTS):
        assert inputs["prompt_ids"][row * GROUP].tolist()[-len(prompt):] == prompt
    trainer.beta = beta
    width = inputs["completion_ids"].shape[1]
    padded = lambda rows: torch.tensor([r + [0.0] * (width - len(r)) for r in rows], dtype=torch.float32)
    inputs["old_per_token_logps"], inputs["ref_per_token_logps"] = padded(OLD), padded(REFERENCE)
    trainer.model.zero_grad()
    loss = trainer._compute_loss(trainer.model, inputs)
    loss.backward()
    gradients = {}
    for index, (name, parameter) in enumerate(trainer.model.named_parameters()):
        g = parameter.grad.double().flatten().numpy()
        gradients[name] = [short(v) for v in (np.linalg.norm(g), g @ values(5000 + index, g.size), g @ values(6000 + index, g.size))]
    return dict(loss_type=loss_type, beta=beta, use_bias_correction_kl=correction, aggregation=aggregation, scale_rewards=scale,
                importance_sampling_level=level, mask_truncated_completions=masked, loss=short(loss.item()),
                advantages=[short(a) for a in inputs["advantages"].tolist()], gradients=list(gradients.values())), list(gradients)


with tempfile.TemporaryDirectory() as folder:
    trainer, rows = trainer_of(folder)
    # The sampling and the reference policy: the policy's own log-probabilities, moved enough for ratios beyond both bounds.
    ids = [PROMPTS[i // GROUP] + c for i, c in enumerate(COMPLETIONS)]
    with torch.no_grad():
        own = []
        for i, sequence in enumerate(ids):
            logits = trainer.model(input_ids=torch.tensor([sequence])).logits[0].log_softmax(-1)
            start = len(PROMPTS[i // GROUP])
            own.append([logits[t - 1, sequence[t]].item() for t in range(start, len(sequence))])
    OLD = [[short(l + 0.5 * d) for l, d in zip(o, values(3000 + i, len(o)))] for i, o in enumerate(own)]
    REFERENCE = [[short(l + 0.7 * d) for l, d in zip(o, values(4000 + i, len(o)))] for i, o in enumerate(own)]
    aggregations = [("sum_then_normalize", s) for s in ("group", "batch", "none")] + [("normalize_then_sum", "group")]
    kls = [(0.0, True), (0.04, True), (0.04, False)]
    cases = []
    for loss_type, (beta, correction), (aggregation, scale), level in itertools.product(
            ("grpo", "bnpo", "dr_grpo", "dapo"), kls, aggregations, ("token", "sequence")):
        one, names = case(trainer, rows, loss_type, beta, correction, aggregation, scale, level, False)
        cases.append(one)
    for loss_type in ("grpo", "bnpo", "dr_grpo", "dapo"):
        cases.append(case(trainer, rows, loss_type, 0.04, True, "sum_then_normalize", "group", "token", True)[0])

import accelerate, transformers, trl
made = dict(program="trainer-bridge/scripts/trl_goldens.py", trl=trl.__version__, transformers=transformers.__version__, torch=torch.__version__)
head = dict(made_with=made, model=dict(MODEL, model_type="llama", eos_token_id=EOS), limit=LIMIT, epsilon=0.2, epsilon_high=0.28, weights=WEIGHTS,
            rewards=REWARDS, prompts=PROMPTS, completions=COMPLETIONS, old=OLD, reference=REFERENCE, tensors=names)
lines = ",\n".join(json.dumps(c, separators=(",", ":")) for c in cases)
stdout.write(json.dumps(head, separators=(",", ":"))[:-1] + ',"cases":[\n' + lines + "\n]}\n")
