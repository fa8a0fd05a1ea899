#!/usr/bin/env python3
"""Compares logits with what a test of `candle/tests/goldens.rs` wrote into FOLDER: an adapter (adapter_config.json, adapter_model.safetensors),
loaded with peft on the tiny checkpoint that expected.json names, or a whole trained model, loaded with transformers.

    python peft_check.py FOLDER
"""
import json
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="")
import peft
import tiny
import torch
import transformers

folder = sys.argv[1]
expected = json.load(open(os.path.join(folder, "expected.json")))
if "case" in expected:
    model = peft.PeftModel.from_pretrained(tiny.model(expected["case"]), folder)
else:
    model = transformers.AutoModelForCausalLM.from_pretrained(folder)
with torch.no_grad():
    logits = model.eval()(torch.tensor([expected["tokens"]])).logits[0][expected["positions"]]
error = (logits - torch.tensor(expected["logits"])).abs().max().item()
adapted = sum("lora_A" in name for name, _ in model.named_parameters())
print(f"{type(model).__name__}: {adapted} adapted modules, largest difference {error:.2e}")
sys.exit(0 if adapted == expected["modules"] and error < 1e-4 else 1)
