// Every page in a real browser: follows a search while it runs, then looks at each page light, dark and 400 pixels wide for what axe-core calls serious, for
// errors of scripts, for requests to elsewhere and for what runs over the edge. Leaves a picture of each.
import { spawn } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import puppeteer from "puppeteer-core";
import { prepared } from "./search.mjs";

const [program, out, database] = process.argv.slice(2).map((path) => resolve(path));
const chrome = process.env.CHROME ?? ["/usr/bin/chromium", "/usr/bin/google-chrome", "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome"].find(existsSync);
const axe = readFileSync(join(dirname(fileURLToPath(import.meta.url)), "node_modules/axe-core/axe.min.js"), "utf8");
const problems = [];
const need = (holds, what) => {
  if (!holds) problems.push(what);
  console.log(`${holds ? "ok  " : "BAD "} ${what}`);
};
const pause = (ms) => new Promise((done) => setTimeout(done, ms));

const serve = (file, folder) =>
  new Promise((ready, failed) => {
    const child = spawn(program, ["serve", file, "--port", "0"], { cwd: folder, stdio: ["ignore", "pipe", "pipe"] });
    let said = "";
    const look = (part) => {
      said += part;
      const address = said.match(/http:\/\/127\.0\.0\.1:\d+/);
      if (address) ready({ child, address: address[0] });
    };
    child.stdout.on("data", look);
    child.stderr.on("data", look);
    child.on("exit", (code) => failed(new Error(`serve ended (${code}): ${said}`)));
  });

const text = (page, selector) => page.$eval(selector, (element) => element.textContent.trim());

/** The paths a person takes, while the search runs. */
const followed = async (page, address, start) => {
  await page.goto(`${address}/`);
  await page.waitForSelector("main a[href^='/s/']");
  await page.click("main a[href^='/s/']");
  await page.waitForSelector("dl.tiles");
  need((await text(page, ".headline .pill")) === "running", "a running search is shown as one");
  let reloads = 0;
  page.on("framenavigated", () => (reloads += 1));
  const before = await text(page, "#part-head dl.tiles");
  await page.waitForFunction((was) => document.querySelector("#part-head dl.tiles").textContent.trim() !== was, { timeout: 300000 }, before);
  need(reloads === 0, "the page follows the search without being loaded again");
  await page.waitForSelector("#part-running .progress", { timeout: 300000 });
  need(true, "what runs now is shown with its curve");
  await page.focus("input[name=q]");
  await page.keyboard.type("right");
  await pause(2500);
  need((await page.$eval("input[name=q]", (input) => input.value)) === "right", "what is typed stays while the page follows");
  await Promise.all([page.waitForNavigation(), page.keyboard.press("Enter")]);
  await page.waitForSelector("#part-ranking");
  if (!page.url().includes("q=right")) throw new Error(`the form leads to ${page.url()}`);
  need(true, "the ranking is filtered by the keyboard alone");
  if (start.exitCode === null) await new Promise((done) => start.on("exit", done));
  await page.goto(`${address}/s/1-1`);
  await page.waitForFunction(() => document.querySelector(".headline .pill").textContent === "finished", { timeout: 60000 });
  need(true, "the end of the search is shown");
  await page.click("tbody tr.leader a");
  await page.waitForSelector("pre.source");
  const leader = await text(page, "h1");
  await page.goBack();
  await page.click("nav a[href$='/compare']");
  await page.waitForSelector("form");
  await page.click("nav a[href$='/lineage']");
  await page.waitForSelector("figure svg a");
  await page.click("figure svg a:last-of-type");
  await page.waitForSelector("h1");
  need(leader.length > 0, "from the ranking to the best reward, a comparison, the lineage, and by a dot to its reward");
};

const pagesOf = async (page, address) => {
  await page.goto(`${address}/s/1-1`);
  const links = await page.$$eval("nav a", (all) => all.map((a) => a.getAttribute("href")));
  const of = (selector) => page.$$eval(selector, (all) => all.map((a) => a.getAttribute("href")));
  const candidates = await of("#part-ranking tbody th a");
  const names = candidates.map((link) => new URLSearchParams(link.split("?")[1]).get("name"));
  const pages = new Map([["searches", "/"], ["ranking", "/s/1-1"]]);
  for (const link of links) pages.set(link.split("/").pop().replace("1-1", "ranking"), link);
  pages.set("filtered", "/s/1-1?q=right&state=complete");
  pages.set("reward", candidates[0]);
  pages.set("last-reward", candidates[candidates.length - 3] ?? candidates[0]);
  pages.set("reference", candidates[candidates.length - 1]);
  pages.set("compared", `/s/1-1/compare?a=${encodeURIComponent(names[0])}&b=${encodeURIComponent(names[1] ?? names[0])}`);
  await page.goto(`${address}/s/1-1/refused`);
  const [refused] = await of("main tbody a, main .said a, main h3 a");
  if (refused) pages.set("refused-reward", refused);
  if (pages.has("exchanges")) {
    await page.goto(`${address}/s/1-1/exchanges`);
    const [exchange] = await of("main tbody a");
    if (exchange) pages.set("exchange", exchange);
  }
  pages.set("nothing", "/s/1-1/candidate?name=nobody");
  return pages;
};

const looked = async (page, address) => {
  const pages = await pagesOf(page, address);
  for (const [look, width, scheme] of [["light", 1280, "light"], ["dark", 1280, "dark"], ["narrow", 400, "light"], ["narrow-dark", 400, "dark"]]) {
    await page.setViewport({ width, height: 900, deviceScaleFactor: width === 400 ? 2 : 1 });
    await page.emulateMediaFeatures([{ name: "prefers-color-scheme", value: scheme }]);
    for (const [name, path] of pages) {
      await page.goto(address + path, { waitUntil: "load" });
      await page.evaluate(axe);
      const found = await page.evaluate(() => axe.run(document, { resultTypes: ["violations"] }));
      const serious = found.violations.filter((v) => ["serious", "critical"].includes(v.impact));
      const minor = found.violations.filter((v) => !serious.includes(v));
      const told = serious.map((v) => `${v.id}: ${v.nodes.slice(0, 2).map((n) => n.target.join(" ")).join(", ")}`);
      need(serious.length === 0, `${look} ${name}: ${told.join("; ") || "nothing serious"}${minor.length ? ` (less: ${minor.map((v) => v.id).join(", ")})` : ""}`);
      const over = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
      if (over > 0) need(false, `${look} ${name}: ${over} pixels run over the edge`);
      await page.screenshot({ path: join(out, `${name}-${look}.png`), fullPage: true });
    }
  }
};

const folder = mkdtempSync(join(tmpdir(), "browser-"));
const browser = await puppeteer.launch({ executablePath: chrome, args: ["--no-sandbox", "--disable-dev-shm-usage", "--disable-features=BackForwardCache"] });
const children = [];
try {
  const page = await browser.newPage();
  await page.setViewport({ width: 1280, height: 900 });
  page.on("pageerror", (error) => need(false, `a script broke: ${error.message}`));
  page.on("console", (message) => {
    const isAnswer = message.text().includes("status of 404");
    if (message.type() === "error" && !isAnswer) need(false, `the console says: ${message.text()}`);
  });
  let address;
  page.on("request", (request) => {
    if (address && !request.url().startsWith(address) && !request.url().startsWith("data:")) need(false, `asked elsewhere: ${request.url()}`);
  });
  if (database) {
    const served = await serve(database, folder);
    children.push(served.child);
    address = served.address;
  } else {
    const search = await prepared(program, folder);
    const running = search.start();
    let said = "";
    running.stderr.on("data", (part) => (said += part));
    children.push(running);
    for (let i = 0; i < 300 && !existsSync(join(folder, "x.db")); i += 1) await pause(100);
    await pause(1500);
    const served = await serve("x.db", folder);
    children.push(served.child);
    address = served.address;
    await followed(page, address, running);
    search.end();
    need(running.exitCode === 0, `the search came to its end${running.exitCode ? `: ${said}` : ""}`);
  }
  await looked(page, address);
} finally {
  for (const child of children) child.kill();
  await browser.close();
}
console.log(`\n${problems.length} problems; pictures in ${out}`);
process.exit(problems.length ? 1 : 0);
