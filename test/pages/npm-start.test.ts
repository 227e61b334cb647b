import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { MAIN, start } from '../integration/npm-start.ts';
import { expectAllDrawn, openPage } from './browser.ts';
import { CHROMIUM_ARGUMENTS, findChromium } from './chromium.ts';

const executablePath = findChromium();

// page.test.ts reports a missing browser.
describe.runIf(executablePath)('the report page of npm start', () => {
  let browser: Browser;
  let folder: string;
  let run: ReturnType<typeof start>;

  beforeAll(async () => {
    folder = mkdtempSync(join(inject('runFolder'), 'report-'));
    symlinkSync(inject('artifactsFolder'), join(folder, 'engines')); // downloaded once for all
    run = start(['--folder', folder]);
    browser = await chromium.launch({ executablePath: executablePath as string, args: CHROMIUM_ARGUMENTS });
  });
  afterAll(async () => {
    await browser?.close();
    run.child.kill('SIGTERM');
    await run.ended;
    rmSync(folder, { recursive: true, force: true });
  });

  it('is served at the printed link, shows every chart, and follows the polls', {
    timeout: 300_000,
  }, async () => {
    const url = await vi.waitFor(
      () => {
        // A few hours of ticks, so that every picture has data.
        expect(run.text()).toMatch(/^poll 60 /m);
        return /See it +(\S+)/.exec(run.text())?.[1] as string;
      },
      { timeout: 200_000, interval: 100 },
    );
    const { page, faults } = await openPage(browser, url);
    // A spot market has no funding rate.
    await expectAllDrawn(page, ['funding']);
    expect(await page.locator('#funding-chart').isVisible()).toBe(false);
    const summary = page.locator('#summary');
    const before = await summary.innerText();
    await vi.waitFor(async () => expect(await summary.innerText()).not.toBe(before), { timeout: 120_000 });
    expect(faults).toEqual([]);
  });

  // Here, because the prices are loaded already.
  it('is followed by npm run demo: polls, an answer, an outage that heals, and nothing lost', {
    timeout: 240_000,
  }, async () => {
    run.child.kill('SIGTERM');
    await run.ended;
    const options = ['--folder', folder, '--pause', '0'];
    const { stdout } = await promisify(execFile)(process.execPath, [MAIN, 'demo', ...options]);
    const [, , polls = '', answer, outage = '', healed = '', verified] = stdout.split(/^\d\. /m);
    expect(polls.match(/polled 2018-/g)).toHaveLength(6);
    expect(answer).toContain('rises +1 %');
    expect(outage.match(/polled 2018-/g)).toHaveLength(10);
    expect(outage.trimEnd()).toMatch(/: \d+ tickers wait for the index$/);
    expect(healed.trimEnd()).toMatch(/everything is indexed$/);
    expect(verified).toContain('✔ Lake and index agree.');
  });
});
