import { fileURLToPath } from 'node:url';
import type { Browser, Page } from 'playwright-core';
import type { Spec } from 'vega';
import { markData } from '../../charts/mark-data.ts';
import type { Json } from '../../charts/pictures/chart.ts';
import type { Row } from '../../charts/table-rows.ts';

/** The pairs of Vega and Vega-Lite that charts are drawn with, by the folders of their packages. */
export const VERSIONS = {
  'Vega 5.23 and Vega-Lite 5.6, as in OpenSearch Dashboards 2.8': ['vega-5.23', 'vega-lite-5.6'],
  'the newest Vega 5 and Vega-Lite 5': ['vega-5', 'vega-lite-5'],
  'Vega 6 and Vega-Lite 6': ['vega', 'vega-lite'],
} as const;

/** Colours that Dashboards gives to what a specification leaves open, by theme. */
const THEMES = {
  light: { panel: '#ffffff', title: '#343741', label: '#69707d', lines: '#eef2f7' },
  dark: { panel: '#1d1e24', title: '#d4dae5', label: '#98a2b3', lines: '#343741' },
} as const;

export type Theme = keyof typeof THEMES;

/** A chart to draw: a specification with the answers to its queries in place. */
export interface PanelInput {
  id: string;
  spec: Json;
  /** Pixels. @default 620 × 300 */
  width?: number;
  height?: number;
}

/** A drawn chart. */
export interface Panel {
  /** Warnings and errors of Vega and Vega-Lite, without those about layers that have no data. */
  complaints: string[];
  /** The number of visible marks, without axes and legends. */
  marks: number;
  /** Runs in the page with this panel's view. */
  evaluate<T>(run: (view: PageView) => T): Promise<T>;
  /** The rows behind a layer's marks. */
  rows(layer: string): Promise<Row[]>;
  /** Filters that clicks in the chart have added to the dashboard. */
  filters(): Promise<AddedFilter[]>;
}

export interface AddedFilter {
  query: Json;
  index: string;
  alias: string;
}

/** The part of a Vega view that tests use. */
interface PageView {
  data(name: string): Row[];
  signal(name: string): unknown;
  scale(name: string): { domain(): unknown[]; range(): unknown[] };
}

interface PageLibraries {
  vega: typeof import('vega');
  vegaLite: typeof import('vega-lite');
  panels: Record<string, { view: PageView; spec: Spec; complaints: string[]; filters: AddedFilter[] }>;
}

/**
 * Draws charts beside each other on one page, as the Vega plugin of OpenSearch Dashboards does: the same defaults, sizes,
 * places for controls and expression functions (`vega_parser.ts`, `vega_base_view.js` and `vega_view.js` in its
 * src/plugins/vis_type_vega/public).
 */
export async function drawBoard(
  browser: Browser,
  [vega, vegaLite]: readonly [string, string],
  theme: Theme,
  inputs: readonly PanelInput[],
): Promise<{ page: Page; panels: Record<string, Panel> }> {
  const page = await browser.newPage({ viewport: { width: 1320, height: 900 } });
  await page.setContent(`<html><body style="margin:0;background:${THEMES[theme].panel}"></body></html>`);
  for (const file of [`${vega}/build/vega.min.js`, `${vegaLite}/build/vega-lite.min.js`]) {
    await page.addScriptTag({ path: fileURLToPath(new URL(`../../node_modules/${file}`, import.meta.url)) });
  }
  const compiled = await page.evaluate(drawPanels, {
    inputs: JSON.stringify(inputs),
    colours: THEMES[theme],
  });
  const panels = Object.entries(compiled).map(([id, { spec, complaints, marks }]): [string, Panel] => [
    id,
    {
      complaints,
      marks,
      evaluate: (run) => page.evaluate(`(${run})(panels[${JSON.stringify(id)}].view)`) as Promise<never>,
      async rows(layer) {
        const data = markData(spec, layer);
        if (data === undefined) throw new Error(`No mark of ${id} is drawn from a layer "${layer}"`);
        return (await page.evaluate(
          `panels[${JSON.stringify(id)}].view.data(${JSON.stringify(data)}).map((row) => ({ ...row }))`,
        )) as Row[];
      },
      filters: () => page.evaluate(`panels[${JSON.stringify(id)}].filters`) as Promise<AddedFilter[]>,
    },
  ]);
  return { page, panels: Object.fromEntries(panels) };
}

interface Drawn extends Pick<Panel, 'complaints' | 'marks'> {
  /** Without its data. */
  spec: Spec;
}

/** Runs in the page. */
async function drawPanels({
  inputs,
  colours,
}: {
  /** {@link PanelInput}s as JSON, which reaches the page much faster. */
  inputs: string;
  colours: (typeof THEMES)[Theme];
}): Promise<Record<string, Drawn>> {
  const libraries = globalThis as unknown as PageLibraries;
  const { vega, vegaLite } = libraries;
  libraries.panels = {};
  vega.expressionFunction(
    'opensearchDashboardsAddFilter',
    function (
      this: { context: { dataflow: { board: { filters: AddedFilter[] } } } },
      query: Json,
      index: string,
      alias: string,
    ) {
      this.context.dataflow.board.filters.push({ query, index, alias });
    },
  );
  const drawn: Record<string, Drawn> = {};
  for (const { id, spec, width = 620, height = 300 } of JSON.parse(inputs) as PanelInput[]) {
    const complaints: string[] = [];
    drawn[id] = { ...(await draw(id, spec, width, height, complaints)), complaints };
  }
  return drawn;

  async function draw(id: string, spec: Json, width: number, height: number, complaints: string[]) {
    const { kibana: _, ...config } = (spec.config ?? {}) as Json;
    const withDefaults = {
      ...spec,
      width: 'container',
      height: 'container',
      autosize: { type: 'fit', contains: 'padding' },
      config: withDefaultColours(config),
    };
    const logger = vega.logger(vega.Warn);
    logger.warn = (...texts) => {
      const text = texts.join(' ');
      if (!text.startsWith('Infinite extent')) complaints.push(text);
      return logger;
    };
    const { spec: compiled } = vegaLite.compile(withDefaults as never, { logger });
    const [container, controls] = addPanel(id, width, height);
    const view = new vega.View(vega.parse(compiled as never, undefined, { ast: false } as never), {
      renderer: 'svg',
      logLevel: vega.Warn,
      logger: logger as never,
    });
    logger.error = (...texts) => {
      complaints.push(texts.map(String).join(' '));
      return logger;
    };
    const filters: AddedFilter[] = [];
    Object.assign(view, { board: { filters } });
    view.width(container.clientWidth).height(container.clientHeight - 6);
    view.initialize(container, controls);
    await view.runAsync();
    libraries.panels[id] = { view: view as never, spec: compiled as never, complaints, filters };
    const marks = container.querySelectorAll('.role-mark path, .role-mark text, .role-mark image');
    const visible = [...marks].filter(
      (mark) => mark.getAttribute('opacity') !== '0' && mark.getAttribute('d') !== '',
    );
    return { spec: { marks: compiled.marks ?? [] }, marks: visible.length };
  }

  function addPanel(id: string, width: number, height: number): [HTMLElement, HTMLElement] {
    const panel = document.createElement('div');
    panel.id = id;
    panel.style.cssText = `float:left;margin:8px;width:${width}px;height:${height}px;display:flex;flex-direction:column`;
    panel.innerHTML = `<div class="view" style="flex:1 1 100%;min-height:0;width:100%"></div><div class="controls" style="font:14px sans-serif;color:${colours.title}"></div>`;
    document.body.append(panel);
    return [panel.children[0] as HTMLElement, panel.children[1] as HTMLElement];
  }

  /** What a specification does not say about colours. */
  function withDefaultColours(config: Json): Json {
    const defaults: Record<string, Json> = {
      mark: { color: '#54b399' },
      title: { color: colours.title },
      axis: { tickColor: colours.lines, domainColor: colours.lines, gridColor: colours.lines },
    };
    const styles: Record<string, Json> = {
      'guide-label': { fill: colours.label },
      'guide-title': { fill: colours.title },
      'group-title': { fill: colours.title },
      'group-subtitle': { fill: colours.title },
    };
    const merged = (given: Json | undefined, of: Record<string, Json>) =>
      Object.fromEntries(
        [...new Set([...Object.keys(given ?? {}), ...Object.keys(of)])].map((key) => [
          key,
          { ...of[key], ...(given?.[key] as Json | undefined) },
        ]),
      );
    return {
      background: 'transparent',
      ...config,
      ...merged(
        Object.fromEntries(Object.entries(config).filter(([key]) => key in defaults)) as Json,
        defaults,
      ),
      style: merged(config.style as Json | undefined, styles),
    };
  }
}
