import { readFileSync } from 'node:fs';
import type { Template } from 'aws-cdk-lib/assertions';
import { describe, expect, it } from 'vitest';
import { STAGE_NAMES, type StageName, stageConfig } from '../../lib/config/stages.ts';
import { EVERYTHING, synthesise } from './synthesised.ts';

interface Statement {
  Sid?: string;
  Effect: 'Allow' | 'Deny';
  Action: string | string[];
  Resource: unknown;
}

interface Resource {
  Properties: {
    PolicyDocument: { Statement: Statement[] };
    Roles: { Ref: string }[];
    Policies?: Resource['Properties'][];
    ManagedPolicyArns?: unknown[];
  };
}

const page = readFileSync(new URL('../../docs/security.md', import.meta.url), 'utf8');

/** A role as the page names it: without what CloudFormation adds, and of any source. */
function nameOf(logicalId: string): string {
  const [source] = stageConfig('dev').sources;
  return logicalId.replace(/[0-9A-F]{8}$/, '').replace(`Source${source?.name}Ingest`, 'Ingest<source>');
}

/** The templates of a stage with everything switched on. */
function templatesOf(stage: StageName): Template[] {
  return Object.values(synthesise(stage, EVERYTHING));
}

const resourcesOf = (templates: readonly Template[]) => (type: string) =>
  templates.flatMap((template) => Object.entries(template.findResources(type)) as [string, Resource][]);

/** The actions of each role. */
function rolesOf(templates: readonly Template[]): Map<string, Set<string>> {
  const of = resourcesOf(templates);
  const roles = new Map<string, Set<string>>();
  const add = (id: string, actions: readonly string[]) => {
    const known = roles.get(nameOf(id)) ?? new Set();
    for (const action of actions) known.add(action);
    roles.set(nameOf(id), known);
  };
  const actionsOf = ({ PolicyDocument }: Resource['Properties']) =>
    PolicyDocument.Statement.filter(({ Effect }) => Effect === 'Allow').flatMap(({ Action }) => Action);
  for (const [id, { Properties }] of of('AWS::IAM::Role')) {
    const managed = (Properties.ManagedPolicyArns ?? []).map(
      (arn) => /[^/"]+(?="[^/]*$)/.exec(JSON.stringify(arn))?.[0] ?? '',
    );
    add(id, [...(Properties.Policies ?? []).flatMap(actionsOf), ...managed]);
  }
  for (const [, { Properties }] of of('AWS::IAM::Policy')) {
    for (const { Ref } of Properties.Roles) add(Ref, actionsOf(Properties));
  }
  return roles;
}

const FOLDER_COLUMNS = ['s3:GetObject', 's3:PutObject', 's3:DeleteObject'];
/** `rejected/`, or `aws/lambda/`. */
const FOLDER = /"\/?((?:aws\/)?[a-z-]+\/)/;

/** Who reads, writes and deletes the objects of each folder of the lake: `candles/ s3:PutObject Operator`. */
function accessToLake(templates: readonly Template[]): string[] {
  const lines = new Set<string>();
  for (const [, { Properties }] of resourcesOf(templates)('AWS::IAM::Policy')) {
    const [{ Ref: role = '' } = {}] = Properties.Roles;
    for (const { Effect, Action, Resource } of Properties.PolicyDocument.Statement) {
      for (const action of [Action]
        .flat()
        .filter((each) => Effect === 'Allow' && FOLDER_COLUMNS.includes(each))) {
        for (const resource of [Resource].flat()) {
          const [, folder] = FOLDER.exec(JSON.stringify(resource)) ?? [];
          lines.add(`${folder} ${action} ${nameOf(role).replace(/FunctionRole$/, '')}`);
        }
      }
    }
  }
  return [...lines].sort();
}

/** The same according to the page. */
function accessToLakeOfPage(): string[] {
  const rows = page.split('\n').filter((line) => /^\| `[a-z/-]+\/` \|/.test(line));
  return rows
    .flatMap((row) => {
      const [folder = '', ...cells] = row.split('|').slice(1, -1);
      return FOLDER_COLUMNS.flatMap((action, column) =>
        [...(cells[column] ?? '').matchAll(/`([A-Z][\w<>]*)`/g)].map(
          ([, role]) => `${folder.trim().replaceAll('`', '')} ${action} ${role}`,
        ),
      );
    })
    .sort();
}

/** The page's row of what every function's role has; another row refers to it as "every function’s". */
const EVERY_FUNCTION = 'EveryFunctionRole';

/** The page's table of roles: the first column names the role, the last one lists its actions. */
function rolesOfPage(): Map<string, Set<string>> {
  const code = (cell: string) => [...cell.matchAll(/`([^`]+)`/g)].map(([, text]) => text ?? '');
  const rows = page.split('\n').filter((line) => /^\| `[\w<>]*Role` \|/.test(line));
  const roles = new Map<string, Set<string>>();
  for (const row of rows) {
    const cells = row.split(' | ');
    const actions = cells.at(-1) ?? '';
    const shared = actions.startsWith('every function’s') ? (roles.get(EVERY_FUNCTION) ?? []) : [];
    roles.set(code(cells[0] ?? '')[0] ?? '', new Set([...shared, ...code(actions)]));
  }
  roles.delete(EVERY_FUNCTION);
  return roles;
}

/** One line a role, for a message that shows at once which one differs. */
const asLines = (roles: ReadonlyMap<string, ReadonlySet<string>>) =>
  [...roles]
    .map(
      ([role, actions]) =>
        `${role}: ${[...actions]
          .sort()
          .map((action) => `\`${action}\``)
          .join(', ')}`,
    )
    .sort();

describe('docs/security.md', () => {
  const templates = { dev: templatesOf('dev'), prod: templatesOf('prod') };
  const dev = rolesOf(templates.dev);
  const prod = rolesOf(templates.prod);

  it('lists every role of both stages with exactly its actions', () => {
    // Both stages have the same roles, but for the one that empties dev's buckets.
    expect(asLines(rolesOfPage())).toEqual(asLines(new Map([...prod, ...dev])));
  });

  it('holds for both stages: a role has the same permissions in each', () => {
    const shared = asLines(dev).filter((line) => prod.has(line.split(':')[0] ?? ''));
    expect(shared).toEqual(asLines(prod));
  });

  it.each(STAGE_NAMES)('lists who reads, writes and deletes each folder of the lake: %s', (stage) => {
    expect(accessToLakeOfPage().length).toBeGreaterThan(15);
    expect(accessToLakeOfPage()).toEqual(accessToLake(templates[stage]));
  });

  it.each(STAGE_NAMES)('lists every statement that the bucket’s policy has of its own: %s', (stage) => {
    const policies = resourcesOf(templates[stage])('AWS::S3::BucketPolicy');
    const own = policies
      .flatMap(([, { Properties }]) => Properties.PolicyDocument.Statement)
      .filter(({ Sid }) => Sid !== undefined);
    expect(own.map(({ Effect }) => Effect)).toEqual(own.map(() => 'Deny'));
    const rows = [...page.matchAll(/^\| `([A-Z]\w+)` \| (?:everyone|functions): /gm)].map(([, sid]) => sid);
    expect(rows).toEqual(own.map(({ Sid }) => Sid));
  });
});
