import type { Browser, BrowserContextOptions, Page } from 'playwright-core';
import { expect } from 'vitest';
import { PAGE_PICTURES } from '../../charts/pictures/all.ts';

/** A page and the problems seen on it. */
export interface Visit {
  page: Page;
  /** Console errors, exceptions, and requests that failed or left this machine. */
  faults: string[];
}

/** Opens the report page and waits until it has drawn its charts. */
export async function openPage(
  browser: Browser,
  url: string,
  options: BrowserContextOptions = {},
): Promise<Visit> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 900 }, ...options });
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const faults: string[] = [];
  page.on('console', (message) => {
    if (message.type() === 'error' || message.type() === 'warning') faults.push(message.text());
  });
  page.on('pageerror', (error) => faults.push(error.message));
  page.on('requestfailed', (request) => {
    const reason = request.failure()?.errorText;
    // The browser drops what a page still asks when it is reloaded, such as one of its polls.
    if (reason !== 'net::ERR_ABORTED') faults.push(`failed (${reason}): ${request.url()}`);
  });
  page.on('request', (request) => {
    const { protocol, hostname } = new URL(request.url());
    if (protocol.startsWith('http') && hostname !== '127.0.0.1')
      faults.push(`left the machine: ${request.url()}`);
  });
  await page.goto(url);
  await page.waitForSelector('html[data-ready]');
  return { page, faults };
}

/** Searches a series in the page's picker and takes the first that is found. */
export async function pickSeries(page: Page, search: string): Promise<void> {
  const box = page.getByRole('combobox', { name: 'Currency' });
  await box.fill(search);
  await box.press('Enter');
}

/** Every chart of the page. */
export const PAGE_CHARTS = PAGE_PICTURES.flatMap(({ charts }) => charts);

export const svgOf = (page: Page, chart: string) => page.locator(`#${chart}-chart svg`);

/** Every chart is visible and has marks, and none is marked as empty. @param without ids of charts that have no data */
export async function expectAllDrawn(page: Page, without: readonly string[] = []): Promise<void> {
  for (const { id } of PAGE_CHARTS) {
    if (without.includes(id)) continue;
    const svg = svgOf(page, id);
    await svg.scrollIntoViewIfNeeded();
    expect(await svg.isVisible(), id).toBe(true);
    const box = await svg.boundingBox();
    expect(box?.width, id).toBeGreaterThan(100);
    expect(await svg.locator('.role-mark path, .role-mark text').count(), id).toBeGreaterThan(0);
  }
  // Some pictures need hours of prices, which the polls bring.
  await expect
    .poll(() => page.locator('.empty:visible').allInnerTexts(), { timeout: 60_000, interval: 200 })
    .toEqual([]);
}
