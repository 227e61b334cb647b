import type { Candle } from '../../market/candle.ts';

/** An hour of a series (or a day, where history is daily), without its path. */
export type Hour = Omit<Candle, 'path'>;
