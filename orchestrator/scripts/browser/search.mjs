// A search to look at: real but for the language model that proposes, which is this file.
import { spawn } from "node:child_process";
import { writeFileSync } from "node:fs";
import { createServer } from "node:http";
import { join } from "node:path";

const rust = (body) => `pub fn reward(sample: &Sample) -> f64 {\n    ${body}\n}\n`;
const ROUNDS = [
  [
    ["plain_correctness", "Pays for the right answer and nothing else.", [], rust("if sample.correct() { 1.0 } else { 0.0 }")],
    ["short_and_right", "Right answers, the shorter the better.", [], rust("let length = sample.completion().len() as f64;\n    if sample.correct() { 2.0 - (length / 400.0).min(1.0) } else { 0.0 }")],
    ["wrong_way_round", "A control: pays for wrong answers.", [], rust("if sample.correct() { 0.0 } else { 1.0 }")],
    ["reads_a_file", "Should be refused.", [], rust('std::fs::read("/etc/passwd").map_or(0.0, |b| b.len() as f64)')],
  ],
  [
    ["right_with_tags", "Correctness, and a little for the tags.", ["plain_correctness"], rust('let tags = f64::from(u8::from(sample.completion().contains("<solution>")));\n    f64::from(u8::from(sample.correct())) + 0.1 * tags')],
    ["short_right_with_tags", "Joins two good ones.", ["short_and_right", "plain_correctness"], rust('let tags = f64::from(u8::from(sample.completion().contains("<solution>")));\n    let length = sample.completion().len() as f64;\n    if sample.correct() { 2.0 + tags - (length / 400.0).min(1.0) } else { 0.1 * tags }')],
    ["does_not_compile", "Has a slip.", ["right_with_tags"], rust("sample.nonsense()")],
    ["flat", "Pays everybody alike.", [], rust("1.0")],
  ],
  [
    ["right_twice", "Doubles what works.", ["right_with_tags"], rust('let tags = f64::from(u8::from(sample.completion().contains("<solution>")));\n    2.0 * f64::from(u8::from(sample.correct())) + 0.1 * tags')],
    ["right_unless_endless", "Right, but not endless.", ["short_right_with_tags"], rust("if sample.correct() && sample.completion().len() < 2000 { 1.0 } else { -0.5 }")],
  ],
];

// Answers as an OpenAI-compatible endpoint would, one round after the other.
const model = () =>
  new Promise((ready) => {
    let asked = 0;
    const server = createServer((request, response) => {
      let body = "";
      request.on("data", (part) => (body += part));
      request.on("end", () => {
        const prompt = JSON.parse(body || "{}");
        const isProbe = (prompt.max_tokens ?? prompt.max_completion_tokens ?? 9e9) < 100;
        const round = ROUNDS[asked] ?? [];
        if (!isProbe) asked += 1;
        const drafts = round.map(([name, why, parents, code]) => `## ${name}\nWhy: ${why}\nParents: ${parents.join(", ") || "none"}\n\`\`\`rust\n${code}\`\`\`\n`);
        const content = isProbe ? "ok" : `What the last round taught: correctness carries it.\n\n${drafts.join("\n")}`;
        response.setHeader("content-type", "application/json");
        response.end(
          JSON.stringify({
            model: "made-up-model",
            choices: [{ index: 0, finish_reason: "stop", message: { role: "assistant", content } }],
            usage: { prompt_tokens: Math.round(body.length / 4), completion_tokens: Math.round(content.length / 4) },
          }),
        );
      });
    });
    server.listen(0, "127.0.0.1", () => ready(server));
  });

const config = (port) => `
[search]
name = "in-a-browser"
seed = 7
rounds = 3
candidates_per_round = 4
max_concurrent_trials = 2
[task]
kind = "toy"
[proposer]
kind = "chat"
base_url = "http://127.0.0.1:${port}/v1"
model = "made-up-model"
stream = false
follow_up = false
price_per_million_prompt_tokens = 0.5
price_per_million_completion_tokens = 2.0
accept_unguarded_rustc = true
[trainer]
kind = "candle"
model = "toy"
[screen]
steps = 8
problems = 120
gate.refuse_flat = false
gate.replace_twins = false
[ensemble]
sizes = [3]
[confirm]
steps = 10
problems = 60
seeds = 2
candidates = 1
`;

/** Writes all that the search needs into a folder, starts its model, and returns how to start it and how to end its model. */
export const prepared = async (program, folder) => {
  const server = await model();
  writeFileSync(join(folder, "search.toml"), config(server.address().port));
  const start = () => spawn(program, ["run", "search.toml", "--database", "x.db"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
  return { start, end: () => server.close() };
};
