import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { StageSettings } from '../../../lib/config/settings.ts';
import { synthesise } from '../../infra/synthesised.ts';
import { cfnLint, REGIONS, registrySchemas, type Schema, type SchemaOf } from './cfn-lint.ts';

/*
 * That cfn-lint compares every property with CloudFormation's registry is shown by planting faults: it finds nothing in
 * our templates (cfn-lint.test.ts), and in copies of them it has to find each of these.
 */

interface TemplateFile {
  Resources: Record<string, { Type: string; Properties: Record<string, unknown> }>;
}

/** Where something is in a template, as cfn-lint names it. */
type Place = (string | number)[];

/** A value that a template gives, and what the registry says of it. */
interface Given {
  place: Place;
  value: unknown;
  schema: Schema;
}

/** Of what cfn-lint prints with `--format json`. */
interface Finding {
  Filename: string;
  Rule: { Id: string };
  Location: { Path: Place | null };
}

/** A kind of fault, and what cfn-lint calls it. */
interface Fault {
  rules: string[];
  /** Plants it at a value, if it can be; answers where it has to be found. */
  plant(template: TemplateFile, given: Given): Place | undefined;
}

/** With everything switched on. */
const EVERYTHING: StageSettings = {
  bastion: true,
  alarms: { chat: [{ app: 'slack', workspaceId: 'T012ABC', channelId: 'C012ABC', topics: ['pages'] }] },
  budget: { monthlyUsd: 100 },
};

/** The first resource of each type, of both stacks. */
function samples(): TemplateFile['Resources'] {
  const all = Object.values(synthesise('prod', EVERYTHING)).flatMap((template) =>
    Object.entries((template.toJSON() as TemplateFile).Resources),
  );
  const types = new Set(all.map(([, { Type }]) => Type).filter((type) => type.startsWith('AWS::')));
  return Object.fromEntries(
    [...types].flatMap((type) => all.filter(([, { Type }]) => Type === type).slice(0, 1)),
  );
}

/** Every value that the registry describes, from the outside in. */
function givenIn({ Resources }: TemplateFile, schemaOf: SchemaOf): Given[] {
  return Object.entries(Resources).flatMap(([id, { Type, Properties }]) => {
    const schema = schemaOf(Type);
    if (!schema || !Properties) return [];
    return inside({ place: ['Resources', id, 'Properties'], value: Properties, schema }, schema);
  });
}

function inside(given: Given, { definitions = {} }: Schema): Given[] {
  const { place, value } = given;
  const name = given.schema.$ref?.replace('#/definitions/', '');
  const schema = name ? (definitions[name] ?? {}) : given.schema;
  const own = { place, value, schema };
  if (Array.isArray(value)) {
    const items = schema.items ?? {};
    const all = value.map((each, position) => ({ place: [...place, position], value: each, schema: items }));
    return [own, ...all.flatMap((each) => inside(each, { definitions }))];
  }
  if (typeof value !== 'object' || value === null || !schema.properties) return [own];
  const all = Object.entries(value).flatMap(([key, each]) => {
    const of = schema.properties?.[key];
    return of ? [{ place: [...place, key], value: each, schema: of }] : [];
  });
  return [own, ...all.flatMap((each) => inside(each, { definitions }))];
}

/** The object that holds a place. */
function holderOf(template: object, place: Place): Record<string | number, unknown> {
  return place
    .slice(0, -1)
    .reduce(
      (object, key) => object[key] as Record<string | number, unknown>,
      template as Record<string | number, unknown>,
    );
}

const put = (template: TemplateFile, place: Place, value: unknown) => {
  holderOf(template, place)[place.at(-1) as string] = value;
};

const isObject = (value: unknown): value is Record<string, unknown> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
/** Of a text or a number, or of a function such as `Ref`, which stands for one. */
const isScalar = (value: unknown) =>
  typeof value !== 'object' || /^\{"(Ref|Fn::\w+)":/.test(JSON.stringify(value));

const FAULTS: Record<string, Fault> = {
  'a property that is unknown': {
    rules: ['E3002'],
    plant(template, { place, value, schema }) {
      if (!schema.properties || !isObject(value) || isScalar(value)) return undefined;
      put(template, [...place, 'Planted'], 'anything');
      return [...place, 'Planted'];
    },
  },
  'no value where one is required': {
    rules: ['E3003'],
    plant(template, { place, value, schema }) {
      const key = schema.required?.find((each) => isObject(value) && each in value && isScalar(value[each]));
      if (!key) return undefined;
      delete holderOf(template, [...place, key])[key];
      return place;
    },
  },
  'a value of the wrong type': {
    rules: ['E3012'],
    plant(template, { place, value, schema }) {
      const isRight = ['string', 'boolean', 'integer', 'number'].includes(String(schema.type));
      if (!isRight || !isScalar(value)) return undefined;
      put(template, place, ['planted']);
      return place;
    },
  },
  'a value outside its list or its pattern': {
    rules: ['E3030', 'E3031'],
    plant(template, { place, value, schema }) {
      const planted = '\t! planted !';
      // Written for Python.
      const pattern = schema.pattern?.replaceAll('\\Z', '$');
      const isWrong = schema.enum ?? (pattern && !new RegExp(pattern).test(planted));
      if (!isWrong || schema.type !== 'string' || !isScalar(value)) return undefined;
      put(template, place, planted);
      return place;
    },
  },
};

const folder = mkdtempSync(join(tmpdir(), 'crypto-market-insights-schemas-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the registry of CloudFormation', () => {
  const schemas = new Map<string, SchemaOf>();
  const template: TemplateFile = { Resources: samples() };
  beforeAll(async () => {
    for (const region of REGIONS) schemas.set(region, await registrySchemas(region));
  });

  it.each(REGIONS)('has every type of our resources in %s', (region) => {
    const types = Object.values(template.Resources).map(({ Type }) => Type);
    expect(types.filter((type) => !schemas.get(region)?.(type))).toEqual([]);
  });

  it('is what cfn-lint compares each property with', async () => {
    const planted = Object.entries(FAULTS).map(([what, { rules, plant }]) => {
      const copy = structuredClone(template);
      // From the inside out, so that nothing hides what is planted in it.
      const given = givenIn(copy, schemas.get('us-east-1') as SchemaOf).reverse();
      const places = given.flatMap((each) => {
        const place = plant(copy, each);
        return place ? [place.join('/')] : [];
      });
      const file = join(folder, `${what}.json`);
      writeFileSync(file, JSON.stringify(copy));
      return { what, file, rules, places };
    });
    const files = planted.map(({ file }) => file);
    const found = JSON.parse(await cfnLint(files, '--format', 'json')) as Finding[];
    for (const { what, file, rules, places } of planted) {
      const own = found.filter(({ Filename, Rule }) => Filename === file && rules.includes(Rule.Id));
      const foundAt = new Set(own.map(({ Location }) => Location.Path?.join('/')));
      expect(new Set(places.map((place) => place.split('/')[1])).size, what).toBeGreaterThan(10);
      expect(
        places.filter((place) => !foundAt.has(place)),
        what,
      ).toEqual([]);
    }
  }, 300_000);
});
