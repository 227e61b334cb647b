import { globSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { cruise, type ICruiseResult, type IViolation } from 'dependency-cruiser';
import { beforeAll, describe, expect, it } from 'vitest';

const ROOT = fileURLToPath(new URL('../../..', import.meta.url));

/** The rooms that each room may import, besides itself; docs/architecture.md explains the floors. */
const MAY_IMPORT: Readonly<Record<string, readonly string[]>> = {
  core: [],
  stores: ['core'],
  exchanges: ['core'],
  charts: ['core'],
  lambdas: ['core', 'stores', 'exchanges', 'charts'],
  local: ['core', 'stores', 'exchanges', 'charts', 'lambdas'],
  report: ['core', 'stores', 'exchanges', 'charts', 'lambdas'],
  lib: ['core', 'exchanges', 'charts'],
  bin: ['core', 'exchanges', 'charts', 'lib'],
  cli: ['core', 'stores', 'exchanges', 'charts', 'lambdas', 'local', 'report', 'lib', 'bin'],
  bench: ['core', 'stores', 'exchanges', 'charts', 'lambdas', 'local', 'report', 'lib', 'bin'],
  scale: ['core', 'stores', 'exchanges', 'charts', 'lambdas', 'local', 'report', 'lib', 'bin'],
};
const ROOMS = Object.keys(MAY_IMPORT);

/** What the rules of the market may be written with. */
const CORE_PACKAGES = ['zod', 'cockatiel'];

const MOST_LINES = 400;
/** Files that may be longer, and why. */
const LONG_FILES: Readonly<Record<string, string>> = {
  'report/page/page.css': 'one style sheet for one page',
};

const inRoom = (rooms: readonly string[]) => `^(${rooms.join('|')})/`;

const RULES = [
  ...Object.entries(MAY_IMPORT).map(([room, below]) => ({
    name: `${room} imports only what is below it`,
    severity: 'error' as const,
    from: { path: inRoom([room]) },
    to: { path: inRoom(ROOMS), pathNot: inRoom([room, ...below]) },
  })),
  {
    name: 'core needs no SDK',
    severity: 'error' as const,
    from: { path: inRoom(['core']) },
    to: {
      dependencyTypes: ['npm' as const, 'npm-dev' as const, 'unknown' as const], // unknown: packages of ES modules only
      pathNot: `node_modules/(${CORE_PACKAGES.join('|')})/`,
    },
  },
  {
    name: 'only exchanges/ccxt imports ccxt, which is large',
    severity: 'error' as const,
    from: { pathNot: '^exchanges/ccxt/' },
    to: { path: '^ccxt$|node_modules/ccxt/' },
  },
  {
    name: 'only the compact function contains DuckDB, which is 70 MB',
    severity: 'error' as const,
    from: { path: '^lambdas/(?!compact/)' },
    to: { path: '@duckdb/|^stores/duckdb/', reachable: true },
  },
  {
    name: 'only stores/duckdb imports DuckDB',
    severity: 'error' as const,
    from: { pathNot: '^(stores/duckdb|bench)/' },
    to: { path: '@duckdb/' },
  },
  {
    name: 'the list of sources needs no client',
    severity: 'error' as const,
    from: { path: '^exchanges/source-config' },
    to: { path: '^exchanges/(ccxt/|http/client)', reachable: true },
  },
  { name: 'no circles', severity: 'error' as const, from: {}, to: { circular: true } },
];

describe('the floors of the house', () => {
  let violations: readonly IViolation[] = [];
  let filesRead = 0;

  beforeAll(async () => {
    const { output } = await cruise(ROOMS, {
      baseDir: ROOT,
      parser: 'swc',
      tsPreCompilationDeps: true, // type imports count as well
      doNotFollow: { path: 'node_modules' },
      validate: true,
      ruleSet: { forbidden: RULES },
    });
    const { summary } = output as ICruiseResult;
    violations = summary.violations;
    filesRead = summary.totalCruised;
  });

  it('covers every folder with source files', () => {
    const folders = globSync('*/**/*.ts', { cwd: ROOT, exclude: ['node_modules', 'cdk.out', 'coverage'] });
    const rooms = new Set(folders.map((path) => path.split('/')[0]));
    expect([...rooms].sort()).toEqual([...ROOMS, 'test'].sort());
  });

  it('reads every source file', () => {
    expect(filesRead).toBeGreaterThan(sourceFiles().length);
  });

  it.each(RULES.map(({ name }) => name))('%s', (name) => {
    const broken = violations
      .filter(({ rule }) => rule.name === name)
      .map(({ from, to }) => `${from} -> ${to}`);
    expect(broken).toEqual([]);
  });

  it(`keeps every file at ${MOST_LINES} lines or fewer, apart from those listed with a reason`, () => {
    const tooLong = sourceFiles().filter((path) => linesIn(path) > MOST_LINES);
    expect(tooLong.sort()).toEqual(Object.keys(LONG_FILES).sort());
  });
});

function sourceFiles(): string[] {
  return globSync(
    ROOMS.map((room) => `${room}/**/*.{ts,css,java}`),
    { cwd: ROOT },
  );
}

function linesIn(path: string): number {
  return readFileSync(`${ROOT}/${path}`, 'utf8').trimEnd().split('\n').length;
}
