import { DAY_MS, HOUR_MS } from '../market/time.ts';
import type { SummaryStore, TickHours } from './ports.ts';
import type { SummarySettings } from './settings.ts';
import { summariseHour, type WrittenHour } from './summarise-hour.ts';

interface LateHoursWork {
  ticks: TickHours;
  store: SummaryStore;
  settings: SummarySettings;
  hasTime: () => boolean;
  onHour: (written: WrittenHour) => void;
}

/**
 * Makes the candles of hours with late ticks again, as time allows. Hours that are not summarised yet (from
 * `untilMs` on, epoch ms) are left out: they will be, with these ticks.
 * @param hours their starts, epoch ms
 * @returns the first of them, epoch ms
 */
export async function summariseLateHours(
  hours: readonly number[],
  untilMs: number,
  { ticks, store, settings, hasTime, onHour }: LateHoursWork,
): Promise<number | undefined> {
  if (hours.length === 0) return undefined;
  const left = new Set(hours.filter((hourMs) => hourMs < untilMs).sort((a, b) => a - b));
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
    const options = { makeMoves: 'now', beforeReopening, hasTime } as const;
    const written = await summariseHour(hourMs, ticks, options, settings, store);
    onHour(written);
    if (!written.isComplete) break;
    await saveLeft();
  }
  return firstMs;
}
