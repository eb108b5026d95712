// A home operator's browser for the integration tests: reads one JSON command a line from standard
// input, does it in headless Chromium, answers one JSON line. Every wait has a deadline.
import { createInterface } from 'node:readline';
import { appendFileSync } from 'node:fs';
import { chromium } from 'playwright-core';

const { URL: url, MICROPHONE: microphone, PROFILE: profile, TRACE: trace } = process.env;
const WAIT = 20_000;

let context;
let page;

function note(line) {
  if (trace) appendFileSync(trace, `${new Date().toISOString()} ${line}\n`);
}

async function launch() {
  context = await chromium.launchPersistentContext(profile, {
    executablePath: '/usr/bin/chromium',
    headless: true,
    ignoreHTTPSErrors: true,
    viewport: { width: 1280, height: 720 },
    locale: 'ja-JP',
    timezoneId: 'Asia/Tokyo',
    permissions: ['microphone'],
    args: [
      '--no-sandbox',
      '--use-fake-ui-for-media-stream',
      '--use-fake-device-for-media-stream',
      `--use-file-for-fake-audio-capture=${microphone}`,
      '--autoplay-policy=no-user-gesture-required',
      '--allow-loopback-in-peer-connection',
      '--disable-features=WebRtcHideLocalIpsWithMdns',
      '--disable-quic',
      '--no-first-run',
      '--disable-background-networking',
      '--disable-component-update',
      '--disable-sync',
    ],
  });
  // Chromium's noise suppression takes a steady tone for noise; a voice it keeps.
  await context.addInitScript(() => localStorage.setItem('bluebean.voice-processing', 'off'));
  page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(WAIT);
  page.on('console', (m) => note(`console ${m.type()} ${m.text()}`));
  page.on('pageerror', (e) => note(`page error ${e}`));
  page.on('requestfailed', (r) => note(`failed ${r.method()} ${r.url()} ${r.failure()?.errorText}`));
}

const panel = (state) => page.locator(`[data-testid=call-panel][data-state=${state}]`);

const commands = {
  async open() {
    await launch();
    await page.goto(url, { waitUntil: 'domcontentloaded' });
    await page.locator('input[name=login]').waitFor();
  },
  async log_in({ tenant, login, password }) {
    const slug = page.locator('input[name=tenant]');
    if (await slug.isVisible()) await slug.fill(tenant);
    await page.locator('input[name=login]').fill(login);
    await page.locator('input[name=password]').fill(password);
    await page.locator('input[name=password]').press('Enter');
    await page.locator('[data-testid=call-panel]').waitFor();
  },
  async refused_log_in({ tenant, login, password }) {
    const slug = page.locator('input[name=tenant]');
    if (await slug.isVisible()) await slug.fill(tenant);
    await page.locator('input[name=login]').fill(login);
    await page.locator('input[name=password]').fill(password);
    await page.locator('input[name=password]').press('Enter');
    const alert = page.getByRole('alert');
    await alert.waitFor();
    return { message: await alert.innerText() };
  },
  async presence({ presence }) {
    await page.locator(`[data-testid=presence-${presence}]`).click();
    await page.locator(`[data-testid=presence-${presence}][aria-checked=true]`).waitFor();
  },
  async wait_state({ state }) {
    await panel(state).waitFor();
    return { text: await panel(state).innerText() };
  },
  async press({ name }) {
    await page.locator(`[data-testid=${name}]`).click();
  },
  async key({ key }) {
    await page.keyboard.press(key);
  },
  async text({ name }) {
    return { text: await page.locator(`[data-testid=${name}]`).innerText() };
  },
  async value({ label }) {
    return { value: await page.getByLabel(label, { exact: true }).first().inputValue() };
  },
  async stats() {
    return { stats: await page.evaluate(() => window.__bluebean.stats()) };
  },
  async write_record({ topic, disposition, note }) {
    await page.locator('[data-testid=record-topic]').selectOption({ label: topic });
    await page.locator('[data-testid=record-disposition]').selectOption({ label: disposition });
    await page.locator('[data-testid=record-note]').fill(note);
    await page.locator('[data-testid=record-status][data-state=saved]').waitFor();
  },
  async play_newest() {
    await page.locator('[data-testid=history-row] [data-testid=play]').first().click();
    await page.waitForFunction(() => document.querySelector('[data-testid=player] audio')?.currentTime > 1.2);
    return page.evaluate(() => {
      const audio = document.querySelector('[data-testid=player] audio');
      return { seconds: audio.currentTime, src: audio.currentSrc };
    });
  },
  async screenshot({ file }) {
    await page.screenshot({ path: file });
  },
  async evaluate({ script }) {
    return { value: await page.evaluate(script) };
  },
  async quit() {
    await context?.close();
    setTimeout(() => process.exit(0), 50);
  },
};

for await (const line of createInterface({ input: process.stdin })) {
  const command = JSON.parse(line);
  note(`> ${line}`);
  let answer;
  try {
    answer = (await commands[command.do](command)) ?? {};
  } catch (e) {
    await page?.screenshot({ path: `${profile}-failed.png` }).catch(() => {});
    answer = { error: String(e) };
  }
  note(`< ${JSON.stringify(answer)}`);
  process.stdout.write(`${JSON.stringify(answer)}\n`);
}
await context?.close();
