import { fileURLToPath } from 'node:url';

/** The real hourly price history that comes with the project. */
export const HOURLY_HISTORY = fileURLToPath(new URL('../../../../data/hourly-2018.csv.gz', import.meta.url));

/** The real daily price history that comes with the project. */
export const DAILY_HISTORY = fileURLToPath(
  new URL('../../../../data/daily-2018-2021.csv.gz', import.meta.url),
);
