"""The tiny checkpoints of the golden tests: their weights follow from a formula, so that only results need to be stored.

Weight i of tensor NAME: x is a 32-bit counter that starts at the FNV-1a hash of NAME and goes x = 1664525 x + 1013904223; then
u = x / 2^31 - 1 in [-1, 1), and the weight is 1 + 0.2 u for norms, 0.5 u for embeddings and the head, 0.3 u for biases, 0.3 u else.
`candle/tests/goldens.rs` has the same formula.
"""
import torch
from transformers import AutoConfig, AutoModelForCausalLM

SHAPE = dict(vocab_size=64, hidden_size=32, intermediate_size=48, num_hidden_layers=2, num_attention_heads=4,
             num_key_value_heads=2, max_position_embeddings=128, eos_token_id=1, bos_token_id=None, pad_token_id=0)
LLAMA3_ROPE = dict(rope_type="llama3", rope_theta=500000.0, factor=8.0, low_freq_factor=1.0, high_freq_factor=4.0,
                   original_max_position_embeddings=16)
CASES = {
    "llama-3, scaled angles, grouped queries, tied": dict(
        model_type="llama", tie_word_embeddings=True, rope_parameters=LLAMA3_ROPE, rms_norm_eps=1e-5, head_dim=16),
    "llama, as many key-value heads, head of its own": dict(
        model_type="llama", tie_word_embeddings=False, num_attention_heads=2, num_key_value_heads=2),
    "qwen2, tied": dict(model_type="qwen2", tie_word_embeddings=True, num_attention_heads=2, num_key_value_heads=1,
                        rope_parameters=dict(rope_type="default", rope_theta=1e6), use_sliding_window=False),
    "qwen2, head of its own": dict(model_type="qwen2", tie_word_embeddings=False, num_attention_heads=2, num_key_value_heads=2),
    "qwen3, heads wider than the stream": dict(model_type="qwen3", tie_word_embeddings=True, head_dim=32,
                                               rope_parameters=dict(rope_type="default", rope_theta=1e6)),
    "qwen3, head of its own": dict(model_type="qwen3", tie_word_embeddings=False, head_dim=16),
}


def weights(name, count):
    x = 0x811C9DC5
    for byte in name.encode():
        x = ((x ^ byte) * 0x01000193) & 0xFFFFFFFF
    scale, shift = 0.3, 0.0
    if "norm" in name:
        scale, shift = 0.2, 1.0
    elif "embed" in name or "lm_head" in name:
        scale = 0.5
    out = []
    for _ in range(count):
        x = (1664525 * x + 1013904223) & 0xFFFFFFFF
        out.append(shift + scale * (x / 2**31 - 1.0))
    return out


def model(case):
    settings = {**SHAPE, **CASES[case]}
    config = AutoConfig.for_model(settings.pop("model_type"), **settings)
    config._attn_implementation = "eager"
    made = AutoModelForCausalLM.from_config(config).float().eval()
    with torch.no_grad():
        for name, parameter in made.named_parameters():
            values = torch.tensor(weights(name, parameter.numel()), dtype=torch.float64)
            parameter.copy_(values.float().view_as(parameter))
    return made
