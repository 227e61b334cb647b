import type { CurrencyPair } from '../../core/market/series.ts';
import { DAY_MS, HOUR_MS } from '../../core/market/time.ts';
import {
  addsUp,
  type Distances,
  type FoundStep,
  stepName,
  stepOf,
} from '../../core/operate/backfill/history-step.ts';
import { symbolName } from '../../core/operate/backfill/input.ts';
import { counted, formatCount } from '../../core/text/format.ts';
import { show } from '../../core/text/show.ts';
import type { Database } from '../../stores/duckdb/database.ts';
import { HistoryFileError } from './history-file-error.ts';
import { type HistoryOptions, STEPS, type StepChoice } from './options.ts';
import type { StagedFileReport } from './stage-files.ts';

/** A symbol of the table `sorted`. */
export interface SortedSymbol extends CurrencyPair {
  id: number;
  symbol: string;
  rows: number;
  stepMs: number;
}

/** Rows that do not start on their hour or day are left out if they are at most this share of all. */
const FEW = 0.01;

/** Sorts the rows of `staged` into the table `sorted`, and checks what can only be checked between rows. */
export async function checkRows(
  database: Database,
  files: readonly StagedFileReport[],
  { step, nowMs }: HistoryOptions,
): Promise<{ symbols: SortedSymbol[]; notes: string[]; total: number }> {
  const check = new Check(database, files);
  const found = await check.symbols();
  await check.sort();
  const repeated = await check.refuseContradictions();
  const symbols = await check.withSteps(found, step);
  const notes = [...check.absentRows(), ...repeated, ...(await check.offStep(symbols))];
  const { open, total } = await check.count(nowMs);
  if (open > 0) notes.push(`${counted(open, 'row')} of an hour or a day that is not over yet: left out`);
  if (total === 0) {
    const title = files[0]?.file ?? '';
    throw new HistoryFileError(title, 'there are no candles in it', { advice: 'It needs a row with prices' });
  }
  return { symbols, notes, total };
}

interface Place {
  file: number;
  n: bigint;
}

class Check {
  readonly #database: Database;
  readonly #files: readonly StagedFileReport[];

  constructor(database: Database, files: readonly StagedFileReport[]) {
    this.#database = database;
    this.#files = files;
  }

  /** @throws HistoryFileError at the first symbol that the function would refuse */
  async symbols(): Promise<Omit<SortedSymbol, 'stepMs'>[]> {
    const found = await this.#database.rows<{ symbol: string; rows: bigint } & Place>(
      `SELECT symbol, count(*) AS rows, min(file) AS file, arg_min(n, (file, n)) AS n
       FROM staged WHERE fault = 0 GROUP BY symbol ORDER BY file, n`,
    );
    for (const place of found) {
      const { error } = symbolName.safeParse(place.symbol);
      // Invisible characters are shown as their codes.
      const shown = show(place.symbol).replace(
        /[^\x20-\x7e]/g,
        (each) => `\\u{${each.codePointAt(0)?.toString(16)}}`,
      );
      if (error)
        throw await this.#errorAt(
          place,
          `the symbol is ${shown}`,
          'Expected 1 to 100 letters, digits and signs such as - / : _ @ $',
        );
    }
    const sorted = found
      .map((each) => ({ ...each, rows: Number(each.rows) }))
      .sort((a, b) => (a.symbol < b.symbol ? -1 : 1));
    return sorted.map(({ symbol, rows }, id) => ({ id, symbol, rows, ...this.#pairOf(symbol) }));
  }

  #pairOf(symbol: string): CurrencyPair {
    return this.#files.find(({ symbols, pair }) => pair.base && symbols[0] === symbol)?.pair ?? {};
  }

  async sort(): Promise<void> {
    await this.#database.run(`CREATE TABLE symbols AS
      SELECT symbol, (row_number() OVER (ORDER BY symbol COLLATE "C"))::INTEGER - 1 AS id
      FROM (SELECT DISTINCT symbol FROM staged WHERE fault = 0)`);
    await this.#database.run(`CREATE TABLE sorted AS
      SELECT id, start_us, file, n, open, high, low, close, volume, turnover
      FROM staged JOIN symbols USING (symbol) WHERE fault = 0 ORDER BY id, start_us, file, n`);
  }

  absentRows(): string[] {
    return this.#files.flatMap(({ file, withoutPrice }) =>
      withoutPrice === 0 ? [] : [`${file}: ${counted(withoutPrice, 'row')} without a price: left out`],
    );
  }

  /** Keeps one of rows for the same time. @returns notes about them */
  async refuseContradictions(): Promise<string[]> {
    const values = ['open', 'high', 'low', 'close', 'volume', 'turnover'];
    const names = ['id', 'start_us', 'file', 'n', ...values];
    const differs = values.map((name) => `${name} IS DISTINCT FROM before_${name}`).join(' OR ');
    const repeating = this.#files.flatMap(({ repeatsLastDay }, file) => (repeatsLastDay ? [file] : []));
    const isLastDay =
      repeating.length === 0
        ? 'false'
        : `file IN (${repeating.join(', ')}) AND start_us = (SELECT max(start_us) FROM sorted AS last WHERE last.id = pairs.id)`;
    const pairs = `(SELECT * FROM (
      SELECT ${names.join(', ')}, ${names.map((name) => `lag(${name}) OVER () AS before_${name}`).join(', ')} FROM sorted
    ) WHERE id = before_id AND start_us = before_start_us) AS pairs`;
    const [wrong] = await this.#database.rows<
      Place & { before_file: number; before_n: bigint; start_us: bigint }
    >(`SELECT * FROM ${pairs} WHERE (${differs}) AND NOT (${isLastDay}) LIMIT 1`);
    if (wrong) {
      const before = await this.#titleOf({ file: wrong.before_file, n: wrong.before_n });
      const problem = `another row for ${isoOf(wrong.start_us)} than in ${before}`;
      throw await this.#errorAt(wrong, problem, 'Remove one of the two');
    }
    const [{ same = 0n, later = 0n } = {}] = await this.#database.rows<{ same: bigint; later: bigint }>(
      `SELECT count(*) FILTER (NOT (${differs})) AS same, count(*) FILTER (${differs}) AS later FROM ${pairs}`,
    );
    if (same + later > 0) {
      await this.#database.run(
        `DELETE FROM sorted WHERE (file, n) IN (SELECT (before_file, before_n) FROM ${pairs})`,
      );
    }
    return [
      ...(same > 0 ? [`${counted(Number(same), 'row')} that repeat another: left out`] : []),
      ...(later > 0 ? ['the last day is there twice: its last row counts'] : []),
    ];
  }

  /** @throws HistoryFileError for a symbol whose step is not known, or does not add up to hours or days */
  async withSteps(
    symbols: readonly Omit<SortedSymbol, 'stepMs'>[],
    choice: StepChoice | undefined,
  ): Promise<SortedSymbol[]> {
    const distances = await this.#distances();
    const declared = await this.#declaredSteps();
    const steps = symbols.map(({ id, symbol }): FoundStep => {
      if (choice !== undefined) return { stepMs: STEPS[choice] };
      const declaredMs = declared.get(symbol);
      if (declaredMs !== undefined) return { stepMs: declaredMs };
      const found = stepOf(distances.get(id) ?? new Map());
      const named = this.#files.find((file) => file.symbols.includes(symbol) && file.named.stepMs)?.named
        .stepMs;
      return found ?? (named === undefined ? undefined : { stepMs: named });
    });
    // A single row has no distance; it gets the step that all other symbols share.
    const others = new Set(steps.flatMap((each) => (each && 'stepMs' in each ? each.stepMs : [])));
    const [common] = others.size === 1 ? others : [];
    const complete: SortedSymbol[] = [];
    for (const [index, each] of symbols.entries()) {
      const step = steps[index] ?? (each.rows === 1 && common !== undefined ? { stepMs: common } : undefined);
      complete.push({ ...each, stepMs: await this.#supported(each, step) });
    }
    const values = complete.map(
      ({ id, stepMs }) => `(${id}, ${stepMs * 1_000}, ${Math.max(stepMs, HOUR_MS) * 1_000})`,
    );
    await this.#database.run('CREATE TABLE steps (id INTEGER, step_us BIGINT, candle_us BIGINT)');
    await this.#database.run(`INSERT INTO steps VALUES ${values.join(', ')}`);
    return complete;
  }

  async #supported({ id, symbol, rows }: Omit<SortedSymbol, 'stepMs'>, step: FoundStep): Promise<number> {
    const choices = 'hourly and daily rows are read, and rows of 1 to 30 minutes that add up to hours';
    if (step && 'stepMs' in step && addsUp(step.stepMs)) return step.stepMs;
    const [first] = await this.#database.rows<Place>(
      `SELECT file, n FROM sorted WHERE id = ${id} ORDER BY file, n LIMIT 1`,
    );
    const place = first ?? { file: 0, n: 1n };
    if (step && 'mixed' in step) {
      const [short, long] = step.mixed.map(stepName);
      throw await this.#errorAt(
        place,
        `${symbol} has both ${short} and ${long} rows`,
        'Load them from separate files',
      );
    }
    if (step) throw await this.#errorAt(place, `${symbol} is ${stepName(step.stepMs)}`, `Only ${choices}`);
    const problem =
      rows === 1
        ? `${symbol} has one row, so how long it covers is unknown`
        : `the ${formatCount(rows)} rows of ${symbol} have no common distance, so how long each covers is unclear`;
    throw await this.#errorAt(place, problem, 'Set it with --step, for example --step hourly');
  }

  async #distances(): Promise<Map<number, Distances>> {
    const found = await this.#database.rows<{ id: number; ms: number; count: bigint }>(
      `SELECT id, ((start_us - before_us) // 1000)::DOUBLE AS ms, count(*) AS count FROM (
         SELECT id, start_us, lag(id) OVER () AS before_id, lag(start_us) OVER () AS before_us FROM sorted
       ) WHERE id = before_id GROUP BY ALL`,
    );
    const bySymbol = Map.groupBy(found, ({ id }) => id);
    return new Map(
      [...bySymbol].map(([id, ofSymbol]) => [
        id,
        new Map(ofSymbol.map(({ ms, count }) => [ms, Number(count)])),
      ]),
    );
  }

  /** The step that most rows declare themselves, if they have an end time. */
  async #declaredSteps(): Promise<Map<string, number>> {
    const found = await this.#database.rows<{ symbol: string; seconds: number }>(
      `SELECT symbol, mode(round(span_us / 1000000))::DOUBLE AS seconds FROM staged
       WHERE fault = 0 AND span_us > 0 GROUP BY symbol`,
    );
    return new Map(found.map(({ symbol, seconds }) => [symbol, seconds * 1_000]));
  }

  /** Rows that do not start on their hour or day. @throws HistoryFileError if they are many */
  async offStep(symbols: readonly SortedSymbol[]): Promise<string[]> {
    const isOff = 'step_us = candle_us AND start_us % step_us <> 0';
    const found = await this.#database.rows<{ id: number; count: bigint; start_us: bigint } & Place>(
      `SELECT id, count(*) AS count, arg_min(start_us, (file, n)) AS start_us, min(file) AS file,
         arg_min(n, (file, n)) AS n
       FROM sorted JOIN steps USING (id) WHERE ${isOff} GROUP BY id ORDER BY file, n`,
    );
    const notes: string[] = [];
    for (const { id, count, start_us, ...place } of found) {
      const { symbol, rows, stepMs } = symbols[id] as SortedSymbol;
      const [kind, expected] = stepMs === DAY_MS ? ['daily', 'at midnight UTC'] : ['hourly', 'on the hour'];
      if (Number(count) > FEW * rows) {
        const problem = `${symbol} is ${kind}, but this row starts at ${isoOf(start_us)}`;
        throw await this.#errorAt(place, problem, `Expected rows to start ${expected}: check the time zone`);
      }
      const where = await this.#titleOf(place);
      notes.push(
        `${symbol}: ${counted(Number(count), 'row')} that do not start ${expected} (the first is in ${where}): left out`,
      );
    }
    return notes;
  }

  /** The candles, and the rows of those that are not over. */
  async count(nowMs: number): Promise<{ total: number; open: number }> {
    const isOver = `(start_us // candle_us + 1) * candle_us <= ${nowMs * 1_000}`;
    const isOn = '(step_us < candle_us OR start_us % step_us = 0)';
    const [{ total = 0n, open = 0n } = {}] = await this.#database.rows<{ total: bigint; open: bigint }>(
      `SELECT count(*) FILTER (is_over AND (candle <> before_candle OR id <> before_id OR before_id IS NULL)) AS total,
         count(*) FILTER (NOT is_over) AS open
       FROM (SELECT id, candle, is_over, lag(id) OVER () AS before_id, lag(candle) OVER () AS before_candle
         FROM (SELECT id, start_us // candle_us AS candle, ${isOver} AS is_over
           FROM sorted JOIN steps USING (id) WHERE ${isOn}))`,
    );
    return { total: Number(total), open: Number(open) };
  }

  async #titleOf({ file, n }: Place): Promise<string> {
    const found = this.#files[file] as StagedFileReport;
    return `${found.file}, line ${await found.lineOf(Number(n))}`;
  }

  async #errorAt({ file, n }: Place, problem: string, advice: string): Promise<HistoryFileError> {
    const found = this.#files[file] as StagedFileReport;
    return new HistoryFileError(found.file, problem, { line: await found.lineOf(Number(n)), advice });
  }
}

function isoOf(us: bigint): string {
  return new Date(Number(us / 1_000n)).toISOString();
}
