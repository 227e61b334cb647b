/**
 * The colours of the charts, by meaning: the hues of Okabe and Ito (2008), which people with any colour vision can tell
 * apart, adjusted until they stand out against both white and black. The report page defines its own shades under the same
 * names, for light, dark and print.
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

/** The colours of series, in order. */
export const SERIES_COLOURS = (['main', 'second', 'third', 'fourth', 'fifth', 'sixth'] as const).map(colour);
