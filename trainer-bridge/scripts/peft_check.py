#!/usr/bin/env python3
"""Loads with peft what the test `our_adapter_loads_in_peft` wrote into FOLDER (adapter_config.json, adapter_model.safetensors,
expected.json), on the tiny checkpoint that expected.json names, and compares the logits.

    python peft_check.py FOLDER
"""
import json
import os
import sys

os.environ.update(HF_HUB_OFFLINE="1", CUDA_VISIBLE_DEVICES="")
import peft
import tiny
import torch

folder = sys.argv[1]
expected = json.load(open(os.path.join(folder, "expected.json")))
model = peft.PeftModel.from_pretrained(tiny.model(expected["case"]), folder).eval()
with torch.no_grad():
    logits = model(torch.tensor([expected["tokens"]])).logits[0][expected["positions"]]
error = (logits - torch.tensor(expected["logits"])).abs().max().item()
adapted = sum("lora_A" in name for name, _ in model.named_parameters())
print(f"{adapted} adapted modules, largest difference {error:.2e}")
sys.exit(0 if adapted == expected["modules"] and error < 1e-4 else 1)
