/** The windows a picture can show, in days. */
export const WINDOW_DAYS = { '24h': 1, '7d': 7, '30d': 30, '90d': 90, '1y': 365, '2y': 730 } as const;

export type PageWindow = keyof typeof WINDOW_DAYS;

export const PAGE_WINDOWS = Object.keys(WINDOW_DAYS) as readonly PageWindow[];

/** The windows of the average prices in the summary. */
export const AVERAGE_WINDOWS = ['1h', '24h', '90d', '1y', '2y'] as const;
