/// <reference lib="dom" />
/// <reference lib="dom.iterable" />

import { PAGE_PICTURES } from '../../charts/pictures/all.ts';
import type { PagePicture } from '../../charts/pictures/chart.ts';
import { isOfOneCurrency } from '../../charts/questions.ts';
import { PAGE_WINDOWS, type PageWindow } from '../../charts/windows.ts';
import { byId, element } from './elements.ts';
import { type PictureSection, pictureSection } from './picture-section.ts';
import { seriesPicker } from './series-picker.ts';
import { openSource, type ReportSource } from './source.ts';
import { showSummary } from './summary.ts';
import { seriesWords, timeWords, windowWords } from './words.ts';

/** How often the page asks the server for news. */
const PULSE_MS = 2_000;

/** What the reader picked. It is part of the page's address, so that links keep it. */
interface Picked {
  series: string | undefined;
  /** Absent: each picture's usual window. */
  window: PageWindow | undefined;
}

const windowPicker = byId<HTMLSelectElement>('window');
const clock = byId('clock');
const alertBox = byId('alert');
const announcement = byId('announcement');

const picked: Picked = pickedInAddress();
let newestSlotMs: number | undefined;

const source = await openSource();
const sections = PAGE_PICTURES.map((picture) => makeSection(picture, source));
byId('pictures').append(...sections.map((section) => section.element));
const currencyPicker = seriesPicker(byId('currency'), {
  search: (text) => source.choices(text, picked.series),
  onPick: (series) => pick({ series }),
});
fillWindowPicker();
windowPicker.addEventListener('change', () =>
  pick({ window: (windowPicker.value || undefined) as PageWindow | undefined }),
);

await guarded(async () => {
  await loadChoices();
  await showAll();
});
document.documentElement.dataset.ready = 'true';
if (source.pulse) watch(source.pulse);

function makeSection(picture: PagePicture, from: ReportSource): PictureSection {
  return pictureSection(picture, (window) =>
    isOfOneCurrency(picture) && picked.series === undefined
      ? Promise.resolve(undefined)
      : from.picture({ picture: picture.id, series: picked.series, window }),
  );
}

/** Shows what was picked, and announces it to screen readers. */
async function pick(change: Partial<Picked>): Promise<void> {
  Object.assign(picked, change);
  writeAddress();
  await guarded(showAll);
  const window = picked.window ? windowWords(picked.window) : 'each picture’s usual window';
  announcement.textContent = `Showing ${picked.series ? seriesWords(picked.series) : 'all'}, ${window}.`;
}

/** From top to bottom: side by side, a question about every market would delay the first picture. */
async function showAll(): Promise<void> {
  for (const section of sections) section.markStale();
  const parts = [showPickedSummary, ...sections.map((section) => () => section.refresh(picked.window))];
  const failures: unknown[] = [];
  for (const show of parts) await show().catch((error: unknown) => failures.push(error));
  if (failures.length > 0) throw failures[0];
}

async function showPickedSummary(): Promise<void> {
  const { series } = picked;
  showSummary(byId('summary'), series, series === undefined ? undefined : await source.summary(series));
}

async function loadChoices(): Promise<void> {
  const { asOfMs, choices, isPickedKnown } = await source.choices('', picked.series);
  showClock(asOfMs);
  // If the series in a link no longer exists, show the one with the highest turnover.
  if (!isPickedKnown) picked.series = choices[0]?.series;
  currencyPicker.show(picked.series);
  byId('nothing').hidden = choices.length > 0;
}

function fillWindowPicker(): void {
  windowPicker.append(
    element('option', { value: '' }, 'as usual for each picture'),
    ...PAGE_WINDOWS.map((window) => element('option', { value: window }, windowWords(window))),
  );
  windowPicker.value = picked.window ?? '';
}

/**
 * Polls the server and refreshes the visible pictures; the others are refreshed when they scroll into view.
 */
function watch(pulse: NonNullable<ReportSource['pulse']>): void {
  const beat = async () => {
    if (!document.hidden) {
      await guarded(async () => {
        const { asOfMs, newestSlotMs: newest } = await pulse();
        showClock(asOfMs);
        if (newest !== newestSlotMs) {
          newestSlotMs = newest;
          for (const section of sections) section.markStale();
          await loadChoices();
          await showPickedSummary();
        }
        // This also retries sections whose last refresh failed.
        for (const section of sections) if (section.isInSight()) await section.refresh(picked.window, true);
      });
    }
    setTimeout(beat, PULSE_MS);
  };
  const whenScrolled = new IntersectionObserver((entries) => {
    for (const { target, isIntersecting } of entries) {
      const section = sections.find((each) => each.element === target);
      if (isIntersecting && section) void guarded(() => section.refresh(picked.window, true));
    }
  });
  for (const section of sections) whenScrolled.observe(section.element);
  setTimeout(beat, PULSE_MS);
}

function showClock(asOfMs: number): void {
  clock.textContent = timeWords(asOfMs);
  clock.setAttribute('datetime', new Date(asOfMs).toISOString());
}

/** Shows failures on the page, and keeps what was shown before. */
async function guarded(work: () => Promise<void>): Promise<void> {
  try {
    await work();
    alertBox.hidden = true;
  } catch (error) {
    alertBox.textContent = error instanceof Error ? error.message : String(error);
    alertBox.hidden = false;
  }
}

function pickedInAddress(): Picked {
  const address = new URLSearchParams(location.hash.slice(1));
  const window = address.get('window') as PageWindow | null;
  return {
    series: address.get('series') ?? undefined,
    window: window && PAGE_WINDOWS.includes(window) ? window : undefined,
  };
}

function writeAddress(): void {
  const address = new URLSearchParams();
  if (picked.series) address.set('series', picked.series);
  if (picked.window) address.set('window', picked.window);
  history.replaceState(null, '', `#${address}`);
}
