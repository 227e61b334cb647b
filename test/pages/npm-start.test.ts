import { mkdtempSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { type Browser, chromium } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, inject, it, vi } from 'vitest';
import { start } from '../integration/npm-start.ts';
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
        return /The report page: (\S+)/.exec(run.text())?.[1] as string;
      },
      { timeout: 200_000, interval: 100 },
    );
    const { page, faults } = await openPage(browser, url);
    // A spot market has no funding rate.
    await expectAllDrawn(page, ['funding']);
    expect(await page.locator('#funding-chart').isVisible()).toBe(false);
    const summary = page.locator('#summary');
    const before = await summary.innerText();
    await vi.waitFor(async () => expect(await summary.innerText()).not.toBe(before), { timeout: 30_000 });
    expect(faults).toEqual([]);
  });
});
