import { fork } from 'node:child_process';
import { once } from 'node:events';
import { fileURLToPath } from 'node:url';
import { emptyTickers } from '../race.ts';
import { resultOf, type Target } from '../target.ts';

const CHILD = fileURLToPath(new URL('index-cpu-child.ts', import.meta.url));

/** What the child process reports: CPU seconds for 100,000 tickers. */
export interface CpuFigures {
  handler: number;
  parse: number;
  heapMb: number;
}

/** CPU of the index handler in its own process, compared with `JSON.parse` of the same records alone. */
export const indexCpu: Target = async ({ openSearch, urls, rounds, say }) => {
  const runs: CpuFigures[] = [];
  for (let round = 1; round <= rounds; round++) {
    await emptyTickers(openSearch);
    const child = fork(CHILD, [JSON.stringify(urls)], { execArgv: ['--expose-gc'] });
    const [figures] = (await once(child, 'message')) as [CpuFigures];
    await once(child, 'exit');
    runs.push(figures);
    say(
      `index CPU, round ${round}: ${figures.handler.toFixed(2)} s, JSON.parse ${figures.parse.toFixed(2)} s per 100,000`,
    );
  }
  const note = `heap ${Math.max(...runs.map(({ heapMb }) => heapMb)).toFixed(0)} MB at most`;
  return [
    resultOf(
      'CPU of the index handler / JSON.parse',
      runs.map(({ handler, parse }) => handler / parse),
      { atMost: 2.0 },
      { unit: '×', note },
    ),
    resultOf(
      'heap of the index handler',
      runs.map(({ heapMb }) => heapMb),
      { atMost: 150 },
      { unit: 'MB' },
    ),
  ];
};
