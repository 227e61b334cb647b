import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { markdownTable } from '../core/text/markdown-table.ts';
import { STAGE_NAMES, type StageName, stageConfig } from '../lib/config/stages.ts';
import { type CostLine, totalUsd } from './cost.ts';
import { type Estimate, estimateOf, fitted } from './estimate.ts';
import { FIGURE_VALUES, FIGURES } from './figures.ts';
import type { Inventory } from './growing.ts';
import { drawGrowth, growthTable } from './growth.ts';
import { inventoryOf } from './inventory.ts';
import { BROKER_HOUR, NODE_HOUR, PRICES, PRICES_DATE, PRICES_REGION, priceOf } from './prices.ts';
import { costRows, demandRows, dollars, headroomRows, type Rows, rounded } from './tables.ts';
import { LIKE_BYBIT, withSources } from './workload.ts';

/** The pages with computed tables. */
const SCALE_DOCUMENTS = ['README.md', 'docs/scale.md', 'docs/cost.md'] as const;

const fileOf = (document: string) => fileURLToPath(new URL(`../${document}`, import.meta.url));

const SCALES = [1, 10, 100];
const COSTS = [1, 3, 10];

/** Joins tables that share their first column: that column, then the second column of each table. */
function sideBySide(heads: readonly string[], tables: readonly Rows[]): Rows {
  const [first = []] = tables;
  return first.map(([name = ''], row) =>
    row === 0 ? ['', ...heads] : [name, ...tables.map((each) => each[row]?.[1] ?? '')],
  );
}

const pagesConfig = (stage: StageName, settings: object = {}) =>
  stageConfig(stage, { sources: [LIKE_BYBIT], ...settings });

/** Every computed table, by name. */
function scaleTables(): Record<string, string> {
  const inventories = Object.fromEntries(
    STAGE_NAMES.map((stage) => [stage, inventoryOf(pagesConfig(stage))]),
  ) as Record<StageName, Inventory>;
  const config = (stage: StageName, exchanges: number) => withSources(pagesConfig(stage), exchanges);
  const byDefault = (stage: StageName, exchanges: number) =>
    estimateOf(config(stage, exchanges), FIGURE_VALUES, inventories[stage]);
  /** With larger settings if the default ones are exceeded. */
  const thatFits = (stage: StageName, exchanges: number): ReturnType<typeof fitted> => {
    const estimate = byDefault(stage, exchanges);
    return estimate.headroom.some(({ state, raise }) => state === 'over' && raise)
      ? fitted(config(stage, exchanges), FIGURE_VALUES, inventories[stage])
      : { estimate, settings: {} };
  };
  const headOf = (stage: string, count: number) => `${stage}, ${count} exchange${count === 1 ? '' : 's'}`;

  const headroom = (stage: StageName): Rows => {
    const [one, ...more] = SCALES.map((count) => headroomRows(byDefault(stage, count).headroom));
    return (one ?? []).map((row, position) => {
      const [sign, what = '', , of = '', used, moves = ''] = row;
      if (position === 0) return ['limit', ...SCALES.map((count) => `used by ${count}`), 'of', 'raised by'];
      const others = more.map((each) => `${each[position]?.[0]} ${each[position]?.[4]}`);
      return [what, `${sign} ${used}`, ...others, of, moves];
    });
  };

  const fits = STAGE_NAMES.flatMap((stage) =>
    COSTS.map((count) => ({ head: headOf(stage, count), ...thatFits(stage, count) })),
  );
  const monthly = fits.map(({ estimate }) => estimate);
  const groups = [...new Set(monthly.flatMap(({ cost }) => cost.map(({ group }) => group)))];
  const ofGroup = (cost: readonly CostLine[], group: string) =>
    totalUsd(cost.filter((line) => line.group === group));

  const overview = STAGE_NAMES.map((stage) => byDefault(stage, 1));
  const main = ['Kafka', 'OpenSearch', 'network'];

  return {
    overview: markdownTable([
      [`per month, ${PRICES_DATE}, ${PRICES_REGION}, one source`, ...STAGE_NAMES],
      ...main.map((group) => [group, ...overview.map(({ cost }) => dollars(ofGroup(cost, group)))]),
      [
        'everything else',
        ...overview.map(({ cost }) => dollars(totalUsd(cost.filter(({ group }) => !main.includes(group))))),
      ],
      ['**total, about**', ...overview.map(({ usd }) => `**${dollars(usd)}**`)],
    ]),
    figures: markdownTable(
      [
        ['figure', 'value', 'basis', 'how'],
        ...Object.entries(FIGURES).map(([name, { value, unit, basis, how }]) => [
          `\`${name}\``,
          `${rounded(value)} ${unit}`,
          basis,
          how,
        ]),
      ],
      Number.POSITIVE_INFINITY,
    ),
    demand: markdownTable(
      sideBySide(
        SCALES.map((count) => headOf('prod', count)),
        SCALES.map((count) => demandRows(byDefault('prod', count).demand)),
      ),
    ),
    'limits-dev': markdownTable(headroom('dev'), Number.POSITIVE_INFINITY),
    'limits-prod': markdownTable(headroom('prod'), Number.POSITIVE_INFINITY),
    growth: growthTable(),
    fit: fitTable(SCALES.map((count) => ({ head: String(count), ...thatFits('prod', count) }))),
    monthly: markdownTable([
      ['per month', ...fits.map(({ head }) => head)],
      ...groups.map((group) => [group, ...monthly.map(({ cost }) => dollars(ofGroup(cost, group)))]),
      ['**total**', ...monthly.map(({ usd }) => `**${dollars(usd)}**`)],
    ]),
    'monthly-fit': fitTable(fits),
    'brokers-dev': brokerTable(inventories.dev),
    'lines-dev': markdownTable(costRows(byDefault('dev', 1).cost), 2),
    'lines-prod': markdownTable(costRows(byDefault('prod', 1).cost), 2),
    prices: markdownTable(
      [
        ['price', '$', 'per', 'confirmed by', 'page'],
        ...Object.entries({ ...PRICES, ...BROKER_HOUR, ...NODE_HOUR }).map(
          ([name, { usd, per, confirmed, page }]) => [
            `\`${name}\``,
            String(usd),
            per,
            confirmed,
            `<${page}>`,
          ],
        ),
      ],
      Number.POSITIVE_INFINITY,
    ),
  };
}

/** dev on each of the small broker types. */
function brokerTable(inventory: Inventory): string {
  return markdownTable([
    ['`stream.instanceType`', 'an hour', 'confirmed by', 'Kafka per month', 'dev per month'],
    ...['kafka.t3.small', 'kafka.m7g.large', 'kafka.m5.large'].map((instanceType) => {
      const config = withSources(pagesConfig('dev', { stream: { instanceType } }), 1);
      const { cost, usd } = estimateOf(config, FIGURE_VALUES, inventory);
      const { usd: hour, confirmed } = priceOf(BROKER_HOUR, instanceType);
      const kafka = totalUsd(cost.filter(({ group }) => group === 'Kafka'));
      return [`\`${instanceType}\``, `$${hour}`, confirmed, dollars(kafka), dollars(usd)];
    }),
  ]);
}

/** The settings that had to be raised, the limits that remain, and the cost. */
function fitTable(fits: readonly { head: string; estimate: Estimate; settings: object }[]): string {
  return markdownTable(
    [
      ['exchanges', 'required settings', 'still near (!) or over (✖) the limit', 'per month'],
      ...fits.map(({ head, estimate, settings }) => [
        head,
        Object.keys(settings).length > 0 ? `\`${JSON.stringify(settings)}\`` : 'defaults',
        estimate.headroom
          .filter(({ state }) => state !== 'ok')
          .map(
            ({ state, what, share }) => `${state === 'over' ? '✖' : '!'} ${what}: ${rounded(share * 100)} %`,
          )
          .join('; ') || 'nothing',
        dollars(estimate.usd),
      ]),
    ],
    3,
  );
}

/**
 * Replaces the tables of a page, each between `<!-- table: NAME -->` and `<!-- end -->`.
 * @throws Error if there is no such table
 */
export function withTables(page: string, tables: Readonly<Record<string, string>>): string {
  return page.replace(/(<!-- table: (\S+) -->\n)[\s\S]*?(<!-- end -->)/g, (_, begin, name, end) => {
    const table = tables[name];
    if (table === undefined) throw new Error(`There is no table "${name}".`);
    return `${begin}\n${table}\n\n${end}`;
  });
}

/** @returns the pages that were written, and the picture in one of them */
export async function writeScaleDocuments(): Promise<readonly string[]> {
  const tables = scaleTables();
  for (const document of SCALE_DOCUMENTS) {
    const file = fileOf(document);
    writeFileSync(file, withTables(readFileSync(file, 'utf8'), tables));
  }
  return [...SCALE_DOCUMENTS, await drawGrowth()];
}

/** The pages whose tables are out of date. */
export function staleScaleDocuments(): string[] {
  const tables = scaleTables();
  return SCALE_DOCUMENTS.filter((document) => {
    const page = readFileSync(fileOf(document), 'utf8');
    return withTables(page, tables) !== page;
  });
}
