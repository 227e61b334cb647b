import { logger, parse, type Spec, View, Warn } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import { markData } from '../../charts/mark-data.ts';
import type { Chart, Json } from '../../charts/pictures/chart.ts';
import { type Row, tableRows } from '../../charts/table-rows.ts';

/** A chart drawn without a browser. */
export interface Drawing {
  svg: string;
  /** The number of marks, without axes and legends. */
  marks: number;
  /** The rows behind a layer's marks. */
  rows(layer: string): Row[];
}

/** Compiles a Vega-Lite specification; warnings are errors. */
export function compiled(spec: Json): Spec {
  const warnings: string[] = [];
  const listening = logger(Warn);
  listening.warn = (...texts) => {
    warnings.push(texts.join(' '));
    return listening;
  };
  const { spec: vega } = compile({ height: 200, ...spec, width: 600 } as unknown as TopLevelSpec, {
    logger: listening,
  });
  if (warnings.length > 0) throw new Error(`Vega-Lite warns: ${warnings.join('; ')}`);
  return vega;
}

/** Draws a Vega-Lite specification without a browser. */
export async function draw(spec: Json): Promise<Drawing> {
  const vega = compiled(spec);
  const view = new View(parse(vega), { renderer: 'none', logLevel: 1 });
  const svg = await view.toSVG();
  return {
    svg,
    marks: countMarks((view.scenegraph() as unknown as { root: SceneNode }).root),
    rows(layer) {
      const name = markData(vega, layer);
      if (name === undefined) throw new Error(`No mark is drawn from a layer "${layer}"`);
      return view.data(name);
    },
  };
}

/** The rows of a chart's table. */
export function tableOf(drawing: Drawing, chart: Chart): Row[] {
  return tableRows(chart, (layer) => drawing.rows(layer));
}

interface SceneNode {
  role?: string;
  marktype?: string;
  items?: SceneNode[];
}

function countMarks({ role, marktype, items = [] }: SceneNode): number {
  if (role === 'mark' && marktype !== 'group') return items.length;
  return items.reduce((sum, item) => sum + countMarks(item), 0);
}
