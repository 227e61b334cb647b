import { DAY_MS, HOUR_MS } from '../market/time.ts';
import type { SummaryStore, TickHours } from './ports.ts';
import type { SummarySettings } from './settings.ts';
import { summariseHour } from './summarise-hour.ts';
import type { WrittenCandles } from './write-candles.ts';

interface LateHoursWork {
  ticks: TickHours;
  store: SummaryStore;
  settings: SummarySettings;
  hasTime: () => boolean;
  onHour: (written: WrittenCandles) => void;
}

/**
 * Makes the candles of hours recorded as late again, as far as the time allows. Hours that are not summarised yet
 * (from `untilMs` on, epoch ms) are left out: they will be, with these ticks.
 * @returns the first of them, epoch ms
 */
export async function summariseLateHours(
  untilMs: number,
  { ticks, store, settings, hasTime, onHour }: LateHoursWork,
): Promise<number | undefined> {
  const recorded = await store.lateHours();
  if (recorded.length === 0) return undefined;
  const left = new Set(recorded.filter((hourMs) => hourMs < untilMs).sort((a, b) => a - b));
  const [firstMs] = left;
  const saveLeft = () => store.setLateHours([...left]);
  const beforeReopening = async (dayMs: number) => {
    for (let ms = dayMs; ms < Math.min(dayMs + DAY_MS, untilMs); ms += HOUR_MS) left.add(ms);
    await saveLeft();
  };
  if (firstMs === undefined) await saveLeft();
  // Hours that are added meanwhile come last.
  for (const hourMs of left) {
    if (!hasTime()) break;
    left.delete(hourMs);
    onHour(await summariseHour(hourMs, ticks, { makeMoves: 'now', beforeReopening }, settings, store));
    await saveLeft();
  }
  return firstMs;
}
