/**
 * The colours of the charts, by what they mean. Hues of Okabe and Ito's palette (2008), which people with any colour
 * vision tell apart, darkened or lightened until they stand out against white and against black alike.
 * The report page has its own shades for light, dark and paper under the same names.
 */
export const PALETTE = {
  main: '#2f7fb8',
  rise: '#2f7fb8',
  fall: '#d0661a',
  gap: '#d0661a',
  second: '#d0661a',
  third: '#159a76',
  fourth: '#b86a98',
  fifth: '#4aa3d8',
  sixth: '#c99a1c',
  muted: '#8a8f98',
} as const;

export type ColourName = keyof typeof PALETTE;

/** A colour in a chart specification. */
export const colour = (name: ColourName): string => `var(--${name})`;

/** For series, in this order. */
export const SERIES_COLOURS = (['main', 'second', 'third', 'fourth', 'fifth', 'sixth'] as const).map(colour);
