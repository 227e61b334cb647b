import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { type StageName, stageConfig } from '../../lib/config/stages.ts';
import { synthesise } from './synthesised.ts';

interface Resource {
  Properties: {
    PolicyDocument: { Statement: { Action: string | string[] }[] };
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

/** The actions of each role of a stage with everything switched on. */
function rolesOf(stage: StageName): Map<string, Set<string>> {
  const chat = [{ app: 'slack', workspaceId: 'T012ABC', channelId: 'C012ABC', topics: ['pages'] }];
  const templates = Object.values(
    synthesise(stage, { bastion: true, alarms: { chat }, budget: { monthlyUsd: 100 } }),
  );
  const of = (type: string) =>
    templates.flatMap((template) => Object.entries(template.findResources(type)) as [string, Resource][]);
  const roles = new Map<string, Set<string>>();
  const add = (id: string, actions: readonly string[]) => {
    const known = roles.get(nameOf(id)) ?? new Set();
    for (const action of actions) known.add(action);
    roles.set(nameOf(id), known);
  };
  const actionsOf = ({ PolicyDocument }: Resource['Properties']) =>
    PolicyDocument.Statement.flatMap(({ Action }) => Action);
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

/** The page's row of what every function's role has; another row refers to it as "every function’s". */
const EVERY_FUNCTION = 'EveryFunctionRole';

/** What the page says of each role: its first column names it, its last one lists the actions. */
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
  const dev = rolesOf('dev');
  const prod = rolesOf('prod');

  it('lists every role of both stages with exactly its actions', () => {
    // Both stages have the same roles, but for the one that empties dev's buckets.
    expect(asLines(rolesOfPage())).toEqual(asLines(new Map([...prod, ...dev])));
  });

  it('holds for both stages: a role has the same permissions in each', () => {
    const shared = asLines(dev).filter((line) => prod.has(line.split(':')[0] ?? ''));
    expect(shared).toEqual(asLines(prod));
  });
});
