import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { beforeAll, describe, expect, it } from 'vitest';
import { buildApp, bybit } from './synthesised.ts';

interface Resource {
  Type: string;
  // biome-ignore lint/suspicious/noExplicitAny: a template's properties have no type.
  Properties: any;
}

interface TemplateFile {
  file: string;
  bytes: number;
  template: { Resources: Record<string, Resource>; Outputs?: object; Parameters?: object };
}

const sourcesOf = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    ...bybit,
    name: `venue-${n}`,
    exchange: `venue-${n}`,
  }));

function templatesWith(count: number): TemplateFile[] {
  const { app } = buildApp('prod', { sources: sourcesOf(count) });
  const { directory } = app.synth();
  return readdirSync(directory)
    .filter((file) => file.endsWith('.template.json'))
    .map((file) => {
      const text = readFileSync(join(directory, file), 'utf8');
      return { file, bytes: Buffer.byteLength(text), template: JSON.parse(text) };
    });
}

/** As long as what CloudFormation makes of it: a reference becomes a name or an ARN. */
const lengthOf = (value: unknown) =>
  JSON.stringify(value, (_, each) =>
    typeof each === 'object' &&
    ('Ref' in (each ?? {}) || 'Fn::GetAtt' in (each ?? {}) || 'Fn::ImportValue' in (each ?? {}))
      ? 'x'.repeat(120)
      : each,
  ).length;

describe('a stage with a hundred sources', () => {
  let files: TemplateFile[];
  const resources = (type: string) =>
    files.flatMap(({ template }) => Object.values(template.Resources)).filter(({ Type }) => Type === type);

  beforeAll(() => {
    files = templatesWith(100);
  });

  it('stays below 80 % of what CloudFormation allows in a template, and in a deployment', () => {
    expect(files.length).toBeGreaterThan(100);
    for (const { file, bytes, template } of files) {
      const { Resources, Outputs = {}, Parameters = {} } = template;
      expect(Object.keys(Resources).length, file).toBeLessThan(0.8 * 500);
      expect(Object.keys(Outputs).length, file).toBeLessThan(0.8 * 200);
      expect(Object.keys(Parameters).length, file).toBeLessThan(0.8 * 200);
      expect(bytes, file).toBeLessThan(0.8 * 1_000_000);
    }
    const deployed = files
      .filter(({ file }) => file.includes('stateless'))
      .reduce((sum, { template }) => sum + Object.keys(template.Resources).length, 0);
    // Of a stack with its nested stacks.
    expect(deployed).toBeLessThan(0.8 * 2_500);
  });

  it('stays below 80 % of what Lambda and IAM allow: environments, and policies of a role', () => {
    for (const { Properties } of resources('AWS::Lambda::Function')) {
      const variables = Properties.Environment?.Variables ?? {};
      expect(lengthOf(variables), Properties.Description).toBeLessThan(0.8 * 4_096);
    }
    for (const { Properties } of resources('AWS::IAM::Policy')) {
      expect(lengthOf(Properties.PolicyDocument), Properties.PolicyName).toBeLessThan(0.8 * 10_240);
    }
    expect(resources('AWS::IAM::Role').length).toBeLessThan(0.8 * 1_000);
  });

  it('stays below CloudWatch’s limits: alarms, members of a rule, alarms and metrics of a widget, log groups of a query', () => {
    const alarms = resources('AWS::CloudWatch::Alarm');
    expect(alarms.length).toBeLessThan(0.8 * 5_000);
    const rules = resources('AWS::CloudWatch::CompositeAlarm').map(({ Properties }) =>
      JSON.stringify(Properties.AlarmRule),
    );
    for (const rule of rules) {
      expect(rule.match(/ALARM\(/g)?.length).toBeLessThanOrEqual(100);
      expect(rule.length).toBeLessThan(3 * 10_240);
    }
    // One alarm pages: it asks the others for each source's heartbeat and each exchange's freshness.
    expect(rules.join().match(/Heartbeat|Freshness/g)).toHaveLength(200);
    const [page, ...more] = resources('AWS::CloudWatch::CompositeAlarm').filter(
      ({ Properties }) => Properties.AlarmActions,
    );
    expect(more).toEqual([]);
    expect(JSON.stringify(page?.Properties.AlarmRule).match(/DataNotArrivingPart\d/g)).toHaveLength(
      rules.length - 1,
    );

    const [dashboard] = resources('AWS::CloudWatch::Dashboard');
    const body = dashboard?.Properties.DashboardBody['Fn::Join'][1]
      .map((part: unknown) => (typeof part === 'string' ? part : 'x'))
      .join('');
    const { widgets } = JSON.parse(body) as {
      widgets: { properties: { alarms?: unknown[]; metrics?: unknown[]; query?: string } }[];
    };
    for (const { properties } of widgets) {
      expect(properties.alarms?.length ?? 0).toBeLessThanOrEqual(100);
      expect(properties.metrics?.length ?? 0).toBeLessThanOrEqual(100);
      expect(properties.query?.match(/SOURCE/g)?.length ?? 0).toBeLessThanOrEqual(50);
    }
    const shown = widgets.reduce((sum, { properties }) => sum + (properties.alarms?.length ?? 0), 0);
    expect(shown).toBeGreaterThan(alarms.length);
  });
});

describe('more sources than a deployment can hold', () => {
  it('are refused, with the number that it can', () => {
    expect(() => buildApp('prod', { sources: sourcesOf(121) })).toThrow(
      'One stage can have 120 sources, not 121: CloudFormation refuses larger deployments.',
    );
  });
});

describe('another source', () => {
  it('changes nothing of those that are there', () => {
    const nestedIn = (files: TemplateFile[]) =>
      new Map(
        files
          .filter(({ file }) => file.endsWith('.nested.template.json'))
          .map(({ file, template }) => [file, template]),
      );
    const [two, three] = [nestedIn(templatesWith(2)), nestedIn(templatesWith(3))];
    expect(two.size).toBe(2);
    for (const [file, template] of two) expect(three.get(file)).toEqual(template);
    expect(three.size).toBe(3);
  });
});
