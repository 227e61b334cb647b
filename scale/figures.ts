import file from './figures.json' with { type: 'json' };

/** An input of the model. */
export interface Figure {
  value: number;
  unit: string;
  /** `measured`: on real local engines, or `assumed`. */
  basis: string;
  /** The command that measured it, or the reason for the assumption. */
  how: string;
}

export type FigureName = keyof typeof file.figures;
export type Figures = Readonly<Record<FigureName, number>>;

/** Each input, with its source. */
export const FIGURES: Readonly<Record<FigureName, Figure>> = file.figures;

/** The values alone. */
export const FIGURE_VALUES = Object.fromEntries(
  Object.entries(FIGURES).map(([name, { value }]) => [name, value]),
) as Figures;
