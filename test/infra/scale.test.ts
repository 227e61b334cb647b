import { describe, expect, it } from 'vitest';
import { stageConfig } from '../../lib/config/stages.ts';
import { MOST_SOURCES } from '../../lib/stacks/pipeline.ts';
import { command } from '../../scale/command.ts';
import { staleScaleDocuments, withTables } from '../../scale/documents.ts';
import { at } from '../../scale/growing.ts';
import { inventoryOf } from '../../scale/inventory.ts';
import { STACK } from '../../scale/limits.ts';
import { runHere } from '../run-here.ts';
import { synthesise } from './synthesised.ts';

const scale = (...args: string[]) => runHere(command, ...args);

describe('the pages about scale and cost', () => {
  it('are up to date; otherwise run "npm run scale -- --write-docs"', () => {
    expect(staleScaleDocuments()).toEqual([]);
  });

  it('cannot contain an unknown table', () => {
    expect(() => withTables('<!-- table: none -->\n<!-- end -->', {})).toThrow('no table "none"');
  });
});

describe('the inventory of the templates', () => {
  it('is counted with one source and with two', () => {
    const { functions, secrets, alarmMetrics, deployedResources } = inventoryOf(stageConfig('dev'));
    const { stateful, stateless } = synthesise('dev');
    const found = [stateful, stateless].map((each) => each.findResources('AWS::Lambda::Function'));
    const inAll = found.reduce((sum, each) => sum + Object.keys(each).length, 0);
    expect(functions).toEqual({ fixed: inAll - 1, perSource: 1 });
    expect(secrets).toEqual({ fixed: 2, perSource: 0 });
    expect(alarmMetrics.perSource).toBeGreaterThan(0);
    const { Resources } = stateless.toJSON() as { Resources: object };
    expect(at(deployedResources, MOST_SOURCES)).toBeLessThan(STACK.resourcesOfAnOperation);
    // And the nested stack itself.
    expect(deployedResources.fixed + deployedResources.perSource).toBe(Object.keys(Resources).length + 1);
  });
});

describe('npm run scale', () => {
  it('prints JSON, and exits with 1 if a limit is exceeded', async () => {
    const many = await scale(
      '--stage',
      'dev',
      '--exchanges',
      '100',
      '--tickers-per-exchange',
      '100',
      '--json',
    );
    expect(many.code).toBe(1);
    const { demand, headroom } = JSON.parse(many.stdout) as {
      demand: { series: number };
      headroom: { what: string; state: string }[];
    };
    expect(demand.series).toBe(10_000);
    expect(headroom.find(({ what }) => what === 'OpenSearch: storage')?.state).toBe('over');
    expect(headroom.find(({ what }) => what === 'CloudFormation: resources per stack')?.state).toBe('ok');
  });

  it('prints tables and the required settings', async () => {
    const { code, stdout } = await scale('--stage', 'prod', '--exchanges', '3', '--fit');
    expect(code).toBe(0);
    expect(stdout).toContain('Stage prod, 3 exchange(s)');
    expect(stdout).toMatch(/Required settings.*\n\{/);
    expect(stdout).toMatch(/total +\$\d/);
  });

  it.each([
    [['--stage', 'test'], /There is no stage "test"/],
    [['--settings', 'nowhere.json'], /Cannot read the settings in nowhere\.json/],
    [['--every-minutes', '7'], /samplingIntervalMinutes/],
  ])('explains what is wrong with %j', async (args, message) => {
    const { code, stdout, stderr } = await scale(...args);
    expect({ code, stdout }).toEqual({ code: 2, stdout: '' });
    expect(stderr).toMatch(message);
  });
});
