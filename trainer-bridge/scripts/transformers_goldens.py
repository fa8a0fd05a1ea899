#!/usr/bin/env python3
"""Makes tests/goldens/{models.json, chat.json, chat/*, peft/*}: logits of tiny checkpoints by transformers, logits with an adapter that
TRL trained, and chat prompts token by token.

    python -m venv V && V/bin/pip install -r requirements-transformers.txt && V/bin/python transformers_goldens.py
"""
import json
import os
import shutil
import tempfile

os.environ.update(HF_HUB_OFFLINE="1", TOKENIZERS_PARALLELISM="false", CUDA_VISIBLE_DEVICES="", TRL_EXPERIMENTAL_SILENCE="1")
import peft
import tiny
import torch
import transformers
import trl
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors, trainers
from transformers import PreTrainedTokenizerFast

torch.manual_seed(0)
torch.set_num_threads(1)
HERE = os.path.dirname(os.path.abspath(__file__))
OUT = os.path.join(HERE, "..", "tests", "goldens")
VERSIONS = dict(transformers=transformers.__version__, peft=peft.__version__, trl=trl.__version__, torch=torch.__version__)
TOKENS = [(7 * i + i // 5 + 3) % 64 for i in range(40)]
POSITIONS = [0, 1, 7, 20, 39]


def logits(model):
    with torch.no_grad():
        out = model(torch.tensor([TOKENS])).logits[0]
    return [[round(v, 6) for v in out[p].tolist()] for p in POSITIONS]


def saved_config(model):
    config = json.loads(model.config.to_json_string())
    config.pop("transformers_version", None)
    return config


def golden_models():
    cases = []
    for name in tiny.CASES:
        model = tiny.model(name)
        cases.append(dict(name=name, config=saved_config(model), logits=logits(model)))
    # The same model as transformers before version 5 would have described it.
    first = json.loads(json.dumps(cases[0]))
    rope = first["config"].pop("rope_parameters")
    first["config"]["rope_theta"] = rope.pop("rope_theta")
    first["config"]["rope_scaling"] = {**rope, "type": rope["rope_type"]}
    first["name"] = "llama-3 under the older names"
    return cases + [first]


PEFT_CASE = "qwen2, head of its own"


def golden_adapter():
    """A few GRPO steps of TRL with LoRA on the tiny model; returns the logits afterwards."""
    from datasets import Dataset
    from trl import GRPOConfig, GRPOTrainer

    vocab = {"<pad>": 0, "<eos>": 1, **{chr(33 + i): 2 + i for i in range(62)}}
    inner = Tokenizer(models.WordLevel(vocab, unk_token="<pad>"))
    inner.pre_tokenizer = pre_tokenizers.Split("", "isolated")
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, pad_token="<pad>", eos_token="<eos>", padding_side="left")
    lora = peft.LoraConfig(r=4, lora_alpha=8, lora_dropout=0.05, task_type="CAUSAL_LM",
                           target_modules=["q_proj", "v_proj", "o_proj", "up_proj", "down_proj"])
    with tempfile.TemporaryDirectory() as folder:
        config = GRPOConfig(output_dir=folder, per_device_train_batch_size=8, num_generations=4, max_completion_length=12,
                            max_steps=4, learning_rate=2e-2, bf16=False, use_cpu=True, report_to="none", save_strategy="no",
                            gradient_checkpointing=False, seed=1, beta=0.0, loss_type="dapo", disable_tqdm=True)
        trainer = GRPOTrainer(
            model=tiny.model(PEFT_CASE), args=config, processing_class=tokenizer, peft_config=lora,
            reward_funcs=lambda completion_ids, **_: [float(sum(i % 3 == 0 for i in ids)) for ids in completion_ids],
            train_dataset=Dataset.from_list([{"prompt": "#%A"}, {"prompt": "Q9"}] * 4))
        trainer.train()
        trained = os.path.join(OUT, "peft")
        shutil.rmtree(trained, ignore_errors=True)
        trainer.model.save_pretrained(trained)
    os.remove(os.path.join(trained, "README.md"))
    path = os.path.join(trained, "adapter_config.json")
    config = json.load(open(path))
    config["base_model_name_or_path"] = "tiny"
    json.dump(config, open(path, "w"), indent=2, sort_keys=True)
    loaded = peft.PeftModel.from_pretrained(tiny.model(PEFT_CASE), trained).eval()
    after, before = logits(loaded), logits(tiny.model(PEFT_CASE))
    change = max(abs(a - b) for x, y in zip(after, before) for a, b in zip(x, y))
    assert change > 0.05, f"the adapter hardly does anything: {change}"
    return dict(case=PEFT_CASE, logits=after)


# Templates in the style of the three families; they use what those templates use of the language.
STYLES = {
    "llama-3": dict(
        bos="<|begin_of_text|>", eos="<|eot_id|>", special=["<|start_header_id|>", "<|end_header_id|>"],
        template="""{{- bos_token }}
{%- if not date_string is defined %}
    {%- if strftime_now is defined %}
        {%- set date_string = strftime_now("%d %b %Y") %}
    {%- else %}
        {%- set date_string = "26 Jul 2024" %}
    {%- endif %}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {%- set system_message = messages[0]['content']|trim %}
    {%- set messages = messages[1:] %}
{%- else %}
    {%- set system_message = "" %}
{%- endif %}
{{- "<|start_header_id|>system<|end_header_id|>\\n\\n" }}
{{- "Today is: " + date_string + "\\n\\n" }}
{{- system_message }}
{{- "<|eot_id|>" }}
{%- for message in messages %}
    {{- '<|start_header_id|>' + message['role'] + '<|end_header_id|>\\n\\n' + message['content'] | trim + '<|eot_id|>' }}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|start_header_id|>assistant<|end_header_id|>\\n\\n' }}
{%- endif %}
"""),
    "qwen2.5": dict(
        bos=None, eos="<|im_end|>", special=["<|im_start|>"],
        template="""{%- if tools %}
    {{- raise_exception('no tools here') }}
{%- endif %}
{%- if messages[0]['role'] == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0]['content'] + '<|im_end|>\\n' }}
{%- else %}
    {{- '<|im_start|>system\\nYou help.<|im_end|>\\n' }}
{%- endif %}
{%- for message in messages %}
    {%- if (message.role == "user") or (message.role == "system" and not loop.first) or (message.role == "assistant" and not message.tool_calls) %}
        {{- '<|im_start|>' + message.role + '\\n' + message.content + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
{%- endif %}
"""),
    "qwen3": dict(
        bos=None, eos="<|im_end|>", special=["<|im_start|>", "<think>", "</think>"],
        template="""{%- if messages[0].role == 'system' %}
    {{- '<|im_start|>system\\n' + messages[0].content + '<|im_end|>\\n' }}
{%- endif %}
{%- set ns = namespace(open=true, last=messages|length - 1) %}
{%- for message in messages[::-1] %}
    {%- set index = (messages|length - 1) - loop.index0 %}
    {%- if ns.open and message.role == "user" and message.content is string and not(message.content.startswith('<reply>') and message.content.endswith('</reply>')) %}
        {%- set ns.open = false %}
        {%- set ns.last = index %}
    {%- endif %}
{%- endfor %}
{%- for message in messages %}
    {%- if message.content is string %}
        {%- set content = message.content %}
    {%- else %}
        {%- set content = '' %}
    {%- endif %}
    {%- if message.role == "user" or (message.role == "system" and not loop.first) %}
        {{- '<|im_start|>' + message.role + '\\n' + content.split('</think>')[-1].lstrip('\\n') + '<|im_end|>' + '\\n' }}
    {%- endif %}
{%- endfor %}
{%- if add_generation_prompt %}
    {{- '<|im_start|>assistant\\n' }}
    {%- if enable_thinking is defined and enable_thinking is false %}
        {{- '<think>\\n\\n</think>\\n\\n' }}
    {%- endif %}
{%- endif %}
"""),
}
SPLIT = (r"(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\r\n\p{L}\p{N}]?\p{L}+|\p{N}{1,3}| ?[^\s\p{L}\p{N}]+[\r\n]*|\s*[\r\n]+|\s+(?!\S)|\s+")
CORPUS = ["system user assistant Today is: 26 Jul 2024 You help. How many apples are left? Think step by step."] * 3
CONVERSATIONS = [
    (None, "How many apples are left if Ann's 12 are shared by 3?"),
    ("Think step by step.", "  1,234 + 5.6 =\n\n\tcafé – naïve 数 🍎 <|im_end|> 'll  "),
    ("  You are\nbrief. ", "How many?</think>\nleft"),
]


def golden_chat():
    cases = []
    for style, parts in STYLES.items():
        folder = os.path.join(OUT, "chat", style)
        shutil.rmtree(folder, ignore_errors=True)
        tokenizer = chat_tokenizer(parts)
        tokenizer.save_pretrained(folder)
        if os.path.exists(os.path.join(folder, "chat_template.jinja")) and style == "qwen2.5":
            # The older place of the template.
            path = os.path.join(folder, "tokenizer_config.json")
            config = json.load(open(path))
            config["chat_template"] = open(os.path.join(folder, "chat_template.jinja")).read()
            json.dump(config, open(path, "w"), indent=2)
            os.remove(os.path.join(folder, "chat_template.jinja"))
        for system, user in CONVERSATIONS:
            messages = [dict(role="system", content=system)] if system is not None else []
            messages.append(dict(role="user", content=user))
            encoded = tokenizer.apply_chat_template(messages, add_generation_prompt=True, tokenize=True, return_dict=False,
                                                    date_string="26 Jul 2024")
            cases.append(dict(style=style, system=system, user=user, ids=list(encoded)))
    return cases


def chat_tokenizer(parts):
    special = [token for token in [parts["bos"], parts["eos"], *parts["special"]] if token]
    inner = Tokenizer(models.BPE())
    inner.pre_tokenizer = pre_tokenizers.Sequence([
        pre_tokenizers.Split(pattern=__import__("tokenizers").Regex(SPLIT), behavior="isolated"),
        pre_tokenizers.ByteLevel(add_prefix_space=False, use_regex=False)])
    inner.decoder = decoders.ByteLevel()
    inner.train_from_iterator(CORPUS, trainers.BpeTrainer(
        vocab_size=300, initial_alphabet=pre_tokenizers.ByteLevel.alphabet(), show_progress=False))
    inner.add_special_tokens(special)
    if parts["bos"]:
        # As Llama 3's: a plain text gets the token in front, so that a template that writes it must not be encoded like one.
        bos = inner.token_to_id(parts["bos"])
        inner.post_processor = processors.TemplateProcessing(single=f"{parts['bos']} $A", special_tokens=[(parts["bos"], bos)])
    tokenizer = PreTrainedTokenizerFast(tokenizer_object=inner, bos_token=parts["bos"], eos_token=parts["eos"])
    tokenizer.chat_template = parts["template"]
    return tokenizer


def write(name, content):
    with open(os.path.join(OUT, name), "w") as file:
        json.dump(dict(made_by="scripts/transformers_goldens.py", versions=VERSIONS, **content), file, separators=(",", ":"))
        file.write("\n")


os.makedirs(OUT, exist_ok=True)
write("models.json", dict(tokens=TOKENS, positions=POSITIONS, models=golden_models(), adapter=golden_adapter()))
write("chat.json", dict(conversations=golden_chat()))
